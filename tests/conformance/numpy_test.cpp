// SPDX-License-Identifier: MIT
// NumPy's answers: the cases of the test data, through the dispatcher that edge_array uses.

#include <edge/core/npy.hpp>

#include "common/array_ops.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <fstream>
#include <map>
#include <string>

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Cases that fail for another reason, by folder and number.
const std::map<std::string, std::string> later_cases = {
    {"numpy/npy 8", "float16 is read as float32, so the result is float32"},
};

edge::any_tensor run(const fs::path& folder, const json& c) {
    std::vector<edge::any_tensor> inputs;
    for (const auto& name : c["inputs"]) inputs.push_back(edge::load_npy(folder / name.get<std::string>()));
    auto op = c["op"].get<std::string>();
    if (op == "einsum") return array_ops::einsum(c["equation"].get<std::string>(), inputs);
    if (!c.contains("axis")) return array_ops::elementwise(op, inputs);
    if (op.rfind("reduce_", 0) == 0) op.erase(0, 7);
    std::optional<edge::index_t> axis;
    if (!c["axis"].is_null()) axis = c["axis"].get<edge::index_t>();
    return array_ops::reduce(op, inputs.at(0), axis, c["keepdims"].get<bool>());
}

template <class T>
std::int64_t ordered_bits(T v) {
    using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    const auto i = std::bit_cast<I>(v);
    return i < 0 ? std::int64_t{(std::numeric_limits<I>::min)()} - i : std::int64_t{i};
}

/// What differs, or nothing.
template <class T>
std::string difference(const edge::tensor<T>& got, const edge::tensor<T>& want, const json& check) {
    for (edge::index_t i = 0; i < want.size(); ++i) {
        const T g = got[i];
        const T w = want[i];
        bool ok = g == w;
        if constexpr (std::is_floating_point_v<T>) {
            if (std::isnan(w)) {
                ok = std::isnan(g);
            } else if (std::isnan(g)) {
                ok = false;
            } else if (check.contains("ulp")) {
                ok = std::isinf(w) || std::isinf(g)
                         ? ok
                         : std::abs(ordered_bits(g) - ordered_bits(w)) <= check["ulp"].get<int>();
            } else if (check.contains("rtol") && std::isfinite(w)) {
                ok = std::abs(double{g} - double{w}) <=
                     check["atol"].get<double>() + check["rtol"].get<double>() * std::abs(double{w});
            }
            if (check.value("signed_zero", false) && w == 0 && g == 0) ok = std::signbit(w) == std::signbit(g);
        }
        if (!ok) return edge::message("element ", i, " is ", g, ", not ", w);
    }
    return "";
}

std::string problem(const fs::path& folder, const json& c, const json& check) {
    edge::any_tensor got;
    try {
        got = run(folder, c);
    } catch (const edge::error& e) {
        return c.contains("error") ? "" : std::string("refused: ") + e.what();
    }
    if (c.contains("error")) return "not refused";
    const auto want = edge::load_npy(folder / c["output"].get<std::string>());
    if (got.shape() != want.shape()) return edge::message("shape ", got.shape(), ", not ", want.shape());
    if (check.contains("abs")) {  // the exact sum, in float64
        const double g = array_ops::convert(got, edge::dtype::f64).as<double>()[0];
        const double w = array_ops::convert(want, edge::dtype::f64).as<double>()[0];
        return std::abs(g - w) <= check["abs"].get<double>() ? "" : edge::message(g, " is not near ", w);
    }
    const bool is_half = c.value("note", "") == "float16";  // stored as float16, read as float32
    if (is_half) return "float16";
    if (got.dtype() != want.dtype()) return edge::message(got.dtype(), ", not ", want.dtype());
    return got.visit([&](const auto& g) {
        using T = typename std::remove_cvref_t<decltype(g)>::value_type;
        return difference<T>(g, want.as<T>(), check);
    });
}

/// The tolerance of a case that states none: those of the first set.
json default_check(const std::string& op) {
    if (op == "exp" || op == "log" || op == "tanh" || op == "sin" || op == "cos")
        return {{"ulp", 4}};  // NumPy's own is not exact
    if (op.rfind("reduce_", 0) == 0 || op == "einsum") return {{"rtol", 1e-5}, {"atol", 1e-6}};
    return {{"exact", true}};
}

void run_set(const std::string& set) {
    const auto folder = test_data(set);
    if (!folder) return;
    const json cases = json::parse(std::ifstream(*folder / "cases.json"));
    int passed = 0;
    int later = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const json& c = cases[i];
        const auto op = c["op"].get<std::string>();
        const std::string name = set + " " + std::to_string(i);
        const bool is_later = later_cases.count(name) != 0;
        const std::string why = problem(*folder, c, c.contains("check") ? c["check"] : default_check(op));
        INFO(name << " " << op << " " << c.value("equation", "") << " " << c.value("note", "") << ": " << why);
        if (is_later) {
            CHECK_FALSE(why.empty());  // it passes now: take it off the list
            ++later;
        } else {
            CHECK(why.empty());
            passed += why.empty() ? 1 : 0;
        }
    }
    WARN(set << ": " << passed << " of " << cases.size() << ", " << later << " left to a later release");
    CHECK(passed + later == static_cast<int>(cases.size()));
}

}  // namespace

TEST_CASE("elementwise operations agree with NumPy", "[conformance][numpy]") {
    run_set("numpy/ufunc");
    run_set("numpy/broadcast");
}
TEST_CASE("reductions agree with NumPy", "[conformance][numpy]") { run_set("numpy/reduce"); }
TEST_CASE("einsum agrees with NumPy", "[conformance][numpy]") { run_set("numpy/einsum"); }
TEST_CASE("files of NumPy's own are operands", "[conformance][numpy]") { run_set("numpy/npy"); }
TEST_CASE("the first set of NumPy cases agrees", "[conformance][numpy]") { run_set("numpy"); }

// SPDX-License-Identifier: MIT
#include <edge/core/npy.hpp>
#include <edge/quant.hpp>

#include "support/data.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <map>

using edge::index_t;
using nlohmann::json;
namespace fs = std::filesystem;
namespace quant = edge::quant;

namespace {

json cases_of(const fs::path& folder) { return json::parse(std::ifstream(folder / "cases.json")); }

edge::any_tensor load(const fs::path& folder, const json& name) {
    return edge::load_npy(folder / name.get<std::string>());
}

/// One value for all, or one for each channel.
template <class T>
std::vector<T> list_of(const json& value) {
    return value.is_array() ? value.get<std::vector<T>>() : std::vector<T>{value.get<T>()};
}

quant::format format_of(const json& c) {
    return {c["dtype"] == "uint8" ? edge::dtype::u8 : edge::dtype::i8,
            {c["qmin"].get<int>(), c["qmax"].get<int>()},
            c["scheme"] == "symmetric"};
}

std::vector<quant::parameters> parameters_of(const json& c) {
    const auto scales = list_of<float>(c["scale"]);
    const auto zeros = list_of<std::int32_t>(c["zero_point"]);
    std::vector<quant::parameters> all;
    for (std::size_t i = 0; i < scales.size(); ++i) all.push_back({scales[i], zeros[i]});
    return all;
}

template <class O>
std::vector<quant::parameters> observed(O seen, const fs::path& folder, const json& c) {
    for (const json& batch : c["batches"]) {
        const auto x = load(folder, batch);
        if constexpr (std::is_same_v<O, quant::channel_minmax_observer>)
            seen.observe(x.as<float>());
        else
            seen.observe(x.as<float>().flat());
    }
    if constexpr (std::is_same_v<O, quant::channel_minmax_observer>)
        return seen.parameters_for(format_of(c));
    else
        return {seen.parameters_for(format_of(c))};
}

}  // namespace

TEST_CASE("observers choose PyTorch's scales and zero points", "[conformance][quant]") {
    const auto folder = test_data("quant/observers");
    if (!folder) return;
    // What a later release covers, with the reason.
    std::map<std::string, std::string> later{{"histogram", "no histogram observer yet"},
                                             {"best_mse", "no observer that searches for the least error yet"}};
    int passed = 0;
    for (const json& c : cases_of(*folder)) {
        const std::string kind = c["observer"];
        if (later.count(kind) != 0) continue;
        INFO(c.dump());
        std::vector<quant::parameters> p;
        if (kind == "minmax")
            p = observed(quant::minmax_observer(), *folder, c);
        else if (kind == "moving_average_minmax")
            p = observed(quant::moving_average_observer(c["averaging_constant"].get<float>()), *folder, c);
        else if (kind == "per_channel_minmax")
            p = observed(quant::channel_minmax_observer(c["axis"].get<index_t>()), *folder, c);
        else
            FAIL("an observer that is not known");
        CHECK(p == parameters_of(c));
        ++passed;
    }
    CHECK(passed == 204);
}

TEST_CASE("quantize and dequantize give PyTorch's bits", "[conformance][quant]") {
    const auto folder = test_data("quant/quantize");
    if (!folder) return;
    for (const json& c : cases_of(*folder)) {
        INFO(c.dump());
        const auto x = load(*folder, c["x"]);
        const auto p = parameters_of(c);
        const quant::limits range{c["qmin"].get<int>(), c["qmax"].get<int>()};
        const auto check = [&]<class Q>(Q) {
            const auto expected = load(*folder, c["q"]);
            const auto back = load(*folder, c["dq"]);
            const bool per_channel = c.contains("axis");
            const index_t axis = per_channel ? c["axis"].get<index_t>() : 0;
            const auto q = per_channel ? quant::quantize<Q>(x.as<float>(), p, axis, range)
                                       : quant::quantize<Q>(x.as<float>(), p[0], range);
            const auto y = per_channel ? quant::dequantize<Q>(q, p, axis) : quant::dequantize<Q>(q, p[0]);
            CHECK(std::equal(q.begin(), q.end(), expected.as<Q>().begin(), expected.as<Q>().end()));
            CHECK(std::equal(y.begin(), y.end(), back.as<float>().begin(), back.as<float>().end()));
        };
        if (c["dtype"] == "uint8")
            check(std::uint8_t{});
        else
            check(std::int8_t{});
    }
}

// SPDX-License-Identifier: MIT

// The test cases of ONNX and of other projects: models of one or a few nodes with inputs and answers.

#include "common/onnx_test_folder.hpp"

#include "support/catch.hpp"
#include "support/data.hpp"

#include <map>
#include <set>

namespace {

/// Cases that must fail, and why.
const std::map<std::string, std::string> out_of_scope = {
    {"test_identity_opt", "optional values and sequences are not tensors"},
};

std::string reason_to_fail(const std::filesystem::path& folder) {
    const auto listed = out_of_scope.find(folder.filename().string());
    return listed == out_of_scope.end() ? "" : listed->second;
}

bool same(const edge::any_tensor& a, const edge::any_tensor& b) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() &&
           (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}
template <class T>
bool same(const T& a, const T& b) {
    return a == b;
}

bool same(const std::vector<edge::nn::value_info>& a, const std::vector<edge::nn::value_info>& b) {
    const auto equal = [](const auto& x, const auto& y) {
        const auto same_extent = [](const auto& m, const auto& n) { return m.size == n.size && m.symbol == n.symbol; };
        return x.name == y.name && x.type == y.type && x.any_rank == y.any_rank &&
               std::equal(x.dims.begin(), x.dims.end(), y.dims.begin(), y.dims.end(), same_extent);
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

bool same(const edge::nn::node& a, const edge::nn::node& b) {
    if (a.op_type != b.op_type || a.name != b.name || a.domain != b.domain || a.inputs != b.inputs ||
        a.outputs != b.outputs || a.attributes.size() != b.attributes.size())
        return false;
    return std::all_of(a.attributes.begin(), a.attributes.end(), [&](const auto& entry) {
        const auto other = b.attributes.find(entry.first);
        return other != b.attributes.end() && entry.second.visit([&]<class T>(const T& value) {
            const T* found = other->second.template get_if<T>();
            return found != nullptr && same(value, *found);
        });
    });
}

/// Whether a model that was read is the same after it was written and read again.
bool survives(const edge::nn::graph& g) {
    const std::string bytes = edge::nn::to_onnx(g);
    const auto again = edge::nn::parse_onnx(std::as_bytes(std::span(bytes)), "copy");
    return g.name.empty() == (again.name == "graph") && g.opset == again.opset && same(g.inputs, again.inputs) &&
           same(g.outputs, again.outputs) && g.initializers.size() == again.initializers.size() &&
           std::equal(g.initializers.begin(), g.initializers.end(), again.initializers.begin(),
                      [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); }) &&
           std::equal(g.nodes.begin(), g.nodes.end(), again.nodes.begin(), again.nodes.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
}

void check_all(const std::string& part, int at_least) {
    const auto root = test_data(part);
    if (!root) return;
    std::vector<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::directory_iterator(*root))
        if (std::filesystem::exists(entry.path() / "model.onnx")) folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    int passed = 0;
    for (const auto& folder : folders) {
        std::string problem;
        try {
            problem = check_onnx_folder(folder, {.rtol = 1e-3, .atol = 1e-5}).difference;
            if (problem.empty() && !survives(edge::nn::load_onnx(folder / "model.onnx")))
                problem = "is not the same after it was saved and loaded";
        } catch (const edge::error& e) {
            problem = e.what();
        }
        const std::string reason = reason_to_fail(folder);
        INFO(folder.filename().string() << ": " << (problem.empty() ? "passes" : problem)
                                        << (reason.empty() ? "" : " (listed: " + reason + ")"));
        CHECK(problem.empty() == reason.empty());
        passed += problem.empty();
    }
    CHECK(passed >= at_least);
}

}  // namespace

TEST_CASE("ONNX's own node tests", "[conformance][onnx]") { check_all("onnx-node", 185); }
TEST_CASE("newer node tests of ONNX", "[conformance][onnx]") { check_all("onnx-peers/node-latest", 241); }
TEST_CASE("layers exported from PyTorch", "[conformance][onnx]") { check_all("onnx-peers/pytorch", 55); }
TEST_CASE("operator tests of a JavaScript runtime", "[conformance][onnx]") { check_all("onnx-peers/js", 94); }
TEST_CASE("quantized operators and small quantized graphs", "[conformance][onnx]") { check_all("onnx-quant", 138); }

TEST_CASE("MobileNetV2 is the same after it was saved and loaded", "[conformance][onnx]") {
    const auto path = test_data("mobilenet_v2_1.0_224.onnx");
    if (path) CHECK(survives(edge::nn::load_onnx(*path)));
}

TEST_CASE("MobileNetV2 loads, and costs what it is known to", "[conformance][onnx]") {
    const auto path = test_data("mobilenet_v2_1.0_224.onnx");
    if (!path) return;
    edge::nn::session run{edge::nn::load_onnx(*path)};
    const edge::shape shapes[] = {{1, 3, 224, 224}};
    run.plan(shapes);
    edge::index_t macs = 0;
    edge::index_t parameters = 0;
    for (const auto& layer : run.layers()) {
        macs += layer.macs;
        parameters += layer.parameters;
    }
    // Sandler et al. 2018, table 4: 300 M multiply-adds, 3.4 M parameters (3.47 M without batch normalization's).
    CHECK(macs == 300774272);
    CHECK(parameters == Approx(3.49e6).epsilon(0.01));
}

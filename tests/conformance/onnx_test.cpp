// SPDX-License-Identifier: MIT

// The test cases of ONNX and of other projects: models of one or a few nodes with inputs and answers.

#include "common/onnx_test_folder.hpp"

#include "support/catch.hpp"
#include "support/data.hpp"

#include <map>
#include <set>

namespace {

/// Operators that a later release brings. A case that has one must fail until then.
const std::map<std::string, std::string> later_operators = {
    {"CumSum", "a scan, wanted by no vision or motion model so far"},
    {"Einsum", "comes with einsum of the simd layer"},
    {"GatherND", "wanted by no vision or motion model so far"},
    {"OneHot", "wanted by no vision or motion model so far"},
    {"Resize", "comes with image preprocessing"},
    {"TopK", "comes with detection models"},
};
const std::map<std::string, std::string> later_cases = {
    {"test_identity_opt", "optional values and sequences are not tensors"},
};

/// Why a case is expected to fail, or "".
std::string reason_to_fail(const std::filesystem::path& folder) {
    if (const auto listed = later_cases.find(folder.filename().string()); listed != later_cases.end())
        return listed->second;
    for (const auto& n : edge::nn::load_onnx(folder / "model.onnx").nodes)
        if (const auto listed = later_operators.find(n.op_type); listed != later_operators.end())
            return n.op_type + ": " + listed->second;
    return "";
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

TEST_CASE("ONNX's own node tests", "[conformance][onnx]") { check_all("onnx-node", 182); }
TEST_CASE("newer node tests of ONNX", "[conformance][onnx]") { check_all("onnx-peers/node-latest", 211); }
TEST_CASE("layers exported from PyTorch", "[conformance][onnx]") { check_all("onnx-peers/pytorch", 55); }
TEST_CASE("operator tests of a JavaScript runtime", "[conformance][onnx]") { check_all("onnx-peers/js", 91); }
TEST_CASE("quantized operators and small quantized graphs", "[conformance][onnx]") { check_all("onnx-quant", 138); }

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

// SPDX-License-Identifier: MIT
// Networks on real threads: those of a pool inside a run, and several runs at the same time. Made for the thread sanitizer.
#include <edge/core/parallel.hpp>
#include <edge/nn/ptq.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "threads/fresh_threads.hpp"

#include <atomic>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

using edge::index_t;
using edge::tensor;

namespace {

/// A convolution of an image, an inverted residual with an addition, a general convolution, and a dense layer.
edge::nn::graph network() {
    edge::nn::graph g;
    unsigned seed = 0;
    const auto w = [&](const edge::shape& s) {
        auto values = numbers<float>(s, ++seed);
        for (float& v : values) v *= 0.05f;
        return g.constant("w", std::move(values));
    };
    g.inputs.push_back({"x", edge::dtype::f32, {{1}, {3}, {48}, {48}}});
    auto x = g.add("Relu", {g.add("Conv", {"x", w({16, 3, 3, 3}), w({16})}, {{"strides", {2, 2}}})});
    auto h = g.add("Relu", {g.add("Conv", {x, w({64, 16, 1, 1}), w({64})})});
    h = g.add("Relu", {g.add("Conv", {h, w({64, 1, 3, 3}), w({64})}, {{"group", 64}, {"pads", {1, 1, 1, 1}}})});
    x = g.add("Add", {x, g.add("Conv", {h, w({16, 64, 1, 1}), w({16})})});
    x = g.add("Conv", {x, w({24, 16, 3, 3})});
    x = g.add("Flatten", {g.add("GlobalAveragePool", {x})});
    g.outputs.push_back({g.add("Gemm", {x, w({24, 100}), w({100})}), edge::dtype::f32});
    return g;
}

}  // namespace

TEST_CASE("sessions of one model run at the same time, each on several threads", "[threads]") {
    const auto image = numbers<float>({1, 3, 48, 48}, 99);
    const edge::nn::graph real = network();
    const edge::nn::graph integers = edge::nn::quantize_static(real, {image}, {.threads = 1});
    for (const auto& [g, fuse] : {std::pair{&real, false}, {&real, true}, {&integers, false}, {&integers, true}}) {
        edge::nn::session alone{*g, {.threads = 1, .passes = {.fuse_blocks = fuse}}};
        const tensor<float> expected = alone(image)[0].as<float>();
        fresh_threads pool;
        edge::set_thread_pool(&pool);
        edge::nn::session model{*g, {.threads = 3, .passes = {.fuse_blocks = fuse}}};
        std::atomic<int> wrong{0};
        std::vector<std::thread> users;
        for (int i = 0; i < 3; ++i) {
            users.emplace_back([&] {
                edge::nn::session own = model.share();
                for (int run = 0; run < 5; ++run)
                    if (!equal(own(image)[0].as<float>(), expected)) ++wrong;
            });
        }
        for (auto& t : users) t.join();
        edge::set_thread_pool(nullptr);
        CHECK(wrong == 0);
    }
}

// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/integer/dynamic_dense.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

using edge::index_t;
namespace integer = edge::nn::integer;
namespace quant = edge::quant;

namespace {

std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

/// DynamicQuantizeLinear of ONNX, word by word.
quant::parameters parameters_of(const std::vector<float>& x) {
    float low = 0, high = 0;
    for (const float v : x) {
        low = (std::min)(low, v);
        high = (std::max)(high, v);
    }
    if (low == high) return {1.0f, 0};
    const float scale = (high - low) / 255.0f;
    return {scale, static_cast<std::int32_t>(std::clamp(std::nearbyint(-low / scale), 0.0f, 255.0f))};
}

struct example {
    index_t m, n, k;
    std::vector<float> x, scales, bias;
    std::vector<std::int8_t> w;

    example(index_t rows, index_t columns, index_t depth, float shift = 0.0f) : m(rows), n(columns), k(depth) {
        edge::splitmix64 random(3);
        x = random_floats(m * k, 1);
        for (float& v : x) v += shift;
        scales = random_floats(n, 2);
        bias = random_floats(n, 3);
        for (index_t i = 0; i < k * n; ++i) w.push_back(static_cast<std::int8_t>(random() >> 50));
    }

    [[nodiscard]] std::vector<float> result(const edge::nn::clamp& limits) const {
        const quant::parameters p = parameters_of(x);
        std::vector<float> y;
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) {
                std::int64_t sum = 0;
                for (index_t q = 0; q < k; ++q)
                    sum += std::int64_t{quant::quantize_one<std::uint8_t>(x[size(i * k + q)], p) - p.zero_point} *
                           w[size(q * n + j)];
                const volatile float scale = p.scale * scales[size(j)];  // volatile: rounded
                const volatile float product = static_cast<float>(sum) * scale;
                y.push_back(std::clamp(product + bias[size(j)], limits.low, limits.high));
            }
        return y;
    }

    template <class Arch>
    void check(int threads = 1, const edge::nn::clamp& limits = {}) const {
        const integer::dynamic_dense_layer<Arch> layer({w.data(), k, n, n}, scales, bias.data(), limits);
        guarded<unsigned char> scratch(size(layer.scratch_bytes(m, threads)));
        guarded<float> y(size(m * n), 4);
        layer.run(x.data(), y.data(), m, scratch.data(), threads);
        INFO("m " << m << ", n " << n << ", k " << k << ", threads " << threads);
        REQUIRE(y.is_intact());
        REQUIRE(scratch.is_intact());
        REQUIRE(y.values() == result(limits));
    }
};

}  // namespace

TEST_CASE("a dynamic dense layer has the bits of ONNX's operators one after the other", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (const index_t k : {1, 2, 3, 5, 31, 64, 130})
            for (const index_t n : {1, 7, 16, 33}) example(k % 3 + 1, n, k).check<Arch>();
        for (const float shift : {-3.0f, 3.0f}) example(7, 20, 50, shift).check<Arch>(1, edge::nn::relu);
        example(0, 3, 5).check<Arch>();
    });
}

TEST_CASE("a dynamic dense layer has the same bits on any number of threads", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (int threads = 1; threads <= 4; ++threads) {
            example(1, 1500, 900).check<Arch>(threads);
            example(40, 100, 900).check<Arch>(threads);
        }
    });
}

TEST_CASE("rows that are quantized already give the same as their floats", "[nn][integer]") {
    const example e(5, 19, 40);
    const quant::parameters p = parameters_of(e.x);
    std::vector<std::uint8_t> q(e.x.size());
    quant::quantize<std::uint8_t>(e.x, q, p);
    const integer::dynamic_dense_layer layer({e.w.data(), e.k, e.n, e.n}, e.scales, e.bias.data());
    edge::tensor<unsigned char> scratch({layer.scratch_bytes(e.m, 1)});
    std::vector<float> y(size(e.m * e.n));
    const auto before = allocations();
    layer.run(q.data(), p, y.data(), e.m, scratch.data(), 1);
    CHECK(allocations() == before);
    CHECK(y == e.result({}));
}

TEST_CASE("a dynamic dense layer takes one scale, or one a column, and inputs of zeros", "[nn][integer]") {
    example e(2, 5, 6);
    std::fill(e.x.begin(), e.x.end(), 0.0f);
    e.check<edge::nn::detail::native>();
    CHECK_THROWS_AS(integer::dynamic_dense_layer<>({e.w.data(), 6, 5, 5}, std::span(e.scales).first(3)),
                    edge::argument_error);
    const integer::dynamic_dense_layer<> layer({e.w.data(), 6, 5, 5}, std::span(e.scales).first(1));
    CHECK(layer.outputs() == 5);
}

// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/integer/dense.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/thrown.hpp"

#include <cmath>
#include <memory>

using edge::index_t;
namespace integer = edge::nn::integer;

namespace {

std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

/// A layer, its input, and its result by the definition, in 64 bits.
struct example {
    index_t m, n, k;
    std::int32_t x_zero;
    std::unique_ptr<std::uint8_t[]> x;  // of the exact size, so that sanitizers see a byte too many
    std::vector<std::int8_t> w;
    std::vector<std::int32_t> bias;
    integer::byte_end end;
    std::vector<std::uint8_t> residual;

    example(index_t rows, index_t columns, index_t depth, std::int32_t zero, std::uint64_t seed = 1)
        : m(rows), n(columns), k(depth), x_zero(zero), x(new std::uint8_t[size(rows * depth)]) {
        edge::splitmix64 random(seed);
        for (index_t i = 0; i < m * k; ++i) x[size(i)] = static_cast<std::uint8_t>(random() >> 50);
        for (index_t i = 0; i < k * n; ++i) w.push_back(static_cast<std::int8_t>(random() >> 50));
        for (index_t i = 0; i < n; ++i) {
            bias.push_back(static_cast<std::int32_t>(random() >> 48) - 32768);
            end.multipliers.push_back(static_cast<float>(random() >> 40) * 0x1p-24f * 0.03f /
                                      std::sqrt(static_cast<float>(k + 1)));
        }
        for (index_t i = 0; i < m * n; ++i) residual.push_back(static_cast<std::uint8_t>(random() >> 50));
        end.zero_point = 117;
        end.range = {3, 250};
    }

    [[nodiscard]] edge::simd::matrix<const std::int8_t> weights() const { return {w.data(), k, n, n}; }

    [[nodiscard]] std::int32_t sum(index_t i, index_t j) const {
        std::int64_t all = bias[size(j)];
        for (index_t p = 0; p < k; ++p) all += std::int64_t{x[size(i * k + p)] - x_zero} * w[size(p * n + j)];
        return static_cast<std::int32_t>(all);
    }

    [[nodiscard]] std::vector<std::uint8_t> result(const integer::byte_sum* add = nullptr) const {
        std::vector<std::uint8_t> y;
        for (index_t i = 0; i < m; ++i)
            for (index_t j = 0; j < n; ++j) {
                const auto q = edge::quant::requantize_one<std::uint8_t>(sum(i, j), end.multipliers[size(j)],
                                                                         end.zero_point, end.range);
                y.push_back(add == nullptr ? q : added(q, residual[size(i * n + j)], *add));
            }
        return y;
    }

    [[nodiscard]] static std::uint8_t added(std::uint8_t a, std::uint8_t b, const integer::byte_sum& r) {
        const volatile float one = static_cast<float>(a - r.x_zero) * r.x_scale;  // volatile: rounded
        const volatile float two = static_cast<float>(b - r.other_zero) * r.other_scale;
        const float v = std::nearbyint(one + two) + static_cast<float>(r.zero_point);
        return static_cast<std::uint8_t>(
            std::clamp(v, static_cast<float>(r.range.low), static_cast<float>(r.range.high)));
    }

    template <class Arch>
    void check(int threads = 1, const integer::byte_sum* add = nullptr) const {
        const std::optional<integer::byte_sum> sum =
            add == nullptr ? std::nullopt : std::optional<integer::byte_sum>(*add);
        const integer::dense_layer<Arch> layer(weights(), bias.data(), x_zero, end, sum);
        guarded<unsigned char> scratch(size(layer.scratch_bytes(m, threads)));
        guarded<std::uint8_t> y(size(m * n), size(n % 3));
        layer.run(x.get(), add == nullptr ? nullptr : residual.data(), y.data(), m, scratch.data(), threads);
        INFO("m " << m << ", n " << n << ", k " << k << ", x_zero " << x_zero << ", threads " << threads);
        REQUIRE(y.is_intact());
        REQUIRE(scratch.is_intact());
        REQUIRE(y.values() == result(add));
        if (add == nullptr) return;
        std::copy(residual.begin(), residual.end(), y.data());
        layer.run(x.get(), y.data(), y.data(), m, scratch.data(), threads);
        REQUIRE(y.values() == result(add));
    }
};

}  // namespace

TEST_CASE("an integer dense layer is exact for every remainder of rows, columns and depth", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (index_t k = 0; k <= 70; k += k < 20 ? 1 : 7) example(k % 5 + 1, 70 - k, k, 255).check<Arch>();
        for (index_t n = 1; n <= 70; ++n) example(n % 4 + 1, n, 13, 0).check<Arch>();
        for (index_t m = 0; m <= 20; ++m) example(m, 37, 18, 99).check<Arch>();
        example(60, 100, 331, 128).check<Arch>();
        example(300, 20, 5, 128).check<Arch>();
    });
}

TEST_CASE("a residual joins an integer dense layer after its own rounding", "[nn][integer]") {
    const integer::byte_sum rule{
        .x_scale = 0.61f, .other_scale = 0.73f, .x_zero = 117, .other_zero = 130, .zero_point = 121, .range = {2, 253}};
    for_each_architecture([&]<class Arch>() {
        for (const index_t n : {1, 16, 24, 67}) example(19, n, 40, 11).check<Arch>(1, &rule);
        example(60, 200, 300, 11).check<Arch>(3, &rule);
        example(2, 900, 1300, 11).check<Arch>(2, &rule);
    });
}

TEST_CASE("an integer dense layer has the same bits on any number of threads", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (int threads = 1; threads <= 4; ++threads) {
            example(200, 90, 130, 7).check<Arch>(threads);
            example(1, 1900, 1030, 7).check<Arch>(threads);
        }
    });
}

TEST_CASE("sums of the largest bytes neither saturate nor overflow", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (const index_t k : {1, 6, 320, 32768})
            for (const int w_value : {-128, 127})
                for (const int x_value : {0, 255})
                    for (const std::int32_t x_zero : {0, 255}) {
                        example e(2, 3, k, x_zero);
                        std::fill_n(e.x.get(), 2 * k, static_cast<std::uint8_t>(x_value));
                        std::fill(e.w.begin(), e.w.end(), static_cast<std::int8_t>(w_value));
                        for (float& m : e.end.multipliers) m = 0.9f / (128.0f * static_cast<float>(k));
                        e.check<Arch>();
                    }
    });
}

TEST_CASE("results beyond int32 saturate too", "[nn][integer]") {
    for_each_architecture([]<class Arch>() {
        for (const float multiplier : {1e-8f, 3.0f, 1e4f, 1e30f}) {
            example e(9, 40, 50, 128);
            for (float& m : e.end.multipliers) m = multiplier;
            e.check<Arch>();
        }
    });
}

TEST_CASE("a run of an integer dense layer allocates nothing", "[nn][integer]") {
    const example e(30, 40, 50, 3);
    const integer::dense_layer layer(e.weights(), e.bias.data(), e.x_zero, e.end);
    std::vector<std::uint8_t> y(size(e.m * e.n));
    std::vector<unsigned char> scratch(size(layer.scratch_bytes(e.m, 1)));
    const auto before = allocations();
    layer.run(e.x.get(), nullptr, y.data(), e.m, scratch.data(), 1);
    CHECK(allocations() == before);
    CHECK(y == e.result());
}

TEST_CASE("an integer dense layer refuses an end that does not fit", "[nn][integer]") {
    const example e(1, 4, 5, 0);
    integer::byte_end end = e.end;
    end.multipliers.pop_back();
    CHECK_THROWS_AS(integer::dense_layer<>(e.weights(), nullptr, 0, end), edge::argument_error);
    end = e.end;
    end.range = {-1, 255};
    CHECK_THROWS_AS(integer::dense_layer<>(e.weights(), nullptr, 0, end), edge::argument_error);
    end = e.end;
    end.zero_point = 256;
    CHECK_THROWS_AS(integer::dense_layer<>(e.weights(), nullptr, 0, end), edge::argument_error);
}

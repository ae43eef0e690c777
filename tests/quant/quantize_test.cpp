// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/quant/quantize.hpp>
#include <edge/quant/requantize.hpp>

#include "support/architectures.hpp"
#include "support/guarded.hpp"

#include <cmath>

using edge::index_t;
namespace quant = edge::quant;
using quant::limits;
using quant::parameters;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

template <class Q>
std::vector<Q> quantized(const std::vector<float>& x, const parameters& p, const limits& range = quant::limits_of<Q>) {
    std::vector<Q> q(x.size());
    quant::quantize<Q>(x, q, p, range);
    return q;
}

}  // namespace

TEST_CASE("quantizing rounds halves to even and saturates", "[quant][quantize]") {
    const std::vector<float> x{-0.75f, -0.25f, 0.25f, 0.75f, 1.25f, 0.2f, 1e30f, -1e30f, infinity, -infinity, -0.0f};
    const std::vector<std::uint8_t> expected{8, 10, 10, 12, 12, 10, 255, 0, 255, 0, 10};
    CHECK(quantized<std::uint8_t>(x, {0.5f, 10}) == expected);
    CHECK(quantized<std::int8_t>({-1000.0f, 1000.0f, -64.0f, 0.4f}, {0.5f, 0}) ==
          std::vector<std::int8_t>{-128, 127, -128, 1});
    CHECK(quantized<std::int8_t>({-1000.0f, 1000.0f}, {0.5f, 0}, {-127, 100}) == std::vector<std::int8_t>{-127, 100});
}

TEST_CASE("NaN becomes the lowest integer in use", "[quant][quantize]") {
    for (const std::size_t n : {1U, 40U}) {
        const std::vector<float> x(n, nan_value);
        for (const int q : quantized<std::uint8_t>(x, {1.0f, 7}, {3, 200})) CHECK(q == 3);
        for (const int q : quantized<std::int8_t>(x, {1.0f, 0})) CHECK(q == -128);
    }
}

TEST_CASE("vectors quantize, dequantize and requantize with the bits of the scalar rule", "[quant][quantize]") {
    for_each_architecture([]<class Arch>() {
        const auto sweep = []<class Q>(Q) {
            const auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
            edge::splitmix64 random(1);
            for (index_t n = 0; n <= 2 * lanes + 1; ++n) {
                for (const std::size_t misalignment : {0U, 1U, 13U}) {
                    const limits range =
                        n % 2 == 0 ? quant::limits_of<Q> : limits{-100 + (std::is_signed_v<Q> ? 0 : 110), 120};
                    const auto middle = static_cast<std::int32_t>(range.low + static_cast<int>(random.below(21)));
                    const parameters p{0.125f * static_cast<float>(1 + n % 3), middle};
                    std::vector<float> x, multiplier;
                    std::vector<std::int32_t> sums;
                    for (index_t i = 0; i < n; ++i) {
                        x.push_back(static_cast<float>(std::round(random.uniform(-400.0, 400.0))) /
                                    16.0f);  // many ties
                        sums.push_back(static_cast<std::int32_t>(random() >> (32 + random.below(30))) *
                                       (i % 2 == 0 ? 1 : -1));
                        multiplier.push_back(i % 3 == 0 ? 0.5f : static_cast<float>(random.uniform(1e-7, 1e-2)));
                    }
                    guarded<Q> q(x.size(), misalignment), r(x.size(), misalignment);
                    guarded<float> y(x.size(), misalignment / 4 * 4);
                    quant::detail::quantize<Arch, Q>(x.data(), q.data(), n, p, range);
                    quant::detail::dequantize<Arch, Q>(q.data(), y.data(), n, p);
                    quant::detail::requantize<Arch, Q>(sums.data(), r.data(), n, {multiplier.data(), middle, range});
                    REQUIRE((q.is_intact() && y.is_intact() && r.is_intact()));
                    for (std::size_t i = 0; i < x.size(); ++i) {
                        REQUIRE(int{q.data()[i]} == int{quant::quantize_one<Q>(x[i], p, range)});
                        REQUIRE(y.data()[i] == quant::dequantize_one<Q>(q.data()[i], p));
                        REQUIRE(int{r.data()[i]} ==
                                int{quant::requantize_one<Q>(sums[i], multiplier[i], middle, range)});
                    }
                }
            }
        };
        sweep(std::uint8_t{});
        sweep(std::int8_t{});
    });
}

TEST_CASE("requantizing rounds once, halves to even, and saturates at the ends of int32", "[quant][requantize]") {
    const auto rounded = [](std::int32_t sum, float multiplier) {
        return int{quant::requantize_one<std::int8_t>(sum, multiplier, 0, {-128, 127})};
    };
    CHECK(rounded(5, 0.5f) == 2);
    CHECK(rounded(7, 0.5f) == 4);
    CHECK(rounded(-5, 0.5f) == -2);
    CHECK(rounded(2147483647, 1.0f) == 127);
    CHECK(rounded(-2147483647 - 1, 1.0f) == -128);
    CHECK(rounded(16777217, 0x1p-24f) == 1);  // the conversion to float rounds to 16777216
    CHECK_THROWS_AS(quant::multipliers(0.0f, std::vector<float>{1.0f}, 1.0f), edge::argument_error);
    CHECK_THROWS_AS(quant::multipliers(1e-30f, std::vector<float>{1e-30f}, 1.0f), edge::argument_error);
}

TEST_CASE("every value within the range comes back within half a step", "[quant][quantize]") {
    edge::splitmix64 random(2);
    for (int round = 0; round < 200; ++round) {
        const auto low = static_cast<float>(random.uniform(-10.0, 5.0));
        const auto high = low + static_cast<float>(random.uniform(0.0, 10.0));
        for (const quant::format f :
             {quant::format(edge::dtype::u8), quant::format(edge::dtype::i8),
              quant::format(edge::dtype::i8, {-128, 127}, false), quant::format(edge::dtype::i8, {-7, 7}, true)}) {
            const parameters p = quant::choose_parameters(low, high, f);
            for (int i = 0; i < 50; ++i) {
                const auto x = static_cast<float>(random.uniform(static_cast<double>(low), static_cast<double>(high)));
                const float y = f.type == edge::dtype::u8
                                    ? quant::dequantize_one(quant::quantize_one<std::uint8_t>(x, p, f.range), p)
                                    : quant::dequantize_one(quant::quantize_one<std::int8_t>(x, p, f.range), p);
                // Rounding of the zero point may push the ends out by half a step.
                REQUIRE(std::abs(x - y) <= p.scale * 1.01f);
                if (x > low + p.scale && x < high - p.scale) REQUIRE(std::abs(x - y) <= p.scale * 0.5001f);
            }
            REQUIRE(p.scale > 0.0f);
            // Zero comes back as zero, whatever the range.
            REQUIRE(p.zero_point >= f.range.low);
            REQUIRE(p.zero_point <= f.range.high);
        }
    }
}

TEST_CASE("parameters are sound for degenerate ranges", "[quant][parameters]") {
    const float most = (std::numeric_limits<float>::max)();
    for (const auto& [low, high] : std::vector<std::pair<float, float>>{{0.0f, 0.0f},
                                                                        {-1.0f, -1.0f},
                                                                        {5.0f, 5.0f},
                                                                        {1e-45f, 1e-45f},
                                                                        {-most, most},
                                                                        {0.0f, most},
                                                                        {-most, 0.0f}}) {
        for (const quant::format f : {quant::format(edge::dtype::u8), quant::format(edge::dtype::i8)}) {
            const parameters p = quant::choose_parameters(low, high, f);
            INFO("range " << low << " to " << high);
            CHECK_NOTHROW(quant::check(p, f.range));
        }
    }
    const parameters same = quant::choose_parameters(2.0f, 6.0f, edge::dtype::u8);
    CHECK(same == quant::choose_parameters(0.0f, 6.0f, edge::dtype::u8));
    CHECK(same.zero_point == 0);
}

TEST_CASE("parameters that make no sense are refused", "[quant][parameters]") {
    CHECK_THROWS_AS(quant::choose_parameters(nan_value, 1.0f, edge::dtype::u8), edge::argument_error);
    CHECK_THROWS_AS(quant::choose_parameters(0.0f, infinity, edge::dtype::u8), edge::argument_error);
    CHECK_THROWS_AS(quant::choose_parameters(1.0f, 0.0f, edge::dtype::u8), edge::argument_error);
    CHECK_THROWS_AS(quant::format(edge::dtype::f32), edge::argument_error);
    CHECK_THROWS_AS(quant::format(edge::dtype::u8, {-1, 255}, false), edge::argument_error);
    CHECK_THROWS_AS(quant::format(edge::dtype::i8, {5, 5}, false), edge::argument_error);
    std::vector<float> x(3);
    std::vector<std::uint8_t> q(3), two(2);
    CHECK_THROWS_WITH(quant::quantize<std::uint8_t>(x, q, {0.0f, 0}), "scale 0; expected a positive finite number");
    CHECK_THROWS_WITH(quant::quantize<std::uint8_t>(x, q, {1.0f, 256}), "zero point 256; expected 0 to 255");
    CHECK_THROWS_AS(quant::quantize<std::uint8_t>(x, two, {}), edge::shape_error);
    const std::vector<parameters> per_channel(2);
    const edge::tensor<float> t({3, 2});
    CHECK_THROWS_WITH(quant::quantize<std::int8_t>(t, per_channel, 0), "2 scales for axis 0 of shape (3, 2)");
    CHECK_NOTHROW(quant::quantize<std::int8_t>(t, per_channel, -1));
}

TEST_CASE("quantizing per channel equals quantizing each channel alone", "[quant][quantize]") {
    edge::tensor<float> x({2, 3, 5});
    edge::splitmix64 random(3);
    for (float& v : x) v = static_cast<float>(random.uniform(-3.0, 3.0));
    for (const index_t axis : {0, 1, 2, -1}) {
        const std::size_t a = x.shape().axis(axis);
        std::vector<parameters> p;
        for (index_t c = 0; c < x.shape()[a]; ++c)
            p.push_back({0.01f * static_cast<float>(c + 1), static_cast<int>(c)});
        const auto q = quant::quantize<std::int8_t>(x, p, axis, {-127, 127});
        const auto y = quant::dequantize<std::int8_t>(q, p, axis);
        for (index_t i = 0; i < 2; ++i)
            for (index_t j = 0; j < 3; ++j)
                for (index_t k = 0; k < 5; ++k) {
                    const parameters& own = p[static_cast<std::size_t>(a == 0 ? i : a == 1 ? j : k)];
                    REQUIRE(q(i, j, k) == quant::quantize_one<std::int8_t>(x(i, j, k), own, {-127, 127}));
                    REQUIRE(y(i, j, k) == quant::dequantize_one(q(i, j, k), own));
                }
    }
}

TEST_CASE("16-bit integers follow the same rule", "[quant][quantize]") {
    const auto check = []<class Q>(Q, const quant::format& f) {
        edge::splitmix64 random(4);
        const parameters p = quant::choose_parameters(-3.0f, 5.0f, f);
        std::vector<float> x{nan_value, infinity, -infinity, -3.0f, 5.0f, 0.0f, 1e30f};
        for (int i = 0; i < 50; ++i) x.push_back(static_cast<float>(random.uniform(-3.0, 5.0)));
        const auto q = quantized<Q>(x, p, f.range);
        std::vector<float> y(x.size());
        quant::dequantize<Q>(q, y, p);
        CHECK(q[0] == f.range.low);
        CHECK(q[1] == f.range.high);
        CHECK(q[2] == f.range.low);
        CHECK(y[5] == 0.0f);
        for (std::size_t i = 0; i < x.size(); ++i) {
            CHECK(q[i] == quant::quantize_one<Q>(x[i], p, f.range));
            if (std::abs(x[i]) < 6.0f) CHECK(std::abs(x[i] - y[i]) <= 1.01f * p.scale);
        }
    };
    check(std::int16_t{}, edge::dtype::i16);
    check(std::uint16_t{}, edge::dtype::u16);
    CHECK(quant::format(edge::dtype::i16).range == limits{-32767, 32767});
    CHECK(quant::format(edge::dtype::u16, {0, 4095}, false).range == limits{0, 4095});
    CHECK_THROWS_WITH(quant::format(edge::dtype::i32), "format of int32; expected uint8, int8, uint16 or int16");
}

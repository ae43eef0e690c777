// SPDX-License-Identifier: MIT
#include <edge/quant/mse.hpp>
#include <edge/quant/quantize.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

namespace quant = edge::quant;
using quant::format;

namespace {

double measured_error(const std::vector<float>& x, const quant::parameters& p, const quant::limits& range) {
    double sum = 0.0;
    for (const float v : x) {
        const double q = std::nearbyint(static_cast<double>(v) / static_cast<double>(p.scale));
        const double held = std::clamp(q, static_cast<double>(range.low - p.zero_point),
                                       static_cast<double>(range.high - p.zero_point));
        sum += std::pow(held * static_cast<double>(p.scale) - static_cast<double>(v), 2.0);
    }
    return sum / static_cast<double>(x.size());
}

/// Bell-shaped, with a tail.
std::vector<float> bell(std::size_t n, std::uint64_t seed, double shift = 0.0) {
    edge::splitmix64 random(seed);
    std::vector<float> x(n);
    for (float& v : x) {
        double sum = shift;
        for (int i = 0; i < 4; ++i) sum += random.uniform(-1.0, 1.0);
        v = static_cast<float>(sum * (random.below(100) == 0 ? 4.0 : 1.0));
    }
    return x;
}

const format formats[] = {format(edge::dtype::u8),
                          format(edge::dtype::i8),
                          format(edge::dtype::i8, {-7, 7}, true),
                          format(edge::dtype::u8, {0, 15}, false),
                          format(edge::dtype::i8, {-128, 127}, false),
                          format(edge::dtype::i16)};

}  // namespace

TEST_CASE("the expected error is the one that is measured", "[quant][mse]") {
    // Even within each bin: 32 values a bin.
    std::vector<float> x;
    for (int i = -32 * 700; i < 32 * 1024; ++i)
        if (i / 32 % 3 != 0) x.push_back((static_cast<float>(i) + 0.5f) * 0x1p-15f);
    quant::histogram h(1024);
    h.observe(x);
    REQUIRE(h.width() == 0x1p-10);
    const quant::expected_error error(h);
    for (const format& f : formats) {
        if (f.type == edge::dtype::i16) continue;  // a level is narrower than the distance of the values
        for (const float share : {1.3f, 1.0f, 0.7f, 0.2f}) {
            const auto p = quant::choose_parameters(-share * 0.7f, share, f);
            CHECK(error(p, f.range) == Approx(measured_error(x, p, f.range)).epsilon(0.01));
        }
    }
    CHECK_THROWS_AS(error({0.0f, 0}, {0, 255}), edge::argument_error);
}

TEST_CASE("no range of a grid loses less than the one of least squares", "[quant][mse]") {
    for (const double shift : {0.0, 1.5, 30.0}) {
        const auto x = bell(20000, 3, shift);
        quant::mse_observer seen;
        seen.observe(x);
        const auto all = seen.range();
        for (const format& f : formats) {
            const double ours = measured_error(x, seen.parameters_for(f), f.range);
            double best = measured_error(x, quant::choose_parameters(all.low, all.high, f), f.range);
            if (f.type != edge::dtype::i16)
                for (int i = 1; i <= 12; ++i)
                    for (int j = 1; j <= 12; ++j)
                        best = (std::min)(
                            best, measured_error(x,
                                                 quant::choose_parameters(
                                                     all.low < 0.0f ? all.low * static_cast<float>(i) / 12 : 0.0f,
                                                     all.high * static_cast<float>(j) / 12, f),
                                                 f.range));
            INFO("shift " << shift << ", type " << to_string(f.type) << " of " << f.range.high);
            CHECK(ours <= best * 1.01);
        }
    }
}

TEST_CASE("a spike at the end of the range is represented, as the 6 of a ReLU6", "[quant][mse]") {
    std::vector<float> x(1000, 6.0f);
    quant::mse_observer seen;
    seen.observe(x);
    const auto p = seen.parameters_for(edge::dtype::u8);
    CHECK(255.0f * p.scale == Approx(6.0f));
    x.assign(1000, 0.0f);
    quant::mse_observer nothing;
    nothing.observe(x);
    CHECK(nothing.parameters_for(edge::dtype::u8) == quant::choose_parameters(0.0f, 0.0f, edge::dtype::u8));
}

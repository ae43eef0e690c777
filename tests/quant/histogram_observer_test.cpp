// SPDX-License-Identifier: MIT
#include <edge/quant/entropy.hpp>
#include <edge/quant/mse.hpp>
#include <edge/quant/percentile.hpp>
#include <edge/quant/quantize.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

namespace quant = edge::quant;
using quant::format;

TEST_CASE("the range holds the given share of the values, to a bin", "[quant][percentile]") {
    edge::splitmix64 random(1);
    std::vector<float> x(20000);
    for (float& v : x) v = static_cast<float>(std::pow(random.uniform(-1.0, 1.2), 3.0));
    auto sorted = x;
    std::sort(sorted.begin(), sorted.end());
    for (const double keep : {0.6, 0.9, 0.99, 0.9999, 1.0}) {
        quant::percentile_observer seen({keep});
        seen.observe(x);
        const auto r = seen.range(edge::dtype::u8);
        const auto cut = static_cast<std::size_t>((1.0 - keep) / 2.0 * static_cast<double>(x.size()));
        const auto bin = static_cast<float>(seen.seen().width());
        INFO("keep " << keep);
        CHECK(std::abs(r.low - sorted[cut]) <= bin);
        CHECK(std::abs(r.high - sorted[sorted.size() - 1 - cut]) <= bin);
        CHECK((r == seen.range()) == (keep == 1.0));
    }
}

TEST_CASE("one outlier does not widen a percentile's range, nor zeros behind a ReLU its low end",
          "[quant][percentile]") {
    auto x = random_floats(40000, 2);
    for (float& v : x) v = (std::max)(v, 0.0f);
    x[77] = 1000.0f;
    quant::percentile_observer seen({.keep = 0.999}, 1 << 14);
    seen.observe(x);
    const auto r = seen.range(edge::dtype::u8);
    CHECK(r.low <= static_cast<float>(seen.seen().width()));
    CHECK(seen.parameters_for(edge::dtype::u8).zero_point == 0);
    CHECK(r.high > 0.9f);
    CHECK(r.high < 1.0f + static_cast<float>(seen.seen().width()));
    CHECK(seen.range().high == 1000.0f);
}

TEST_CASE("a percentile that makes no sense is refused", "[quant][percentile]") {
    for (const double keep : {0.5, 1.1, -1.0, std::nan("")})
        CHECK_THROWS_AS(quant::percentile_observer({keep}), edge::argument_error);
    quant::percentile_observer a({0.9}), b({0.99});
    CHECK_THROWS_WITH(a.merge(b), "merging observers of different options");
}

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

namespace {

/// The slides' procedure, step by step, for values that are not negative.
double end_of_least_divergence(const quant::histogram& h, std::size_t levels) {
    std::vector<double> bins;
    for (int k = 0; k <= h.ends().second; ++k)
        bins.push_back(static_cast<double>(h.counts()[static_cast<std::size_t>(h.bins() + k)]));
    bins[0] = bins[1];
    double least = HUGE_VAL;
    std::size_t best = 0;
    for (std::size_t end = levels; end <= bins.size(); ++end) {
        std::vector<double> p(bins.begin(), bins.begin() + static_cast<std::ptrdiff_t>(end)), q(end);
        for (std::size_t i = end; i < bins.size(); ++i) p[end - 1] += bins[i];
        for (std::size_t level = 0; level < levels; ++level) {
            double sum = 0.0, filled = 0.0;
            for (std::size_t i = level * end / levels; i < (level + 1) * end / levels; ++i) {
                sum += bins[i];
                filled += bins[i] > 0.0 ? 1.0 : 0.0;
            }
            for (std::size_t i = level * end / levels; i < (level + 1) * end / levels; ++i)
                if (bins[i] > 0.0) q[i] = sum / filled;
        }
        double p_sum = 0.0, q_sum = 0.0, divergence = 0.0;
        for (std::size_t i = 0; i < end; ++i) {
            p_sum += p[i];
            q_sum += q[i];
        }
        for (std::size_t i = 0; i < end; ++i)
            if (p[i] > 0.0) divergence += p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum));
        if (divergence <= least) {
            least = divergence;
            best = end;
        }
    }
    return static_cast<double>(best) * h.width();
}

std::vector<float> folded_bell(std::size_t n, std::uint64_t seed) {
    edge::splitmix64 random(seed);
    std::vector<float> x(n);
    for (float& v : x) {
        double sum = 0.0;
        for (int i = 0; i < 6; ++i) sum += random.uniform(-1.0, 1.0);
        v = static_cast<float>((std::max)(0.0, sum));
    }
    return x;
}

}  // namespace

TEST_CASE("the range of least divergence is that of the slides' procedure", "[quant][entropy]") {
    for (const float outlier : {1.0f, 9.0f, 40.0f}) {
        auto x = folded_bell(30000, 1);
        x[5] = outlier;
        quant::entropy_observer seen({}, 1024);
        seen.observe(x);
        for (const quant::format f : {quant::format(edge::dtype::u8), quant::format(edge::dtype::u8, {0, 15}, false)}) {
            const double expected =
                end_of_least_divergence(seen.seen(), static_cast<std::size_t>(f.range.high - f.range.low + 1));
            const auto r = seen.range(f);
            CHECK(r.low == 0.0f);
            CHECK(static_cast<double>(r.high) ==
                  Approx((std::min)(expected, static_cast<double>(seen.range().high))).epsilon(1e-6));
        }
    }
}

TEST_CASE("an outlier is cut off, on both sides alike", "[quant][entropy]") {
    auto x = folded_bell(30000, 2);
    for (std::size_t i = 0; i < x.size(); i += 2) x[i] = -x[i];
    x[8] = 60.0f;
    quant::entropy_observer seen;
    seen.observe(x);
    const auto r = seen.range(edge::dtype::u8);
    CHECK(r.high < 15.0f);
    CHECK(r.low < -2.0f);
    CHECK(seen.range(edge::dtype::i16) == seen.range());
}

TEST_CASE("ranges of least divergence are sound where there is little to see", "[quant][entropy]") {
    for (const auto& x :
         std::vector<std::vector<float>>{{0.0f}, {3.0f}, {-3.0f}, {1e-38f, 1e38f}, {-1e38f, 1e-38f, 0.0f}}) {
        quant::entropy_observer seen;
        seen.observe(x);
        for (const quant::format f : {quant::format(edge::dtype::u8), quant::format(edge::dtype::i8)})
            CHECK_NOTHROW(quant::check(seen.parameters_for(f), f.range));
    }
}

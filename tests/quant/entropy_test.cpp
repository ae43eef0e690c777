// SPDX-License-Identifier: MIT
#include <edge/quant/entropy.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

namespace quant = edge::quant;

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

// SPDX-License-Identifier: MIT
#include <edge/quant/percentile.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

namespace quant = edge::quant;

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

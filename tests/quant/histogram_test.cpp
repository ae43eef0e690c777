// SPDX-License-Identifier: MIT
#include <edge/quant/histogram.hpp>

#include "support/architectures.hpp"
#include "support/random_floats.hpp"

#include <numeric>

using edge::index_t;
namespace quant = edge::quant;

namespace {

/// Of every size that a float has, both signs.
std::vector<float> all_sizes(index_t n, std::uint64_t seed, double least = -38.0, double most = 38.0) {
    edge::splitmix64 random(seed);
    std::vector<float> x(static_cast<std::size_t>(n));
    for (float& v : x)
        v = static_cast<float>(std::pow(10.0, random.uniform(least, most))) * (random.below(2) == 0 ? 1.0f : -1.0f);
    return x;
}

quant::histogram counted(std::initializer_list<std::span<const float>> batches, int threads = 1) {
    quant::histogram h(64);
    for (const auto& x : batches) h.observe(x, threads);
    return h;
}

}  // namespace

TEST_CASE("a value falls into the bin that its magnitude, truncated, names", "[quant][histogram]") {
    for_each_architecture([]<class Arch>() {
        const auto lanes = static_cast<index_t>(xsimd::batch<float, Arch>::size);
        for (index_t n = 0; n <= 2 * lanes + 5; ++n) {
            std::vector<float> x = random_floats(n, static_cast<std::uint64_t>(n));
            for (float& v : x) v *= 40.0f;
            if (n > 3) {
                x[0] = -0.0f;
                x[1] = -1e-45f;
                x[2] = 39.999996f;
                x[3] = -39.999996f;
            }
            std::vector<std::uint32_t> tables(4 * 32), expected(32);
            quant::detail::count_values<Arch>(x.data(), n, 0.25f, 16, tables.data());
            for (const float v : x) {
                const int k = static_cast<int>(std::floor(std::abs(v) / 4.0f));
                ++expected[static_cast<std::size_t>(16 + (v < 0.0f ? -1 - k : k))];
            }
            for (std::size_t i = 0; i < 32; ++i)
                REQUIRE(tables[i] + tables[32 + i] + tables[64 + i] + tables[96 + i] == expected[i]);
        }
    });
}

TEST_CASE("counts do not depend on the order of batches, on merging or on threads", "[quant][histogram]") {
    const auto a = all_sizes(3000, 1), b = all_sizes(70, 2, -38.0, -30.0), c = random_floats(500, 3);
    const auto d = random_floats(1 << 19, 5);
    const std::vector<float> zeros(9), nothing;
    const auto together = counted({a, b, c, d, zeros});
    CHECK(together == counted({zeros, nothing, d, c, b, a}));
    CHECK(together == counted({d, c, b, a, zeros}, 3));
    const auto parts = {counted({zeros}), counted({a}), counted({}), counted({d}), counted({b, c})};
    auto up = counted({}), down = counted({});
    for (const auto& h : parts) up.merge(h);
    for (auto h = std::rbegin(parts); h != std::rend(parts); ++h) down.merge(*h);
    CHECK(together == up);
    CHECK(together == down);
    CHECK(together.total() == a.size() + b.size() + c.size() + d.size() + zeros.size());
    CHECK(std::accumulate(together.counts().begin(), together.counts().end(), std::uint64_t{0}) == together.total());
}

TEST_CASE("bins are the narrowest of a power of two that all values fit", "[quant][histogram]") {
    const float most = (std::numeric_limits<float>::max)();
    for (const auto& x : std::vector<std::vector<float>>{
             {0.0f}, {-0.0f}, {1.0f}, {-1.0f}, {most}, {-most, most}, {1e-45f}, {-1e-45f}, {0.9999999f, -3.0f}}) {
        quant::histogram h;
        h.observe(x);
        INFO("of " << x[0]);
        CHECK(h.total() == x.size());
        const double reach = h.bins() * h.width();
        const double furthest = static_cast<double>((std::max)(std::abs(x.front()), std::abs(x.back())));
        CHECK(furthest < reach);
        CHECK((furthest >= reach / 2 || h.width() == 0x1p-60));
        const auto [first, last] = h.ends();
        CHECK(h.counts()[static_cast<std::size_t>(h.bins() + first)] > 0);
        CHECK(h.counts()[static_cast<std::size_t>(h.bins() + last)] > 0);
    }
    CHECK_THROWS_WITH(quant::histogram().ends(), "parameters of an observer that has seen no value");
    CHECK_THROWS_WITH(quant::histogram(100), "histogram of 100 bins; expected a power of two, 16 to 65536");
    CHECK_THROWS_AS(quant::histogram().merge(quant::histogram(64)), edge::argument_error);
}

TEST_CASE("a histogram refuses what is not finite and stays as it was", "[quant][histogram]") {
    const auto x = random_floats(100, 4);
    auto h = counted({x});
    CHECK_THROWS_WITH(h.observe(std::vector<float>{9.0f, -HUGE_VALF}),
                      "observed value 1 is -inf; expected a finite number");
    CHECK(h == counted({x}));
}

TEST_CASE("a histogram's bytes give it back, and damaged ones are refused", "[quant][histogram]") {
    const auto h = counted({all_sizes(50, 6, -1.0, 1.0)});
    const auto bytes = h.to_bytes();
    CHECK(quant::histogram::from_bytes(bytes) == h);
    CHECK(quant::histogram::from_bytes(counted({}).to_bytes()) == counted({}));
    for (std::size_t n = 0; n < bytes.size(); ++n)
        REQUIRE_THROWS_AS(quant::histogram::from_bytes(std::span(bytes).first(n)), edge::parse_error);
    auto longer = bytes;
    longer.push_back({});
    CHECK_THROWS_AS(quant::histogram::from_bytes(longer), edge::parse_error);
    edge::splitmix64 random(7);
    for (int i = 0; i < 2000; ++i) {
        auto damaged = bytes;
        damaged[static_cast<std::size_t>(random.below(damaged.size()))] ^=
            static_cast<std::byte>(1 + random.below(255));
        try {
            const auto other = quant::histogram::from_bytes(damaged);
            REQUIRE_FALSE(other == h);  // another one that makes sense
            REQUIRE(std::accumulate(other.counts().begin(), other.counts().end(), std::uint64_t{0}) == other.total());
        } catch (const edge::parse_error&) {
        }
    }
}

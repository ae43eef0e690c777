// SPDX-License-Identifier: MIT
#include <edge/simd/interleave.hpp>

#include "support/architectures.hpp"
#include "support/random_bytes.hpp"

#include <algorithm>

namespace simd = edge::simd;

namespace {

/// The lanes of four registers, one after the other.
template <class A>
std::vector<std::int32_t> lanes_of(const simd::batch<std::int32_t, A> (&part)[4]) {
    constexpr std::size_t n = simd::lanes<std::int32_t, A>;
    std::vector<std::int32_t> all(4 * n);
    for (std::size_t j = 0; j < 4; ++j) part[j].store_unaligned(all.data() + j * n);
    return all;
}

template <class A, int rows, int count>
void check_taps(edge::splitmix64& random) {
    using taps = simd::byte_taps<A, rows>;
    constexpr auto width = static_cast<edge::index_t>(taps::width);
    INFO(rows << " rows, of which " << count << " exist");
    for (int round = 0; round < 3; ++round) {
        auto x = random_bytes(count * width, random);
        auto w = random_bytes<std::int8_t>(count * width, random);
        if (round == 0) std::fill(x.begin(), x.end(), std::uint8_t{255});
        if (round == 0) std::fill(w.begin(), w.end(), std::int8_t{-128});
        alignas(edge::alignment) typename taps::weight placed[taps::weights] = {};
        std::vector<std::int32_t> expected(taps::width, 1000);
        simd::bytes<A> registers[count];
        for (std::size_t row = 0; row < count; ++row) {
            registers[row] = simd::bytes<A>::load_unaligned(x.data() + row * taps::width);
            for (std::size_t i = 0; i < taps::width; ++i) {
                placed[taps::place(row, i)] = w[row * taps::width + i];
                expected[simd::quarter_place<A>(i)] +=
                    (x[row * taps::width + i] - taps::offset) * w[row * taps::width + i];
            }
        }
        using integers = simd::batch<std::int32_t, A>;
        integers sum[4] = {integers(1000), integers(1000), integers(1000), integers(1000)};
        integers factors[4], by[4];
        taps::template interleave<count>(registers, factors);
        for (std::size_t j = 0; j < 4; ++j)
            by[j] = integers::load_aligned(reinterpret_cast<const std::int32_t*>(placed) + j * integers::size);
        taps::multiply_add(sum, factors, by);
        REQUIRE(lanes_of<A>(sum) == expected);
    }
}

}  // namespace

TEST_CASE("bytes go to int32 and back, saturated, as in the loops that say the same", "[simd][interleave]") {
    edge::splitmix64 random(1);
    for_each_architecture([&]<class Arch>() {
        using A = simd::byte_arch<Arch>;
        using bytes = simd::bytes<A>;
        using integers = simd::batch<std::int32_t, A>;
        const auto x = random_bytes(static_cast<edge::index_t>(bytes::size), random);
        integers part[4], same[4];
        simd::widen_bytes<A>(bytes::load_unaligned(x.data()), part);
        simd::detail::widen_bytes_generic<A>(bytes::load_unaligned(x.data()), same);
        const auto wide = lanes_of<A>(part);
        REQUIRE(wide == lanes_of<A>(same));
        for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(wide[simd::quarter_place<A>(i)] == x[i]);

        std::vector<std::int32_t> v(x.size());
        for (auto& lane : v) lane = static_cast<std::int32_t>(random.below(700)) - 350;
        v[0] = (std::numeric_limits<std::int32_t>::max)();
        v[1] = (std::numeric_limits<std::int32_t>::min)();
        v[2] = 32768;
        v[3] = -32769;
        for (const int zero_point : {0, 1, 128, 255}) {
            const auto zero = static_cast<std::int16_t>(zero_point);
            for (std::size_t j = 0; j < 4; ++j) part[j] = integers::load_unaligned(v.data() + j * integers::size);
            std::vector<std::uint8_t> narrow(x.size()), expected(x.size());
            simd::narrow_bytes<A>(part, zero).store_unaligned(narrow.data());
            simd::detail::narrow_bytes_generic<A>(part, zero).store_unaligned(expected.data());
            REQUIRE(narrow == expected);
            for (std::size_t i = 0; i < x.size(); ++i)
                REQUIRE(narrow[i] ==
                        std::clamp<std::int64_t>(std::int64_t{v[simd::quarter_place<A>(i)]} + zero, 0, 255));
        }
    });
}

TEST_CASE("taps are multiplied exactly, with any number of rows", "[simd][interleave]") {
    edge::splitmix64 random(2);
    for_each_architecture([&]<class Arch>() {
        using A = simd::byte_arch<Arch>;
        check_taps<A, 2, 1>(random);
        check_taps<A, 2, 2>(random);
        if constexpr (simd::taps_at_once<Arch> == 4) {
            check_taps<A, 4, 1>(random);
            check_taps<A, 4, 3>(random);
            check_taps<A, 4, 4>(random);
        }
    });
}

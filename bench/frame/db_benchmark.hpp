// SPDX-License-Identifier: MIT
#pragma once

/// @file The table of the public group-by benchmark (github.com/duckdblabs/db-benchmark), made here.
///
///     const auto t = db_benchmark::rows(10'000'000, 100);                       // all of it
///     const auto part = db_benchmark::rows(10'000'000, 100, {}, first, count);  // some rows of it
///
/// Each value depends on its row and column alone, so parts made apart are those of the whole, on any number of threads.

#include <edge/core/parallel.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace db_benchmark {

using edge::index_t;

enum class column : std::uint8_t { id1, id2, id3, id4, id5, id6, v1, v2, v3 };

/// A number of 64 random bits for each cell. Source: Steele, Lea, Flood 2014, SplitMix64.
[[nodiscard]] constexpr std::uint64_t random(std::uint64_t row, column c) noexcept {
    std::uint64_t z = (16 * row + static_cast<std::uint64_t>(c) + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// 1 to `most`, which is below 2^32.
[[nodiscard]] constexpr std::uint32_t one_to(std::uint64_t most, std::uint64_t row, column c) noexcept {
    return static_cast<std::uint32_t>(((random(row, c) >> 32) * most >> 32) + 1);
}

struct options {
    int threads = 0;  ///< 0: the process default
};

namespace detail {

[[nodiscard]] inline edge::frame::column integers(std::uint64_t most, column c, std::size_t first, std::size_t count,
                                                  const options& o) {
    edge::frame::column_builder made(edge::frame::kind::int32);
    const auto to = made.extend<std::int32_t>(count);
    edge::parallel_for(static_cast<index_t>(count), {.threads = o.threads}, [&](index_t begin, index_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
            to[i] = static_cast<std::int32_t>(one_to(most, first + i, c));
    });
    return made.finish();
}

/// "id" and `digits` digits.
[[nodiscard]] inline edge::frame::column names(std::uint64_t most, std::size_t digits, column c, std::size_t first,
                                               std::size_t count, const options& o) {
    const std::size_t length = 2 + digits;
    edge::frame::growing<std::int64_t> offsets;
    edge::frame::growing<char> text;
    std::int64_t* at = offsets.extend(count + 1);
    char* bytes = text.extend(count * length);
    at[count] = static_cast<std::int64_t>(count * length);
    edge::parallel_for(static_cast<index_t>(count), {.threads = o.threads}, [&](index_t begin, index_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            at[i] = static_cast<std::int64_t>(i * length);
            char* name = bytes + i * length;
            name[0] = 'i';
            name[1] = 'd';
            std::uint32_t number = one_to(most, first + i, c);
            for (std::size_t d = length; d-- > 2; number /= 10) name[d] = static_cast<char>('0' + number % 10);
        }
    });
    return {edge::frame::kind::string, count, {}, offsets.finish(), text.finish()};
}

[[nodiscard]] inline edge::frame::column decimals(std::size_t first, std::size_t count, const options& o) {
    edge::frame::column_builder made(edge::frame::kind::float64);
    const auto to = made.extend<double>(count);
    edge::parallel_for(static_cast<index_t>(count), {.threads = o.threads}, [&](index_t begin, index_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
            to[i] = static_cast<double>(one_to(100'000'000, first + i, column::v3)) / 1e6;
    });
    return made.finish();
}

}  // namespace detail

/// Rows [first, first + count) of a table of n rows, the strings plain.
///
/// id1, id2: "id001" to K; id3: "id0000000001" to n/K; id4, id5: int32 1 to K; id6: int32 1 to n/K; v1: int32 1 to 5;
/// v2: int32 1 to 15; v3: float64 of six decimals, above 0 and up to 100.
[[nodiscard]] inline edge::frame::table rows(std::size_t n, std::size_t k, const options& o = {}, std::size_t first = 0,
                                             std::size_t count = static_cast<std::size_t>(-1)) {
    first = (std::min)(first, n);
    count = (std::min)(count, n - first);
    const std::size_t many = (std::max)(n / k, std::size_t{1});
    return {{"id1", detail::names(k, 3, column::id1, first, count, o)},
            {"id2", detail::names(k, 3, column::id2, first, count, o)},
            {"id3", detail::names(many, 10, column::id3, first, count, o)},
            {"id4", detail::integers(k, column::id4, first, count, o)},
            {"id5", detail::integers(k, column::id5, first, count, o)},
            {"id6", detail::integers(many, column::id6, first, count, o)},
            {"v1", detail::integers(5, column::v1, first, count, o)},
            {"v2", detail::integers(15, column::v2, first, count, o)},
            {"v3", detail::decimals(first, count, o)}};
}

}  // namespace db_benchmark

// SPDX-License-Identifier: MIT
#pragma once

/// @file Sorting: rows in the order of one or more columns.
///
///     table t = sort(imu, {"sensor", "ts"});
///     table late = sort(imu, {{"sensor"}, {"ts", order::descending, nulls::first}});
///     table ten = top(imu, {"ax", order::descending}, 10);           // the same as its first ten, in less time
///
/// Stable: rows with equal keys stay in the order they had. Missing values and NaN come last, in either direction, or
/// first.
/// Strings compare by their bytes, which is the order of their code points; false comes before true.

#include <edge/frame/detail/sort_words.hpp>
#include <edge/frame/take.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::frame {

enum class order : std::uint8_t { ascending, descending };

/// Where missing values and NaN come.
enum class nulls : std::uint8_t { last, first };

struct sort_key {
    template <std::convertible_to<std::string_view> Name>
    sort_key(const Name& name, frame::order by = frame::order::ascending,  // NOLINT: a name is a key
             frame::nulls missing = frame::nulls::last)
        : column(std::string_view(name)), order(by), nulls(missing) {}

    std::string column;
    frame::order order;
    frame::nulls nulls;
};

/// One key or several, the first being the most important one.
class sort_keys {
public:
    template <std::convertible_to<std::string_view> Name>
    sort_keys(const Name& name, order by = order::ascending, nulls missing = nulls::last)  // NOLINT
        : keys_{sort_key(name, by, missing)} {}
    sort_keys(std::initializer_list<sort_key> keys) : keys_(keys) {}
    sort_keys(std::vector<sort_key> keys) : keys_(std::move(keys)) {}  // NOLINT

    [[nodiscard]] std::span<const sort_key> list() const noexcept { return keys_; }

private:
    std::vector<sort_key> keys_;
};

namespace detail {

[[nodiscard]] inline sort_words sort_words_of(const table& t, std::span<const sort_key> keys,
                                              const parallel_options& threads) {
    std::vector<sort_field> fields;
    fields.reserve(keys.size());
    for (const sort_key& key : keys)
        fields.emplace_back(t.column(key.column), key.order == order::descending, key.nulls == nulls::first, threads);
    return make_sort_words(fields, t.rows(), threads);
}

/// Writes the rows in sorted order; words that are sorted already are not asked for.
template <class Index>
void sort_by_words(const sort_words& by, std::size_t rows, Index* sorted, const parallel_options& threads) {
    const auto fill = [&](auto* to, auto&& element) {
        parallel_for(static_cast<index_t>(rows), by_rows(threads), [&](index_t first, index_t last) {
            for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) to[i] = element(i);
        });
    };
    const auto row_bits = static_cast<unsigned>(std::bit_width(rows));
    const std::uint64_t* first = by.words.front().data();
    const auto sort_as = [&]<class E>(std::span<const growing<std::uint64_t>> rest, auto&& element) {
        growing<E> elements, room;
        E* from = elements.extend(rows);
        fill(from, element);
        radix_sorter<E, Index>(rest, row_bits, sorted).sort(from, room.extend(rows), rows, threads);
    };
    if (by.bits + row_bits <= 64)
        sort_as.template operator()<std::uint64_t>(
            {}, [&](std::size_t i) { return first[i] << row_bits | std::uint64_t{i}; });
    else
        sort_as.template operator()<keyed_row>(std::span(by.words).subspan(1), [&](std::size_t i) {
            return keyed_row{first[i], i};
        });
}

}  // namespace detail

/// The rows' numbers in sorted order. O(n) for keys of few bits; each level of sorting is one pass.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline std::vector<std::size_t> sorted_rows(const table& t, std::span<const sort_key> keys,
                                                          const parallel_options& threads = {}) {
    std::vector<std::size_t> rows(t.rows());
    const detail::sort_words by = detail::sort_words_of(t, keys, threads);
    if (by.sorted)
        std::iota(rows.begin(), rows.end(), std::size_t{0});
    else
        detail::sort_by_words(by, rows.size(), rows.data(), threads);
    return rows;
}

/// A table that is sorted already shares its memory with the result.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline table sort(const table& t, const sort_keys& keys, const parallel_options& threads = {}) {
    detail::sort_words by = detail::sort_words_of(t, keys.list(), threads);
    if (by.sorted) return t;
    const auto in_order = [&]<class Index>() {
        growing<Index> rows;
        Index* sorted = rows.extend(t.rows());
        detail::sort_by_words(by, t.rows(), sorted, threads);
        by.words.clear();
        return detail::take_rows<Index>(t, {sorted, t.rows()}, threads);
    };
    return t.rows() < static_cast<std::uint32_t>(-1) ? in_order.template operator()<std::uint32_t>()
                                                     : in_order.template operator()<std::size_t>();
}

/// The first `count` rows of the sorted table, or all where there are fewer; the others are not sorted. O(n).
/// @throws argument_error  if a column is not there
[[nodiscard]] inline table top(const table& t, const sort_keys& keys, std::size_t count,
                               const parallel_options& threads = {}) {
    const detail::sort_words by = detail::sort_words_of(t, keys.list(), threads);
    count = (std::min)(count, t.rows());
    if (by.sorted || count == 0) return t.head(count);
    std::vector<std::uint64_t> first(by.words.front().data(), by.words.front().data() + t.rows());
    const auto nth = first.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::nth_element(first.begin(), nth, first.end());
    const std::uint64_t limit = *nth;
    std::vector<std::size_t> rows;  // and more of them where they are equal
    for (std::size_t i = 0; i < t.rows(); ++i)
        if (by.words.front()[i] <= limit) rows.push_back(i);
    return sort(take(t, rows, threads), keys, threads).head(count);
}

}  // namespace edge::frame

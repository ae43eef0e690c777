// SPDX-License-Identifier: MIT
#pragma once

/// @file Numbers for texts: equal ones get equal numbers, and the numbers are in the order of the texts.

#include <edge/frame/column_builder.hpp>
#include <edge/frame/detail/radix_sort.hpp>
#include <edge/frame/detail/text_index.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace edge::frame::detail {

/// Eight bytes of a text from a place on, the first as the highest, so that they compare as the text does; zeros past
/// its end.
[[nodiscard]] inline std::uint64_t ordered_bytes(std::string_view text, std::size_t at) noexcept {
    std::uint64_t bytes = 0;
    const std::size_t count = at < text.size() ? (std::min)(text.size() - at, std::size_t{8}) : 0;
    for (std::size_t i = 0; i < count; ++i)
        bytes |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i])) << (56 - 8 * i);
    return bytes;
}

/// Places of different texts in ascending order of their bytes. O(n) where eight bytes after what all have in common
/// tell them apart.
[[nodiscard]] inline std::vector<std::uint32_t> order_of_texts(std::span<const std::string_view> texts,
                                                               const parallel_options& threads) {
    std::vector<std::uint32_t> order(texts.size());
    if (texts.empty()) return order;
    std::size_t common = texts.front().size();
    for (const std::string_view text : texts) {
        common = (std::min)(common, text.size());
        if (common == 0) break;
        if (std::memcmp(text.data(), texts.front().data(), common) == 0) continue;
        common = static_cast<std::size_t>(
            std::mismatch(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(common), texts.front().begin())
                .first -
            text.begin());
    }
    std::vector<std::uint64_t> bytes(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) bytes[i] = ordered_bytes(texts[i], common);
    const growing<radix_row> sorted = sorted_by_key(std::span<const std::uint64_t>(bytes), 64, threads);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = sorted[i].row;
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        for (last = first + 1; last < order.size() && sorted[last].key == sorted[first].key;) ++last;
        if (last - first > 1)
            std::sort(order.begin() + static_cast<std::ptrdiff_t>(first),
                      order.begin() + static_cast<std::ptrdiff_t>(last),
                      [&](std::uint32_t a, std::uint32_t b) { return texts[a] < texts[b]; });
    }
    return order;
}

/// Number of each row's text, and the texts in their order.
struct text_numbers {
    growing<std::uint32_t> of_row;  ///< anything where the text is missing
    std::vector<std::string_view> texts;
};

/// Texts that are elsewhere, each once.
class text_views {
public:
    [[nodiscard]] std::span<const std::string_view> texts() const noexcept { return texts_; }

    std::uint32_t insert(std::string_view text) {
        const std::uint32_t n = index_.insert(text, [this](std::uint32_t known) { return texts_[known]; });
        if (n == texts_.size()) texts_.push_back(text);
        return n;
    }

private:
    text_index index_;
    std::vector<std::string_view> texts_;
};

/// Place of each entry in `order`.
[[nodiscard]] inline std::vector<std::uint32_t> places_in(std::span<const std::uint32_t> order) {
    std::vector<std::uint32_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<std::uint32_t>(i);
    return place;
}

/// @param c  plain strings, which outlive the result. O(bytes), and the sort of the different texts.
[[nodiscard]] inline text_numbers number_texts(const column& c, const parallel_options& threads) {
    text_numbers result;
    std::uint32_t* const of_row = result.of_row.extend(c.size());
    const auto rows = static_cast<index_t>(c.size());
    const int parts = parts_for(rows, {.threads = threads.threads, .grain = 1 << 14});
    std::vector<text_views> indexes(static_cast<std::size_t>(parts));
    const std::int64_t* const offsets = c.offsets().data();
    const char* const bytes = c.text_bytes();
    const bit_view valid = c.validity();
    parallel_parts(parts, [&](int part) {
        const auto [first, last] = partition(rows, parts, part);
        text_views& index = indexes[static_cast<std::size_t>(part)];
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            of_row[i] = !valid[i]
                            ? 0
                            : index.insert({bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])});
    });
    text_views all;  // numbers of the first part's are those of its own
    std::vector<std::vector<std::uint32_t>> number(static_cast<std::size_t>(parts));
    for (std::size_t p = 0; p < number.size(); ++p)
        for (const std::string_view text : indexes[p].texts()) number[p].push_back(all.insert(text));
    const std::vector<std::uint32_t> order = order_of_texts(all.texts(), threads);
    const std::vector<std::uint32_t> place = places_in(order);
    for (const std::uint32_t i : order) result.texts.push_back(all.texts()[i]);
    parallel_parts(parts, [&](int part) {
        const auto [first, last] = partition(rows, parts, part);
        std::vector<std::uint32_t>& to = number[static_cast<std::size_t>(part)];
        for (std::uint32_t& n : to) n = place[n];
        if (to.empty()) return;  // all are missing
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            of_row[i] = to[of_row[i]];
    });
    return result;
}

}  // namespace edge::frame::detail

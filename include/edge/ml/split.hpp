// SPDX-License-Identifier: MIT
#pragma once

/// @file Splits: which samples to learn from, and which to judge by.
///
///     auto s = edge::ml::stratified_split(labels, {.test_fraction = 0.2, .seed = 1});
///     for (auto i : s.train) …                                  // rows, ascending
///
/// The same on every platform for the same labels and seed.

#include <edge/core/error.hpp>
#include <edge/core/random.hpp>
#include <edge/core/shape.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace edge::ml {

struct split_options {
    double test_fraction = 0.25;  ///< in (0, 1)
    std::uint64_t seed = 0;
};

struct split_result {
    std::vector<index_t> train;  ///< rows, ascending
    std::vector<index_t> test;   ///< the others, ascending
};

/// Rows to two sides at random, so that each class is on both in proportion.
///
/// Of c rows of a class, c·test_fraction are for the test, rounded down or up; of the whole, to nearest, half up. Who is
/// rounded up is decided by the largest remainder, then by the lowest class (Hamilton's rule). O(n log classes).
/// @param labels  a sized range of integers, floats, texts or anything else that is ordered
/// @throws argument_error  if the fraction is out of its range, a label is NaN, a class has fewer than two rows (the
///                         message names it), or a side would be empty
template <std::ranges::random_access_range Labels>
requires std::totally_ordered<std::ranges::range_value_t<Labels>>
[[nodiscard]] split_result stratified_split(const Labels& labels, const split_options& options = {}) {
    using label = std::ranges::range_value_t<Labels>;
    const double fraction = options.test_fraction;
    if (!(fraction > 0 && fraction < 1))
        throw argument_error(message("test_fraction ", fraction, "; expected between 0 and 1"));
    std::map<label, std::vector<index_t>> classes;
    index_t n = 0;
    for (const auto& l : labels) {
        if constexpr (std::is_floating_point_v<label>)
            if (std::isnan(l)) throw argument_error(message("label of row ", n, " is nan"));
        classes[l].push_back(n++);
    }

    struct share {
        std::vector<index_t>* rows;
        std::size_t test;
        double remainder;
    };
    std::vector<share> shares;
    std::size_t given = 0;
    for (auto& entry : classes) {
        auto& rows = entry.second;
        if (rows.size() < 2) {
            std::string which;
            if constexpr (requires { message(entry.first); }) which = message(" '", entry.first, "'");
            throw argument_error(message("class", which, " has one row, ", rows[0], "; expected at least 2"));
        }
        const double exact = static_cast<double>(rows.size()) * fraction;
        shares.push_back({&rows, static_cast<std::size_t>(exact), exact - std::floor(exact)});
        given += shares.back().test;
    }
    const auto wanted = static_cast<std::size_t>(std::floor(static_cast<double>(n) * fraction + 0.5));
    if (wanted == 0 || wanted >= static_cast<std::size_t>(n))
        throw argument_error(message("test_fraction ", fraction, " of ", n, " rows leaves a side empty"));
    std::vector<std::size_t> order(shares.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return shares[a].remainder > shares[b].remainder; });
    for (const std::size_t i : order) {
        if (given == wanted) break;
        ++shares[i].test;
        ++given;
    }

    splitmix64 random(options.seed);
    split_result result;
    result.test.reserve(wanted);
    result.train.reserve(static_cast<std::size_t>(n) - wanted);
    for (const share& s : shares) {
        random.shuffle(std::span(*s.rows));
        const auto cut = s.rows->begin() + static_cast<std::ptrdiff_t>(s.test);
        result.test.insert(result.test.end(), s.rows->begin(), cut);
        result.train.insert(result.train.end(), cut, s.rows->end());
    }
    std::sort(result.test.begin(), result.test.end());
    std::sort(result.train.begin(), result.train.end());
    return result;
}

}  // namespace edge::ml

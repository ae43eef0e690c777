// SPDX-License-Identifier: MIT
#pragma once

/// @file Exact quantiles of values that come in batches, several times over, and never lie in memory together.
///
/// The first pass counts values by the highest 16 bits of their order; the next ones look into those buckets alone in which a
/// quantile lies, and keep the values once they are few: two passes for most data, five at most.
/// Source: Munro, Paterson 1980, "Selection and sorting with limited storage".

#include <edge/frame/detail/ordered_bits.hpp>
#include <edge/frame/kind.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace edge::frame::detail {

class streamed_quantiles {
public:
    /// @param shares  each in [0, 1]
    /// @param most_kept  values in memory for each share, at most
    streamed_quantiles(std::vector<double> shares, std::size_t most_kept)
        : shares_(std::move(shares)), most_kept_(most_kept), counts_(buckets) {}

    /// A value of this pass; none is NaN.
    void add(double value) noexcept {
        const std::uint64_t bits = to_ordered(value);
        if (searches_.empty()) {
            ++counts_[bits >> 48];
            return;
        }
        for (search& s : searches_) {
            if (s.known == 64 || bits >> (64 - s.known) != s.prefix) continue;
            if (s.keeps)
                s.kept.push_back(bits);
            else
                ++s.counts[bits >> (48 - s.known) & (buckets - 1)];
        }
    }

    /// To be called after all values of a pass.
    /// @return  whether the same values must come again
    bool end_pass() {
        if (searches_.empty()) begin_searches();
        bool more = false;
        for (search& s : searches_) {
            if (s.known == 64) continue;
            if (s.keeps) {
                const auto nth = s.kept.begin() + static_cast<std::ptrdiff_t>(s.rank);
                std::nth_element(s.kept.begin(), nth, s.kept.end());
                s.prefix = *nth;
                s.known = 64;
                s.kept = {};
            } else {
                narrow(s);
            }
            more = more || s.known != 64;
        }
        return more;
    }

    /// The value at share `i`: between two of the values where it falls between. None if there was no value.
    [[nodiscard]] std::optional<double> result(std::size_t i) const {
        if (total_ == 0) return std::nullopt;
        const double place = shares_[i] * static_cast<double>(total_ - 1);
        const double part = place - std::floor(place);
        const double a = from_ordered<double>(searches_[2 * i].prefix);
        const double b = from_ordered<double>(searches_[2 * i + 1].prefix);
        if (part == 0 || a == b) return a;  // also where they are infinite
        return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
    }

private:
    static constexpr std::size_t buckets = std::size_t{1} << 16;

    /// The value of a rank: `known` bits of its order are found, and it is number `rank` of those that have them.
    struct search {
        std::uint64_t rank = 0;
        std::uint64_t prefix = 0;
        unsigned known = 0;
        bool keeps = false;
        std::vector<std::uint64_t> counts = {};
        std::vector<std::uint64_t> kept = {};
    };

    void begin_searches() {
        for (const std::uint64_t n : counts_) total_ += n;
        if (total_ == 0) return;
        for (const double share : shares_) {
            const auto below = static_cast<std::uint64_t>(share * static_cast<double>(total_ - 1));
            for (const std::uint64_t rank : {below, (std::min)(below + 1, total_ - 1)}) {
                searches_.push_back({.rank = rank});
                searches_.back().counts = counts_;
            }
        }
        counts_ = {};
    }

    /// 16 more bits, from the counts of the values that agree so far.
    void narrow(search& s) const {
        std::size_t bucket = 0;
        while (s.rank >= s.counts[bucket]) s.rank -= s.counts[bucket++];
        const std::uint64_t inside = s.counts[bucket];
        s.prefix = s.prefix << 16 | bucket;
        s.known += 16;
        s.keeps = inside <= most_kept_;
        s.counts.assign(s.keeps || s.known == 64 ? 0 : buckets, 0);
        s.counts.shrink_to_fit();
    }

    std::vector<double> shares_;
    std::size_t most_kept_;
    std::vector<std::uint64_t> counts_;  ///< of the first pass
    std::vector<search> searches_;       ///< after it: of the values on both sides of each share
    std::uint64_t total_ = 0;
};

}  // namespace edge::frame::detail

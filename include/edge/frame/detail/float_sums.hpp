// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of floats of many groups, to about one rounding.
///
/// Two-sum takes six operations a value, each of which waits for the one before. Where groups are few, values are cut in
/// two first, at the same place for all of them, so high that sums of the upper parts are exact and so are those of the
/// lower ones: then a value costs two additions, and two-sum is for the sums of some ten thousand values. What is too
/// large or too small beside the others to be cut so is added by two-sum. The place depends on the values and their order
/// alone.
/// Source: Demmel, Nguyen 2013, "Fast reproducible floating-point summation", section III (pre-rounding).

#include <edge/frame/detail/group_states.hpp>
#include <edge/simd/prefetch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace edge::frame::detail {

/// The least and the greatest value but 0, without their signs: infinity and 0 where all are 0.
struct magnitudes {
    double least;
    double greatest;
};

[[nodiscard]] inline magnitudes magnitudes_of(const double* values, std::size_t count) noexcept {
    constexpr std::size_t lanes = 32;  // several at a time, which a compiler makes vectors of
    constexpr double infinity = std::numeric_limits<double>::infinity();
    double low[lanes];
    double high[lanes];
    std::fill_n(low, lanes, infinity);
    std::fill_n(high, lanes, 0.0);
    const auto look = [&](double value, std::size_t j) {
        const double x = std::fabs(value);
        const double y = x > 0 ? x : infinity;
        high[j] = x > high[j] ? x : high[j];
        low[j] = y < low[j] ? y : low[j];
    };
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (std::size_t j = 0; j < lanes; ++j) look(values[i + j], j);
    for (; i < count; ++i) look(values[i], 0);
    return {*std::min_element(low, low + lanes), *std::max_element(high, high + lanes)};
}

class float_sum_state final : public group_state {
public:
    [[nodiscard]] const float_sum& operator[](std::size_t slot) const noexcept { return sums_[slot]; }

    void resize(std::size_t slots) override { sums_.resize(slots); }

    void add(const state_input& in) override {
        const value_block& b = in.values;
        if (parts_.size() == 0 || !can_cut(b)) {
            float_sum* const sums = sums_.data();
            for (std::size_t i = 0; i < b.count; ++i) sums[b.slots[i]].add(b.numbers[i]);
            return;
        }
        constexpr std::size_t some = 256;  // that stay in the first cache beside the sums
        double upper[some];
        double lower[some];
        const double shift = std::ldexp(1.5, exponent_ + 1 + 52 - upper_bits);
        parts* const to = parts_.data();
        for (std::size_t first = 0; first < b.count; first += some) {
            const std::size_t count = (std::min)(some, b.count - first);
            const double* const values = b.numbers + first;
            const std::uint32_t* const slots = b.slots + first;
            each_of(count, [&](std::size_t i) {
                upper[i] = (values[i] + shift) - shift;
                lower[i] = values[i] - upper[i];
            });
            for (std::size_t line = 0; line < count; line += 8) {
                simd::prefetch<3>(values + line + row_block::most);  // the next block's, if these lie in a column
                for (std::size_t i = line; i < (std::min)(line + 8, count); ++i) {
                    to[slots[i]].upper += upper[i];
                    to[slots[i]].lower += lower[i];
                }
            }
        }
        added_ += b.count;
    }

    void expect_rows() override {
        constexpr std::size_t few = 2048;  // slots
        if (sums_.size() <= few) parts_.resize(sums_.size());
    }
    void settle() override {
        join_parts();
        parts_ = {};
    }

    void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) override {
        const auto& other = static_cast<const float_sum_state&>(from);
        for (std::size_t i = first; i < last; ++i) sums_[map.to(i)].merge(other.sums_[map.from(i)]);
    }
    [[nodiscard]] std::unique_ptr<group_state> copy() const override {
        return std::make_unique<float_sum_state>(*this);
    }
    void write(byte_writer& to) const override { to.put_array(sums_.all()); }
    void read(byte_reader& from, std::size_t slots) override {
        sums_.assign(from.get_array<float_sum>(slots));
        if (sums_.size() != slots) from.fail("sums of another number of groups");
    }

private:
    struct parts {
        double upper = 0;
        double lower = 0;
    };

    /// So many values are added exactly: upper parts have 37 bits, of which sums have 53.
    static constexpr std::size_t most_added = std::size_t{1} << 16;
    static constexpr int upper_bits = 53 - 16;
    /// Exponents that may differ: a value's last bit is 52 below its exponent; a lower part is less than 37 below the
    /// greatest exponent, a sum of them 21. From there to the last bit are 53 bits at most.
    static constexpr int most_apart = 53 - 52 + 21;

    /// Whether values can be cut where the ones before were; if these are the first, or the first of greater ones, where
    /// they can be cut.
    [[nodiscard]] bool can_cut(const value_block& b) {
        const magnitudes m = magnitudes_of(b.numbers, b.count);
        constexpr double far = 0x1p900;  // nowhere near the least and the greatest numbers
        if (!(m.greatest > 0 && m.greatest < far && m.least > 1 / far)) return false;
        const int greatest = std::ilogb(m.greatest);
        const bool is_new = added_ + b.count > most_added || greatest > exponent_;
        if ((is_new ? greatest : exponent_) - std::ilogb(m.least) > most_apart) return false;
        if (is_new) {
            join_parts();
            exponent_ = greatest;
        }
        return true;
    }

    void join_parts() {
        for (std::size_t s = 0; s < parts_.size(); ++s) {
            sums_[s].add(parts_[s].upper);
            sums_[s].add(parts_[s].lower);
            parts_[s] = {};
        }
        added_ = 0;
    }

    slot_array<float_sum> sums_;
    slot_array<parts> parts_;  ///< of what was added since they were last joined to the sums; none where rows are few
    std::size_t added_ = 0;
    int exponent_ = (std::numeric_limits<int>::min)();  ///< of the greatest value since
};

}  // namespace edge::frame::detail

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
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>

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
        float_sum* const sums = sums_.data();
        if (parts_.size() == 0) {
            for (std::size_t i = 0; i < b.count; ++i) sums[b.slots[i]].add(b.numbers[i]);
            return;
        }
        for (std::size_t first = 0; first < b.count; first += most_at_once) {
            const std::size_t count = (std::min)(most_at_once, b.count - first);
            const double* const values = b.numbers + first;
            const std::uint32_t* const slots = b.slots + first;
            if (add_cut(slots, std::uint32_t{0}, values, count, row_block::most)) continue;
            if (cut_at(magnitudes_of(values, count)) &&
                add_cut(slots, std::uint32_t{0}, values, count, row_block::most))
                continue;
            added_ += count;
            for (std::size_t i = 0; i < count; ++i) {
                sums[slots[i]].add(values[i]);
                parts_[slots[i]].count += 1;
            }
        }
    }

    /// Adds values of slots `keys[i] - least` if all can be cut where those before were, which NaN cannot; otherwise
    /// nothing. Only between `expect_rows` and `settle`.
    /// @param count  `most_at_once` or less, that stay in the first cache beside the sums
    /// @param ahead  from here to what is looked at next, if these lie in columns
    template <class Key, class T>
    [[nodiscard]] bool add_cut(const Key* keys, Key least, const T* values, std::size_t count, std::size_t ahead) {
        if (!are_within(values, count)) return false;
        if (added_ + count > most_added) make_room();
        added_ += count;
        constexpr std::size_t line = 16;  // values of one or two cache lines
        parts* const to = parts_.data();
        const double shift = shift_;
        const auto add = [&](std::size_t first, std::size_t n) {
            double upper[line];
            double lower[line];
            std::uint32_t slot[line];
            for (std::size_t i = 0; i < n; ++i) {
                const double x = values[first + i];
                upper[i] = (x + shift) - shift;
                lower[i] = x - upper[i];
                slot[i] = static_cast<std::uint32_t>(keys[first + i] - least);
            }
            for (std::size_t i = 0; i < n; ++i) {
                parts& p = to[slot[i]];
                p.upper += upper[i];
                p.lower += lower[i];
                p.count += 1;
            }
        };
        std::size_t first = 0;
        for (; first + line <= count; first += line) {
            for (std::size_t i = 0; i < line; i += 64 / sizeof(T)) simd::prefetch<3>(values + first + ahead + i);
            for (std::size_t i = 0; i < line; i += 64 / sizeof(Key)) simd::prefetch<3>(keys + first + ahead + i);
            add(first, line);
        }
        add(first, count - first);
        return true;
    }
    static constexpr std::size_t most_at_once = 512;

    void expect_rows() override {
        constexpr std::size_t few = 2048;  // slots
        if (sums_.size() <= few) parts_.resize(sums_.size());
    }
    /// Whether `counts` will say what is added from here on, when it is settled.
    [[nodiscard]] bool start_counting() {
        counts_.resize(parts_.size());
        return parts_.size() != 0;
    }
    void settle() override {
        join_parts();
        parts_ = {};
    }
    [[nodiscard]] std::span<const std::int64_t> counts() const noexcept { return counts_.all(); }

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
    /// With `unused` never in two cache lines, and as long as a vector.
    struct parts {
        double upper = 0;
        double lower = 0;
        double count = 0;
        double unused = 0;
    };

    /// So many values of a slot are added exactly: upper parts have 37 bits, of which sums have 53.
    static constexpr std::size_t most_added = std::size_t{1} << 16;
    static constexpr int upper_bits = 53 - 16;
    /// Exponents that may differ: a value's last bit is 52 below its exponent (of a float 23); a lower part is less than
    /// 37 below the greatest exponent, a sum of them 21. From there to the last bit are 53 bits at most.
    template <class T>
    static constexpr int most_apart = 53 - (std::numeric_limits<T>::digits - 1) + 21;

    /// Whether each value is 0 or of an exponent that can be cut where the values before were.
    template <class T>
    [[nodiscard]] bool are_within(const T* values, std::size_t count) const noexcept {
        using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        constexpr int mantissa = std::numeric_limits<T>::digits - 1;
        constexpr int bias = std::numeric_limits<T>::max_exponent - 1;
        const auto pattern_of = [](int exponent) {
            const auto biased = static_cast<bits_of>(std::clamp(exponent, -bias, bias + 1) + bias);
            return (std::max)(static_cast<bits_of>(biased << mantissa), bits_of{1});
        };
        // Bits without the sign, less one, so that 0 is the greatest; the highest bit of a difference says it is below 0.
        const bits_of least = pattern_of(exponent_ - most_apart<T>) - 1;
        const bits_of greatest = pattern_of(exponent_ + 1) - 2;
        bits_of beyond = 0;
        each_of(count, [&](std::size_t i) {
            const auto x = static_cast<bits_of>((std::bit_cast<bits_of>(values[i]) & (~bits_of{0} >> 1)) - 1);
            beyond |= static_cast<bits_of>(((x - least) & ~x) | (greatest - x));
        });
        return beyond >> (8 * sizeof(T) - 1) == 0;
    }

    /// Sets where values are cut, if that can be done with values between these.
    [[nodiscard]] bool cut_at(const magnitudes& m) {
        constexpr double far = 0x1p900;  // nowhere near the least and the greatest numbers
        if (!(m.greatest > 0 && m.greatest < far && m.least > 1 / far)) return false;
        const int greatest = std::ilogb(m.greatest);
        if (greatest - std::ilogb(m.least) > most_apart<double>) return false;
        constexpr std::size_t seldom = most_added / 4;  // joining costs as much as some hundred values
        if (greatest <= exponent_ && added_ < seldom) return false;
        join_parts();
        exponent_ = greatest;
        shift_ = std::ldexp(1.5, greatest + 1 + 52 - upper_bits);
        return true;
    }

    void make_room() {
        double most = 0;
        for (std::size_t s = 0; s < parts_.size(); ++s) most = (std::max)(most, parts_[s].count);
        added_ = static_cast<std::size_t>(most);
        if (added_ > most_added / 2) join_parts();
    }

    void join_parts() {
        for (std::size_t s = 0; s < parts_.size(); ++s) {
            sums_[s].add(parts_[s].upper);
            sums_[s].add(parts_[s].lower);
            if (counts_.size() != 0) counts_[s] += static_cast<std::int64_t>(parts_[s].count);
            parts_[s] = {};
        }
        added_ = 0;
    }

    slot_array<float_sum> sums_;
    slot_array<std::int64_t> counts_;
    slot_array<parts> parts_;  ///< of what was added since they were last joined to the sums; none where rows are few
    std::size_t added_ = 0;    ///< values since, of the slot with the most of them or more
    int exponent_ = none;      ///< of the greatest value since
    double shift_ = 0;
    static constexpr int none = -10'000;  ///< no value but 0 can be cut
};

}  // namespace edge::frame::detail

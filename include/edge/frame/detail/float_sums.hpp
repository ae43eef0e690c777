// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of floats of many groups, to about one rounding.
///
/// Two-sum takes six operations a value, each of which waits for the one before. Where groups are few, values are cut in
/// two first, at the same place for all of them, and both parts are added as integers, which is exact: as a constant of
/// the right size is added to a part, the lowest bits of the result are its multiple of a unit. A value then costs one
/// addition of a pair of words, in which it is counted too, and two-sum is for the sums of some ten thousand values. What
/// is too large or too small beside the others to be cut so is added by two-sum. The place depends on the values and their
/// order alone.
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
            make_room(count);
            const parts nothing = part_of_zero();
            for (std::size_t i = 0; i < count; ++i) {
                sums[slots[i]].add(values[i]);
                parts_[slots[i]] += nothing;
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
        make_room(count);
        // So many values that their parts are in memory: taking them out of vectors would be slower.
        constexpr std::size_t line = 64;
        constexpr std::size_t step = 8;
        parts* const to = parts_.data();
        const double upper_shift = upper_shift_;
        const double lower_shift = lower_shift_;
        const std::uint64_t one = counted - std::bit_cast<std::uint64_t>(upper_shift);
        parts cut[line];
        std::uint32_t slot[line];
        const auto cut_value = [&](std::size_t first, std::size_t i) {
            const double x = values[first + i];
            const double upper = x + upper_shift;
            const double lower = (x - (upper - upper_shift)) + lower_shift;
            cut[i].upper = std::bit_cast<std::uint64_t>(upper) + one;
            cut[i].lower = std::bit_cast<std::uint64_t>(lower);
            slot[i] = static_cast<std::uint32_t>(keys[first + i] - least);
        };
        std::size_t first = 0;
        for (; first + line <= count; first += line) {
            for (std::size_t i = 0; i < line; i += 64 / sizeof(T)) simd::prefetch<3>(values + first + ahead + i);
            for (std::size_t i = 0; i < line; i += 64 / sizeof(Key)) simd::prefetch<3>(keys + first + ahead + i);
            for (std::size_t i = 0; i < line; ++i) cut_value(first, i);
            for (std::size_t i = 0; i < line; i += step)
                for (std::size_t j = i; j < i + step; ++j) to[slot[j]] += cut[j];
        }
        for (std::size_t i = 0; i < count - first; ++i) {
            cut_value(first, i);
            to[slot[i]] += cut[i];
        }
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
    /// Sums of the parts of a slot's values, modulo 2^64.
    struct alignas(16) parts {
        std::uint64_t upper;  ///< of upper parts, of 48 bits with the sign, and from there on how many there are
        std::uint64_t lower;  ///< of lower parts, each with the bits of `lower_shift_`

        parts& operator+=(const parts& other) noexcept {
            upper += other.upper;
            lower += other.lower;
            return *this;
        }
    };
    static constexpr std::uint64_t counted = std::uint64_t{1} << 48;
    [[nodiscard]] parts part_of_zero() const noexcept { return {counted, std::bit_cast<std::uint64_t>(lower_shift_)}; }

    /// An upper part is at most 2^31 units, a lower one half of such a unit, which is 2^47 of its own: of so many values,
    /// sums have 47 bits and 63, and a sign.
    static constexpr std::size_t most_added = (std::size_t{1} << 16) - 1;
    static constexpr int upper_bits = 31;
    static constexpr int lower_bits = 48;
    /// Exponents that may differ: a value's last bit is 52 below its exponent (of a float 23), and a lower unit 78 below the
    /// greatest exponent.
    template <class T>
    static constexpr int most_apart = upper_bits - 1 + lower_bits - (std::numeric_limits<T>::digits - 1);

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
        // Doubles from 1.25 to 1.75 times 2^52 are the integers there, as are their bits but for a constant.
        upper_shift_ = std::ldexp(0x1.8p52, greatest + 1 - upper_bits);
        lower_shift_ = std::ldexp(upper_shift_, -lower_bits);
        return true;
    }

    void make_room(std::size_t count) {
        if (added_ + count > most_added) {
            std::size_t most = 0;
            for (std::size_t s = 0; s < parts_.size(); ++s) most = (std::max)(most, count_of(parts_[s]));
            added_ = most;
            if (added_ > most_added / 2) join_parts();
        }
        added_ += count;
    }

    /// A negative sum borrows from the count.
    [[nodiscard]] static std::size_t count_of(const parts& p) noexcept {
        return static_cast<std::size_t>((p.upper + counted / 2) / counted);
    }

    void join_parts() {
        const double upper_unit = std::ldexp(upper_shift_, -52) / 1.5;
        const double lower_unit = std::ldexp(upper_unit, -lower_bits);
        const parts zero = part_of_zero();
        for (std::size_t s = 0; s < parts_.size(); ++s) {
            const std::size_t count = count_of(parts_[s]);
            if (count == 0) continue;
            const auto upper = static_cast<std::int64_t>(parts_[s].upper - count * zero.upper);
            const auto lower = static_cast<std::int64_t>(parts_[s].lower - count * zero.lower);
            // What of the lower sum is whole upper units is added to those, so that both are numbers of a double.
            const std::int64_t carry = lower >> lower_bits;
            const std::int64_t rest = lower - carry * (std::int64_t{1} << lower_bits);
            sums_[s].add(static_cast<double>(upper + carry) * upper_unit);
            sums_[s].add(static_cast<double>(rest) * lower_unit);
            if (counts_.size() != 0) counts_[s] += static_cast<std::int64_t>(count);
            parts_[s] = {};
        }
        added_ = 0;
    }

    slot_array<float_sum> sums_;
    slot_array<std::int64_t> counts_;
    slot_array<parts> parts_;  ///< of what was added since they were last joined to the sums; none where rows are few
    std::size_t added_ = 0;    ///< values since, of the slot with the most of them or more
    int exponent_ = none;      ///< of the greatest value since
    double upper_shift_ = 0;
    double lower_shift_ = 0;
    static constexpr int none = -10'000;  ///< no value but 0 can be cut
};

}  // namespace edge::frame::detail

// SPDX-License-Identifier: MIT
#pragma once

/// @file Shapes: the extents of an array, at most eight of them, kept in place.
///
///     edge::shape s{2, 3, 4};
///     s.rank();            // 3
///     s.size();            // 24
///     s.strides();         // {12, 4, 1}, in elements, row-major
///
/// Extents are never negative, and a shape whose number of elements does not fit is refused when it is made, so
/// arithmetic on a shape that exists cannot overflow.

#include <edge/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

namespace edge {

/// Extents, counts, strides and offsets, in elements.
using index_t = std::ptrdiff_t;

inline constexpr std::size_t max_rank = 8;

/// a·b of two counts.
/// @throws shape_error  if it does not fit; `what` says of what
[[nodiscard]] inline index_t checked_multiply(index_t a, index_t b, const char* what = "size") {
    if (a != 0 && b > (std::numeric_limits<index_t>::max)() / a)
        throw shape_error(message(what, " overflows: ", a, " x ", b));
    return a * b;
}

/// A list of at most eight whole numbers: the common ground of shapes and strides.
class index_list {
public:
    constexpr index_list() = default;
    index_list(std::initializer_list<index_t> values) : index_list(std::span(values.begin(), values.size())) {}

    /// @throws shape_error  if there are more than eight
    explicit index_list(std::span<const index_t> values) {
        for (const index_t v : values) push_back(v);
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] constexpr index_t operator[](std::size_t i) const noexcept { return values_[i]; }
    [[nodiscard]] constexpr index_t& operator[](std::size_t i) noexcept { return values_[i]; }
    [[nodiscard]] constexpr const index_t* begin() const noexcept { return values_.data(); }
    [[nodiscard]] constexpr const index_t* end() const noexcept { return values_.data() + count_; }
    [[nodiscard]] constexpr index_t back() const noexcept { return values_[count_ - 1]; }

    /// @throws shape_error  if there are eight already
    void push_back(index_t value) {
        if (count_ == max_rank) throw shape_error(message("rank above ", max_rank, " is not supported"));
        values_[count_++] = value;
    }

    void insert(std::size_t at, index_t value) {
        push_back(value);
        for (std::size_t i = count_ - 1; i > at; --i) values_[i] = values_[i - 1];
        values_[at] = value;
    }

    void erase(std::size_t at) noexcept {
        for (std::size_t i = at; i + 1 < count_; ++i) values_[i] = values_[i + 1];
        values_[--count_] = 0;
    }

    friend constexpr bool operator==(const index_list& a, const index_list& b) noexcept {
        if (a.count_ != b.count_) return false;
        for (std::size_t i = 0; i < a.count_; ++i)
            if (a.values_[i] != b.values_[i]) return false;
        return true;
    }

private:
    std::array<index_t, max_rank> values_{};
    std::size_t count_ = 0;
};

/// `(2, 3)`, as NumPy prints it; `(3,)` for one extent.
[[nodiscard]] inline std::string to_string(const index_list& list) {
    std::string text = "(";
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != 0) text += ", ";
        text += std::to_string(list[i]);
    }
    return text + (list.size() == 1 ? ",)" : ")");
}

/// Distances in elements between neighbours along each axis; may be zero or negative.
using strides = index_list;

/// The extents of an array, outermost first. An empty shape is that of a scalar.
class shape {
public:
    shape() = default;
    shape(std::initializer_list<index_t> extents) : shape(index_list(extents)) {}
    explicit shape(std::span<const index_t> extents) : shape(index_list(extents)) {}

    /// @throws shape_error  if an extent is negative or the number of elements does not fit
    explicit shape(const index_list& extents) : extents_(extents) {
        // Extents of zero are left out of the product: (0, 2^40, 2^40) must be refused, since its strides overflow.
        index_t product = 1;
        for (const index_t n : extents_) {
            if (n < 0) throw shape_error(message("shape ", to_string(extents_), " has a negative extent"));
            if (n != 0) product = checked_multiply(product, n, "number of elements");
            if (n == 0) size_ = 0;
        }
        if (size_ != 0) size_ = product;
    }

    [[nodiscard]] std::size_t rank() const noexcept { return extents_.size(); }
    [[nodiscard]] index_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }
    [[nodiscard]] index_t back() const noexcept { return extents_.back(); }
    [[nodiscard]] const index_t* begin() const noexcept { return extents_.begin(); }
    [[nodiscard]] const index_t* end() const noexcept { return extents_.end(); }
    [[nodiscard]] const index_list& extents() const noexcept { return extents_; }

    /// Number of elements; 1 for a scalar. O(1).
    [[nodiscard]] index_t size() const noexcept { return size_; }

    /// Row-major strides, in elements.
    [[nodiscard]] edge::strides strides() const {
        edge::strides result = extents_;
        index_t step = 1;
        for (std::size_t i = rank(); i-- > 0;) {
            result[i] = step;
            step *= extents_[i] == 0 ? 1 : extents_[i];
        }
        return result;
    }

    /// `axis` counted from the end where it is negative, as a position from the front.
    /// @throws argument_error  if it is outside [-rank, rank)
    [[nodiscard]] std::size_t axis(index_t axis) const {
        const auto n = static_cast<index_t>(rank());
        if (axis < -n || axis >= n)
            throw argument_error(message("axis ", axis, " is out of range for shape ", to_string(extents_)));
        return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
    }

    friend bool operator==(const shape& a, const shape& b) noexcept { return a.extents_ == b.extents_; }

private:
    index_list extents_;
    index_t size_ = 1;
};

[[nodiscard]] inline std::string to_string(const shape& s) { return to_string(s.extents()); }

}  // namespace edge

// SPDX-License-Identifier: MIT
#pragma once

/// @file Views: somebody else's elements, seen as an array. They never own and are cheap to copy.
///
///     std::vector<float> samples(600);
///     auto v = edge::view(samples);                                  // [600]
///     edge::tensor_view<float> m(samples.data(), {100, 6});          // [100, 6], row-major
///     m(3, 2) = 1.0f;
///     auto column = m.select(1, 2);                                  // [100], stride 6
///     auto latest = m.slice(0, 99, 49, -1).transpose();              // [6, 50], newest first

#include <edge/core/shape.hpp>

#include <concepts>
#include <iterator>
#include <span>
#include <type_traits>

namespace edge {

/// A pointer, a shape and strides. `T` may be const.
template <class T>
class tensor_view {
public:
    using value_type = std::remove_const_t<T>;

    tensor_view() : shape_{0}, strides_{1} {}

    /// Row-major, contiguous. `data` must hold `extents.size()` elements.
    tensor_view(T* data, const edge::shape& extents) : data_(data), shape_(extents), strides_(extents.strides()) {}

    /// @throws shape_error  if there is not a stride for each extent
    tensor_view(T* data, const edge::shape& extents, const edge::strides& steps)
        : data_(data), shape_(extents), strides_(steps) {
        if (extents.rank() != steps.size())
            throw shape_error(message("strides ", steps, " do not fit shape ", extents));
    }

    /// A view of mutable elements is one of const elements.
    operator tensor_view<const T>() const requires(!std::is_const_v<T>) { return {data_, shape_, strides_}; }

    [[nodiscard]] T* data() const noexcept { return data_; }
    [[nodiscard]] const edge::shape& shape() const noexcept { return shape_; }
    [[nodiscard]] const edge::strides& strides() const noexcept { return strides_; }
    [[nodiscard]] std::size_t rank() const noexcept { return shape_.rank(); }
    [[nodiscard]] index_t size() const noexcept { return shape_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// Whether the elements lie one after the other in row-major order.
    [[nodiscard]] bool is_contiguous() const noexcept {
        index_t step = 1;
        for (std::size_t i = rank(); i-- > 0;) {
            if (shape_[i] != 1 && strides_[i] != step) return size() == 0;
            step *= shape_[i];
        }
        return true;
    }

    /// Element at the given position; unchecked, as `operator[]` of the standard library.
    template <std::convertible_to<index_t>... I>
    [[nodiscard]] T& operator()(I... position) const noexcept {
        index_t offset = 0;
        std::size_t axis = 0;
        ((offset += static_cast<index_t>(position) * strides_[axis++]), ...);
        return data_[offset];
    }

    /// The elements as a span.
    /// @throws shape_error  if they are not contiguous
    [[nodiscard]] std::span<T> flat() const {
        if (!is_contiguous())
            throw shape_error(message("view of shape ", shape_, " with strides ", strides_, " is not contiguous"));
        return {data_, static_cast<std::size_t>(size())};
    }

    /// The part with a fixed position along one axis; rank falls by one.
    /// @throws argument_error  if the axis or the position is out of range
    [[nodiscard]] tensor_view select(index_t axis, index_t position) const {
        const std::size_t a = shape_.axis(axis);
        if (position < 0 || position >= shape_[a])
            throw argument_error(
                message("position ", position, " is out of range for axis ", axis, " of shape ", shape_));
        index_list extents = shape_.extents();
        edge::strides steps = strides_;
        T* start = data_ + position * steps[a];
        extents.erase(a);
        steps.erase(a);
        return {start, edge::shape(extents), steps};
    }

    /// Positions first, first + step, … before `last` along one axis; backward where the step is negative: `last` may be -1.
    /// @throws argument_error  if they are out of range or the step is zero
    [[nodiscard]] tensor_view slice(index_t axis, index_t first, index_t last, index_t step = 1) const {
        const std::size_t a = shape_.axis(axis);
        const index_t n = shape_[a];
        const bool fits =
            step > 0 ? 0 <= first && first <= last && last <= n : step < 0 && -1 <= last && last <= first && first < n;
        if (!fits)
            throw argument_error(message("slice [", first, ", ", last, ") by ", step, " is out of range for axis ",
                                         axis, " of shape ", shape_));
        index_list extents = shape_.extents();
        edge::strides steps = strides_;
        extents[a] = step > 0 ? (last - first + step - 1) / step : (first - last - step - 1) / -step;
        steps[a] *= step;
        return {extents[a] == 0 ? data_ : data_ + first * strides_[a], edge::shape(extents), steps};
    }

    /// One axis in reverse order.
    [[nodiscard]] tensor_view reverse(index_t axis) const { return slice(axis, shape_[shape_.axis(axis)] - 1, -1, -1); }

    /// Axes in the given order.
    /// @throws argument_error  if `order` is not a permutation of the axes
    [[nodiscard]] tensor_view transpose(const index_list& order) const {
        index_list extents;
        edge::strides steps;
        unsigned seen = 0;
        for (const index_t axis : order) {
            const std::size_t a = shape_.axis(axis);
            seen |= 1U << a;
            extents.push_back(shape_[a]);
            steps.push_back(strides_[a]);
        }
        if (order.size() != rank() || seen != (1U << rank()) - 1)
            throw argument_error(message("axes ", order, " are not a permutation for shape ", shape_));
        return {data_, edge::shape(extents), steps};
    }

    /// Axes in reverse order.
    [[nodiscard]] tensor_view transpose() const {
        index_list order;
        for (std::size_t i = rank(); i-- > 0;) order.push_back(static_cast<index_t>(i));
        return transpose(order);
    }

    /// A new axis of extent one before `axis`; -1 for one after the last.
    /// @throws argument_error  if there is no such place
    /// @throws shape_error  if there are eight axes already
    [[nodiscard]] tensor_view expand_dims(index_t axis) const {
        const auto places = static_cast<index_t>(rank()) + 1;
        if (axis < -places || axis >= places)
            throw argument_error(message("new axis ", axis, " is out of range for shape ", shape_));
        const auto at = static_cast<std::size_t>(axis < 0 ? axis + places : axis);
        index_list extents = shape_.extents();
        edge::strides steps = strides_;
        extents.insert(at, 1);
        steps.insert(at, 0);
        return {data_, edge::shape(extents), steps};
    }

    /// Without an axis of extent one.
    /// @throws argument_error  if there is no such axis, or its extent is another
    [[nodiscard]] tensor_view squeeze(index_t axis) const {
        if (const index_t n = shape_[shape_.axis(axis)]; n != 1)
            throw argument_error(message("axis ", axis, " of shape ", shape_, " has extent ", n, ", expected 1"));
        return select(axis, 0);
    }

    /// The same elements in another shape, with no copy: the axes that it divides or joins must be evenly spaced.
    /// @throws shape_error  if the number of elements differs, or a copy would be needed
    [[nodiscard]] tensor_view reshape(const edge::shape& extents) const {
        if (extents.size() != size()) throw shape_error(message("cannot reshape ", shape_, " to ", extents));
        if (is_contiguous()) return {data_, extents};
        edge::strides steps = extents.extents();
        std::size_t from = 0;
        for (std::size_t to = 0; to < extents.rank();) {
            // The shortest runs of axes on both sides that hold the same number of elements.
            const std::size_t from_first = from;
            const std::size_t to_first = to;
            index_t ours = from < rank() ? shape_[from++] : 1;
            index_t theirs = extents[to++];
            while (ours != theirs) (ours < theirs ? ours *= shape_[from++] : theirs *= extents[to++]);
            while (from < rank() && shape_[from] == 1) ++from;
            index_t step = 1;
            bool is_first = true;
            index_t next = 0;
            for (std::size_t i = from; i-- > from_first;) {
                if (shape_[i] == 1) continue;
                if (!is_first && strides_[i] != next)
                    throw shape_error(message("cannot reshape ", shape_, " with strides ", strides_, " to ", extents,
                                              " without a copy"));
                if (is_first) step = strides_[i];
                is_first = false;
                next = strides_[i] * shape_[i];
            }
            for (std::size_t i = to; i-- > to_first;) {
                steps[i] = step;
                step *= extents[i];
            }
        }
        return {data_, extents, steps};
    }

private:
    T* data_ = nullptr;
    edge::shape shape_;
    edge::strides strides_;
};

namespace detail {

template <class R>
inline constexpr bool is_span = false;
template <class T, std::size_t n>
inline constexpr bool is_span<std::span<T, n>> = true;

}  // namespace detail

/// Neighbours in memory that outlive the call: what std::data and std::size take, where it is an lvalue, or a std::span.
/// (As std::ranges says it, whose header would double the time to compile this one.)
template <class R>
concept contiguous_values = requires(R& range) {
    *std::data(range);
    std::size(range);
}
&&(std::is_lvalue_reference_v<R> || detail::is_span<std::remove_cv_t<R>>);

/// Values in a row as an array of rank one.
template <contiguous_values R>
[[nodiscard]] auto view(R&& range) {
    using T = std::remove_reference_t<decltype(*std::data(range))>;
    return tensor_view<T>(std::data(range), {static_cast<index_t>(std::size(range))});
}

}  // namespace edge

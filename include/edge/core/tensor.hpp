// SPDX-License-Identifier: MIT
#pragma once

/// @file Tensors: arrays that own their elements. Row-major, contiguous, 64-byte aligned, rank at most eight.
///
///     edge::tensor<float> a({2, 3}, 1.0f);              // filled
///     auto b = edge::tensor<float>::uninitialized({2, 3});
///     edge::tensor<int> c({2, 2}, {1, 2, 3, 4});        // from values, row by row
///     a(1, 2) = 5.0f;

#include <edge/core/memory.hpp>
#include <edge/core/tensor_view.hpp>

#include <algorithm>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace edge {

template <class T>
class tensor {
    static_assert(std::is_trivially_copyable_v<T>, "edge::tensor holds plain numbers");

public:
    using value_type = T;

    /// No elements: shape (0,).
    tensor() : shape_{0} {}

    /// @throws shape_error  if the number of bytes does not fit
    explicit tensor(const edge::shape& extents, T fill = T{}) : tensor(allocate_tag{}, extents) {
        std::fill_n(data(), size(), fill);
    }

    /// @throws shape_error  if the number of values is not that of the shape
    tensor(const edge::shape& extents, std::initializer_list<T> values)
        : tensor(extents, std::span<const T>(values.begin(), values.size())) {}

    /// @throws shape_error  if the number of values is not that of the shape
    tensor(const edge::shape& extents, std::span<const T> values) : tensor(allocate_tag{}, extents) {
        if (static_cast<index_t>(values.size()) != size())
            throw shape_error(message(values.size(), " values do not fill shape ", extents));
        std::copy(values.begin(), values.end(), data());
    }

    /// Elements of any value, for results that are written whole.
    [[nodiscard]] static tensor uninitialized(const edge::shape& extents) { return tensor(allocate_tag{}, extents); }

    tensor(const tensor& other) : tensor(allocate_tag{}, other.shape_) {
        std::copy_n(other.data(), other.size(), data());
    }
    tensor(tensor&& other) noexcept
        : shape_(std::exchange(other.shape_, edge::shape{0})), memory_(std::move(other.memory_)) {}
    tensor& operator=(const tensor& other) {
        if (this != &other) *this = tensor(other);
        return *this;
    }
    tensor& operator=(tensor&& other) noexcept {
        shape_ = std::exchange(other.shape_, edge::shape{0});
        memory_ = std::move(other.memory_);
        return *this;
    }
    ~tensor() = default;

    [[nodiscard]] T* data() noexcept { return static_cast<T*>(memory_.get()); }
    [[nodiscard]] const T* data() const noexcept { return static_cast<const T*>(memory_.get()); }
    [[nodiscard]] const edge::shape& shape() const noexcept { return shape_; }
    [[nodiscard]] std::size_t rank() const noexcept { return shape_.rank(); }
    [[nodiscard]] index_t size() const noexcept { return shape_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    [[nodiscard]] T* begin() noexcept { return data(); }
    [[nodiscard]] T* end() noexcept { return data() + size(); }
    [[nodiscard]] const T* begin() const noexcept { return data(); }
    [[nodiscard]] const T* end() const noexcept { return data() + size(); }
    [[nodiscard]] T& operator[](index_t i) noexcept { return data()[i]; }
    [[nodiscard]] const T& operator[](index_t i) const noexcept { return data()[i]; }

    template <std::convertible_to<index_t>... I>
    [[nodiscard]] T& operator()(I... position) noexcept {
        return view()(position...);
    }
    template <std::convertible_to<index_t>... I>
    [[nodiscard]] const T& operator()(I... position) const noexcept {
        return view()(position...);
    }

    [[nodiscard]] tensor_view<T> view() noexcept { return {data(), shape_}; }
    [[nodiscard]] tensor_view<const T> view() const noexcept { return {data(), shape_}; }
    operator tensor_view<T>() noexcept { return view(); }
    operator tensor_view<const T>() const noexcept { return view(); }
    [[nodiscard]] std::span<T> flat() noexcept { return {data(), static_cast<std::size_t>(size())}; }
    [[nodiscard]] std::span<const T> flat() const noexcept { return {data(), static_cast<std::size_t>(size())}; }

    /// Gives the elements another shape. O(1).
    /// @throws shape_error  if the number of elements differs
    void reshape(const edge::shape& extents) {
        if (extents.size() != size()) throw shape_error(message("cannot reshape ", shape_, " to ", extents));
        shape_ = extents;
    }

private:
    struct allocate_tag {};
    tensor(allocate_tag, const edge::shape& extents)
        : shape_(extents),
          memory_(detail::allocate_bytes(static_cast<std::size_t>(
              checked_multiply(extents.size(), static_cast<index_t>(sizeof(T)), "number of bytes")))) {}

    edge::shape shape_;
    std::unique_ptr<void, detail::aligned_delete> memory_;
};

/// A copy of the elements of a view, in row-major order.
template <class T>
[[nodiscard]] auto copy(tensor_view<T> source) {
    using V = std::remove_const_t<T>;
    auto result = tensor<V>::uninitialized(source.shape());
    if (source.is_contiguous()) {
        std::copy_n(source.data(), source.size(), result.data());
        return result;
    }
    V* out = result.data();
    const std::size_t rank = source.rank();
    const index_t inner = source.shape()[rank - 1];
    const index_t step = source.strides()[rank - 1];
    index_list position = source.shape().extents();
    for (std::size_t i = 0; i < rank; ++i) position[i] = 0;
    for (index_t row = source.size() / (std::max)(inner, index_t{1}); row-- > 0;) {
        index_t offset = 0;
        for (std::size_t i = 0; i + 1 < rank; ++i) offset += position[i] * source.strides()[i];
        for (index_t i = 0; i < inner; ++i) *out++ = source.data()[offset + i * step];
        for (std::size_t i = rank - 1; i-- > 0;) {
            if (++position[i] < source.shape()[i]) break;
            position[i] = 0;
        }
    }
    return result;
}

}  // namespace edge

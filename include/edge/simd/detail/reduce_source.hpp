// SPDX-License-Identifier: MIT
#pragma once

/// @file Where a reduction reads: memory, or an expression that is computed a few kilobytes at a time.
///
///     const node_source<float, E> values(node);     // of any expression, as floats
///     values.source().read({first, rows, stride, width}, buffer);
///
/// What reduces knows no expression, so that it is compiled once for all of them.

#include <edge/simd/detail/reduce_rows.hpp>
#include <edge/simd/evaluate.hpp>

namespace edge::detail {

/// Elements that are computed at a time, and stay in the first cache until they are reduced.
inline constexpr index_t buffered_elements = 4096;

/// Elements of an array in row-major order, as T.
template <class T>
struct source {
    const T* data = nullptr;  ///< null where they have to be computed
    const void* node = nullptr;
    void (*compute)(const void* node, index_t first, index_t count, T* to) = nullptr;

    /// `rows` rows of `width` elements from the `first`-th element on, `stride` apart.
    /// @param buffer  of rows·width elements, for where they have to be computed
    [[nodiscard]] simd::detail::rows_at<T> read(index_t first, index_t rows, index_t stride, index_t width,
                                                T* buffer) const noexcept {
        if (data != nullptr) return {data + first, stride};
        if (width == stride) {
            compute(node, first, rows * width, buffer);
        } else {
            for (index_t r = 0; r < rows; ++r) compute(node, first + r * stride, width, buffer + r * width);
        }
        return {buffer, width};
    }
};

/// The source that a node is. Lives as long as what reads it.
template <class T, expression E>
class node_source {
public:
    using value_type = typename E::value_type;

    /// @param node  must outlive this, and have elements
    explicit node_source(const E& node) : loop_(node) {
        if constexpr (is_as_stored && requires { node.view(); })
            if (node.view().is_contiguous()) data_ = reinterpret_cast<const T*>(node.view().data());
    }

    [[nodiscard]] edge::detail::source<T> source() const noexcept { return {data_, this, &compute}; }

private:
    /// Truth values are bytes of 0 or 1.
    static constexpr bool is_as_stored =
        std::is_same_v<T, value_type> || (std::is_same_v<T, std::uint8_t> && std::is_same_v<value_type, bool>);

    static void compute(const void* node, index_t first, index_t count, T* to) noexcept {
        const auto& self = *static_cast<const node_source*>(node);
        if constexpr (is_as_stored) {
            self.loop_.read(first, count, reinterpret_cast<value_type*>(to));
        } else {
            constexpr index_t most = 512;
            value_type values[most];
            for (index_t done = 0; done < count; done += most) {
                const index_t n = (std::min)(most, count - done);
                self.loop_.read(first + done, n, values);
                for (index_t i = 0; i < n; ++i) to[done + i] = static_cast<T>(values[i]);
            }
        }
    }

    prepared_loop<E> loop_;
    const T* data_ = nullptr;
};

/// The bytes of a few totals in place, of more in memory of their own.
template <class T>
class scratch {
public:
    explicit scratch(index_t count)
        : far_(count > near_count ? tensor<T>::uninitialized({count}) : tensor<T>()),
          data_(count > near_count ? far_.data() : near_) {}
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;

    [[nodiscard]] T* data() noexcept { return data_; }

private:
    static constexpr index_t near_count = static_cast<index_t>(4096 / sizeof(T));
    alignas(alignment) T near_[near_count];
    tensor<T> far_;
    T* data_;
};

}  // namespace edge::detail

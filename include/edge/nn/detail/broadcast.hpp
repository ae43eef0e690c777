// SPDX-License-Identifier: MIT
#pragma once

/// @file Broadcasting of N inputs, as rows: the loop over the last axis is left to the caller.
///
///     const broadcast<2> b({a_shape, b_shape});
///     b.rows([&](index_t out, const std::array<index_t, 2>& at, index_t n) { … b.step(0) is 0 or 1 … });
///
/// Neighbouring axes that all inputs walk through alike are merged, so equal shapes are one row.

#include <edge/core/shape.hpp>

#include <array>

namespace edge::nn::detail {

template <std::size_t N>
class broadcast {
public:
    /// @throws shape_error  if the shapes do not fit each other
    explicit broadcast(const std::array<edge::shape, N>& shapes) {
        std::size_t rank = 0;
        for (const auto& s : shapes) rank = (std::max)(rank, s.rank());
        index_list extents;
        for (std::size_t axis = 0; axis < rank; ++axis) {
            index_t n = 1;
            for (const auto& s : shapes) {
                if (axis + s.rank() < rank) continue;
                const index_t m = s[axis + s.rank() - rank];
                if (m == 1 || m == n) continue;
                if (n != 1) throw shape_error(mismatch(shapes));
                n = m;
            }
            extents.push_back(n);
        }
        result_ = edge::shape(extents);
        for (std::size_t axis = 0; axis < rank; ++axis) {
            std::array<index_t, N> steps{};
            for (std::size_t k = 0; k < N; ++k) {
                const auto& s = shapes[k];
                if (axis + s.rank() < rank) continue;
                const std::size_t a = axis + s.rank() - rank;
                steps[k] = s[a] == 1 ? 0 : s.strides()[a];
            }
            add_axis(extents[axis], steps);
        }
        if (count_ == 0) count_ = 1;
    }

    [[nodiscard]] const edge::shape& result() const noexcept { return result_; }
    [[nodiscard]] index_t step(std::size_t k) const noexcept { return steps_[count_ - 1][k]; }

    template <class F>
    void rows(F&& f) const {
        if (result_.size() == 0) return;
        const std::size_t outer = count_ - 1;
        const index_t n = extents_[outer];
        std::array<index_t, max_rank> position{};
        std::array<index_t, N> at{};
        const index_t last = result_.size() / n;
        for (index_t row = 0; row < last; ++row) {
            f(row * n, at, n);
            for (std::size_t axis = outer; axis-- > 0;) {
                for (std::size_t k = 0; k < N; ++k) at[k] += steps_[axis][k];
                if (++position[axis] < extents_[axis]) break;
                for (std::size_t k = 0; k < N; ++k) at[k] -= steps_[axis][k] * extents_[axis];
                position[axis] = 0;
            }
        }
    }

private:
    static std::string mismatch(const std::array<edge::shape, N>& shapes) {
        std::string text = "shapes";
        for (const auto& s : shapes) text += " " + to_string(s);
        return text + " do not broadcast";
    }

    void add_axis(index_t extent, const std::array<index_t, N>& steps) {
        if (extent == 1) return;
        bool merges = count_ > 0;
        for (std::size_t k = 0; k < N && merges; ++k) merges = steps_[count_ - 1][k] == steps[k] * extent;
        if (!merges) {
            extents_[count_] = extent;
            steps_[count_++] = steps;
            return;
        }
        extents_[count_ - 1] *= extent;
        steps_[count_ - 1] = steps;
    }

    edge::shape result_;
    std::size_t count_ = 0;
    std::array<index_t, max_rank> extents_{1};
    std::array<std::array<index_t, N>, max_rank> steps_{};
};

}  // namespace edge::nn::detail

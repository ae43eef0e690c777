// SPDX-License-Identifier: MIT
#pragma once

/// @file Reductions of anything along any axes, given what joins two totals.
///
///     auto totals = reduce_axes<simd::detail::sum_of, float>(x, {0, 2}, 0.0f, options);
///
/// Neighbouring axes are reduced as one. Others are reduced one after the other, the longest first: only the totals of
/// that are ever stored.

#include <edge/simd/detail/sum_integers.hpp>

#include <concepts>

namespace edge {

/// The axes of a reduction, counted from the end where they are negative: `0` or `{0, -1}`.
class axis_list {
public:
    template <std::integral... I>
    requires(sizeof...(I) > 0 && !(std::same_as<I, bool> || ...)) axis_list(I... axes)
        : axes_{static_cast<index_t>(axes)...} {}
    axis_list(const index_list& axes) : axes_(axes) {}

    [[nodiscard]] const index_list& axes() const noexcept { return axes_; }

private:
    index_list axes_;
};

struct reduce_options {
    bool keepdims = false;  ///< whether the axes stay, with extent 1
    int threads = 0;        ///< 0: the process default
};

namespace detail {

/// In which steps the axes of a shape are reduced.
struct axis_plan {
    struct run {
        std::size_t first;
        std::size_t count;
        index_t extent;
    };
    run runs[max_rank] = {};  ///< of neighbours
    std::size_t count = 0;    ///< of runs, at least one
    index_t elements = 1;     ///< that each total is of
    shape reduced;

    /// @throws argument_error  if there is no such axis, or one is given twice
    axis_plan(const shape& extents, const axis_list& list, bool keepdims) {
        bool is_reduced[max_rank] = {};
        for (const index_t a : list.axes()) {
            bool& seen = is_reduced[extents.axis(a)];
            if (seen) throw argument_error(message("axis ", a, " is given twice"));
            seen = true;
        }
        index_list rest;
        for (std::size_t i = 0; i < extents.rank(); ++i) {
            if (!is_reduced[i] || keepdims) rest.push_back(is_reduced[i] ? 1 : extents[i]);
            if (!is_reduced[i]) continue;
            if (i == 0 || !is_reduced[i - 1]) runs[count++] = {i, 0, 1};
            runs[count - 1].count++;
            runs[count - 1].extent *= extents[i];
            elements *= extents[i];
        }
        reduced = shape(rest);
        if (count == 0) runs[count++] = {extents.rank(), 0, 1};
        std::stable_sort(runs, runs + count, [](const run& a, const run& b) { return a.extent > b.extent; });
    }

    /// The step of a run, whose axes stay until all are done.
    [[nodiscard]] axis_split split(const shape& extents, std::size_t i) const {
        return {extents, runs[i].first, runs[i].count, true};
    }
};

/// The type whose loops compute T: bytes stand in for truth values.
template <class T>
using stored_type = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

/// Totals of a node along one axis.
template <class Join, class S, expression E>
void reduce_node(const E& node, const axis_split& split, S* to, int threads) {
    using V = stored_type<typename E::value_type>;
    if constexpr (std::is_same_v<Join, simd::detail::sum_of> && std::is_integral_v<S> && is_small_integer<V>) {
        sum_split(node_source<V, E>(node).source(), split, to, threads);
    } else {
        reduce_split<Join>(node_source<S, E>(node).source(), split, to, threads);
    }
}

/// Total of all elements as S; `nothing` where there are none.
template <class Join, class S, array X>
[[nodiscard]] S reduce_all(X&& x, S nothing, int threads) {
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    if (extents.size() == 0) return nothing;
    node.check();
    S total;
    reduce_node<Join>(node, axis_split(extents, 0, extents.rank(), false), &total, threads);
    return total;
}

/// Totals along axes as S; `nothing` where these have no elements.
template <class Join, class S, array X>
[[nodiscard]] tensor<S> reduce_axes(X&& x, const axis_list& axes, S nothing, const reduce_options& options) {
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    const axis_plan plan(extents, axes, options.keepdims);
    if (extents.size() == 0) return tensor<S>(plan.reduced, nothing);
    node.check();
    const axis_split first = plan.split(extents, 0);
    auto totals = tensor<S>::uninitialized(first.reduced);
    reduce_node<Join>(node, first, totals.data(), options.threads);
    for (std::size_t i = 1; i < plan.count; ++i)
        totals = reduce_axis<Join>(totals.data(), plan.split(totals.shape(), i), options.threads);
    totals.reshape(plan.reduced);
    return totals;
}

[[noreturn]] inline void refuse_empty(const char* what, const shape& extents) {
    throw argument_error(message(what, " of no elements: shape ", extents));
}

}  // namespace detail
}  // namespace edge

// SPDX-License-Identifier: MIT
#pragma once

/// @file Variance and standard deviation, in one pass over memory.
///
///     double spread = edge::stddev(x, {.ddof = 1});          // of a sample: divided by n - 1
///     edge::tensor<float> v = edge::var(x, {0, 2});          // along axes
///
/// Each part of some thousand elements is summed as distances from a value near its mean, and their squares; the parts'
/// means and squares are joined in float64 (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance").
/// A part whose mean turns out to be more than four standard deviations from that value is taken again about its mean.
/// So the relative error is a few roundings of the elements' type, for values far from zero too. Of nothing: NaN.

#include <edge/simd/reduce.hpp>

#include <initializer_list>

namespace edge {

struct variance_options {
    index_t ddof = 0;       ///< subtracted from the number of elements that the squares are divided by
    bool keepdims = false;  ///< along axes: whether they stay, with extent 1
    int threads = 0;        ///< 0: the process default
};

namespace detail {

/// A product that is rounded before it is added: a compiler may join both, and the bits would depend on it.
[[nodiscard]] inline double product(double a, double b) noexcept {
    double p = a * b;
#if defined(__GNUC__) && !defined(__clang__)
#if defined(__SSE2__)
    __asm__("" : "+x"(p));
#elif defined(__aarch64__)
    __asm__("" : "+w"(p));
#endif
#endif
    return p;
}

/// Mean of some elements, and the sum of the squares of their distances from it.
struct moments {
    double mean;
    double squares;
};

/// Computes the moments of the columns of parts.
template <class T>
class moments_reducer {
public:
    moments_reducer(const source<T>& from, const axis_split& split, const part_plan<T>& plan)
        : split_(split),
          plan_(plan),
          reducer_(from, split, plan),
          shift_(simd::detail::padded<T>(plan.group * plan.tile)) {}

    void reduce(const part_item& item, index_t last_slice, moments* to) {
        // About the mean of the first two rows: of equal values, exactly that value.
        part_item start = item;
        start.extent = (std::min)(item.extent, 2 * plan_.group);
        const T* sums = reducer_.reduce(simd::detail::total_of<simd::detail::sum_of>(), start, last_slice);
        const auto count = static_cast<T>(start.extent);
        set_shift(item, [&](index_t i) { return sums[i] / count; });
        if (about_shift(item, last_slice, to)) return;
        set_shift(item, [&](index_t i) { return static_cast<T>(to[i].mean); });
        about_shift(item, last_slice, to);
    }

private:
    template <class F>
    void set_shift(const part_item& item, F&& of_column) {
        for (index_t i = 0; i < item.width; ++i) shift_.data()[i] = of_column(i);
        const index_t repeated = plan_.group == 1 ? item.width : plan_.group * split_.inner;
        for (index_t i = item.width; i < repeated; ++i) shift_.data()[i] = shift_.data()[i - item.width];
    }

    /// @return  whether the shift was near enough to the means: nearly four standard deviations, which lose four bits
    bool about_shift(const part_item& item, index_t last_slice, moments* to) {
        const T* sums = reducer_.reduce(simd::detail::deviations_from<T>{shift_.data()}, item, last_slice);
        const T* squares = sums + reducer_.pitch(item);
        const double each = 1.0 / static_cast<double>(item.extent);
        bool near = true;
        for (index_t i = 0; i < item.width; ++i) {
            const auto sum = static_cast<double>(sums[i]);
            const auto about = static_cast<double>(squares[i]);
            const double off = product(sum, each);
            const double least = about - product(off, sum);
            to[i] = {static_cast<double>(shift_.data()[i]) + off, least < 0 ? 0 : least};
            near = near && !(least < about / 16);
        }
        return near;
    }

    const axis_split& split_;
    const part_plan<T>& plan_;
    part_reducer<2, T> reducer_;
    scratch<T> shift_;
};

/// The moments of `rows` parts, [rows, width], in halves: the first become those of all.
/// @param counts  elements of each part
inline void fold_moments(moments* parts, const tensor<double>& counts, index_t width, int threads) {
    const index_t grain = (std::max)(index_t{1}, elements_per_thread / 4 / counts.size());
    run_parts(width, parallel_options{.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        tensor<double> n = counts;
        for (index_t count = n.size(), half; count > 1; count = half) {
            half = (count + 1) / 2;
            for (index_t r = 0; r + half < count; ++r) {
                const double share = n[r + half] / (n[r] + n[r + half]);
                moments* a = parts + r * width;
                const moments* b = parts + (r + half) * width;
                for (index_t i = first; i < last; ++i) {
                    const double apart = b[i].mean - a[i].mean;
                    const double move = product(apart, share);
                    const double between = product(product(apart, move), n[r]);
                    a[i].mean += move;
                    a[i].squares += b[i].squares + between;
                }
                n[r] += n[r + half];
            }
        }
    });
}

/// Moments along the axis, whose extent is at least one.
/// @param to  [outer, inner]
template <class T>
void moments_split(const source<T>& from, const axis_split& split, moments* to, int threads) {
    if (split.outer * split.inner == 0) return;
    const part_plan<T> plan(split);
    auto partial =
        plan.parts == 1 ? tensor<moments>() : tensor<moments>::uninitialized({split.outer * plan.parts * split.inner});
    moments* all = plan.parts == 1 ? to : partial.data();
    run_parts(plan.items(split), parallel_options{.threads = threads, .grain = plan.grain()},
              [&](index_t first, index_t last) {
                  moments_reducer<T> reducer(from, split, plan);
                  for (index_t i = first; i < last; ++i) {
                      const part_item item(split, plan, i);
                      reducer.reduce(item, (last - 1) / plan.tiles / plan.parts + 1,
                                     all + (item.slice * plan.parts + item.part) * split.inner + item.column);
                  }
              });
    if (plan.parts == 1) return;
    tensor<double> counts({plan.parts}, static_cast<double>(plan.extent));
    counts[plan.parts - 1] = static_cast<double>(split.extent - (plan.parts - 1) * plan.extent);
    for (index_t o = 0; o < split.outer; ++o) {
        moments* parts = all + o * plan.parts * split.inner;
        fold_moments(parts, counts, split.inner, threads);
        std::copy_n(parts, split.inner, to + o * split.inner);
    }
}

/// The squares of the distances from the mean along axes, divided by their number less `ddof`.
template <array X>
[[nodiscard]] tensor<double> variances(X&& x, const axis_list& axes, const variance_options& options) {
    using M = mean_type<value_type_of<X>>;
    const auto node = as_node(std::forward<X>(x));
    const shape extents = node.shape();
    const axis_plan plan(extents, axes, options.keepdims);
    tensor<double> result(plan.reduced, std::numeric_limits<double>::quiet_NaN());
    if (extents.size() == 0) return result;
    node.check();
    axis_split split = plan.split(extents, 0);
    auto all = tensor<moments>::uninitialized(split.reduced);
    moments_split(node_source<M, std::remove_const_t<decltype(node)>>(node).source(), split, all.data(),
                  options.threads);
    auto count = static_cast<double>(split.extent);
    // Along another axis: the squares within, and those between the means.
    for (std::size_t i = 1; i < plan.count; ++i) {
        auto means = tensor<double>::uninitialized(all.shape());
        auto within = tensor<double>::uninitialized(all.shape());
        std::transform(all.begin(), all.end(), means.begin(), [](const moments& m) { return m.mean; });
        std::transform(all.begin(), all.end(), within.begin(), [](const moments& m) { return m.squares; });
        split = plan.split(all.shape(), i);
        const auto sums = reduce_axis<simd::detail::sum_of>(within.data(), split, options.threads);
        all = tensor<moments>::uninitialized(split.reduced);
        moments_split(source<double>{means.data()}, split, all.data(), options.threads);
        for (index_t k = 0; k < all.size(); ++k) all[k].squares = product(all[k].squares, count) + sums[k];
        count *= static_cast<double>(split.extent);
    }
    const double divisor = (std::max)(0.0, count - static_cast<double>(options.ddof));
    std::transform(all.begin(), all.end(), result.begin(), [divisor](const moments& m) { return m.squares / divisor; });
    return result;
}

/// `f` of the variance of all elements.
template <class F, array X>
[[nodiscard]] auto spread_of_all(X&& x, const variance_options& options, F f) {
    auto node = as_node(std::forward<X>(x));
    index_list all;
    for (std::size_t i = 0; i < node.shape().rank(); ++i) all.push_back(static_cast<index_t>(i));
    return static_cast<mean_type<value_type_of<X>>>(f(variances(std::move(node), all, options)[0]));
}

/// `f` of the variances along axes.
template <class F, array X>
[[nodiscard]] auto spreads_along(X&& x, const axis_list& axes, const variance_options& options, F f) {
    using M = mean_type<value_type_of<X>>;
    const auto v = variances(std::forward<X>(x), axes, options);
    auto result = tensor<M>::uninitialized(v.shape());
    std::transform(v.begin(), v.end(), result.begin(), [f](double d) { return static_cast<M>(f(d)); });
    return result;
}

inline constexpr auto itself = [](double d) { return d; };
inline constexpr auto root = [](double d) { return std::sqrt(d); };

}  // namespace detail

/// Mean of the squared distances from the mean.
template <array X>
[[nodiscard]] auto var(X&& x, const variance_options& options = {}) {
    return detail::spread_of_all(std::forward<X>(x), options, detail::itself);
}
template <array X>
[[nodiscard]] auto var(X&& x, const axis_list& axes, const variance_options& options = {}) {
    return detail::spreads_along(std::forward<X>(x), axes, options, detail::itself);
}
template <array X>
[[nodiscard]] auto var(X&& x, std::initializer_list<index_t> axes, const variance_options& options = {}) {
    return edge::var(std::forward<X>(x), axis_list(index_list(axes)), options);
}

/// Square root of the variance.
template <array X>
[[nodiscard]] auto stddev(X&& x, const variance_options& options = {}) {
    return detail::spread_of_all(std::forward<X>(x), options, detail::root);
}
template <array X>
[[nodiscard]] auto stddev(X&& x, const axis_list& axes, const variance_options& options = {}) {
    return detail::spreads_along(std::forward<X>(x), axes, options, detail::root);
}
template <array X>
[[nodiscard]] auto stddev(X&& x, std::initializer_list<index_t> axes, const variance_options& options = {}) {
    return edge::stddev(std::forward<X>(x), axis_list(index_list(axes)), options);
}

}  // namespace edge

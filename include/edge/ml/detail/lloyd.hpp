// SPDX-License-Identifier: MIT
#pragma once

/// @file The inside of kmeans.hpp: first centres, assigning rows, moving centres.
///
/// Rows are cut into blocks by the sizes alone. Every sum is taken within a block, then over the blocks in order, so it
/// has the same bits for any number of threads.

#include <edge/core/random.hpp>
#include <edge/ml/detail/nearest.hpp>
#include <edge/ml/kmeans.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace edge::ml::detail {

/// A matrix whose rows follow each other: the caller's, or a copy. Checked when made.
template <class T>
class checked_rows {
public:
    checked_rows(const tensor_view<const T>& x, const char* what) : data_(x.data()) {
        if (x.rank() != 2 || x.shape()[1] < 1)
            throw shape_error(
                message(what, " of shape ", x.shape(), "; expected [rows, columns] with a column at least"));
        if (!x.is_contiguous()) {
            copy_ = copy(x);
            data_ = copy_.data();
        }
        for (index_t i = 0; i < x.size(); ++i)
            if (!std::isfinite(data_[i]))
                throw argument_error(message(what, ": row ", i / x.shape()[1], ", column ", i % x.shape()[1], " is ",
                                             data_[i], "; expected a finite number"));
    }
    checked_rows(const checked_rows&) = delete;
    checked_rows& operator=(const checked_rows&) = delete;
    [[nodiscard]] const T* data() const noexcept { return data_; }

private:
    tensor<T> copy_;
    const T* data_;
};

template <class T, class Arch>
class lloyd {
public:
    /// @param x  [n, d], finite; it is not copied
    lloyd(const T* x, index_t n, index_t d, index_t k, int threads) : x_(x), n_(n), d_(d), k_(k), threads_(threads) {
        // Enough blocks for any machine, few enough that their sums stay small beside the rows.
        const index_t most = (std::clamp)((std::min)(n / 1024, (index_t{1} << 22) / (k_ * d)), index_t{1}, index_t{64});
        blocks_ = static_cast<int>(most);
        centres_ = tensor<T>::uninitialized({k_, d});
        labels_ = tensor<std::int32_t>({n}, -1);
        distance_.assign(static_cast<std::size_t>(n), std::numeric_limits<T>::infinity());
        sums_.resize(static_cast<std::size_t>(blocks_ * k_ * d));
        counts_.resize(static_cast<std::size_t>(blocks_ * k_));
    }

    /// First centres by k-means++.
    void choose_centres(splitmix64& random);

    /// First centres [k, d] of the caller's.
    void take_centres(const T* first) { std::copy_n(first, k_ * d_, centres_.data()); }

    /// Until no row changes its group, or the centres move by `enough` at most.
    kmeans_result<T> run(double enough, int max_iterations) {
        kmeans_result<T> result;
        (void)assign();
        while (!result.converged && result.iterations < max_iterations) {
            const double moved = move_centres();
            ++result.iterations;
            const bool settled = !assign();
            result.converged = settled || moved <= enough;
        }
        result.inertia = inertia_;
        result.centres = std::move(centres_);
        result.labels = std::move(labels_);
        return result;
    }

private:
    /// Calls f(block, first row, last row).
    template <class F>
    void for_each_block(F&& f) const {
        parallel_for(blocks_, {.threads = threads_}, [&](index_t first, index_t last) {
            for (index_t b = first; b < last; ++b) {
                const auto [from, to] = partition(n_, blocks_, static_cast<int>(b), 4);
                f(b, from, to);
            }
        });
    }
    [[nodiscard]] T& distance(index_t i) noexcept { return distance_[static_cast<std::size_t>(i)]; }
    [[nodiscard]] double* sums(index_t block) noexcept { return sums_.data() + block * k_ * d_; }
    [[nodiscard]] index_t* counts(index_t block) noexcept { return counts_.data() + block * k_; }

    [[nodiscard]] index_t draw_row(const std::vector<double>& weights, splitmix64& random);
    [[nodiscard]] bool assign();
    void fill_empty_groups();
    [[nodiscard]] double move_centres();

    const T* x_;
    index_t n_;
    index_t d_;
    index_t k_;
    int threads_;
    int blocks_ = 1;
    tensor<T> centres_;
    tensor<std::int32_t> labels_;
    std::vector<T> distance_;  ///< squared, of each row to its centre
    double inertia_ = 0;
    std::vector<double> sums_;     ///< [blocks, k, d] of the rows of each group
    std::vector<index_t> counts_;  ///< [blocks, k]
};

/// A row, each with a chance in proportion to its squared distance. `weights` are the sums of those of each block.
template <class T, class Arch>
index_t lloyd<T, Arch>::draw_row(const std::vector<double>& weights, splitmix64& random) {
    double total = 0;
    for (const double w : weights) total += w;
    double left = random.uniform() * total;
    int block = 0;
    while (block + 1 < blocks_ && left >= weights[static_cast<std::size_t>(block)])
        left -= weights[static_cast<std::size_t>(block++)];
    // Rounding may lead past the last row of a block: the last one that has a chance at all is then taken.
    const auto [from, to] = partition(n_, blocks_, block, 4);
    index_t chosen = from;
    for (index_t i = from; i < to; ++i) {
        if (!(distance(i) > 0)) continue;
        chosen = i;
        left -= static_cast<double>(distance(i));
        if (left < 0) break;
    }
    return chosen;
}

template <class T, class Arch>
void lloyd<T, Arch>::choose_centres(splitmix64& random) {
    constexpr index_t most_draws = 18;  // 2 + ln 2^24
    constexpr index_t room = padded<Arch, T>(most_draws);
    const auto draws = 2 + static_cast<index_t>(std::log(static_cast<double>(k_)));
    std::vector<double> weights(static_cast<std::size_t>(blocks_));
    std::vector<double> potentials(static_cast<std::size_t>(blocks_ * draws));
    auto tried = tensor<T>::uninitialized({draws, d_});

    const auto take = [&](index_t c, const T* row) {
        std::copy_n(row, d_, centres_.data() + c * d_);
        const auto packed = pack_centres<Arch>(row, 1, d_);
        for_each_block([&](index_t b, index_t from, index_t to) {
            alignas(alignment) T to_new[room];
            double weight = 0;
            for (index_t i = from; i < to; ++i) {
                row_distances<Arch>(x_ + i * d_, d_, packed.data(), padded<Arch, T>(1), to_new);
                distance(i) = (std::min)(distance(i), to_new[0]);
                weight += static_cast<double>(distance(i));
            }
            weights[static_cast<std::size_t>(b)] = weight;
        });
    };

    take(0, x_ + static_cast<index_t>(random.below(static_cast<std::uint64_t>(n_))) * d_);
    for (index_t c = 1; c < k_; ++c) {
        for (index_t t = 0; t < draws; ++t) std::copy_n(x_ + draw_row(weights, random) * d_, d_, tried.data() + t * d_);
        const auto packed = pack_centres<Arch>(tried.data(), draws, d_);
        for_each_block([&](index_t b, index_t from, index_t to) {
            alignas(alignment) T to_tried[room];
            double* potential = potentials.data() + b * draws;
            std::fill_n(potential, draws, 0.0);
            for (index_t i = from; i < to; ++i) {
                row_distances<Arch>(x_ + i * d_, d_, packed.data(), padded<Arch, T>(draws), to_tried);
                for (index_t t = 0; t < draws; ++t)
                    potential[t] += static_cast<double>((std::min)(distance(i), to_tried[t]));
            }
        });
        index_t best = 0;
        double least = std::numeric_limits<double>::infinity();
        for (index_t t = 0; t < draws; ++t) {
            double sum = 0;
            for (int b = 0; b < blocks_; ++b) sum += potentials[static_cast<std::size_t>(b * draws + t)];
            if (sum < least) {
                least = sum;
                best = t;
            }
        }
        take(c, tried.data() + best * d_);
    }
}

/// Labels, distances, inertia, and the sums and counts of each group. True when a label changed.
template <class T, class Arch>
bool lloyd<T, Arch>::assign() {
    const auto packed = pack_centres<Arch>(centres_.data(), k_, d_);
    std::vector<double> inertia(static_cast<std::size_t>(blocks_));
    std::vector<unsigned char> changed(static_cast<std::size_t>(blocks_));
    for_each_block([&](index_t b, index_t from, index_t to) {
        constexpr index_t chunk = 256;  // labels of so many rows are kept back to see whether they changed
        std::int32_t fresh[chunk];
        double* sum = sums(b);
        index_t* count = counts(b);
        std::fill_n(sum, k_ * d_, 0.0);
        std::fill_n(count, k_, index_t{0});
        double total = 0;
        bool any = false;
        for (index_t first = from; first < to; first += chunk) {
            const index_t rows = (std::min)(chunk, to - first);
            nearest_rows<Arch>(x_ + first * d_, rows, d_, packed.data(), padded<Arch, T>(k_), fresh, &distance(first));
            for (index_t i = 0; i < rows; ++i) {
                const T* row = x_ + (first + i) * d_;
                const index_t group = fresh[i];
                any = any || labels_[first + i] != fresh[i];
                labels_[first + i] = fresh[i];
                total += static_cast<double>(distance(first + i));
                ++count[group];
                for (index_t j = 0; j < d_; ++j) sum[group * d_ + j] += static_cast<double>(row[j]);
            }
        }
        inertia[static_cast<std::size_t>(b)] = total;
        changed[static_cast<std::size_t>(b)] = any ? 1 : 0;
    });
    inertia_ = 0;
    for (const double part : inertia) inertia_ += part;
    if (!std::isfinite(inertia_))
        throw argument_error("k-means: a squared distance overflows; expected smaller values");
    return std::find(changed.begin(), changed.end(), 1) != changed.end();
}

/// Gives each empty group a row, as kmeans.hpp says. Works on the sums of block 0, which are those of all by now.
template <class T, class Arch>
void lloyd<T, Arch>::fill_empty_groups() {
    double* sum = sums(0);
    index_t* count = counts(0);
    for (index_t c = 0; c < k_; ++c) {
        if (count[c] != 0) continue;
        index_t farthest = -1;
        for (index_t i = 0; i < n_; ++i)
            if (distance(i) > 0 && count[labels_[i]] > 1 && (farthest < 0 || distance(i) > distance(farthest)))
                farthest = i;
        if (farthest < 0) return;
        const T* row = x_ + farthest * d_;
        const index_t old = labels_[farthest];
        for (index_t j = 0; j < d_; ++j) {
            sum[old * d_ + j] -= static_cast<double>(row[j]);
            sum[c * d_ + j] = static_cast<double>(row[j]);
        }
        --count[old];
        count[c] = 1;
        labels_[farthest] = static_cast<std::int32_t>(c);
        distance(farthest) = 0;
    }
}

/// Each centre to the mean of its rows. Returns the sum of the squares of what they moved.
template <class T, class Arch>
double lloyd<T, Arch>::move_centres() {
    double* sum = sums(0);
    index_t* count = counts(0);
    for (index_t b = 1; b < blocks_; ++b) {
        for (index_t i = 0; i < k_ * d_; ++i) sum[i] += sums(b)[i];
        for (index_t c = 0; c < k_; ++c) count[c] += counts(b)[c];
    }
    if (std::find(count, count + k_, 0) != count + k_) fill_empty_groups();
    double moved = 0;
    for (index_t c = 0; c < k_; ++c) {
        if (count[c] == 0) continue;
        for (index_t j = 0; j < d_; ++j) {
            T& centre = centres_[c * d_ + j];
            const T mean = static_cast<T>(sum[c * d_ + j] / static_cast<double>(count[c]));
            const double step = static_cast<double>(mean) - static_cast<double>(centre);
            moved += step * step;
            centre = mean;
        }
    }
    return moved;
}

template <class T>
[[nodiscard]] double mean_variance(const T* x, index_t n, index_t d) {
    double total = 0;
    std::vector<double> mean(static_cast<std::size_t>(d));
    for (index_t i = 0; i < n * d; ++i) mean[static_cast<std::size_t>(i % d)] += static_cast<double>(x[i]);
    for (double& m : mean) m /= static_cast<double>(n);
    for (index_t i = 0; i < n * d; ++i) {
        const double off = static_cast<double>(x[i]) - mean[static_cast<std::size_t>(i % d)];
        total += off * off;
    }
    return total / static_cast<double>(n) / static_cast<double>(d);
}

/// The tolerance as a sum of squares. Checks what both forms of `kmeans` take.
template <class T>
[[nodiscard]] double checked_tolerance(const T* x, index_t n, index_t d, index_t k, const kmeans_options& o) {
    if (k < 1 || k > n || k > 1 << 24)
        throw argument_error(message("clusters ", k, "; expected 1 to the number of rows, ", n, ", and at most 2^24"));
    if (o.max_iterations < 1)
        throw argument_error(message("max_iterations ", o.max_iterations, "; expected 1 or more"));
    if (!(o.tolerance >= 0)) throw argument_error(message("tolerance ", o.tolerance, "; expected 0 or more"));
    return o.tolerance > 0 ? o.tolerance * mean_variance(x, n, d) : 0;
}

template <class T, class Arch = xsimd::default_arch>
kmeans_result<T> find_clusters(const tensor_view<const T>& x, const kmeans_options& o) {
    const checked_rows<T> rows(x, "k-means");
    const index_t n = x.shape()[0];
    const index_t d = x.shape()[1];
    const double enough = checked_tolerance(rows.data(), n, d, o.clusters, o);
    if (o.restarts < 1) throw argument_error(message("restarts ", o.restarts, "; expected 1 or more"));
    splitmix64 random(o.seed);
    kmeans_result<T> best;
    for (int i = 0; i < o.restarts; ++i) {
        lloyd<T, Arch> search(rows.data(), n, d, o.clusters, o.threads);
        search.choose_centres(random);
        auto found = search.run(enough, o.max_iterations);
        if (i == 0 || found.inertia < best.inertia) best = std::move(found);
    }
    return best;
}

template <class T>
void check_columns(const tensor_view<const T>& x, const tensor_view<const T>& centres) {
    if (centres.shape()[1] != x.shape()[1])
        throw shape_error(message("rows of shape ", x.shape(), " and centres of shape ", centres.shape(),
                                  "; expected as many columns"));
}

template <class T, class Arch = xsimd::default_arch>
kmeans_result<T> find_clusters_from(const tensor_view<const T>& x, const tensor_view<const T>& first,
                                    const kmeans_options& o) {
    const checked_rows<T> rows(x, "k-means");
    const checked_rows<T> centres(first, "centres");
    check_columns(x, first);
    const index_t n = x.shape()[0];
    const index_t d = x.shape()[1];
    const index_t k = first.shape()[0];
    const double enough = checked_tolerance(rows.data(), n, d, k, o);
    lloyd<T, Arch> search(rows.data(), n, d, k, o.threads);
    search.take_centres(centres.data());
    return search.run(enough, o.max_iterations);
}

template <class T, class Arch = xsimd::default_arch>
tensor<std::int32_t> find_nearest(const tensor_view<const T>& x, const tensor_view<const T>& centres, int threads) {
    const checked_rows<T> rows(x, "rows");
    const checked_rows<T> targets(centres, "centres");
    const index_t k = centres.shape()[0];
    const index_t d = x.shape()[1];
    check_columns(x, centres);
    if (k < 1 || k > 1 << 24) throw argument_error(message(k, " centres; expected 1 to 2^24"));
    const auto packed = pack_centres<Arch>(targets.data(), k, d);
    auto labels = tensor<std::int32_t>::uninitialized({x.shape()[0]});
    std::vector<T> distance(static_cast<std::size_t>(x.shape()[0]));
    parallel_for(x.shape()[0], {.threads = threads, .grain = 1024}, [&](index_t first, index_t last) {
        nearest_rows<Arch>(rows.data() + first * d, last - first, d, packed.data(), padded<Arch, T>(k),
                           labels.data() + first, distance.data() + first);
    });
    return labels;
}

}  // namespace edge::ml::detail

namespace edge::ml {

inline kmeans_result<float> kmeans(tensor_view<const float> x, const kmeans_options& options) {
    return detail::find_clusters(x, options);
}
inline kmeans_result<double> kmeans(tensor_view<const double> x, const kmeans_options& options) {
    return detail::find_clusters(x, options);
}
inline kmeans_result<float> kmeans(tensor_view<const float> x, tensor_view<const float> first,
                                   const kmeans_options& options) {
    return detail::find_clusters_from(x, first, options);
}
inline kmeans_result<double> kmeans(tensor_view<const double> x, tensor_view<const double> first,
                                    const kmeans_options& options) {
    return detail::find_clusters_from(x, first, options);
}
inline tensor<std::int32_t> nearest_centres(tensor_view<const float> x, tensor_view<const float> centres, int threads) {
    return detail::find_nearest(x, centres, threads);
}
inline tensor<std::int32_t> nearest_centres(tensor_view<const double> x, tensor_view<const double> centres,
                                            int threads) {
    return detail::find_nearest(x, centres, threads);
}

}  // namespace edge::ml

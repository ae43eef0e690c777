// SPDX-License-Identifier: MIT
#pragma once

/// @file k-means: rows to k groups, each about its own centre.
///
///     auto found = edge::ml::kmeans(features, {.clusters = 3, .seed = 1});   // features [n, d], float or double
///     found.centres(0, 1);                                                  // [3, d]
///     found.labels[i];                                                      // group of row i
///     auto later = edge::ml::nearest_centres(more, found.centres);
///
/// The result is the same for any number of threads.

#include <edge/core/error.hpp>
#include <edge/core/parallel.hpp>
#include <edge/core/tensor.hpp>

#include <cstdint>
#include <limits>

namespace edge::ml {

struct kmeans_options {
    int clusters = 8;          ///< k, in [1, n] and at most 2^24
    int restarts = 1;          ///< from other first centres; the result of least inertia is kept, the first of equals
    int max_iterations = 300;  ///< at least 1
    double tolerance =
        1e-4;  ///< stop when the squares of what the centres moved add up to at most this, times the mean
               ///< variance of the columns; 0: stop when no row changes its group
    std::uint64_t seed = 0;
    int threads = 0;  ///< 0: the process default
};

template <class T>
struct kmeans_result {
    tensor<T> centres;            ///< [k, d]
    tensor<std::int32_t> labels;  ///< [n]: of the nearest centre, the lowest of equally near ones
    double inertia = 0;           ///< sum of the squared distances to them
    int iterations = 0;           ///< times the centres were moved
    bool converged = false;       ///< stopped by the tolerance, not by max_iterations
};

/// Lloyd's iteration from centres chosen by k-means++, each the best of 2 + ln k draws.
///
/// A group that loses all its rows takes the row farthest from its centre among the groups of two rows or more (the
/// lowest of equally far ones); where every row lies on its centre it stays empty, and its centre where it is.
/// O(n·k·d) an iteration. Sources: Lloyd 1982; Arthur and Vassilvitskii 2007, "k-means++", the greedy form of section 4.
/// @param x  [n, d], d >= 1, any strides; copied where it is not contiguous
/// @throws shape_error     if x is not a matrix
/// @throws argument_error  if an option is out of its range, a value is not finite (the message gives row and column), or
///                         a squared distance overflows
[[nodiscard]] kmeans_result<float> kmeans(tensor_view<const float> x, const kmeans_options& options = {});
[[nodiscard]] kmeans_result<double> kmeans(tensor_view<const double> x, const kmeans_options& options = {});

/// The same from centres [k, d] of the caller's, such as those of yesterday; `clusters`, `restarts` and `seed` are not
/// used.
/// @throws shape_error, argument_error  as above, and if x and `first` are not matrices of as many columns
[[nodiscard]] kmeans_result<float> kmeans(tensor_view<const float> x, tensor_view<const float> first,
                                          const kmeans_options& options);
[[nodiscard]] kmeans_result<double> kmeans(tensor_view<const double> x, tensor_view<const double> first,
                                           const kmeans_options& options);

/// The index of the nearest of `centres` [k, d] for each row of x [n, d]; the lowest of equally near ones.
/// @throws shape_error     if they are not matrices of as many columns
/// @throws argument_error  if there is no centre, or a value is not finite
[[nodiscard]] tensor<std::int32_t> nearest_centres(tensor_view<const float> x, tensor_view<const float> centres,
                                                   int threads = 0);
[[nodiscard]] tensor<std::int32_t> nearest_centres(tensor_view<const double> x, tensor_view<const double> centres,
                                                   int threads = 0);

}  // namespace edge::ml

#include <edge/ml/detail/lloyd.hpp>

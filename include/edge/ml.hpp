// SPDX-License-Identifier: MIT
#pragma once

/// @file Classical learning for small devices: groups without labels, and fair splits of labelled data.
///
///     auto found = edge::ml::kmeans(features, {.clusters = 3, .seed = 1});    // features [n, d]
///     auto groups = edge::ml::nearest_centres(later, found.centres);
///     auto s = edge::ml::stratified_split(labels, {.test_fraction = 0.2});
///     s.train, s.test;                                                       // rows
///
/// kmeans.hpp   k-means++ and Lloyd's iteration
/// split.hpp    stratified split

#include <edge/ml/kmeans.hpp>
#include <edge/ml/split.hpp>

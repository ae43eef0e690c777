// SPDX-License-Identifier: MIT
#pragma once

/// @file All of edge. A program that uses one layer compiles faster with that layer's header alone.
///
/// core.hpp    arrays, their files, errors, threads
/// simd.hpp    array expressions and what kernels are made of
/// frame.hpp   tables: group-by, windows, joins, CSV, Parquet
/// quant.hpp   real numbers as 8-bit integers
/// nn.hpp      networks: kernels, graphs, sessions
/// geo.hpp     points and polygons
/// imu.hpp     inertial sensors
/// ml.hpp      k-means, splits
/// perf.hpp    side-by-side timing, latencies

#include <edge/core.hpp>
#include <edge/frame.hpp>
#include <edge/geo.hpp>
#include <edge/imu.hpp>
#include <edge/ml.hpp>
#include <edge/nn.hpp>
#include <edge/perf.hpp>
#include <edge/quant.hpp>
#include <edge/simd.hpp>

// SPDX-License-Identifier: MIT
#pragma once

/// @file Time: which of several implementations is faster, and how long things take in the field.
///
///     auto r = edge::perf::compare({.job = "sum", .n = x.size()}, std::tuple(std::span(x)),
///                                  who{"loop", loop_sum}, who{"edge", edge_sum});
///     std::fputs(r.table().c_str(), stderr);
///     edge::perf::latency read;
///     { edge::perf::timer t(read); sensor.read(); }
///     read.milliseconds(0.99);
///
/// compare.hpp   alternating runs, results checked, medians and ratios as a table or JSON lines
/// latency.hpp   percentiles in fixed memory

#include <edge/perf/compare.hpp>
#include <edge/perf/latency.hpp>

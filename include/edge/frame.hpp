// SPDX-License-Identifier: MIT
#pragma once

/// @file Tables: what sensors write and models read, as named columns.
///
///     using namespace edge::frame;
///     table imu = read_csv("imu.csv");
///     table gnss = read_csv("gnss.csv");
///     table fused = join_asof(imu, gnss, {.on = "ts", .by = "vehicle", .tolerance = 50'000'000});
///     fused.add("second", tumbling(fused.column("ts"), 1'000'000'000));
///     write_csv("shake.csv", fused.group_by("vehicle", "second").agg(count(), stddev("ax")));
///
/// Columns lie in memory as Apache Arrow has them, never change, and are shared by copies and slices. A value may be
/// missing; aggregates and comparisons skip missing values and NaN, as pandas does.
///
///     column.hpp, column_builder.hpp, table.hpp     what a table is
///     csv.hpp, parquet.hpp, parquet_log.hpp, compressed.hpp   files; which ones a folder or pattern stands for: paths.hpp
///     dictionary.hpp, missing.hpp, expression.hpp   strings as codes, missing values, columns in array expressions
///     take.hpp, filter.hpp, sort.hpp, unique.hpp    rows
///     group_by.hpp, group_accumulator.hpp           groups, of a table and of a stream; describe.hpp: a summary
///     join.hpp, join_asof.hpp                       two tables, by key and by time
///     window.hpp, tumbling.hpp, ewm.hpp             windows: rolling, at regular places, fading
///     shift.hpp, cumulative.hpp, gaps.hpp           rows before, running totals, where nothing came
///     interpolate.hpp                               values between values, regular times
///     print.hpp                                     tables on a terminal and in a page
///     arrow.hpp                                     other libraries in the same program, without a copy

#include <edge/frame/aggregate.hpp>
#include <edge/frame/arrow.hpp>
#include <edge/frame/buffer.hpp>
#include <edge/frame/column.hpp>
#include <edge/frame/column_builder.hpp>
#include <edge/frame/compressed.hpp>
#include <edge/frame/csv.hpp>
#include <edge/frame/cumulative.hpp>
#include <edge/frame/describe.hpp>
#include <edge/frame/describe_accumulator.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/ewm.hpp>
#include <edge/frame/expression.hpp>
#include <edge/frame/filter.hpp>
#include <edge/frame/gaps.hpp>
#include <edge/frame/group_accumulator.hpp>
#include <edge/frame/group_by.hpp>
#include <edge/frame/interpolate.hpp>
#include <edge/frame/join.hpp>
#include <edge/frame/join_asof.hpp>
#include <edge/frame/key_names.hpp>
#include <edge/frame/kind.hpp>
#include <edge/frame/missing.hpp>
#include <edge/frame/parquet.hpp>
#include <edge/frame/parquet_log.hpp>
#include <edge/frame/paths.hpp>
#include <edge/frame/print.hpp>
#include <edge/frame/shift.hpp>
#include <edge/frame/sort.hpp>
#include <edge/frame/table.hpp>
#include <edge/frame/take.hpp>
#include <edge/frame/time_span.hpp>
#include <edge/frame/timestamp.hpp>
#include <edge/frame/tumbling.hpp>
#include <edge/frame/unique.hpp>
#include <edge/frame/window.hpp>

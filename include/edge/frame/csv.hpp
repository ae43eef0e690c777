// SPDX-License-Identifier: MIT
#pragma once

/// @file CSV: tables as text, read and written (RFC 4180, UTF-8).
///
///     table t = read_csv("imu.csv");                                  // kinds are found out from all rows
///     table u = read_csv("imu.csv", {.kinds = {{"ax", kind::float32}}, .missing = {"NA"}});
///     write_csv("out.csv", t);
///
/// What can be said about a file: csv_options.hpp. How kinds are found: csv_reader.hpp. Files larger than memory, and
/// pipes: csv_stream.hpp. How values are written: csv_writer.hpp. Compressed files: compressed.hpp.

#include <edge/frame/csv_options.hpp>
#include <edge/frame/csv_reader.hpp>
#include <edge/frame/csv_stream.hpp>
#include <edge/frame/csv_writer.hpp>

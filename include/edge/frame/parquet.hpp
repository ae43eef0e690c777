// SPDX-License-Identifier: MIT
#pragma once

/// @file Parquet, the columnar file format: read and written, with no library but the codecs'.
///
///     write_parquet("imu.parquet", samples, {.codec = codec::zstd});
///     const table t = read_parquet("imu.parquet", {.columns = {"ts", "ax"}});

#include <edge/frame/parquet/reader.hpp>

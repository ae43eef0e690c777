// SPDX-License-Identifier: MIT
#pragma once

/// @file Parquet, the columnar file format: read and written, with no library but the codecs'.
///
///     write_parquet("imu.parquet", samples, {.codec = codec::zstd});
///     const table t = read_parquet("imu/*.parquet", {.columns = {"ts", "ax"}});
///     parquet_log log("imu", {.rotate_seconds = 10});                     // parquet_log.hpp
///
/// Read: flat tables in every encoding of the format, uncompressed, Snappy or Zstandard (codec.hpp says what they need).
/// Refused by name: nested columns, encryption, other codecs.
///
/// To change it, open `parquet/`: reader.hpp and writer.hpp are the public ends; pages.hpp, values.hpp, rle.hpp, delta.hpp
/// and codec.hpp lie between a file's bytes and a column; metadata.hpp and thrift.hpp are the footer; schema.hpp is the
/// table of types.

#include <edge/frame/parquet/codec.hpp>
#include <edge/frame/parquet/reader.hpp>
#include <edge/frame/parquet/writer.hpp>

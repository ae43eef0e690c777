// SPDX-License-Identifier: MIT
#pragma once

/// @file What a Parquet file says about itself: the footer, and the header before each page.
///
///     const file_metadata file = read_metadata(footer);
///     for (const row_group& group : file.row_groups) rows += group.rows;
///
/// Names and numbers are those of the format: apache/parquet-format, src/main/thrift/parquet.thrift. What is not needed
/// to read or write flat tables (indexes, Bloom filters, key-value pairs) is skipped.

#include <edge/frame/parquet/thrift.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::frame::parquet {

enum class physical : std::uint8_t { boolean, int32, int64, int96, float32, float64, byte_array, fixed_byte_array };

enum class encoding : std::uint8_t {
    plain = 0,
    plain_dictionary = 2,
    rle = 3,
    bit_packed = 4,
    delta_binary_packed = 5,
    delta_length_byte_array = 6,
    delta_byte_array = 7,
    rle_dictionary = 8,
    byte_stream_split = 9,
};

enum class page_type : std::uint8_t { data = 0, index = 1, dictionary = 2, data_v2 = 3 };

enum class repetition : std::uint8_t { required, optional, repeated };

/// Meaning of a value beyond its physical type; both the older "converted types" and the newer logical types.
enum class logical : std::uint8_t {
    none,
    string,
    decimal,
    date,
    time,
    timestamp,
    integer,
    uuid,
    float16,
    other,
};

enum class time_unit : std::uint8_t { milliseconds, microseconds, nanoseconds };

struct schema_element {
    std::string name;
    std::optional<physical> type;  ///< none: a group
    std::int32_t type_length = 0;
    repetition repeats = repetition::required;
    std::int32_t children = 0;
    logical meaning = logical::none;
    std::int32_t scale = 0;      ///< of decimals
    std::int32_t precision = 0;  ///< of decimals
    time_unit unit = time_unit::nanoseconds;
    std::int32_t bits = 0;  ///< of integers
    bool is_signed = true;  ///< of integers
};

/// Of one column in one row group. Values are in PLAIN encoding, strings without their length.
struct statistics {
    std::optional<std::string> min;
    std::optional<std::string> max;
    std::optional<std::int64_t> null_count;
};

struct column_chunk {
    bool is_readable = false;  ///< its metadata is here, neither encrypted nor in another file
    physical type = physical::boolean;
    std::int32_t codec = 0;
    std::vector<std::string> path;
    std::int64_t values = 0;
    std::int64_t uncompressed_bytes = 0;
    std::int64_t compressed_bytes = 0;
    std::int64_t data_page_offset = 0;
    std::int64_t dictionary_page_offset = 0;  ///< 0: none
    parquet::statistics statistics;
    std::vector<encoding> encodings;  ///< written, not read
};

struct row_group {
    std::vector<column_chunk> columns;
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
};

struct file_metadata {
    std::int32_t version = 2;
    std::vector<schema_element> schema;
    std::int64_t rows = 0;
    std::vector<row_group> row_groups;
    std::string created_by;
};

struct page_header {
    page_type type = page_type::data;
    std::int32_t uncompressed_bytes = -1;
    std::int32_t compressed_bytes = -1;
    std::optional<std::uint32_t> crc;
    std::int32_t values = -1;
    parquet::encoding encoding = encoding::plain;
    parquet::encoding level_encoding = encoding::rle;
    std::int32_t nulls = -1;                  ///< of a v2 page
    std::int32_t rows = -1;                   ///< of a v2 page
    std::int32_t definition_level_bytes = 0;  ///< of a v2 page
    std::int32_t repetition_level_bytes = 0;  ///< of a v2 page
    bool is_compressed = true;                ///< of a v2 page
};

[[nodiscard]] inline std::string to_string(encoding e) {
    static constexpr std::array<std::string_view, 10> names{"PLAIN",
                                                            "1",
                                                            "PLAIN_DICTIONARY",
                                                            "RLE",
                                                            "BIT_PACKED",
                                                            "DELTA_BINARY_PACKED",
                                                            "DELTA_LENGTH_BYTE_ARRAY",
                                                            "DELTA_BYTE_ARRAY",
                                                            "RLE_DICTIONARY",
                                                            "BYTE_STREAM_SPLIT"};
    return std::string(names[static_cast<std::size_t>(e)]);
}

[[nodiscard]] inline std::string to_string(physical p) {
    static constexpr std::array<std::string_view, 8> names{"BOOLEAN", "INT32",  "INT64",      "INT96",
                                                           "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    return std::string(names[static_cast<std::size_t>(p)]);
}

namespace detail {

/// A number that must be one of an enumeration's, 0 ... last.
template <class E>
[[nodiscard]] E read_enum(thrift_reader& in, thrift_type type, E last, const char* what) {
    const std::int32_t value = in.i32(type);
    if (value < 0 || value > static_cast<std::int32_t>(last))
        throw parse_error(message(what, " ", value, " is unknown"));
    return static_cast<E>(value);
}

[[nodiscard]] inline encoding read_encoding(thrift_reader& in, thrift_type type) {
    const auto e = read_enum(in, type, encoding::byte_stream_split, "encoding");
    if (static_cast<int>(e) == 1)
        throw unsupported_error("encoding 1 (GROUP_VAR_INT) was never in use and is not read");
    return e;
}

inline void read_converted_type(schema_element& e, std::int32_t converted) {
    const auto is = [&](logical meaning, time_unit unit = time_unit::nanoseconds) {
        e.meaning = meaning;
        e.unit = unit;
    };
    switch (converted) {
        case 0:   // UTF8
        case 4:   // ENUM
        case 19:  // JSON
            return is(logical::string);
        case 5: return is(logical::decimal);
        case 6: return is(logical::date);
        case 7: return is(logical::time, time_unit::milliseconds);
        case 8: return is(logical::time, time_unit::microseconds);
        case 9: return is(logical::timestamp, time_unit::milliseconds);
        case 10: return is(logical::timestamp, time_unit::microseconds);
        case 11:
        case 12:
        case 13:
        case 14:  // UINT_8 ... UINT_64
        case 15:
        case 16:
        case 17:
        case 18:  // INT_8 ... INT_64
            e.bits = 8 << ((converted - 11) % 4);
            e.is_signed = converted >= 15;
            return is(logical::integer);
        default: return is(logical::other);
    }
}

inline void read_logical_type(thrift_reader& in, thrift_type type, schema_element& e) {
    const auto read_time = [&](thrift_type inner) {
        in.structure(inner, [&](int field, thrift_type t) {
            if (field != 2) return in.skip(t);
            in.structure(t, [&](int unit, thrift_type empty) {
                if (unit >= 1 && unit <= 3) e.unit = static_cast<time_unit>(unit - 1);
                in.skip(empty);
            });
        });
    };
    in.structure(type, [&](int member, thrift_type inner) {
        switch (member) {
            case 1:   // STRING
            case 4:   // ENUM
            case 12:  // JSON
                e.meaning = logical::string;
                return in.skip(inner);
            case 5:
                e.meaning = logical::decimal;
                return in.structure(inner, [&](int field, thrift_type t) {
                    if (field == 1)
                        e.scale = in.i32(t);
                    else if (field == 2)
                        e.precision = in.i32(t);
                    else
                        in.skip(t);
                });
            case 6: e.meaning = logical::date; return in.skip(inner);
            case 7: e.meaning = logical::time; return read_time(inner);
            case 8: e.meaning = logical::timestamp; return read_time(inner);
            case 10:
                e.meaning = logical::integer;
                return in.structure(inner, [&](int field, thrift_type t) {
                    if (field == 1)
                        e.bits = in.i8(t);
                    else if (field == 2)
                        e.is_signed = in.boolean(t);
                    else
                        in.skip(t);
                });
            case 14: e.meaning = logical::uuid; return in.skip(inner);
            case 15: e.meaning = logical::float16; return in.skip(inner);
            default: e.meaning = logical::other; return in.skip(inner);
        }
    });
}

[[nodiscard]] inline schema_element read_schema_element(thrift_reader& in, thrift_type type) {
    schema_element e;
    bool is_new = false;  // the logical type, where there is one, has the last word
    in.structure(type, [&](int field, thrift_type t) {
        switch (field) {
            case 1: e.type = read_enum(in, t, physical::fixed_byte_array, "physical type"); break;
            case 2: e.type_length = in.i32(t); break;
            case 3: e.repeats = read_enum(in, t, repetition::repeated, "repetition type"); break;
            case 4: e.name = in.binary(t); break;
            case 5: e.children = in.i32(t); break;
            case 6: {
                const std::int32_t converted = in.i32(t);
                if (!is_new) read_converted_type(e, converted);
                break;
            }
            case 7: e.scale = in.i32(t); break;
            case 8: e.precision = in.i32(t); break;
            case 10:
                is_new = true;
                read_logical_type(in, t, e);
                break;
            default: in.skip(t);
        }
    });
    return e;
}

[[nodiscard]] inline statistics read_statistics(thrift_reader& in, thrift_type type) {
    statistics s;
    in.structure(type, [&](int field, thrift_type t) {
        switch (field) {
            case 3: s.null_count = in.i64(t); break;
            case 5: s.max = std::string(in.binary(t)); break;
            case 6: s.min = std::string(in.binary(t)); break;
            default: in.skip(t);
        }
    });
    return s;
}

[[nodiscard]] inline column_chunk read_column_chunk(thrift_reader& in, thrift_type type) {
    column_chunk c;
    bool is_elsewhere = false;
    in.structure(type, [&](int field, thrift_type t) {
        switch (field) {
            case 1: is_elsewhere = !in.binary(t).empty(); break;
            case 3:
                c.is_readable = true;
                in.structure(t, [&](int inner, thrift_type it) {
                    switch (inner) {
                        case 1: c.type = read_enum(in, it, physical::fixed_byte_array, "physical type"); break;
                        case 3: in.list(it, [&](thrift_type et) { c.path.emplace_back(in.binary(et)); }); break;
                        case 4: c.codec = in.i32(it); break;
                        case 5: c.values = in.i64(it); break;
                        case 6: c.uncompressed_bytes = in.i64(it); break;
                        case 7: c.compressed_bytes = in.i64(it); break;
                        case 9: c.data_page_offset = in.i64(it); break;
                        case 11: c.dictionary_page_offset = in.i64(it); break;
                        case 12: c.statistics = read_statistics(in, it); break;
                        default: in.skip(it);
                    }
                });
                break;
            case 8:  // how the column is encrypted
                is_elsewhere = true;
                in.skip(t);
                break;
            default: in.skip(t);
        }
    });
    if (is_elsewhere) c.is_readable = false;
    return c;
}

[[nodiscard]] inline row_group read_row_group(thrift_reader& in, thrift_type type) {
    row_group g;
    bool has_rows = false;
    in.structure(type, [&](int field, thrift_type t) {
        switch (field) {
            case 1: in.list(t, [&](thrift_type et) { g.columns.push_back(read_column_chunk(in, et)); }); break;
            case 2: g.bytes = in.i64(t); break;
            case 3:
                g.rows = in.i64(t);
                has_rows = true;
                break;
            default: in.skip(t);
        }
    });
    if (!has_rows || g.rows < 0) throw parse_error(message("a row group of ", g.rows, " rows"));
    return g;
}

}  // namespace detail

/// The footer. Checked: what it is made of, not yet whether it fits the file.
/// @throws parse_error  at the first thing that is not as the format says
[[nodiscard]] inline file_metadata read_metadata(std::span<const std::byte> footer) {
    file_metadata file;
    thrift_reader in(footer);
    in.structure([&](int field, thrift_type t) {
        switch (field) {
            case 1: file.version = in.i32(t); break;
            case 2:
                in.list(t, [&](thrift_type et) { file.schema.push_back(detail::read_schema_element(in, et)); });
                break;
            case 3: file.rows = in.i64(t); break;
            case 4:
                in.list(t, [&](thrift_type et) { file.row_groups.push_back(detail::read_row_group(in, et)); });
                break;
            case 6: file.created_by = in.binary(t); break;
            default: in.skip(t);
        }
    });
    if (file.schema.empty()) throw parse_error("the footer has no schema");
    return file;
}

/// The header of a page at the front of `bytes`, and how long it is.
/// @throws parse_error  at the first thing that is not as the format says
[[nodiscard]] inline std::pair<page_header, std::size_t> read_page_header(std::span<const std::byte> bytes) {
    page_header p;
    bool has_data = false;
    thrift_reader in(bytes);
    in.structure([&](int field, thrift_type t) {
        switch (field) {
            case 1: p.type = detail::read_enum(in, t, page_type::data_v2, "page type"); break;
            case 2: p.uncompressed_bytes = in.i32(t); break;
            case 3: p.compressed_bytes = in.i32(t); break;
            case 4: p.crc = static_cast<std::uint32_t>(in.i32(t)); break;
            case 5:
                has_data |= p.type == page_type::data;
                in.structure(t, [&](int inner, thrift_type it) {
                    switch (inner) {
                        case 1: p.values = in.i32(it); break;
                        case 2: p.encoding = detail::read_encoding(in, it); break;
                        case 3: p.level_encoding = detail::read_encoding(in, it); break;
                        default: in.skip(it);
                    }
                });
                break;
            case 7:
                has_data |= p.type == page_type::dictionary;
                in.structure(t, [&](int inner, thrift_type it) {
                    switch (inner) {
                        case 1: p.values = in.i32(it); break;
                        case 2: p.encoding = detail::read_encoding(in, it); break;
                        default: in.skip(it);
                    }
                });
                break;
            case 8:
                has_data |= p.type == page_type::data_v2;
                in.structure(t, [&](int inner, thrift_type it) {
                    switch (inner) {
                        case 1: p.values = in.i32(it); break;
                        case 2: p.nulls = in.i32(it); break;
                        case 3: p.rows = in.i32(it); break;
                        case 4: p.encoding = detail::read_encoding(in, it); break;
                        case 5: p.definition_level_bytes = in.i32(it); break;
                        case 6: p.repetition_level_bytes = in.i32(it); break;
                        case 7: p.is_compressed = in.boolean(it); break;
                        default: in.skip(it);
                    }
                });
                break;
            default: in.skip(t);
        }
    });
    if (p.uncompressed_bytes < 0 || p.compressed_bytes < 0)
        throw parse_error(message("page of ", p.compressed_bytes, " bytes, ", p.uncompressed_bytes, " uncompressed"));
    if (p.type != page_type::index && (!has_data || p.values < 0))
        throw parse_error(message("page of ", p.values, " values"));
    return {p, in.position()};
}

}  // namespace edge::frame::parquet

// SPDX-License-Identifier: MIT
#pragma once

/// @file From Parquet's types to the kinds of columns: what each field of a file is read as.
///
///     for (const field& f : fields_of(metadata))
///         if (f.problem.empty()) std::cout << f.name << ": " << to_string(f.kind) << '\n';
///
/// | in the file                                                     | kind      |
/// |-----------------------------------------------------------------|-----------|
/// | BOOLEAN                                                         | boolean   |
/// | INT32 and INT64; 8 to 64 bits, signed or not                    | int8 to int64, uint8 to uint64 |
/// | TIME                                                            | int64, nanoseconds since midnight |
/// | FLOAT, FLOAT16                                                  | float32   |
/// | DOUBLE, DECIMAL                                                 | float64   |
/// | DATE                                                            | date      |
/// | TIMESTAMP, INT96                                                | timestamp |
/// | BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY, UUID (as text)             | string    |

#include <edge/frame/kind.hpp>
#include <edge/frame/parquet/metadata.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace edge::frame::parquet {

/// How a stored value becomes one of the column's kind.
enum class conversion : std::uint8_t {
    none,
    scale,    ///< times `field::factor`, checked
    decimal,  ///< over `field::divisor`
    int96,    ///< Julian day and nanoseconds
    float16,
    uuid,
};

/// A field at the top of the schema.
struct field {
    std::string name;
    std::size_t leaf = 0;  ///< place among the column chunks of a row group
    physical type = physical::boolean;
    std::size_t width = 0;  ///< of FIXED_LEN_BYTE_ARRAY
    bool is_optional = false;
    frame::kind kind = frame::kind::boolean;
    parquet::conversion conversion = conversion::none;
    std::int64_t factor = 1;
    double divisor = 1;
    std::string problem;  ///< why it cannot be read; empty when it can
};

namespace detail {

inline void choose_kind(field& f, const schema_element& e) {
    const auto is = [&](frame::kind k, conversion c = conversion::none, std::int64_t factor = 1) {
        f.kind = k;
        f.conversion = c;
        f.factor = factor;
    };
    const auto nanoseconds = [&] {
        return e.unit == time_unit::milliseconds ? 1'000'000 : e.unit == time_unit::microseconds ? 1'000 : 1;
    };
    const bool may_be_decimal = f.type == physical::int32 || f.type == physical::int64 ||
                                f.type == physical::byte_array || f.type == physical::fixed_byte_array;
    if (e.meaning == logical::decimal && may_be_decimal) {
        if (e.scale < 0 || e.scale > 300) f.problem = message("a decimal of scale ", e.scale, "; expected 0 to 300");
        f.divisor = std::pow(10.0, e.scale);
        return is(kind::float64, conversion::decimal);
    }
    switch (f.type) {
        case physical::boolean: return is(kind::boolean);
        case physical::int32:
            if (e.meaning == logical::integer && e.bits == 8) return is(e.is_signed ? kind::int8 : kind::uint8);
            if (e.meaning == logical::integer && e.bits == 16) return is(e.is_signed ? kind::int16 : kind::uint16);
            if (e.meaning == logical::integer && !e.is_signed) return is(kind::uint32);
            if (e.meaning == logical::date) return is(kind::date);
            if (e.meaning == logical::time) return is(kind::int64, conversion::scale, nanoseconds());
            return is(kind::int32);
        case physical::int64:
            if (e.meaning == logical::integer && !e.is_signed) return is(kind::uint64);
            if (e.meaning == logical::time) return is(kind::int64, conversion::scale, nanoseconds());
            if (e.meaning == logical::timestamp) return is(kind::timestamp, conversion::scale, nanoseconds());
            return is(kind::int64);
        case physical::int96: return is(kind::timestamp, conversion::int96);
        case physical::float32: return is(kind::float32);
        case physical::float64: return is(kind::float64);
        case physical::byte_array: return is(kind::string);
        case physical::fixed_byte_array:
            if (e.meaning == logical::float16 && f.width == 2) return is(kind::float32, conversion::float16);
            if (e.meaning == logical::uuid && f.width == 16) return is(kind::string, conversion::uuid);
            return is(kind::string);
    }
}

}  // namespace detail

/// The fields at the top of the schema, in order. Those that are nested say so in `problem`.
/// @throws parse_error  if the schema is not a tree
[[nodiscard]] inline std::vector<field> fields_of(const file_metadata& file) {
    const std::vector<schema_element>& schema = file.schema;
    const schema_element& root = schema.front();
    if (root.children < 0) throw parse_error(message("schema of ", root.children, " columns"));
    std::vector<field> fields;
    std::size_t next = 1;
    std::size_t leaf = 0;
    for (std::int32_t c = 0; c < root.children; ++c) {
        if (next >= schema.size())
            throw parse_error(message("schema of ", schema.size(), " elements ends before its columns"));
        const schema_element& e = schema[next];
        field f;
        f.name = e.name;
        f.leaf = leaf;
        if (!e.type || e.children > 0) {
            f.problem = message("it is nested (a group of ", e.children, "); only flat columns are read");
        } else {
            f.type = *e.type;
            f.is_optional = e.repeats == repetition::optional;
            if (f.type == physical::fixed_byte_array) {
                if (e.type_length < 1)
                    throw parse_error(message("column '", e.name, "' of ", e.type_length, " bytes a value"));
                f.width = static_cast<std::size_t>(e.type_length);
            }
            if (f.type == physical::int96) f.width = 12;
            detail::choose_kind(f, e);
            if (e.repeats == repetition::repeated) f.problem = "it is repeated (a list); only flat columns are read";
        }
        // Over the whole subtree, without recursion.
        for (std::int64_t open = 1; open > 0; --open) {
            if (next >= schema.size())
                throw parse_error(message("schema of ", schema.size(), " elements ends before its columns"));
            const schema_element& part = schema[next++];
            if (part.children < 0)
                throw parse_error(message("column '", part.name, "' of ", part.children, " children"));
            if (part.type && part.children == 0)
                ++leaf;
            else
                open += part.children;
        }
        fields.push_back(std::move(f));
    }
    // The format lets two columns have one name; a table does not. Later ones become x_1, x_2, as in DuckDB.
    std::unordered_set<std::string> taken;
    for (field& f : fields) {
        const std::string name = f.name;
        for (int i = 1; !taken.insert(f.name).second; ++i) f.name = message(name, "_", i);
    }
    return fields;
}

}  // namespace edge::frame::parquet

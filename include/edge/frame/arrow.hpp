// SPDX-License-Identifier: MIT
#pragma once

/// @file Tables to and from whatever speaks the Arrow C data or stream interface: DuckDB, Polars, pandas, Arrow itself.
///
///     arrow_data data = to_arrow(t);                                  // no copy; keeps the memory of `t` alive
///     duckdb_schema_from_arrow(db, data.schema(), &types);            // a function that reads or takes them over
///
///     arrow_data got;
///     produce(got.schema(), got.array());                             // fills both
///     table u = table_from_arrow(std::move(got));
///
///     arrow_stream stream = to_arrow_stream(t);                       // table by table; stream.get() for a consumer
///     while (std::optional<table> part = stream.next()) …             // or read from a producer
///
/// Handing out copies nothing: columns lie in memory as Arrow has them, slices too. Strings are `large_utf8`, dictionary-
/// encoded ones int32 codes with their dictionary, timestamps nanoseconds in UTC.
///
/// Taking in copies nothing either where the layout is a column's: integers, floats, booleans, dates of days,
/// nanoseconds, large strings, int32 codes. Converted are strings with 32-bit offsets (their text is shared), views of
/// strings, times in other units, decimals (to float64), other codes, and what is not aligned. Lists, structs in a
/// struct, and other types are refused by name. The memory of a table is released with the last of its columns. Lengths,
/// counts and offsets are checked; that a buffer has the bytes that they ask for is not said by the interface.
///
/// Source: arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.

#include <edge/frame/detail/arrow_export.hpp>
#include <edge/frame/detail/arrow_import.hpp>

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

/// A schema and an array, owned: released with this unless a consumer has taken them over.
class arrow_data {
public:
    /// Nothing yet: to be filled by a producer.
    arrow_data() = default;

    /// Takes both over; they are then marked as released.
    arrow_data(ArrowSchema& schema, ArrowArray& array) noexcept : schema_(schema), array_(array) {}

    [[nodiscard]] ArrowSchema* schema() noexcept { return &*schema_; }
    [[nodiscard]] ArrowArray* array() noexcept { return &*array_; }

private:
    friend column column_from_arrow(arrow_data data);
    friend table table_from_arrow(arrow_data data);

    detail::arrow_owned<ArrowSchema> schema_;
    detail::arrow_owned<ArrowArray> array_;
};

struct arrow_options {
    bool mark_utc = true;  ///< timestamps as instants in UTC, of which DuckDB keeps microseconds only; else unmarked
};

/// A column over the same memory.
[[nodiscard]] inline arrow_data to_arrow(const column& c, const std::string& name = "",
                                         const arrow_options& options = {}) {
    arrow_data data;
    *data.schema() = detail::export_schema(c, name, options.mark_utc);
    *data.array() = detail::export_array(c);
    return data;
}

/// A table, as a struct of its columns.
[[nodiscard]] inline arrow_data to_arrow(const table& t, const arrow_options& options = {}) {
    arrow_data data;
    *data.schema() = detail::export_schema(t, options.mark_utc);
    *data.array() = detail::export_array(t);
    return data;
}

/// Takes `data` over also where it is refused.
/// @throws unsupported_error  if no kind of column holds its type; the message gives its format
/// @throws argument_error     if it contradicts itself
[[nodiscard]] inline column column_from_arrow(arrow_data data) {
    if (data.schema()->release == nullptr || data.array()->release == nullptr)
        throw argument_error("arrow: a schema or an array that was released");
    return detail::import_column(*data.schema(), std::move(data.array_));
}

/// @throws argument_error  if it is not a struct, two columns have one name, or as `column_from_arrow`
/// @throws unsupported_error  as `column_from_arrow`
[[nodiscard]] inline table table_from_arrow(arrow_data data) {
    if (data.schema()->release == nullptr || data.array()->release == nullptr)
        throw argument_error("arrow: a schema or an array that was released");
    return detail::import_table(*data.schema(), std::move(data.array_));
}

/// Tables one after the other, from a producer or for a consumer.
class arrow_stream {
public:
    /// Nothing yet: to be filled by a producer.
    arrow_stream() = default;

    /// Takes it over; it is then marked as released.
    explicit arrow_stream(ArrowArrayStream& stream) noexcept : stream_(stream) {}

    [[nodiscard]] ArrowArrayStream* get() noexcept { return &*stream_; }

    /// The next table, or none at the end.
    /// @throws io_error  if the producer fails; the message is its own
    /// @throws argument_error, unsupported_error  as `table_from_arrow`
    [[nodiscard]] std::optional<table> next() {
        if (stream_->release == nullptr) throw argument_error("arrow: a stream that was released");
        if (schema_->release == nullptr) check(stream_->get_schema(get(), &*schema_));
        detail::arrow_owned<ArrowArray> array;
        check(stream_->get_next(get(), &*array));
        if (array->release == nullptr) return std::nullopt;
        return detail::import_table(*schema_, std::move(array));
    }

private:
    void check(int error) {
        if (error == 0) return;
        const char* why = stream_->get_last_error(get());
        throw io_error(
            message("arrow: the producer of a stream failed: ", why != nullptr ? why : "", " (", error, ')'));
    }

    detail::arrow_owned<ArrowArrayStream> stream_;
    detail::arrow_owned<ArrowSchema> schema_;
};

namespace detail {

/// What a stream of ours holds.
template <class Next>
struct arrow_producer {
    table like;
    Next next;
    arrow_options options;
    std::string error = {};

    /// A table as `like` is: strings encoded as there.
    [[nodiscard]] table as_promised(const table& t) const {
        if (!std::equal(t.names().begin(), t.names().end(), like.names().begin(), like.names().end()))
            throw argument_error("arrow: a table of a stream has other columns than the first");
        table same;
        for (std::size_t i = 0; i < t.names().size(); ++i) {
            const column& want = like.columns()[i];
            const column& c = t.columns()[i];
            if (c.kind() != want.kind())
                throw argument_error(message("arrow: column '", t.names()[i], "' of a stream is of ",
                                             to_string(c.kind()), "; expected ", to_string(want.kind())));
            const bool encode = want.is_dictionary() && !c.is_dictionary();
            same.add(t.names()[i], encode ? dictionary_encoded(c) : want.is_dictionary() ? c : plain(c));
        }
        return same;
    }

    /// Calls f; the error number of what it throws.
    template <class F>
    static int guarded(ArrowArrayStream* stream, F f) noexcept {
        auto& self = *static_cast<arrow_producer*>(stream->private_data);
        try {
            self.error.clear();
            f(self);
            return 0;
        } catch (const std::bad_alloc&) {
            return ENOMEM;
        } catch (const std::exception& e) {
            try {
                self.error = e.what();
            } catch (...) {
            }
        } catch (...) {
        }
        return EIO;
    }
};

}  // namespace detail

/// Tables that `next` makes when they are asked for.
/// @param like  a table of the same names and kinds, with or without rows, which are not sent
/// @param next  gives an optional<table>: none at the end. What it throws becomes an error of the stream
template <std::invocable Next>
[[nodiscard]] arrow_stream to_arrow_stream(const table& like, Next next, const arrow_options& options = {}) {
    using producer = detail::arrow_producer<Next>;
    ArrowArrayStream stream{};
    stream.private_data = new producer{like.head(0), std::move(next), options};
    stream.get_schema = [](ArrowArrayStream* s, ArrowSchema* out) {
        return producer::guarded(
            s, [out](producer& self) { *out = detail::export_schema(self.like, self.options.mark_utc); });
    };
    stream.get_next = [](ArrowArrayStream* s, ArrowArray* out) {
        return producer::guarded(s, [out](producer& self) {
            const std::optional<table> part = self.next();
            *out = part ? detail::export_array(self.as_promised(*part)) : ArrowArray{};
        });
    };
    stream.get_last_error = [](ArrowArrayStream* s) -> const char* {
        const std::string& error = static_cast<producer*>(s->private_data)->error;
        return error.empty() ? nullptr : error.c_str();
    };
    stream.release = [](ArrowArrayStream* s) {
        delete static_cast<producer*>(s->private_data);
        s->release = nullptr;
    };
    return arrow_stream(stream);
}

/// A table in parts of `rows` rows, which share its memory.
/// @throws argument_error  if `rows` is 0
[[nodiscard]] inline arrow_stream to_arrow_stream(const table& t, std::size_t rows = 122'880,
                                                  const arrow_options& options = {}) {
    if (rows == 0) throw argument_error("arrow: a stream of tables of 0 rows");
    const auto part = [t, rows, first = std::size_t{0}]() mutable -> std::optional<table> {
        if (first >= t.rows()) return std::nullopt;
        const std::size_t count = (std::min)(rows, t.rows() - first);
        first += count;
        return t.slice(first - count, count);
    };
    return to_arrow_stream(t, part, options);
}

}  // namespace edge::frame

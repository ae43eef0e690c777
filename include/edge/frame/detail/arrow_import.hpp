// SPDX-License-Identifier: MIT
#pragma once

/// @file Columns and tables from structures of the Arrow C data interface: over the same memory where it is laid out as a
/// column's, else converted.

#include <edge/frame/detail/arrow_abi.hpp>
#include <edge/frame/dictionary.hpp>
#include <edge/frame/table.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// One array that becomes a column. What the interface does not say, the bytes of a buffer, is believed.
class arrow_importer {
public:
    arrow_importer(const ArrowSchema& schema, const ArrowArray& array, std::shared_ptr<const void> owner)
        : schema_(schema),
          array_(array),
          owner_(std::move(owner)),
          format_(schema.format != nullptr ? schema.format : ""),
          name_(schema.name != nullptr ? schema.name : "") {
        constexpr std::int64_t most = std::int64_t{1} << 56;
        if (array.length < 0 || array.offset < 0 || array.length > most || array.offset > most ||
            array.null_count < -1 || array.null_count > array.length)
            throw bad("length ", array.length, ", offset ", array.offset, ", null count ", array.null_count);
        first_ = static_cast<std::size_t>(array.offset);
        rows_ = static_cast<std::size_t>(array.length);
        end_ = first_ + rows_;
        const bool has_nulls = array.null_count != 0 && format_ != "n" && array.n_buffers > 0;
        if (has_nulls && array.buffers != nullptr && array.buffers[0] != nullptr)
            validity_ = buffer(owner_, array.buffers[0], bitmap_bytes(end_));
        else if (has_nulls && array.null_count > 0)
            throw bad("no bitmap for ", array.null_count, " missing values");
    }

    [[nodiscard]] column run() const {
        if (schema_.dictionary != nullptr) return encoded();
        if (format_ == "n") return column::missing(kind::float64, rows_);
        for (std::size_t i = 0; i < formats.size(); ++i) {
            const auto k = static_cast<kind>(i);
            if (format_ != formats[i]) continue;
            if (k == kind::boolean) return shared(k, bytes(1, 2, bitmap_bytes(end_), 1));
            return shared(k, bytes(1, 2, end_ * value_bytes(k), value_bytes(k)));
        }
        if (format_ == "U" || format_ == "Z") return large_text();
        if (format_ == "u" || format_ == "z") return small_text();
        if (format_ == "vu" || format_ == "vz") return text_views();
        if (format_ == "tdm") return scaled<std::int64_t, std::int32_t>(kind::date, 1, 86'400'000);
        if (format_.starts_with("tsn:")) return shared(kind::timestamp, bytes(1, 2, end_ * 8, 8));
        if (format_.starts_with("tsu:")) return scaled<std::int64_t, std::int64_t>(kind::timestamp, 1'000, 1);
        if (format_.starts_with("tsm:")) return scaled<std::int64_t, std::int64_t>(kind::timestamp, 1'000'000, 1);
        if (format_.starts_with("tss:")) return scaled<std::int64_t, std::int64_t>(kind::timestamp, 1'000'000'000, 1);
        if (format_.starts_with("d:")) return decimals();
        throw unsupported_error(
            message("arrow: column '", name_, "' has format '", format_,
                    "'; expected booleans, numbers, decimals of 128 bits, dates, timestamps or strings"));
    }

private:
    /// Of the kinds in their order, up to date.
    static constexpr std::array<std::string_view, 12> formats{"b", "c", "s", "i", "l", "C",
                                                              "S", "I", "L", "f", "g", "tdD"};

    template <class... Parts>
    [[nodiscard]] argument_error bad(const Parts&... parts) const {
        return argument_error(message("arrow: column '", name_, "' of format '", format_, "': ", parts...));
    }

    /// A buffer, which must be there if it has bytes; copied where its values would not be aligned.
    [[nodiscard]] buffer bytes(std::int64_t i, std::int64_t buffers, std::size_t size, std::size_t alignment) const {
        if (array_.n_buffers != buffers) throw bad(array_.n_buffers, " buffers; expected ", buffers);
        return buffer_at(i, size, alignment);
    }
    [[nodiscard]] buffer buffer_at(std::int64_t i, std::size_t size, std::size_t alignment) const {
        if (size == 0) return {};
        const void* data = array_.buffers == nullptr ? nullptr : array_.buffers[i];
        if (data == nullptr) throw bad("no buffer ", i, "; expected ", size, " bytes");
        if (reinterpret_cast<std::uintptr_t>(data) % alignment == 0) return {owner_, data, size};
        growing<std::byte> copy;
        copy.append({static_cast<const std::byte*>(data), size});
        return copy.finish();
    }

    [[nodiscard]] bit_view valid() const noexcept {
        return {validity_.empty() ? nullptr : validity_.as<std::uint8_t>(), first_, rows_};
    }

    /// The validity of the rows alone, for values that were converted.
    [[nodiscard]] buffer own_validity() const {
        if (validity_.empty()) return {};
        growing_bits bits;
        bits.append(valid());
        return bits.finish();
    }

    [[nodiscard]] column shared(kind k, buffer values, buffer text = {}) const {
        return column(k, end_, validity_, std::move(values), std::move(text)).slice(first_, rows_);
    }

    /// @throws argument_error  if the offsets of the rows are not those of strings
    template <class Offset>
    [[nodiscard]] const Offset* checked(const buffer& offsets) const {
        const Offset* at = offsets.as<Offset>();
        bool grows = at[0] >= 0;
        for (std::size_t i = 0; i < end_; ++i) grows &= at[i] <= at[i + 1];
        if (!grows) throw bad("offsets that decrease");
        return at;
    }

    [[nodiscard]] column large_text() const {
        if (end_ == 0) return column::missing(kind::string, 0);
        const buffer offsets = bytes(1, 3, (end_ + 1) * 8, 8);
        const auto size = static_cast<std::size_t>(checked<std::int64_t>(offsets)[end_]);
        return shared(kind::string, offsets, buffer_at(2, size, 1));
    }

    [[nodiscard]] column small_text() const {
        if (end_ == 0) return column::missing(kind::string, 0);
        const buffer offsets = bytes(1, 3, (end_ + 1) * 4, 4);
        const auto* at = checked<std::int32_t>(offsets) + first_;
        growing<std::int64_t> wide;
        std::int64_t* to = wide.extend(rows_ + 1);
        for (std::size_t i = 0; i <= rows_; ++i) to[i] = at[i];
        return column(kind::string, rows_, own_validity(), wide.finish(),
                      buffer_at(2, static_cast<std::size_t>(at[rows_]), 1));
    }

    /// Strings of up to 12 bytes in place, longer ones as a place in one of several buffers.
    [[nodiscard]] column text_views() const {
        if (array_.n_buffers < 3) throw bad(array_.n_buffers, " buffers; expected 3 or more");
        const buffer views = buffer_at(1, end_ * 16, 1);
        const buffer sizes = buffer_at(array_.n_buffers - 1, static_cast<std::size_t>(array_.n_buffers - 3) * 8, 8);
        column_builder texts(kind::string);
        texts.reserve(rows_);
        const bit_view there = valid();
        for (std::size_t i = 0; i < rows_; ++i) {
            if (!there[i]) {
                texts.append_null();
                continue;
            }
            std::int32_t view[4];  // length, first bytes, buffer, place in it
            const std::byte* at = views.data() + 16 * (first_ + i);
            std::memcpy(view, at, 16);
            if (view[0] >= 0 && view[0] <= 12) {
                texts.append(
                    std::string_view(reinterpret_cast<const char*>(at) + 4, static_cast<std::size_t>(view[0])));
                continue;
            }
            const bool is_there = view[0] >= 0 && view[2] >= 0 && view[2] < array_.n_buffers - 3 && view[3] >= 0 &&
                                  view[3] + std::int64_t{view[0]} <= sizes.as<std::int64_t>()[view[2]];
            if (!is_there) throw bad("row ", i, ": a text outside its buffer");
            texts.append(std::string_view(static_cast<const char*>(array_.buffers[2 + view[2]]) + view[3],
                                          static_cast<std::size_t>(view[0])));
        }
        return texts.finish();
    }

    /// Times in another unit: of a day or a nanosecond, `times` / `over` each.
    template <class From, class To>
    [[nodiscard]] column scaled(kind k, std::int64_t times, std::int64_t over) const {
        const buffer values = bytes(1, 2, end_ * sizeof(From), sizeof(From));
        const From* from = values.as<From>() + first_;
        growing<To> converted;
        To* to = converted.extend(rows_);
        const bit_view there = valid();
        const std::int64_t most =
            over == 1 ? (std::numeric_limits<std::int64_t>::max)() / times : (std::numeric_limits<To>::max)() * over;
        for (std::size_t i = 0; i < rows_; ++i) {
            to[i] = 0;
            if (!there[i]) continue;
            if (from[i] > most || from[i] < -most) throw bad("row ", i, ": ", from[i], " is too far from 1970");
            to[i] = static_cast<To>(over == 1 ? from[i] * times : (from[i] - (from[i] < 0 ? over - 1 : 0)) / over);
        }
        return column(k, rows_, own_validity(), converted.finish());
    }

    /// Decimals of 128 bits, as the floats next to them.
    [[nodiscard]] column decimals() const {
        std::string_view rest =
            format_.substr(format_.find(',') + 1);  // after "d:PRECISION,": the scale, perhaps ",128"
        if (rest.ends_with(",128")) rest.remove_suffix(4);
        int scale = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), scale);
        if (error != std::errc{} || end != rest.data() + rest.size() || scale < -300 || scale > 300)
            throw unsupported_error(
                message("arrow: column '", name_, "' has format '", format_, "'; expected decimals of 128 bits"));
        const buffer values = bytes(1, 2, end_ * 16, 1);
        const double divisor = std::pow(10.0, scale);
        growing<double> converted;
        double* to = converted.extend(rows_);
        for (std::size_t i = 0; i < rows_; ++i) {
            std::uint64_t word[2];  // low, high
            std::memcpy(word, values.data() + 16 * (first_ + i), 16);
            const bool negative = word[1] >> 63 != 0;
            if (negative) {
                word[0] = ~word[0] + 1;
                word[1] = ~word[1] + (word[0] == 0 ? 1 : 0);
            }
            const double size = (static_cast<double>(word[1]) * 0x1p64 + static_cast<double>(word[0])) / divisor;
            to[i] = negative ? -size : size;
        }
        return column(kind::float64, rows_, own_validity(), converted.finish());
    }

    /// Codes into a dictionary of strings. Without a copy where they are int32, 0 where missing, and no text is twice in
    /// the dictionary.
    [[nodiscard]] column encoded() const {
        if (array_.dictionary == nullptr) throw bad("a dictionary in the schema and none in the array");
        column words = arrow_importer(*schema_.dictionary, *array_.dictionary, owner_).run();
        if (words.kind() != kind::string || schema_.dictionary->dictionary != nullptr)
            throw unsupported_error(message("arrow: column '", name_, "' has a dictionary of ", to_string(words.kind()),
                                            "; expected strings"));
        const buffer codes = int32_codes();
        const auto* code = codes.as<std::int32_t>();
        const bit_view there = valid();
        bool has_zeros = true;  // where nothing is
        for (std::size_t i = 0; i < rows_; ++i) {
            if (!there[i])
                has_zeros &= code[i] == 0;
            else if (static_cast<std::uint32_t>(code[i]) >= words.size())
                throw bad("row ", i, ": no such place in a dictionary of ", words.size());
        }
        string_dictionary distinct;
        std::vector<std::int32_t> place(words.size());
        for (std::size_t i = 0; i < words.size(); ++i) place[i] = words.is_valid(i) ? distinct.code(words.text(i)) : -1;
        const bool is_distinct = words.null_count() == 0 && distinct.size() == words.size();
        if (has_zeros && is_distinct) return column::encoded(rows_, own_validity(), codes, words);
        growing<std::int32_t> changed;
        growing_bits validity;
        std::int32_t* to = changed.extend(rows_);
        for (std::size_t i = 0; i < rows_; ++i) {
            const std::int32_t p = there[i] ? place[static_cast<std::size_t>(code[i])] : -1;
            validity.push_back(p >= 0);
            to[i] = p >= 0 ? p : 0;
        }
        return column::encoded(rows_, validity.finish(), changed.finish(), is_distinct ? words : distinct.finish());
    }

    /// Codes of the rows; one that no int32 holds as -1.
    [[nodiscard]] buffer int32_codes() const {
        for (std::size_t i = 1; i <= 8; ++i) {
            const auto k = static_cast<kind>(i);
            if (format_ != formats[i]) continue;
            const buffer codes = bytes(1, 2, end_ * value_bytes(k), value_bytes(k));
            if (rows_ == 0) return {};
            if (k == kind::int32) return {codes.owner(), codes.as<std::int32_t>() + first_, rows_ * 4};
            growing<std::int32_t> converted;
            std::int32_t* to = converted.extend(rows_);
            dispatch_stored(k, [&]<class T>() {
                const T* from = codes.as<T>() + first_;
                if constexpr (std::is_integral_v<T>)
                    for (std::size_t r = 0; r < rows_; ++r)
                        to[r] = std::in_range<std::int32_t>(from[r]) ? static_cast<std::int32_t>(from[r]) : -1;
            });
            return converted.finish();
        }
        throw unsupported_error(
            message("arrow: column '", name_, "' has codes of format '", format_, "'; expected integers"));
    }

    const ArrowSchema& schema_;
    const ArrowArray& array_;
    std::shared_ptr<const void> owner_;
    std::string_view format_;
    std::string_view name_;
    std::size_t first_ = 0;
    std::size_t rows_ = 0;
    std::size_t end_ = 0;
    buffer validity_;
};

/// The array, to be released when the last column over its memory is gone.
[[nodiscard]] inline std::shared_ptr<const ArrowArray> share_arrow(arrow_owned<ArrowArray> array) {
    const auto owner = std::make_shared<arrow_owned<ArrowArray>>(std::move(array));
    return {owner, &**owner};
}

[[nodiscard]] inline column import_column(const ArrowSchema& schema, arrow_owned<ArrowArray> array) {
    const auto owner = share_arrow(std::move(array));
    return arrow_importer(schema, *owner, owner).run();
}

[[nodiscard]] inline table import_table(const ArrowSchema& schema, arrow_owned<ArrowArray> array) {
    if (schema.format == nullptr || std::string_view(schema.format) != "+s")
        throw argument_error(message("arrow: format '", schema.format != nullptr ? schema.format : "",
                                     "'; expected a table, which is a struct: '+s'"));
    const auto owner = share_arrow(std::move(array));
    if (owner->n_children != schema.n_children || owner->length < 0 || owner->offset < 0)
        throw argument_error(message("arrow: a struct of ", schema.n_children, " columns with ", owner->n_children,
                                     ", of length ", owner->length, " and offset ", owner->offset));
    const auto first = static_cast<std::size_t>(owner->offset);
    const auto rows = static_cast<std::size_t>(owner->length);
    if (owner->null_count != 0 && owner->n_buffers > 0 && owner->buffers != nullptr && owner->buffers[0] != nullptr &&
        bit_view{static_cast<const std::uint8_t*>(owner->buffers[0]), first, rows}.count() != rows)
        throw unsupported_error("arrow: a table with missing rows");
    std::vector<std::string> names;
    std::vector<column> columns;
    for (std::int64_t i = 0; i < schema.n_children; ++i) {
        const ArrowSchema& child = *schema.children[i];
        names.emplace_back(child.name != nullptr ? child.name : "");
        const column c = arrow_importer(child, *owner->children[i], owner).run();
        if (c.size() < first || c.size() - first < rows)
            throw argument_error(
                message("arrow: column '", names.back(), "' has ", c.size(), " rows; expected ", first + rows));
        columns.push_back(c.slice(first, rows));
    }
    return table(std::move(names), std::move(columns));
}

}  // namespace edge::frame::detail

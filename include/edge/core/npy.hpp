// SPDX-License-Identifier: MIT
#pragma once

/// @file NumPy's .npy files: one array each, with its type and shape.
///
///     edge::any_tensor t = edge::load_npy("x.npy");
///     const edge::tensor<float>& x = t.as<float>();
///     edge::save_npy("y.npy", x);                       // appears complete, or not at all
///
/// Read: formats 1.0 to 3.0, C and Fortran order, both byte orders, bool, (u)int8 to (u)int64, float32, float64, and
/// float16 widened to float32. Bytes after the array are ignored, as NumPy does: a file may hold several arrays.
/// Source: NumPy enhancement proposal 1, and the docstring of numpy/lib/format.py.

#include <edge/core/any_tensor.hpp>
#include <edge/core/file.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge {

namespace detail {

inline constexpr std::string_view npy_magic{"\x93NUMPY", 6};

/// Longest header that is read, in bytes. NumPy itself stops at 10000 for untrusted files.
inline constexpr std::uint64_t npy_longest_header = 1 << 16;

struct npy_header {
    edge::dtype type = dtype::f32;
    bool is_half = false;     ///< float16 in the file, float32 here
    bool is_swapped = false;  ///< in the other byte order than this machine's
    bool is_fortran = false;  ///< first index runs fastest
    edge::shape extents;

    [[nodiscard]] std::size_t element_bytes() const { return is_half ? 2 : size_of(type); }
};

/// Reads the Python dictionary of a header: strings, booleans, and a tuple of integers; nothing else may be in it.
class npy_header_parser {
public:
    /// `offset` is that of `text` in the file.
    npy_header_parser(std::string_view text, std::size_t offset, std::string_view name)
        : text_(text), offset_(offset), name_(name) {}

    npy_header parse() {
        npy_header header;
        unsigned seen = 0;
        expect('{');
        while (!accept('}')) {
            const std::size_t at = position_;
            const std::string key = string();
            expect(':');
            unsigned bit = 0;
            if (key == "descr") {
                bit = 1;
                read_type(header);
            } else if (key == "fortran_order") {
                bit = 2;
                header.is_fortran = boolean();
            } else if (key == "shape") {
                bit = 4;
                header.extents = tuple();
            } else {
                fail(at, message("key '", key, "' is not one of descr, fortran_order, shape"));
            }
            if ((seen & bit) != 0) fail(at, message("key '", key, "' is there twice"));
            seen |= bit;
            if (accept('}')) break;
            expect(',');
        }
        skip_space();
        if (position_ != text_.size()) fail(position_, "text after the header's '}'");
        if (seen != 7)
            fail(0, message("no key '", (seen & 1) == 0 ? "descr" : (seen & 2) == 0 ? "fortran_order" : "shape", "'"));
        return header;
    }

private:
    [[noreturn]] void fail(std::size_t at, std::string_view what) const {
        throw parse_error(message(name_, ": byte ", offset_ + at, ": ", what));
    }

    void skip_space() {
        while (position_ < text_.size() &&
               std::string_view(" \t\r\n\f\v").find(text_[position_]) != std::string_view::npos)
            ++position_;
    }
    bool accept(char c) {
        skip_space();
        if (position_ == text_.size() || text_[position_] != c) return false;
        ++position_;
        return true;
    }
    void expect(char c) {
        if (accept(c)) return;
        fail(position_, position_ == text_.size() ? message("header ends; expected '", c, "'")
                                                  : message(quoted(text_[position_]), "; expected '", c, "'"));
    }
    static std::string quoted(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f ? message("'", c, "'") : message("byte value ", static_cast<int>(byte));
    }

    std::string string() {
        skip_space();
        const std::size_t at = position_;
        const char quote = position_ < text_.size() ? text_[position_] : '\0';
        if (quote != '\'' && quote != '"') fail(at, "expected a quoted string");
        const std::size_t end = text_.find(quote, at + 1);
        if (end == std::string_view::npos) fail(at, "string without an end");
        const std::string_view inside = text_.substr(at + 1, end - at - 1);
        if (inside.find('\\') != std::string_view::npos) fail(at, "string with an escape");
        position_ = end + 1;
        return std::string(inside);
    }

    bool boolean() {
        skip_space();
        for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
            if (text_.substr(position_, word.size()) == word) {
                position_ += word.size();
                return value;
            }
        fail(position_, "expected True or False");
    }

    edge::shape tuple() {
        const std::size_t at = position_;
        index_list extents;
        expect('(');
        while (!accept(')')) {
            skip_space();
            index_t extent = 0;
            const char* first = text_.data() + position_;
            const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), extent);
            if (error != std::errc() || extent < 0) fail(position_, "expected an extent, 0 to 2^63 - 1");
            position_ += static_cast<std::size_t>(end - first);
            if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // Python 2's long integers
            if (extents.size() == max_rank)
                throw unsupported_error(message(name_, ": byte ", offset_ + at, ": rank above ", max_rank));
            extents.push_back(extent);
            if (accept(')')) break;
            expect(',');
        }
        try {
            return edge::shape(extents);
        } catch (const shape_error& e) {
            fail(at, e.what());
        }
    }

    void read_type(npy_header& header) {
        skip_space();
        const std::size_t at = position_;
        if (at < text_.size() && text_[at] == '[')
            throw unsupported_error(
                message(name_, ": byte ", offset_ + at, ": structured element types are not supported"));
        const std::string text = string();
        std::string_view code = text;
        char order = '=';
        if (!code.empty() && std::string_view("<>|=").find(code[0]) != std::string_view::npos) {
            order = code[0];
            code.remove_prefix(1);
        }
        struct row {
            std::string_view code;
            edge::dtype type;
        };
        static constexpr row rows[] = {
            {"b1", dtype::boolean}, {"i1", dtype::i8},  {"u1", dtype::u8},  {"i2", dtype::i16},
            {"u2", dtype::u16},     {"i4", dtype::i32}, {"u4", dtype::u32}, {"i8", dtype::i64},
            {"u8", dtype::u64},     {"f2", dtype::f32}, {"f4", dtype::f32}, {"f8", dtype::f64},
        };
        const auto* found =
            std::find_if(std::begin(rows), std::end(rows), [&](const row& r) { return r.code == code; });
        if (found == std::end(rows))
            throw unsupported_error(message(name_, ": byte ", offset_ + at, ": element type '", printable(text),
                                            "' is not supported; expected bool, int, uint or float"));
        header.type = found->type;
        header.is_half = code == "f2";
        const bool is_little = std::endian::native == std::endian::little;
        header.is_swapped = header.element_bytes() > 1 && ((order == '<' && !is_little) || (order == '>' && is_little));
    }

    static std::string printable(std::string text) {
        for (char& c : text)
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
        return text;
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t offset_;
    std::string_view name_;
};

/// Where the header's text begins and how long it is.
struct npy_extent {
    std::size_t offset = 0;
    std::uint64_t length = 0;
};

/// @param start  the first 12 bytes of the file, or all where there are fewer
/// @param size   of the file
inline npy_extent locate_npy_header(std::span<const std::byte> start, std::uint64_t size, std::string_view name) {
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(start[i]); };
    if (start.size() < npy_magic.size() || std::memcmp(start.data(), npy_magic.data(), npy_magic.size()) != 0)
        throw parse_error(message(name, ": byte 0: not a .npy file; expected \\x93NUMPY"));
    if (start.size() < 10) throw parse_error(message(name, ": ends at byte ", size, ", inside the header"));
    const unsigned major = byte(6);
    if (major < 1 || major > 3 || byte(7) != 0)
        throw unsupported_error(message(name, ": byte 6: format ", major, ".", byte(7), "; expected 1.0, 2.0 or 3.0"));
    npy_extent header;
    header.offset = major == 1 ? 10 : 12;
    if (start.size() < header.offset) throw parse_error(message(name, ": ends at byte ", size, ", inside the header"));
    for (std::size_t i = 8; i < header.offset; ++i) header.length |= std::uint64_t{byte(i)} << 8 * (i - 8);
    if (header.length > size - header.offset)
        throw parse_error(
            message(name, ": byte 8: header of ", header.length, " bytes, ", size - header.offset, " are there"));
    if (header.length > npy_longest_header)
        throw parse_error(
            message(name, ": byte 8: header of ", header.length, " bytes; expected at most ", npy_longest_header));
    return header;
}

/// Number of bytes of the elements, which are all there.
inline std::uint64_t check_npy_size(const npy_header& header, std::uint64_t available, std::string_view name) {
    const auto count = static_cast<std::uint64_t>(header.extents.size());
    const std::uint64_t each = header.element_bytes();
    if (count > available / each)
        throw parse_error(message(name, ": shape ", header.extents, " of ",
                                  header.is_half ? "float16" : to_string(header.type), " needs ", count, " x ", each,
                                  " bytes, ", available, " are there"));
    return count * each;
}

/// Source: IEEE 754-2008, binary16. Exact; the payload of a NaN is kept.
inline float half_to_float(std::uint16_t half) noexcept {
    const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
    const std::uint32_t exponent = half >> 10 & 0x1fU;
    const std::uint32_t mantissa = half & 0x3ffU;
    if (exponent == 0) {  // zero or subnormal: mantissa · 2^-24
        const float value = static_cast<float>(mantissa) * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    const std::uint32_t wide = exponent == 31 ? 0xffU : exponent + (127 - 15);
    return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

inline void swap_bytes(std::span<std::byte> bytes, std::size_t each) noexcept {
    for (std::size_t i = 0; i + each <= bytes.size(); i += each)
        std::reverse(bytes.data() + i, bytes.data() + i + each);
}

/// A tensor whose elements `read(span)` fills with the file's bytes.
template <class Read>
any_tensor make_npy_tensor(const npy_header& header, Read&& read) {
    // Fortran order is C order of the reversed shape, seen with the axes turned round.
    index_list stored = header.extents.extents();
    if (header.is_fortran)
        for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = header.extents[stored.size() - 1 - i];
    any_tensor result(header.type, edge::shape(stored));
    const auto count = static_cast<std::size_t>(result.size());
    if (header.is_half) {
        std::vector<std::uint16_t> halves(count);
        const auto bytes = std::as_writable_bytes(std::span(halves));
        read(bytes);
        if (header.is_swapped) swap_bytes(bytes, 2);
        std::transform(halves.begin(), halves.end(), result.as<float>().data(), half_to_float);
    } else {
        const std::span bytes(static_cast<std::byte*>(result.data()), count * size_of(header.type));
        read(bytes);
        if (header.is_swapped) swap_bytes(bytes, size_of(header.type));
        if (header.type == dtype::boolean)  // a bool that is neither 0 nor 1 is not a bool
            for (std::byte& b : bytes) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
    }
    if (!header.is_fortran || stored.size() < 2) return result;
    return result.visit([&](const auto& t) -> any_tensor {
        index_list reversed;
        for (std::size_t i = stored.size(); i-- > 0;) reversed.push_back(static_cast<index_t>(i));
        return copy(t.view().transpose(reversed));
    });
}

/// The bytes before the elements, in format 1.0, padded to a multiple of 64.
inline std::string make_npy_header(dtype type, const shape& extents) {
    static constexpr std::string_view codes[] = {"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"};
    const char order = size_of(type) == 1 ? '|' : std::endian::native == std::endian::little ? '<' : '>';
    std::string text = message("{'descr': '", order, codes[static_cast<std::size_t>(type)],
                               "', 'fortran_order': False, 'shape': ", extents, ", }");
    text.append(63 - (npy_magic.size() + 4 + text.size()) % 64, ' ').push_back('\n');
    std::string header(npy_magic);
    header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
    return header + text;
}

}  // namespace detail

/// The array in the bytes of a .npy file; `name` is what messages call it.
/// @throws parse_error        if the bytes are not such a file; the message gives the byte
/// @throws unsupported_error  if the element type, the format or the rank is one that is not read
[[nodiscard]] inline any_tensor parse_npy(std::span<const std::byte> bytes, std::string_view name) {
    const auto where =
        detail::locate_npy_header(bytes.first((std::min)(bytes.size(), std::size_t{12})), bytes.size(), name);
    const auto length = static_cast<std::size_t>(where.length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + where.offset, length);
    const auto header = detail::npy_header_parser(text, where.offset, name).parse();
    const auto elements = bytes.subspan(where.offset + length);
    detail::check_npy_size(header, elements.size(), name);
    return detail::make_npy_tensor(
        header, [&](std::span<std::byte> to) { std::copy_n(elements.begin(), to.size(), to.begin()); });
}

/// @throws io_error           if the file cannot be read
/// @throws parse_error        if it is not a .npy file; the message gives the byte
/// @throws unsupported_error  if the element type, the format or the rank is one that is not read
[[nodiscard]] inline any_tensor load_npy(const std::filesystem::path& path) {
    input_file file(path);
    const std::string name = path.string();
    std::byte start[12];
    const std::span head(start, static_cast<std::size_t>((std::min)(file.size(), std::uint64_t{sizeof start})));
    file.read(0, head);
    const auto where = detail::locate_npy_header(head, file.size(), name);
    std::string text(static_cast<std::size_t>(where.length), '\0');
    file.read(where.offset, std::as_writable_bytes(std::span(text)));
    const auto header = detail::npy_header_parser(text, where.offset, name).parse();
    const std::uint64_t offset = where.offset + where.length;
    detail::check_npy_size(header, file.size() - offset, name);
    return detail::make_npy_tensor(header, [&](std::span<std::byte> to) { file.read(offset, to); });
}

/// Writes an array as format 1.0, C order, this machine's byte order.
/// @throws io_error  if that fails; the file that was there before is then untouched
template <class T>
void save_npy(const std::filesystem::path& path, tensor_view<T> values) {
    if (!values.is_contiguous()) return save_npy(path, copy(values));
    output_file file(path);
    file.write(detail::make_npy_header(dtype_of<T>, values.shape()));
    file.write(std::as_bytes(values.flat()));
    file.commit();
}
template <class T>
void save_npy(const std::filesystem::path& path, const tensor<T>& values) {
    save_npy(path, values.view());
}
inline void save_npy(const std::filesystem::path& path, const any_tensor& values) {
    values.visit([&](const auto& t) { save_npy(path, t.view()); });
}

}  // namespace edge

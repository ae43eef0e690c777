// SPDX-License-Identifier: MIT
#pragma once

/// @file safetensors files: named tensors, as PyTorch and its model hubs store weights. Read only.
///
///     const auto weights = edge::load_safetensors("model.safetensors");       // a map of edge::any_tensor
///     const auto& w = weights.at("classifier.weight").as<float>();
///
/// A file is the length of a header (8 bytes, little-endian), the header (JSON), and the elements. float16 and bfloat16
/// become float. Refused: other element types edge has not, extents that do not fit their bytes, bytes that belong to no
/// tensor or to two, names that come twice, a header of more than 100 MB.
/// Source: the format's description in huggingface/safetensors, README, version 0.4.

#include <edge/core/file.hpp>
#include <edge/core/npy.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge {

/// By name.
using named_tensors = std::map<std::string, any_tensor, std::less<>>;

namespace detail {

/// The JSON of the header: an object of objects, whose values are texts or lists of whole numbers. No recursion.
class safetensors_header {
public:
    struct entry {
        std::string name, type;
        std::vector<std::uint64_t> extents, range;
    };

    explicit safetensors_header(std::string_view text) : text_(text) {
        skip_spaces();
        expect('{');
        if (!next_is('}')) {
            do {
                add_entry();
            } while (next_is(','));
            expect('}');
        }
        skip_spaces();
        if (at_ != text_.size()) refuse("something after the end");
    }

    std::vector<entry> entries{};

private:
    [[noreturn]] void refuse(std::string_view why) const {
        throw parse_error(message("byte ", at_, " of the header: ", why));
    }
    void skip_spaces() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool next_is(char c) {
        skip_spaces();
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!next_is(c)) refuse(std::string("expected '") + c + "'");
    }

    void add_entry() {
        entry e;
        e.name = string();
        expect(':');
        expect('{');
        const bool is_text = e.name == "__metadata__";  // texts by name, which say nothing about tensors
        bool has[3] = {};
        if (!next_is('}')) {
            do {
                const std::string key = string();
                expect(':');
                const std::size_t which = key == "dtype" ? 0 : key == "shape" ? 1 : key == "data_offsets" ? 2 : 3;
                if (is_text) {
                    (void)string();
                    continue;
                }
                if (which == 3 || has[which]) refuse(message("key '", key, "' of tensor '", e.name, "'"));
                has[which] = true;
                if (which == 0)
                    e.type = string();
                else
                    (which == 1 ? e.extents : e.range) = numbers();
            } while (next_is(','));
            expect('}');
        }
        if (is_text) return;
        if (!has[0] || !has[1] || e.range.size() != 2)
            refuse(message("tensor '", e.name, "' has no dtype, shape or two data_offsets"));
        entries.push_back(std::move(e));
    }

    std::vector<std::uint64_t> numbers() {
        std::vector<std::uint64_t> list;
        expect('[');
        if (next_is(']')) return list;
        do {
            skip_spaces();
            std::uint64_t n = 0;
            const auto [end, wrong] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), n);
            if (wrong != std::errc()) refuse("expected a whole number");
            at_ = static_cast<std::size_t>(end - text_.data());
            list.push_back(n);
        } while (next_is(','));
        expect(']');
        return list;
    }

    std::string string() {
        expect('"');
        std::string result;
        while (peek() != '"') {
            if (at_ >= text_.size()) refuse("a text without an end");
            const char c = text_[at_++];
            if (static_cast<unsigned char>(c) < 0x20) refuse("a control character in a text");
            if (c != '\\')
                result += c;
            else
                append_escape(result);
        }
        ++at_;
        return result;
    }

    void append_escape(std::string& to) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
        const char c = at_ < text_.size() ? text_[at_++] : '\0';
        if (const auto i = letters.find(c); c != '\0' && i != std::string_view::npos) {
            to += meant[i];
            return;
        }
        if (c != 'u') refuse("an unknown escape");
        std::uint32_t code = unit();
        if (code >= 0xd800 && code < 0xdc00) {  // the first half of a character beyond 16 bits
            if (text_.substr(at_, 2) != "\\u") refuse("half a character");
            at_ += 2;
            const std::uint32_t low = unit();
            if (low < 0xdc00 || low > 0xdfff) refuse("half a character");
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
            refuse("half a character");
        }
        const auto put = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
        const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes of UTF-8 after the first
        constexpr std::uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
        put(lead[more] | code >> (6 * more));
        for (int i = more; i-- > 0;) put(0x80 | (code >> (6 * i) & 0x3f));
    }

    std::uint32_t unit() {
        std::uint32_t code = 0;
        const std::string_view digits = text_.substr((std::min)(at_, text_.size()), 4);
        const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (wrong != std::errc() || digits.size() != 4 || end != digits.data() + 4) refuse("an unknown escape");
        at_ += 4;
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Elements in the file, which may be of a type that edge has not.
struct safetensors_type {
    dtype held = dtype::f32;
    std::size_t bytes = 4;
    int shift = 0;  ///< bits to the left to make bfloat16 a float

    static safetensors_type of(std::string_view name) {
        if (name == "F16") return {dtype::f32, 2};
        if (name == "BF16") return {dtype::f32, 2, 16};
        constexpr std::pair<std::string_view, dtype> known[] = {
            {"F32", dtype::f32}, {"F64", dtype::f64}, {"I8", dtype::i8},       {"U8", dtype::u8},
            {"I16", dtype::i16}, {"U16", dtype::u16}, {"I32", dtype::i32},     {"U32", dtype::u32},
            {"I64", dtype::i64}, {"U64", dtype::u64}, {"BOOL", dtype::boolean}};
        for (const auto& [id, type] : known)
            if (id == name) return {type, size_of(type)};
        throw unsupported_error(message("elements of ", name, " are not supported"));
    }
};

inline any_tensor safetensors_value(const safetensors_header::entry& e, std::span<const std::byte> data) {
    const auto type = safetensors_type::of(e.type);
    if (e.extents.size() > max_rank)
        throw unsupported_error(message("rank ", e.extents.size(), " is not supported; expected at most ", max_rank));
    index_list extents;
    for (const auto n : e.extents) {
        if (n > static_cast<std::uint64_t>((std::numeric_limits<index_t>::max)()))
            throw parse_error(message("an extent of ", n));
        extents.push_back(static_cast<index_t>(n));
    }
    const shape form(extents);
    const auto begin = static_cast<std::size_t>(e.range[0]);
    const auto bytes = static_cast<std::size_t>(e.range[1]) - begin;
    if (static_cast<std::size_t>(form.size()) != bytes / type.bytes || bytes % type.bytes != 0)
        throw parse_error(message("shape ", form, " of ", e.type, ", but ", bytes, " bytes"));
    any_tensor value(type.held, form);
    const std::byte* from = data.data() + begin;
    if (type.bytes != size_of(type.held)) {
        auto& floats = value.as<float>();
        for (index_t i = 0; i < floats.size(); ++i, from += 2) {
            const auto half = static_cast<std::uint32_t>(from[0]) | static_cast<std::uint32_t>(from[1]) << 8;
            floats[i] = type.shift != 0 ? std::bit_cast<float>(half << type.shift)
                                        : half_to_float(static_cast<std::uint16_t>(half));
        }
    } else if (type.held == dtype::boolean) {
        for (bool& b : value.as<bool>()) b = *from++ != std::byte{0};
    } else if (bytes != 0) {
        std::memcpy(value.data(), from, bytes);
        if constexpr (std::endian::native == std::endian::big)
            swap_bytes({static_cast<std::byte*>(value.data()), bytes}, type.bytes);
    }
    return value;
}

}  // namespace detail

/// @param name  of the file or whatever the bytes are from, for messages
/// @throws parse_error        if the bytes are not a safetensors file; says where
/// @throws unsupported_error  if it holds elements of a type that is not read; names the tensor
[[nodiscard]] inline named_tensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name) {
    std::string where;
    try {
        constexpr std::uint64_t longest = 100'000'000;
        std::uint64_t length = 0;
        if (bytes.size() < 8) throw parse_error(message(bytes.size(), " bytes; expected 8 for the header's length"));
        for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<std::uint64_t>(bytes[i]);
        if (length > bytes.size() - 8 || length > longest)
            throw parse_error(message("a header of ", length, " bytes in a file of ", bytes.size()));
        const auto split = static_cast<std::size_t>(length);
        auto entries = detail::safetensors_header({reinterpret_cast<const char*>(bytes.data()) + 8, split}).entries;
        const auto data = bytes.subspan(8 + split);
        std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.range < b.range; });
        named_tensors result;
        std::uint64_t end = 0;
        for (const auto& e : entries) {
            where = message("tensor '", e.name, "': ");
            if (e.range[0] != end || e.range[1] < end || e.range[1] > data.size())
                throw parse_error(message("bytes ", e.range[0], " to ", e.range[1], " of ", data.size(),
                                          "; expected to begin at ", end));
            end = e.range[1];
            if (!result.emplace(e.name, detail::safetensors_value(e, data)).second) throw parse_error("is there twice");
        }
        where.clear();
        if (end != data.size()) throw parse_error(message(data.size() - end, " bytes belong to no tensor"));
        return result;
    } catch (const unsupported_error& e) {
        throw unsupported_error(message(name, ": ", where, e.what()));
    } catch (const error& e) {
        throw parse_error(message(name, ": ", where, e.what()));
    }
}

/// @throws io_error  if the file cannot be read; else as `parse_safetensors`
[[nodiscard]] inline named_tensors load_safetensors(const std::filesystem::path& path) {
    return parse_safetensors(read_file(path), path.string());
}

}  // namespace edge

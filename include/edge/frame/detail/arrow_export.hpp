// SPDX-License-Identifier: MIT
#pragma once

/// @file Columns and tables as structures of the Arrow C data interface, over the same memory.

#include <edge/frame/detail/arrow_abi.hpp>
#include <edge/frame/table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// The children and the dictionary of a schema or an array: released with it, but for those that were moved elsewhere.
template <class T>
struct arrow_parts {
    std::vector<T> children;
    std::vector<T*> pointers;
    T dictionary{};

    explicit arrow_parts(std::size_t count) : children(count), pointers(count) {
        for (std::size_t i = 0; i < count; ++i) pointers[i] = &children[i];
    }
    arrow_parts(const arrow_parts&) = delete;
    arrow_parts& operator=(const arrow_parts&) = delete;
    ~arrow_parts() {
        for (T& child : children) release_arrow(child);
        release_arrow(dictionary);
    }
};

struct exported_schema : arrow_parts<ArrowSchema> {
    std::string format;
    std::string name;
    using arrow_parts::arrow_parts;
};

struct exported_array : arrow_parts<ArrowArray> {
    column values;  ///< keeps the buffers alive
    std::array<const void*, 3> buffers{};
    using arrow_parts::arrow_parts;
};

/// Fills a structure with what its owner holds, and makes it the owner's owner.
template <class T, class Owner>
void give_arrow(T& to, std::unique_ptr<Owner> owner) noexcept {
    to.n_children = static_cast<std::int64_t>(owner->children.size());
    to.children = owner->children.empty() ? nullptr : owner->pointers.data();
    to.dictionary = owner->dictionary.release != nullptr ? &owner->dictionary : nullptr;
    to.private_data = owner.release();
    to.release = [](T* x) {
        delete static_cast<Owner*>(x->private_data);
        x->release = nullptr;
    };
}

[[nodiscard]] inline const char* arrow_format(kind k, bool mark_utc) noexcept {
    switch (k) {
        case kind::boolean: return "b";
        case kind::int8: return "c";
        case kind::int16: return "s";
        case kind::int32: return "i";
        case kind::int64: return "l";
        case kind::uint8: return "C";
        case kind::uint16: return "S";
        case kind::uint32: return "I";
        case kind::uint64: return "L";
        case kind::float32: return "f";
        case kind::float64: return "g";
        case kind::date: return "tdD";
        case kind::timestamp: return mark_utc ? "tsn:UTC" : "tsn:";
        case kind::string: break;
    }
    return "U";
}

inline ArrowSchema schema_of(const char* format, const std::string& name, std::unique_ptr<exported_schema> owner) {
    owner->format = format;
    owner->name = name;
    ArrowSchema s{};
    s.format = owner->format.c_str();
    s.name = owner->name.c_str();
    s.flags = ARROW_FLAG_NULLABLE;
    give_arrow(s, std::move(owner));
    return s;
}

inline ArrowSchema export_schema(const column& c, const std::string& name, bool mark_utc) {
    auto owner = std::make_unique<exported_schema>(0);
    if (!c.is_dictionary()) return schema_of(arrow_format(c.kind(), mark_utc), name, std::move(owner));
    owner->dictionary = export_schema(c.dictionary(), "", mark_utc);
    return schema_of("i", name, std::move(owner));
}

inline ArrowSchema export_schema(const table& t, bool mark_utc) {
    auto owner = std::make_unique<exported_schema>(t.names().size());
    for (std::size_t i = 0; i < t.names().size(); ++i)
        owner->children[i] = export_schema(t.columns()[i], t.names()[i], mark_utc);
    ArrowSchema s = schema_of("+s", "", std::move(owner));
    s.flags = 0;
    return s;
}

inline ArrowArray export_array(const column& c) {
    alignas(64) static constexpr std::array<std::byte, 64> nothing{};  // for consumers that expect a pointer everywhere
    auto owner = std::make_unique<exported_array>(0);
    owner->values = c;
    const auto bytes = [](const buffer& b) { return b.data() != nullptr ? b.data() : nothing.data(); };
    ArrowArray a{};
    a.length = static_cast<std::int64_t>(c.size());
    a.null_count = static_cast<std::int64_t>(c.null_count());
    a.offset = static_cast<std::int64_t>(c.offset());
    a.n_buffers = c.kind() == kind::string && !c.is_dictionary() ? 3 : 2;
    owner->buffers = {c.null_count() == 0 ? nullptr : c.validity_buffer().data(), bytes(c.value_buffer()),
                      bytes(c.text_buffer())};
    if (c.is_dictionary()) owner->dictionary = export_array(c.dictionary());
    a.buffers = owner->buffers.data();
    give_arrow(a, std::move(owner));
    return a;
}

inline ArrowArray export_array(const table& t) {
    auto owner = std::make_unique<exported_array>(t.names().size());
    for (std::size_t i = 0; i < t.names().size(); ++i) owner->children[i] = export_array(t.columns()[i]);
    ArrowArray a{};
    a.length = static_cast<std::int64_t>(t.rows());
    a.n_buffers = 1;  // validity of the rows, of which none is missing
    a.buffers = owner->buffers.data();
    give_arrow(a, std::move(owner));
    return a;
}

}  // namespace edge::frame::detail

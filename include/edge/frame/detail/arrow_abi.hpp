// SPDX-License-Identifier: MIT
#pragma once

/// @file The structures of the Arrow C data and stream interfaces, as their specification prints them, so that this and
/// any other header with the same guards can be in one program.
/// Source: arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.

#include <cstdint>

extern "C" {

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema** children;
    struct ArrowSchema* dictionary;
    void (*release)(struct ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void** buffers;
    struct ArrowArray** children;
    struct ArrowArray* dictionary;
    void (*release)(struct ArrowArray*);
    void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
    int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
    const char* (*get_last_error)(struct ArrowArrayStream*);
    void (*release)(struct ArrowArrayStream*);
    void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

}  // extern "C"

namespace edge::frame::detail {

/// Releases a structure unless that has been done, or it was moved elsewhere.
template <class T>
void release_arrow(T& x) noexcept {
    if (x.release != nullptr) x.release(&x);
}

/// A structure of the interfaces, owned.
template <class T>
class arrow_owned {
public:
    arrow_owned() = default;

    /// Takes over what stands in `from`, which is then marked as released.
    explicit arrow_owned(T& from) noexcept : value_(from) { from.release = nullptr; }
    arrow_owned(arrow_owned&& other) noexcept : arrow_owned(other.value_) {}
    arrow_owned& operator=(arrow_owned&& other) noexcept {
        if (this == &other) return *this;
        release_arrow(value_);
        value_ = other.value_;
        other.value_.release = nullptr;
        return *this;
    }
    ~arrow_owned() { release_arrow(value_); }

    [[nodiscard]] T& operator*() noexcept { return value_; }
    [[nodiscard]] const T& operator*() const noexcept { return value_; }
    [[nodiscard]] T* operator->() noexcept { return &value_; }

private:
    T value_{};
};

}  // namespace edge::frame::detail

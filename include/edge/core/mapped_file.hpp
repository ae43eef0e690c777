// SPDX-License-Identifier: MIT
#pragma once

/// @file A whole file as bytes in memory, read where it is looked at.
///
///     edge::mapped_file model("model.onnx");
///     parse(model.bytes());
///
/// Where the system maps files, nothing is copied, and a file larger than the memory is no trouble. Another program must
/// not make the file shorter in the meantime: what is gone cannot be read, and the system ends who tries.

#include <edge/core/file.hpp>

#if defined(EDGE_HAS_POSIX_FILES)
#include <sys/mman.h>
#endif

namespace edge {

class mapped_file {
public:
    /// @throws io_error  if it cannot be opened or read, or is a folder
    explicit mapped_file(const std::filesystem::path& path) {
#if defined(EDGE_HAS_POSIX_FILES)
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) detail::throw_io(path, "cannot open", errno);
        struct stat about {};
        const bool is_known = ::fstat(file, &about) == 0;
        if (is_known && S_ISREG(about.st_mode) && about.st_size > 0) {
            size_ = static_cast<std::size_t>(about.st_size);
            void* const p = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            mapped_ = p == MAP_FAILED ? nullptr : p;
        }
        ::close(file);
        if (mapped_ != nullptr) return;
#endif
        copy_ = read_file(path);  // pipes, file systems that do not map, and what has a better message for folders
    }
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    ~mapped_file() {
#if defined(EDGE_HAS_POSIX_FILES)
        if (mapped_ != nullptr) ::munmap(mapped_, size_);
#endif
    }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return mapped_ != nullptr ? std::span(static_cast<const std::byte*>(mapped_), size_)
                                  : std::span<const std::byte>(copy_);
    }

private:
    void* mapped_ = nullptr;
    std::size_t size_ = 0;
    std::vector<std::byte> copy_;
};

}  // namespace edge

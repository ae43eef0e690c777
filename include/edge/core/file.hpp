// SPDX-License-Identifier: MIT
#pragma once

/// @file Files: read whole or in parts, and written so that a reader never sees half of one.
///
///     edge::output_file out("imu/000001.parquet");
///     out.write(bytes);
///     out.commit();             // synced and renamed into place; without it, nothing appears
///
/// On Linux the file has no name at all until it is complete, where the file system can do that (O_TMPFILE), so even a
/// kill leaves nothing behind; elsewhere it has a hidden temporary name in the same folder.

#include <edge/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#define EDGE_HAS_POSIX_FILES 1
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace edge {

namespace detail {

[[noreturn]] inline void throw_io(const std::filesystem::path& path, std::string_view doing, int code) {
    throw io_error(message(path.string(), ": ", doing, ": ", std::strerror(code)));
}

}  // namespace detail

/// Bytes of a file, read at any place.
class input_file {
public:
    /// @throws io_error  if it cannot be opened or is a folder
    explicit input_file(std::filesystem::path path) : path_(std::move(path)) {
        std::error_code ec;
        if (std::filesystem::is_directory(path_, ec))
            throw io_error(message(path_.string(), ": is a folder, not a file"));
        file_ = std::fopen(path_.string().c_str(), "rb");
        if (file_ == nullptr) detail::throw_io(path_, "cannot open", errno);
        if (seek(0, SEEK_END)) size_ = tell();
        if (size_ < 0) {
            const int code = errno;
            std::fclose(file_);
            detail::throw_io(path_, "cannot find its size", code);
        }
    }
    input_file(const input_file&) = delete;
    input_file& operator=(const input_file&) = delete;
    input_file(input_file&& other) noexcept
        : path_(std::move(other.path_)), file_(std::exchange(other.file_, nullptr)), size_(other.size_) {}
    input_file& operator=(input_file&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(file_, other.file_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~input_file() {
        if (file_ != nullptr) std::fclose(file_);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(size_); }

    /// Whether several threads may read at the same time.
#if defined(EDGE_HAS_POSIX_FILES)
    static constexpr bool is_shared = true;
#else
    static constexpr bool is_shared = false;
#endif

    /// Fills `to` with the bytes from `offset` on.
    /// @throws io_error  if there are fewer
    void read(std::uint64_t offset, std::span<std::byte> to) {
        if (offset > size() || to.size() > size() - offset)
            throw io_error(message(path_.string(), ": ", to.size(), " bytes wanted at byte ", offset, " of ", size()));
        if (to.empty()) return;
#if defined(EDGE_HAS_POSIX_FILES)
        while (!to.empty()) {
            const ::ssize_t n = ::pread(::fileno(file_), to.data(), to.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) detail::throw_io(path_, "cannot read", errno);
            if (n == 0) throw io_error(message(path_.string(), ": ends at byte ", offset, " of ", size()));
            offset += static_cast<std::uint64_t>(n);
            to = to.subspan(static_cast<std::size_t>(n));
        }
#else
        if (!seek(static_cast<std::int64_t>(offset), SEEK_SET)) detail::throw_io(path_, "cannot seek", errno);
        if (std::fread(to.data(), 1, to.size(), file_) != to.size()) detail::throw_io(path_, "cannot read", errno);
#endif
    }

private:
    // 64-bit offsets where long is 32 bits wide.
    bool seek(std::int64_t offset, int whence) {
#if defined(EDGE_HAS_POSIX_FILES)
        return ::fseeko(file_, static_cast<off_t>(offset), whence) == 0;
#elif defined(_WIN32)
        return ::_fseeki64(file_, offset, whence) == 0;
#else
        return std::fseek(file_, static_cast<long>(offset), whence) == 0;
#endif
    }
    std::int64_t tell() {
#if defined(EDGE_HAS_POSIX_FILES)
        return static_cast<std::int64_t>(::ftello(file_));
#elif defined(_WIN32)
        return ::_ftelli64(file_);
#else
        return std::ftell(file_);
#endif
    }

    std::filesystem::path path_;
    std::FILE* file_ = nullptr;
    std::int64_t size_ = -1;
};

/// The whole file.
/// @throws io_error  if it cannot be read
[[nodiscard]] inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
    input_file file(path);
    std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
    file.read(0, bytes);
    return bytes;
}

/// The whole file, as text.
/// @throws io_error  if it cannot be read
[[nodiscard]] inline std::string read_text_file(const std::filesystem::path& path) {
    input_file file(path);
    std::string text(static_cast<std::size_t>(file.size()), '\0');
    file.read(0, std::as_writable_bytes(std::span(text)));
    return text;
}

/// A file that appears under its name, complete, when it is committed.
class output_file {
public:
    /// @throws io_error  if the folder cannot be written to
    explicit output_file(std::filesystem::path path) : path_(std::move(path)) {
        std::error_code ec;
        if (std::filesystem::is_directory(path_, ec))
            throw io_error(message(path_.string(), ": is a folder, not a file"));
        const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
#if defined(EDGE_HAS_POSIX_FILES)
#if defined(O_TMPFILE)
        const int fd = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
        if (fd >= 0) {
            file_ = ::fdopen(fd, "wb");
            if (file_ == nullptr) ::close(fd);
        }
#endif
        const auto process = static_cast<long long>(::getpid());
#else
        const long long process = 0;
#endif
        temporary_ = folder / message(".", path_.filename().string(), ".", process, ".part");
        if (file_ == nullptr) {
            file_ = std::fopen(temporary_.string().c_str(), "wb");
            if (file_ == nullptr) detail::throw_io(path_, "cannot create", errno);
            named_ = true;
        }
        std::setvbuf(file_, nullptr, _IOFBF, std::size_t{1} << 16);
    }
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    output_file(output_file&& other) noexcept
        : path_(std::move(other.path_)),
          temporary_(std::move(other.temporary_)),
          file_(std::exchange(other.file_, nullptr)),
          written_(other.written_),
          named_(std::exchange(other.named_, false)) {}
    output_file& operator=(output_file&&) = delete;

    /// What was not committed is gone.
    ~output_file() {
        if (file_ != nullptr) std::fclose(file_);
        remove_temporary();
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t bytes_written() const noexcept { return written_; }

    /// @throws io_error  if the device is full or fails
    void write(std::span<const std::byte> bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
            detail::throw_io(path_, "cannot write", errno);
        written_ += bytes.size();
    }
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

    /// Syncs the bytes to the device and gives the file its name, replacing one that is there.
    /// @throws io_error  if that fails; the file that was there before is then untouched
    void commit() {
        if (std::fflush(file_) != 0) detail::throw_io(path_, "cannot write", errno);
#if defined(EDGE_HAS_POSIX_FILES)
        if (::fsync(::fileno(file_)) != 0) detail::throw_io(path_, "cannot sync", errno);
#if defined(O_TMPFILE)
        if (!named_) name_file();
#endif
#endif
        const int closed = std::fclose(std::exchange(file_, nullptr));
        if (closed != 0) detail::throw_io(path_, "cannot close", errno);
        if (!named_) return;
        std::error_code ec;
        std::filesystem::rename(temporary_, path_, ec);
        if (ec) throw io_error(message(path_.string(), ": cannot rename into place: ", ec.message()));
        named_ = false;
        sync_folder();
    }

private:
#if defined(O_TMPFILE) && defined(EDGE_HAS_POSIX_FILES)
    /// Links the nameless file in: at once where the name is free, else under the temporary name, to be renamed.
    void name_file() {
        const std::string self = message("/proc/self/fd/", ::fileno(file_));
        if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return sync_folder();
        if (errno != EEXIST) detail::throw_io(path_, "cannot name", errno);
        ::unlink(temporary_.c_str());  // of an earlier process with this number, killed between link and rename
        if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0)
            detail::throw_io(path_, "cannot name", errno);
        named_ = true;
    }
#endif

    void sync_folder() const noexcept {
#if defined(EDGE_HAS_POSIX_FILES)
        const int fd = ::open(temporary_.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        ::fsync(fd);  // some file systems cannot sync a folder; the rename is then as durable as they make it
        ::close(fd);
#endif
    }

    void remove_temporary() noexcept {
        if (!named_) return;
        std::error_code ec;
        std::filesystem::remove(temporary_, ec);
    }

    std::filesystem::path path_;
    std::filesystem::path temporary_;
    std::FILE* file_ = nullptr;
    std::uint64_t written_ = 0;
    bool named_ = false;  ///< whether `temporary_` exists
};

/// Writes a whole file, atomically.
/// @throws io_error  if that fails; the file that was there before is then untouched
inline void write_file(const std::filesystem::path& path, std::string_view text) {
    output_file file(path);
    file.write(text);
    file.commit();
}

}  // namespace edge

// SPDX-License-Identifier: MIT
#pragma once

/// @file A progress bar on stderr, for work over a second, where stderr is a terminal.
///
///     progress bar("train", epochs);
///     for (int i = 0; i < epochs; ++i) { …; bar.advance(); }

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

class progress {
public:
    progress(std::string what, std::uint64_t total) : what_(std::move(what)), total_(total) {
#if defined(__unix__) || defined(__APPLE__)
        shown_ = ::isatty(2) != 0;
#endif
    }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() {
        if (drawn_) std::fputs("\r\x1b[K", stderr);
    }

    void advance(std::uint64_t by = 1) { at(done_ + by); }

    void at(std::uint64_t done) {
        done_ = done;
        if (!shown_) return;
        const auto now = clock::now();
        if (now < next_) return;  // a second before the first, a tenth between two
        next_ = now + std::chrono::milliseconds(100);
        drawn_ = true;
        const double share = total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_);
        const int filled = static_cast<int>(share * 30);
        const double elapsed = std::chrono::duration<double>(now - start_).count();
        std::fprintf(stderr, "\r%s [%s%s] %3.0f%%  %.0f s left\x1b[K", what_.c_str(),
                     std::string(static_cast<std::size_t>(filled), '#').c_str(),
                     std::string(static_cast<std::size_t>(30 - filled), ' ').c_str(), share * 100,
                     share > 0 ? elapsed / share - elapsed : 0.0);
    }

private:
    using clock = std::chrono::steady_clock;
    std::string what_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    clock::time_point start_ = clock::now();
    clock::time_point next_ = start_ + std::chrono::seconds(1);
    bool shown_ = false;
    bool drawn_ = false;
};

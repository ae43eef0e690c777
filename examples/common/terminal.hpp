// SPDX-License-Identifier: MIT
#pragma once

/// @file The terminal that a program writes to.
///
///     std::cout << to_text(t, {.width = terminal_width()});

#include <cstddef>
#include <cstdlib>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

/// Columns of the terminal on standard output; 0 where it is none.
inline std::size_t terminal_width() {
#if defined(__unix__) || defined(__APPLE__)
    winsize size{};
    if (::isatty(1) == 0) return 0;
    if (::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
#endif
    return 80;
}

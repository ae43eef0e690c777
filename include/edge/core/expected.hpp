// SPDX-License-Identifier: MIT
#pragma once

/// @file `edge::expected<T, E>`: a value or the reason there is none, for code that must not throw.
///
/// It is tl::expected (Debian: libexpected-dev, vcpkg and Conan: tl-expected), which follows std::expected of C++23.

#if !__has_include(<tl/expected.hpp>)
#error "edge needs tl::expected: install libexpected-dev (Debian) or tl-expected (vcpkg, Conan)"
#endif
#include <tl/expected.hpp>

namespace edge {

using tl::expected;
using tl::unexpected;

}  // namespace edge

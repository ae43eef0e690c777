// SPDX-License-Identifier: MIT
#pragma once

/// @file The version of the library. The build files and packages read it from here.

namespace edge {

inline constexpr int version_major = 0;
inline constexpr int version_minor = 1;
inline constexpr int version_patch = 0;
inline constexpr const char* version = "0.1.0";

}  // namespace edge

// SPDX-License-Identifier: MIT
#pragma once

/// @file Catch2 of either major version: the only place that knows there are two.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

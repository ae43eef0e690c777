// SPDX-License-Identifier: MIT
#pragma once

/// @file What a rolling window is, for `window.hpp`.

#include <edge/core/parallel.hpp>
#include <edge/frame/key_names.hpp>
#include <edge/frame/time_span.hpp>

#include <cstddef>
#include <string>

namespace edge::frame {

struct rolling_options {
    std::size_t rows = 0;         ///< of a window, the row itself the last; or
    time_span time = {};          ///< how long a window is, in units of `on` or a duration
    std::string on = {};          ///< column of times, for `time`
    key_names by = {};            ///< columns whose values rows of a window share
    std::size_t min_periods = 1;  ///< values without which a window has no result; a count always has one
    parallel_options threads = {};
};

}  // namespace edge::frame

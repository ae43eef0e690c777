// SPDX-License-Identifier: MIT
#pragma once

/// @file The motion classes and the numbers the motion model sees of a window of samples.
///
/// The features do not depend on how the sensor is mounted: each is a length or a sum over the three axes.

#include <array>
#include <cstddef>

namespace pipeline {

inline constexpr std::size_t motion_states = 3;
inline constexpr std::array<const char*, motion_states> motion_state_names = {"STILL", "MOVING", "SHAKING"};

inline constexpr std::size_t motion_features = 9;

/// Spreads are given as log10, since what tells the classes apart are orders of magnitude.
inline constexpr std::array<const char*, motion_features> motion_feature_names = {
    "log std |a|",     // m/s²
    "log range |a|",   // m/s²
    "|mean |a| - g|",  // m/s²
    "log spread a",    // square root of the summed variances of the axes, m/s²
    "a frequency",     // spread of the rate of change over spread: about 2 pi times the main frequency, log10 of 1/s
    "log mean |w|",    // °/s
    "log max |w|",     // °/s
    "log spread w",    // °/s
    "w frequency",     // as above, of the angular rate
};

}  // namespace pipeline

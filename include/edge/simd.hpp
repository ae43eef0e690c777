// SPDX-License-Identifier: MIT
#pragma once

#include <edge/simd/dot.hpp>
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>
#include <edge/simd/expression.hpp>
#include <edge/simd/stream.hpp>
#include <edge/simd/widen.hpp>

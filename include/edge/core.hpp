// SPDX-License-Identifier: MIT
#pragma once

/// @file Core: what every other layer stands on. Arrays that own and views that do not, their files, errors, threads.
///
///     edge::tensor<float> x({2, 3}, 1.0f);                          // row-major, 64-byte aligned
///     auto column = x.view().select(1, 0);                          // no copy
///     edge::save_npy("x.npy", x);                                   // appears complete, or not at all
///     edge::any_tensor y = edge::load_npy("x.npy");                 // its element type is known at run time
///     edge::parallel_for(x.size(), {.threads = 2}, [&](edge::index_t first, edge::index_t last) { … });

#include <edge/core/any_tensor.hpp>
#include <edge/core/cpu.hpp>
#include <edge/core/dtype.hpp>
#include <edge/core/error.hpp>
#include <edge/core/expected.hpp>
#include <edge/core/file.hpp>
#include <edge/core/mapped_file.hpp>
#include <edge/core/memory.hpp>
#include <edge/core/message.hpp>
#include <edge/core/npy.hpp>
#include <edge/core/parallel.hpp>
#include <edge/core/random.hpp>
#include <edge/core/safetensors.hpp>
#include <edge/core/shape.hpp>
#include <edge/core/tensor.hpp>
#include <edge/core/tensor_view.hpp>
#include <edge/core/version.hpp>

// SPDX-License-Identifier: MIT
#pragma once

/// @file Where the code of sessions, passes, operators and ONNX is compiled.
///
/// By itself, in every file that includes <edge/nn.hpp>, as of any header library; that takes a while. A program of several
/// files may compile it once: define EDGE_NN_EXTERN for all of its files, and in one of them EDGE_NN_DEFINE as well before
/// including <edge/nn.hpp>.

#if defined(EDGE_NN_EXTERN) && !defined(EDGE_NN_DEFINE)
#define EDGE_NN_HAS_ENGINE 0
#else
#define EDGE_NN_HAS_ENGINE 1
#endif

/// In front of its functions.
#if defined(EDGE_NN_DEFINE)
#define EDGE_NN_FUNCTION
#else
#define EDGE_NN_FUNCTION inline
#endif

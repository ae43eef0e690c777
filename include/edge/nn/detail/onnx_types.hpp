// SPDX-License-Identifier: MIT
#pragma once

/// @file Element types by their number in ONNX files (onnx.proto, TensorProto.DataType).

#include <edge/core/dtype.hpp>

namespace edge::nn::detail {

inline constexpr std::int64_t onnx_float16 = 10;

/// float16 is held as float32.
/// @throws unsupported_error  if edge has no such type; gives its name
[[nodiscard]] inline dtype onnx_dtype(std::int64_t number) {
    switch (number) {
        case 1: return dtype::f32;
        case 2: return dtype::u8;
        case 3: return dtype::i8;
        case 4: return dtype::u16;
        case 5: return dtype::i16;
        case 6: return dtype::i32;
        case 7: return dtype::i64;
        case 9: return dtype::boolean;
        case onnx_float16: return dtype::f32;
        case 11: return dtype::f64;
        case 12: return dtype::u32;
        case 13: return dtype::u64;
        default: break;
    }
    constexpr const char* others[] = {"undefined", "string", "complex64", "complex128",
                                      "bfloat16",  "float8", "uint4",     "int4"};
    const char* name = number == 0                    ? others[0]
                       : number == 8                  ? others[1]
                       : number == 14                 ? others[2]
                       : number == 15                 ? others[3]
                       : number == 16                 ? others[4]
                       : number >= 17 && number <= 20 ? others[5]
                       : number == 21                 ? others[6]
                       : number == 22                 ? others[7]
                                                      : "unknown";
    throw unsupported_error(message("element type ", number, " (", name, ") is not supported"));
}

[[nodiscard]] constexpr int onnx_number(dtype type) noexcept {
    constexpr int numbers[] = {9, 3, 2, 5, 4, 6, 12, 7, 13, 1, 11};  // in the order of dtype
    return numbers[static_cast<std::size_t>(type)];
}

}  // namespace edge::nn::detail

// SPDX-License-Identifier: MIT
#pragma once

/// @file ONNX files: read into a graph, and written from one.
///
///     edge::nn::graph g = edge::nn::load_onnx("model.onnx");
///     edge::nn::save_onnx(g, "copy.onnx");
///
/// Opsets 1 to 21 are read. Tensors are bool, (u)int8 to (u)int64, float, double, and float16, which becomes float with a
/// note in `graph::notes`; their data may be in other files of the model's folder. Refused by name: other element types,
/// sparse tensors, sequences, optional values and maps, and attributes that are graphs. Constant nodes become initializers. Whether each operator is there
/// is for the session to say. Reading wants protozero (libprotozero-dev on Debian, protozero in vcpkg and Conan).
/// Source: onnx.proto of ONNX 1.16, and the protocol buffers encoding guide.

#if !__has_include(<protozero/pbf_reader.hpp>)
#error "edge/nn/onnx.hpp needs protozero: install libprotozero-dev (Debian) or protozero (vcpkg, Conan)"
#endif

#include <edge/core/mapped_file.hpp>
#include <edge/nn/detail/engine.hpp>
#include <edge/nn/graph.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace edge::nn {

/// @param name    of the file or whatever the bytes are from, for messages
/// @param folder  of the files that hold the data of tensors that are not among the bytes; without one, such are refused
/// @throws parse_error        if the bytes are not a ModelProto, or one that contradicts itself, or one whose data are
///                            outside `folder` or fewer than they should be
/// @throws unsupported_error  if it holds what is not read; names it
/// @throws io_error           if a file of data cannot be read
[[nodiscard]] graph parse_onnx(std::span<const std::byte> bytes, std::string_view name,
                               const std::filesystem::path& folder = {});

/// A TensorProto on its own, as in the test data of ONNX.
[[nodiscard]] any_tensor parse_onnx_tensor(std::span<const std::byte> bytes, std::string_view name);

/// @throws io_error  if the file cannot be read; else as `parse_onnx`
[[nodiscard]] inline graph load_onnx(const std::filesystem::path& path) {
    const mapped_file file(path);
    const auto folder = path.parent_path();
    return parse_onnx(file.bytes(), path.string(), folder.empty() ? "." : folder);
}

/// The bytes of a ModelProto.
/// @throws argument_error  if the graph contradicts itself
[[nodiscard]] std::string to_onnx(const graph& g);

/// @throws io_error  if the file cannot be written; one that was there before is then untouched
inline void save_onnx(const graph& g, const std::filesystem::path& path) { write_file(path, to_onnx(g)); }

}  // namespace edge::nn

#if EDGE_NN_HAS_ENGINE
#include <edge/nn/detail/onnx_reader.hpp>
#include <edge/nn/detail/onnx_writer.hpp>

namespace edge::nn {

EDGE_NN_FUNCTION graph parse_onnx(std::span<const std::byte> bytes, std::string_view name,
                                  const std::filesystem::path& folder) {
    return detail::onnx_call(name, [&] { return detail::onnx_reader(folder).model(bytes); });
}

EDGE_NN_FUNCTION any_tensor parse_onnx_tensor(std::span<const std::byte> bytes, std::string_view name) {
    return detail::onnx_call(name, [&] { return detail::onnx_reader().tensor(bytes).value; });
}

EDGE_NN_FUNCTION std::string to_onnx(const graph& g) { return detail::onnx_writer().model(g); }

}  // namespace edge::nn
#endif

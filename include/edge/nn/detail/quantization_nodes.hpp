// SPDX-License-Identifier: MIT
#pragma once

/// @file What QuantizeLinear and DequantizeLinear of a graph say, where their constants are known.

#include <edge/nn/detail/graph_index.hpp>
#include <edge/quant/parameters.hpp>

#include <cmath>
#include <optional>

namespace edge::nn::detail {

/// The constants of a QuantizeLinear or DequantizeLinear, and the value on its integer side.
struct quantization {
    std::string integers;
    std::string scale, zero;  ///< names; `zero` is "" where there is none
    dtype type{};
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;  ///< as many as scales
    index_t axis = 1;

    [[nodiscard]] bool is_per_tensor() const noexcept { return scales.size() == 1; }
    [[nodiscard]] bool is_byte() const noexcept { return type == dtype::u8 || type == dtype::i8; }
    [[nodiscard]] quant::parameters one() const { return {scales[0], zeros[0]}; }
    [[nodiscard]] float scale_of(index_t i) const { return scales[is_per_tensor() ? 0 : static_cast<std::size_t>(i)]; }
    [[nodiscard]] std::int32_t zero_of(index_t i) const {
        return zeros[is_per_tensor() ? 0 : static_cast<std::size_t>(i)];
    }
};

/// Of 8 and 32 bits, with scales one can compute with. The scales of node `n` are its input 1, the zero points input 2.
[[nodiscard]] inline std::optional<quantization> quantization_of(const graph& g, const node& n,
                                                                 const std::string& integers) {
    const any_tensor* scale = n.has_input(1) ? g.find_initializer(n.inputs[1]) : nullptr;
    const any_tensor* zero = n.has_input(2) ? g.find_initializer(n.inputs[2]) : nullptr;
    if (!n.domain.empty() || n.has("block_size") || scale == nullptr || !scale->is<float>()) return {};
    if (n.has_input(2) && (zero == nullptr || zero->size() != scale->size())) return {};
    quantization q;
    q.integers = integers;
    q.scale = n.inputs[1];
    q.zero = zero != nullptr ? n.inputs[2] : "";
    const auto scales = scale->as<float>().flat();
    q.scales.assign(scales.begin(), scales.end());
    if (!std::all_of(q.scales.begin(), q.scales.end(), [](float s) { return s > 0 && std::isfinite(s); })) return {};
    q.zeros.assign(scales.size(), 0);
    const any_tensor* constant = g.find_initializer(integers);
    q.type = zero != nullptr ? zero->dtype() : constant != nullptr ? constant->dtype() : dtype::u8;
    if (q.scales.empty() || (q.type != dtype::u8 && q.type != dtype::i8 && q.type != dtype::i32)) return {};
    if (zero != nullptr)
        for (std::size_t i = 0; i < q.zeros.size(); ++i)
            q.zeros[i] = q.type == dtype::u8   ? zero->as<std::uint8_t>().data()[i]
                         : q.type == dtype::i8 ? zero->as<std::int8_t>().data()[i]
                                               : zero->as<std::int32_t>().data()[i];
    q.axis = static_cast<index_t>(n.integer("axis", 1));
    return q;
}

/// Of the DequantizeLinear that makes a value, if one does.
[[nodiscard]] inline std::optional<quantization> dequantized(const graph& g, const graph_index& index,
                                                             std::string_view value) {
    const node* d = index.made_by(value, "DequantizeLinear", 2);
    return d == nullptr ? std::optional<quantization>{} : quantization_of(g, *d, d->inputs[0]);
}

}  // namespace edge::nn::detail

// SPDX-License-Identifier: MIT
#pragma once

/// @file Quantization: real numbers as small integers, by the rules of ONNX, with the same bits on every machine.
///
///     edge::quant::minmax_observer seen;
///     seen.observe(calibration);                                     // which range do the values take?
///     auto p = seen.parameters_for(edge::dtype::u8);                 // real = scale · (q - zero_point)
///     auto q = edge::quant::quantize<std::uint8_t>(x, p);            // round half to even, saturate
///     edge::quant::linear layer(weights, bias);                      // int8 weights, exact int32 sums
///
/// parameters  scale and zero point, and how they are chosen from a range
/// observer    ranges of tensors, batch by batch, mergeable: least and greatest, moving average, per channel
/// histogram   counts of values that merge exactly; ranges from it: percentile, mse, entropy (histogram_observer)
/// any_observer  an observer picked by name
/// equalize    channels of one scale before quantizing; biases moved past a ReLU (layer_weights: what a layer is there)
/// correct_bias  takes back what quantized weights add to the mean (channel_moments: means and deviations)
/// learned_rounding  integers that are best for a layer's outputs (input_moments: what that takes of the data)
/// sqnr        how far a quantized tensor is off, in dB
/// quantize    floats to integers of 8 or 16 bits and back, per tensor and per channel
/// fake_quant  there and back again, with gradients for training
/// requantize  int32 sums to bytes
/// dense       the integer kernel that layers are made of
/// linear      a linear layer, static or with its input quantized on the spot
/// int4        a linear layer of 4-bit weights and real inputs

#include <edge/quant/any_observer.hpp>
#include <edge/quant/channel_moments.hpp>
#include <edge/quant/correct_bias.hpp>
#include <edge/quant/dense.hpp>
#include <edge/quant/entropy.hpp>
#include <edge/quant/equalize.hpp>
#include <edge/quant/fake_quant.hpp>
#include <edge/quant/histogram.hpp>
#include <edge/quant/histogram_observer.hpp>
#include <edge/quant/input_moments.hpp>
#include <edge/quant/int4.hpp>
#include <edge/quant/layer_weights.hpp>
#include <edge/quant/learned_rounding.hpp>
#include <edge/quant/linear.hpp>
#include <edge/quant/mse.hpp>
#include <edge/quant/observer.hpp>
#include <edge/quant/parameters.hpp>
#include <edge/quant/percentile.hpp>
#include <edge/quant/quantize.hpp>
#include <edge/quant/requantize.hpp>
#include <edge/quant/sqnr.hpp>

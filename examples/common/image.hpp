// SPDX-License-Identifier: MIT
#pragma once

/// @file Images from files (JPEG, PNG), and as what a classifier takes.
///
///     const preprocessing how = read_preprocessing("photos/preprocess.json");
///     const edge::tensor<float> x = network_input(load_image("photos/cat.jpg"), how);   // [1, 3, 224, 224]

#include <edge/core/file.hpp>
#include <edge/core/tensor.hpp>
#include <edge/nn/resize.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#elif __has_include(<stb_image.h>)
#include <stb_image.h>
#else
#error "examples/common/image.hpp needs stb_image: install libstb-dev (Debian) or stb (vcpkg, Conan)"
#endif

/// @return  RGB, [height, width, 3]
/// @throws edge::io_error     if the file cannot be read
/// @throws edge::parse_error  if it is no JPEG or PNG, or one of more than 2²⁶ pixels
inline edge::tensor<std::uint8_t> load_image(const std::filesystem::path& path) {
    const auto bytes = edge::read_file(path);
    const auto refuse = [&](const std::string& why) {
        throw edge::parse_error(edge::message(path.string(), ": not a JPEG or PNG image: ", why));
    };
    const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
    if (bytes.size() > std::size_t{1} << 28) refuse(edge::message(bytes.size(), " bytes"));
    const int size = static_cast<int>(bytes.size());
    int width = 0, height = 0, channels = 0;
    if (stbi_info_from_memory(data, size, &width, &height, &channels) == 0) refuse(stbi_failure_reason());
    if (std::int64_t{width} * height > std::int64_t{1} << 26) refuse(edge::message(width, "x", height, " pixels"));
    stbi_uc* pixels = stbi_load_from_memory(data, size, &width, &height, &channels, 3);
    if (pixels == nullptr) refuse(stbi_failure_reason());
    auto image = edge::tensor<std::uint8_t>::uninitialized({height, width, 3});
    std::copy_n(pixels, image.size(), image.data());
    stbi_image_free(pixels);
    return image;
}

/// What is done to an image before a network sees it. The defaults are those of torchvision's ImageNet models.
struct preprocessing {
    std::array<float, 3> mean{123.675f, 116.28f, 103.53f};  ///< of red, green, blue, in [0, 255]
    std::array<float, 3> std{58.395f, 57.12f, 57.375f};     ///< what is left is divided by
    std::string channels = "RGB";                           ///< or BGR: the order in which the network takes them
    edge::index_t resize = 256;                             ///< the shorter side becomes this long …
    edge::index_t crop = 224;                               ///< … and the middle square of this side is taken
};

/// One number for all three channels, or one each.
inline std::array<float, 3> three_numbers(const std::vector<float>& list, const std::string& what) {
    if (list.size() == 1) return {list[0], list[0], list[0]};
    if (list.size() != 3)
        throw edge::argument_error(edge::message(what, ": ", list.size(), " numbers; expected 1 or 3"));
    return {list[0], list[1], list[2]};
}

/// @throws edge::argument_error  if a setting is out of its range
inline void check_preprocessing(const preprocessing& how) {
    if (how.channels != "RGB" && how.channels != "BGR")
        throw edge::argument_error(edge::message("channels '", how.channels, "'; expected RGB or BGR"));
    for (const float s : how.std)
        if (!(s > 0)) throw edge::argument_error(edge::message("std ", s, "; expected above 0"));
    if (how.crop < 1 || how.resize < how.crop || how.resize > 1 << 14)
        throw edge::argument_error(
            edge::message("resize ", how.resize, ", crop ", how.crop, "; expected 1 <= crop <= resize <= 16384"));
}

/// Keys: mean, std (a number or three), channels ("RGB" or "BGR"), resize, crop; those that are absent keep their
/// defaults, as all do where there is no such file.
/// @throws edge::parse_error  if it is not JSON, or a key's value is not what it should be
inline preprocessing read_preprocessing(const std::filesystem::path& path) {
    preprocessing how;
    if (!std::filesystem::exists(path)) return how;
    try {
        const auto text = nlohmann::ordered_json::parse(edge::read_text_file(path));
        const auto numbers = [&](const char* key, std::array<float, 3>& to) {
            if (!text.contains(key)) return;
            const auto& value = text.at(key);
            to = three_numbers(value.is_array() ? value.get<std::vector<float>>() : std::vector{value.get<float>()},
                               key);
        };
        numbers("mean", how.mean);
        numbers("std", how.std);
        how.channels = text.value("channels", how.channels);
        how.resize = text.value("resize", how.resize);
        how.crop = text.value("crop", how.crop);
        check_preprocessing(how);
    } catch (const nlohmann::ordered_json::exception& e) {
        throw edge::parse_error(edge::message(path.string(), ": ", e.what()));
    } catch (const edge::argument_error& e) {
        throw edge::parse_error(edge::message(path.string(), ": ", e.what()));
    }
    return how;
}

/// The image with its shorter side `side` pixels long, as Pillow resizes it with a bilinear filter.
/// @throws edge::argument_error  if the longer side would be above 2¹⁶
inline edge::tensor<std::uint8_t> resized_to(const edge::tensor<std::uint8_t>& image, edge::index_t side) {
    using edge::index_t;
    const index_t height = image.shape()[0];
    const index_t width = image.shape()[1];
    const index_t shorter = (std::min)(height, width);
    const auto scaled = [&](index_t n) { return n == shorter ? side : n * side / shorter; };
    const edge::shape to{scaled(height), scaled(width), 3};
    if ((std::max)(to[0], to[1]) > 1 << 16)
        throw edge::argument_error(
            edge::message("an image of ", width, "x", height, " pixels would become ", to[1], "x", to[0]));
    const edge::nn::image_resizer<std::uint8_t> resizer(height, width, to[0], to[1], {.antialias = true});
    auto result = edge::tensor<std::uint8_t>::uninitialized(to);
    auto between = edge::tensor<std::uint8_t>::uninitialized({static_cast<index_t>(resizer.scratch_bytes(3))});
    resizer.run(image.data(), result.data(), 1, 3, between.data());
    return result;
}

/// Resized, cut and normalized. An image that is a square of side `crop` already is not resized.
/// @param image  RGB, [height, width, 3]
/// @return  [1, 3, crop, crop]
inline edge::tensor<float> network_input(const edge::tensor<std::uint8_t>& image, const preprocessing& how) {
    using edge::index_t;
    const index_t height = image.shape()[0];
    const index_t width = image.shape()[1];
    const bool is_cut = height == how.crop && width == how.crop;
    if (!is_cut && (std::min)(height, width) != how.resize) return network_input(resized_to(image, how.resize), how);
    const auto middle = [&](index_t n) {
        return static_cast<index_t>(std::nearbyint(static_cast<double>(n - how.crop) / 2));
    };
    const index_t top = middle(height);
    const index_t left = middle(width);
    auto x = edge::tensor<float>::uninitialized({1, 3, how.crop, how.crop});
    for (index_t c = 0; c < 3; ++c) {
        const auto from = how.channels == "BGR" ? 2 - c : c;
        const auto k = static_cast<std::size_t>(from);
        for (index_t i = 0; i < how.crop; ++i)
            for (index_t j = 0; j < how.crop; ++j)
                x(index_t{0}, c, i, j) =
                    (static_cast<float>(image(top + i, left + j, from)) - how.mean[k]) / how.std[k];
    }
    return x;
}

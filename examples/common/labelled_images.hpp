// SPDX-License-Identifier: MIT
#pragma once

/// @file A folder of images with a label each: labels.csv with the columns file, label_index and split.
///
///     for (const auto& image : read_labels("imagenet-sample", {.split = "evaluation"})) …image.file, image.label…

#include <edge/frame/csv.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

struct labelled_image {
    std::filesystem::path file;  ///< the folder's name in front
    std::int64_t label = 0;
};

struct label_selection {
    std::string split{};                                            ///< "" for all of them
    std::size_t limit = (std::numeric_limits<std::size_t>::max)();  ///< the first so many
};

/// @throws edge::io_error        if there is no labels.csv
/// @throws edge::argument_error  if a column is missing, or no image is in the split
inline std::vector<labelled_image> read_labels(const std::filesystem::path& folder,
                                               const label_selection& wanted = {}) {
    using edge::frame::kind;
    const auto path = folder / "labels.csv";
    const auto table = edge::frame::read_csv(path);
    const auto column = [&](const char* name, kind k) -> const edge::frame::column& {
        if (!table.has(name) || table.column(name).kind() != k)
            throw edge::argument_error(
                edge::message(path.string(), ": has no column '", name, "' of ", edge::frame::to_string(k)));
        return table.column(name);
    };
    const auto& files = column("file", kind::string);
    const auto& labels = column("label_index", kind::int64);
    const auto* splits = wanted.split.empty() ? nullptr : &column("split", kind::string);
    std::vector<labelled_image> images;
    for (std::size_t i = 0; i < table.rows() && images.size() < wanted.limit; ++i) {
        if (splits != nullptr && (!splits->is_valid(i) || splits->text(i) != wanted.split)) continue;
        if (!files.is_valid(i) || !labels.is_valid(i))
            throw edge::argument_error(edge::message(path.string(), ": row ", i, " (from 0) has no file or no label"));
        images.push_back({folder / std::string(files.text(i)), labels.values<std::int64_t>()[i]});
    }
    if (images.empty())
        throw edge::argument_error(wanted.split.empty()
                                       ? edge::message(path.string(), ": names no image")
                                       : edge::message(path.string(), ": no image is in split '", wanted.split, "'"));
    return images;
}

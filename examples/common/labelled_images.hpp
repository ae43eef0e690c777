// SPDX-License-Identifier: MIT
#pragma once

/// @file A folder of images with a label each: labels.csv with the columns file, label_index and split.
///
///     for (const auto& image : read_labels("imagenet-sample", {.split = "evaluation"})) …image.file, image.label…

#include <edge/core/file.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

struct labelled_image {
    std::filesystem::path file;  ///< the folder's name in front
    std::int64_t label = 0;
};

struct label_selection {
    std::string split{};                                            ///< "" for all of them
    std::size_t limit = (std::numeric_limits<std::size_t>::max)();  ///< the first so many
};

/// The cells of a row of CSV; one in quotes may have commas and, doubled, quotes in it.
inline std::vector<std::string> csv_cells(std::string_view row) {
    std::vector<std::string> cells(1);
    bool is_quoted = false;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] == '"' && is_quoted && i + 1 < row.size() && row[i + 1] == '"')
            cells.back() += row[i++];
        else if (row[i] == '"')
            is_quoted = !is_quoted;
        else if (row[i] == ',' && !is_quoted)
            cells.emplace_back();
        else
            cells.back() += row[i];
    }
    return cells;
}

/// @throws edge::io_error        if there is no labels.csv
/// @throws edge::parse_error     if a row has other cells than the first says
/// @throws edge::argument_error  if a column is missing, or no image is in the split
inline std::vector<labelled_image> read_labels(const std::filesystem::path& folder,
                                               const label_selection& wanted = {}) {
    const auto path = folder / "labels.csv";
    const std::string text = edge::read_text_file(path);
    std::vector<std::vector<std::string>> rows;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = (std::min)(text.find('\n', at), text.size());
        std::string_view row(text.data() + at, end - at);
        if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
        if (!row.empty()) rows.push_back(csv_cells(row));
        at = end + 1;
    }
    const auto column = [&](std::string_view name) {
        std::size_t i = 0;
        while (!rows.empty() && i < rows[0].size() && rows[0][i] != name) ++i;
        if (rows.empty() || i == rows[0].size())
            throw edge::argument_error(edge::message(path.string(), ": has no column '", name, "'"));
        return i;
    };
    const std::size_t file = column("file");
    const std::size_t label = column("label_index");
    const std::size_t split = wanted.split.empty() ? file : column("split");
    std::vector<labelled_image> images;
    for (std::size_t i = 1; i < rows.size() && images.size() < wanted.limit; ++i) {
        const auto refuse = [&](const std::string& why) {
            throw edge::parse_error(edge::message(path.string(), ": row ", i, ": ", why));
        };
        if (rows[i].size() != rows[0].size())
            refuse(edge::message(rows[i].size(), " cells; expected ", rows[0].size()));
        if (!wanted.split.empty() && rows[i][split] != wanted.split) continue;
        const std::string& digits = rows[i][label];
        std::int64_t index = 0;
        const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
        if (wrong != std::errc() || end != digits.data() + digits.size())
            refuse(edge::message("label_index '", digits, "' is not a whole number"));
        images.push_back({folder / rows[i][file], index});
    }
    if (images.empty())
        throw edge::argument_error(wanted.split.empty()
                                       ? edge::message(path.string(), ": names no image")
                                       : edge::message(path.string(), ": no image is in split '", wanted.split, "'"));
    return images;
}

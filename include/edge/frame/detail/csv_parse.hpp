// SPDX-License-Identifier: MIT
#pragma once

/// @file Rows of CSV text to columns, on all threads; the same for any number of them.
///
/// Kinds are guessed from some rows of the text. A cell that does not fit sends its column down the ladder and all its
/// cells are parsed again, so the kinds found are those of all rows. What is wrong is put into words by reading once
/// more, row by row, up to the first error.

#include <edge/frame/detail/csv_column.hpp>
#include <edge/frame/detail/utf8.hpp>
#include <edge/frame/table.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Far more than a table of use has, so that a file of commas cannot take a thousand times its size in memory.
inline constexpr std::size_t csv_max_columns = std::size_t{1} << 17;

/// Text of a piece that is parsed by one thread; with its index it stays in the second cache.
inline constexpr std::size_t csv_piece_bytes = std::size_t{1} << 17;

/// Names of the columns: the first row's cells, with a number put to those that are there already.
inline std::vector<std::string> csv_names(csv_scanner& scan, bool header) {
    std::vector<std::string> names;
    while (scan.more()) {
        const csv_cell cell = scan.next();
        if (names.size() == csv_max_columns)
            throw unsupported_error(message(scan.where(), ": more than ", csv_max_columns, " columns"));
        names.push_back(header && !cell.text.empty() ? std::string(cell.text) : message("column", names.size()));
    }
    std::unordered_map<std::string, std::size_t> seen;  // and how many names were made from each
    for (const std::string& name : names) seen.emplace(name, 0);
    if (seen.size() == names.size()) return names;
    std::unordered_set<std::string> used;
    for (std::string& name : names) {
        if (used.insert(name).second) continue;
        std::size_t& made = seen[name];
        std::string fresh;
        do fresh = message(name, "_", ++made);
        while (seen.contains(fresh) || !used.insert(fresh).second);
        name = std::move(fresh);
    }
    return names;
}

/// What the rows of a source have in common.
struct csv_schema {
    std::size_t cells = 0;            ///< of a row
    std::vector<csv_column> columns;  ///< that are wanted, in their order
    std::uint64_t sampled = 0;        ///< rows that settled kinds were found from
};

/// @throws argument_error  if an option names a column that is not there
inline csv_schema csv_schema_of(const std::vector<std::string>& names, std::string_view source,
                                const csv_options& options) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < names.size(); ++i) places.emplace(names[i], i);
    std::unordered_map<std::string_view, kind> given;
    for (const auto& [name, its_kind] : options.kinds) {
        if (!places.contains(name))
            throw argument_error(
                message(source, ": no column '", shown(name), "' to be read as ", to_string(its_kind)));
        given.emplace(name, its_kind);
    }
    for (const std::string& name : options.columns)
        if (!places.contains(name)) throw argument_error(message(source, ": no column '", shown(name), "' to be read"));
    csv_schema schema;
    schema.cells = names.size();
    for (const std::string& name : options.columns.empty() ? names : options.columns) {
        const auto known = given.find(name);
        schema.columns.emplace_back(name, known == given.end() ? std::nullopt : std::optional(known->second),
                                    places.at(name), options.dictionary);
    }
    return schema;
}

/// Says what is wrong with the text: the first thing, in the order of the rows.
[[noreturn]] inline void refuse_csv(std::string_view text, const csv_place& place, const csv_schema& schema,
                                    const csv_options& options) {
    if (const std::size_t bad = valid_utf8(text); bad != text.size())
        throw parse_error(message(place.name, ": byte ", place.bytes + bad, " is not UTF-8"));
    std::vector<const csv_column*> at(schema.cells, nullptr);
    for (const csv_column& c : schema.columns) at[c.place()] = &c;
    const csv_cells cells(options);
    csv_scanner scan(text, options, place);
    while (scan.next_row()) {
        std::size_t count = 0;
        std::string refused;
        for (; scan.more(); ++count) {
            const csv_cell cell = scan.next();
            const csv_column* c = count < schema.cells ? at[count] : nullptr;
            if (!refused.empty() || c == nullptr || !c->given() || cell.text.empty()) continue;
            if ((!cell.quoted && cells.is_missing(cell.text)) || fits(c->kind(), cell.text)) continue;
            refused = message(", column '", shown(c->name()), "': '", shown(cell.text), "' is not of kind ",
                              to_string(c->kind()));
            if (c->is_settled())
                refused +=
                    message(", as the first ", schema.sampled, " rows are; csv_options::kinds can say what it is");
        }
        const bool fits_in = count == schema.cells || (count < schema.cells && options.ragged == ragged_rows::pad);
        if (!fits_in && options.ragged == ragged_rows::skip) continue;
        if (!refused.empty()) throw parse_error(scan.where() + refused);
        if (!fits_in)
            throw parse_error(message(scan.where(), ": ", count, count == 1 ? " cell" : " cells", "; expected ",
                                      schema.cells, " as in the first row"));
    }
    throw parse_error(message(place.name, ": cannot be read as CSV"));
}

/// Rows of a text as columns.
struct csv_rows {
    std::vector<column> columns;
    std::size_t rows = 0;
    std::size_t skipped = 0;
    std::size_t end = 0;  ///< of the last row, in the text
};

/// Calls `options.progress` for what the threads have done.
class csv_progress {
public:
    csv_progress(const csv_options& options, std::uint64_t total) : call_(options.progress), total_(total) {}

    void add(std::uint64_t bytes) {
        const std::uint64_t done = done_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        if (!call_) return;
        const std::lock_guard lock(mutex_);
        if (done <= shown_) return;
        shown_ = done;
        call_(done, total_);
    }

private:
    const std::function<void(std::uint64_t, std::uint64_t)>& call_;
    std::uint64_t total_;
    std::atomic<std::uint64_t> done_{0};
    std::uint64_t shown_ = 0;
    std::mutex mutex_;
};

/// @param text      rows, without the header
/// @param is_whole  whether the last row ends with the text; otherwise it is left for later
inline csv_rows parse_rows(std::string_view text, const csv_place& place, csv_schema& schema,
                           const csv_options& options, bool is_whole, std::size_t piece_bytes = csv_piece_bytes) {
    // A part takes some memory for each column, which should be little beside its text.
    const std::size_t bytes = (std::max)(piece_bytes, schema.cells > 64 ? schema.cells * 1024 : 0);
    const csv_pieces found = find_pieces(text, options, bytes, is_whole);
    const std::vector<csv_piece>& pieces = found.rows;
    const auto refuse = [&] { refuse_csv(text, place, schema, options); };
    if (found.malformed || (found.torn && is_whole)) refuse();

    for (csv_column& c : schema.columns) c.restart();

    // Where the rows of each piece go. There may be fewer: each cell has a byte that ends it, but for the last.
    std::vector<std::size_t> at(pieces.size() + 1, 0);
    for (std::size_t p = 0; p < pieces.size(); ++p) {
        const std::size_t most =
            options.ragged == ragged_rows::pad ? pieces[p].rows : (pieces[p].end - pieces[p].begin + 1) / schema.cells;
        at[p + 1] = at[p] + (std::min)(pieces[p].rows, most);
    }
    if (options.ragged == ragged_rows::pad && at.back() / 64 > text.size() / schema.cells + 1024)
        throw unsupported_error(message(place.name, ": ", at.back(), " rows padded to ", schema.cells,
                                        " cells each are too much for ", text.size(), " bytes"));

    const csv_cells cells(options);
    const auto view_of = [&](const csv_piece& piece, csv_index& index) {
        index_cells(text.substr(piece.begin, piece.end - piece.begin), options, found.regular, schema.cells, index);
        return csv_piece_view{text.data() + piece.begin, text.data(), &index, &cells};
    };
    constexpr std::size_t samples = 8;
    constexpr std::size_t rows_a_look = 64;
    for (std::size_t s = 0; s < (std::min)(samples, pieces.size()); ++s) {
        csv_piece piece = pieces[s * pieces.size() / (std::min)(samples, pieces.size())];
        csv_index index;
        const csv_piece_view view = view_of(piece, index);
        for (csv_column& c : schema.columns) c.sample(view, rows_a_look);
    }

    std::vector<std::size_t> rows(pieces.size(), 0);
    std::vector<std::size_t> skipped(pieces.size(), 0);
    std::vector<std::uint8_t> refused(pieces.size(), 0);
    csv_progress progress(options, text.size());
    for (bool complete = false, first_pass = true; !complete; first_pass = false) {
        std::vector<csv_column*> wanted;
        for (csv_column& c : schema.columns) {
            if (c.is_complete()) continue;
            c.begin(at.back(), pieces.size());
            wanted.push_back(&c);
        }
        parallel_for(static_cast<index_t>(pieces.size()), {.threads = options.threads},
                     [&](index_t first, index_t last) {
                         csv_index index;
                         for (auto p = static_cast<std::size_t>(first); p < static_cast<std::size_t>(last); ++p) {
                             const csv_piece_view view = view_of(pieces[p], index);
                             const std::size_t room = at[p + 1] - at[p];
                             const std::string_view own = text.substr(pieces[p].begin, pieces[p].end - pieces[p].begin);
                             if (index.refused || index.rows > room ||
                                 (first_pass && index.high && valid_utf8(own) != own.size())) {
                                 refused[p] = 1;
                                 return;
                             }
                             rows[p] = index.rows;
                             skipped[p] = index.skipped;
                             for (csv_column* c : wanted) c->parse(view, p, at[p]);
                             if (first_pass) progress.add(own.size());
                         }
                     });
        if (std::find(refused.begin(), refused.end(), 1) != refused.end()) refuse();
        std::size_t total = 0;
        for (const std::size_t r : rows) total += r;
        complete = true;
        for (csv_column* c : wanted) {
            complete = c->end_pass(total) && complete;
            if (c->is_refused()) refuse();
        }
    }

    csv_rows result;
    result.end = found.end;
    for (std::size_t p = 0; p < pieces.size(); ++p) {
        if (result.rows != at[p])
            for (csv_column& c : schema.columns) c.move(at[p], result.rows, rows[p]);
        result.rows += rows[p];
        result.skipped += skipped[p];
    }
    result.columns.resize(schema.columns.size());
    parallel_for(static_cast<index_t>(schema.columns.size()), {.threads = options.threads},
                 [&](index_t first, index_t last) {
                     for (auto c = static_cast<std::size_t>(first); c < static_cast<std::size_t>(last); ++c) {
                         result.columns[c] = schema.columns[c].finish(rows);
                     }
                 });
    return result;
}

}  // namespace edge::frame::detail

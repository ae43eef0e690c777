// SPDX-License-Identifier: MIT

/// @file Any bytes as CSV: a table or a clear error, and what was read is written and read back the same.

#include <edge/frame/csv.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "csv: %s\n", what);
    std::abort();
}

void check(std::string_view text, char delimiter) {
    using namespace edge::frame;
    const csv_options options{.delimiter = delimiter};
    table read;
    try {
        read = parse_csv(text, "fuzz", options);
    } catch (const edge::error&) {
        return;
    }
    const std::string written = to_csv(read, delimiter);
    const table again = parse_csv(written, "written", options);
    expect(to_csv(again, delimiter) == written, "the text changes when it is read and written again");
    expect(again.rows() == read.rows(), "rows are lost");
    for (std::size_t c = 0; c < read.names().size(); ++c) {
        expect(read.names()[c] == again.names()[c], "a name changes");
        if (read.names().size() > 1)  // alone, a missing text is written as an empty one
            expect(read.columns()[c].kind() == again.columns()[c].kind(), "a kind changes");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, ',');
    check(text, ';');
    return 0;
}

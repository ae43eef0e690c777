// SPDX-License-Identifier: MIT

/// @file Any bytes as CSV: a table or a clear error, the same however the text is cut, and what was read is written and
/// read back the same.

#include <edge/frame/csv.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

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

/// Bytes of a text.
class text_source final : public edge::frame::byte_source {
public:
    explicit text_source(std::string_view text) : text_(text) {}
    std::size_t read(std::span<char> to) override {
        const std::size_t n = (std::min)(to.size(), text_.size());
        std::copy_n(text_.data(), n, to.data());
        text_.remove_prefix(n);
        return n;
    }

private:
    std::string_view text_;
};

/// The table as text, or what is wrong with it.
template <class F>
std::string outcome(F&& read) {
    using namespace edge::frame;
    try {
        const table t = read();
        std::string all = to_csv(t);
        for (const column& c : t.columns()) all += to_string(c.kind()) + " ";
        return all;
    } catch (const edge::error& e) {
        return e.what();
    }
}

/// With options that the first bytes say, in one piece, in small ones, and batch by batch.
void check_options(std::string_view text) {
    using namespace edge::frame;
    if (text.size() < 2) return;
    const auto a = static_cast<unsigned char>(text[0]);
    const auto b = static_cast<unsigned char>(text[1]);
    text.remove_prefix(2);
    csv_options options{.delimiter = (a & 1) != 0 ? '\t' : ',',
                        .header = (a & 2) == 0,
                        .quote = (a & 4) != 0   ? '\0'
                                 : (a & 8) != 0 ? '\''
                                                : '"',
                        .comment = (a & 16) != 0 ? '#' : '\0',
                        .ragged = static_cast<ragged_rows>((a >> 5) % 3),
                        .skip_lines = b & 1U,
                        .dictionary = (b & 2) != 0,
                        .threads = 1};
    if ((b & 4) != 0) options.missing = {"NA", "-1"};
    if ((b & 8) != 0) options.max_rows = b >> 6;
    const auto pieces = [&](std::size_t bytes) {
        return outcome([&] { return edge::frame::detail::parse_csv_in_pieces(text, "fuzz", options, bytes); });
    };
    const std::string whole = pieces(std::size_t{1} << 20);
    expect(pieces(64 + (b & 48U) * 4U) == whole, "cut another way, it is read another way");
    try {
        csv_reader reader(std::make_unique<text_source>(text), "fuzz", options, 256);
        std::uint64_t rows = 0;
        std::vector<kind> kinds;
        while (const auto batch = reader.next()) {
            rows += batch->rows();
            if (kinds.empty())
                for (const column& c : batch->columns()) kinds.push_back(c.kind());
            for (std::size_t c = 0; c < kinds.size(); ++c)
                expect(batch->columns()[c].kind() == kinds[c], "a kind changes between batches");
        }
        expect(rows == reader.rows(), "rows are counted wrong");
    } catch (const edge::error&) {
        return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, ',');
    check(text, ';');
    check_options(text);
    return 0;
}

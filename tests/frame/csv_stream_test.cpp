// SPDX-License-Identifier: MIT
#include <edge/frame/compressed.hpp>
#include <edge/frame/csv_stream.hpp>
#include <edge/frame/csv_writer.hpp>

#include "support/catch.hpp"
#include "support/raised.hpp"
#include "support/temporary_folder.hpp"

#include <random>

using namespace edge::frame;
using edge::parse_error;

namespace {

/// Bytes of a text, at most `step` at a time.
class text_source final : public byte_source {
public:
    explicit text_source(std::string text) : text_(std::move(text)) {}
    std::size_t read(std::span<char> to) override {
        const std::size_t n = (std::min)(to.size(), text_.size() - at_);
        std::copy_n(text_.data() + at_, n, to.data());
        at_ += n;
        return n;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

csv_reader reader_of(const std::string& text, csv_options options = {}, std::size_t batch = 64) {
    return csv_reader(std::make_unique<text_source>(text), "a.csv", std::move(options), batch);
}

/// All batches as one table.
table joined(csv_reader reader) {
    std::vector<table> parts;
    while (auto batch = reader.next()) parts.push_back(std::move(*batch));
    return concat(parts);
}

std::string words_and_numbers(std::size_t rows, unsigned seed) {
    std::mt19937 random(seed);
    std::string text = "i,f,s,t,b\n";
    for (std::size_t r = 0; r < rows; ++r) {
        text += std::to_string(random() % 1000) + "," + std::to_string(random() % 1000) + ".25,";
        const char* const words[] = {"word",    "\"two\nlines\"", "\"a \"\"quote\"\"\"", "", "\"\"",
                                     "\"x,y\"", "\xC3\xB6"};
        text += words[random() % std::size(words)];
        text += random() % 2 != 0 ? ",2024-03-01T12:00:00.25Z,true\r\n" : ",,FALSE\n";
    }
    return text;
}

}  // namespace

TEST_CASE("batches together are the table, however small they are", "[frame][csv]") {
    const std::string text = words_and_numbers(40, 1);
    const std::string whole = to_csv(parse_csv(text));
    for (const std::size_t batch : {128U, 150U, 333U, 4096U}) {
        INFO("batches of " << batch);
        CHECK(to_csv(joined(reader_of(text, {.kinds = {{"s", kind::string}, {"t", kind::timestamp}}}, batch))) ==
              whole);
    }
    CHECK(joined(reader_of("a,b\n")).names().size() == 2);
    CHECK(joined(reader_of("a,b\n1,2\n\n\n3,4", {.max_rows = 1})).rows() == 1);
    CHECK(to_csv(joined(reader_of("#x\na,b\n#\"\n1,2\n#3\n4,5\n#", {.comment = '#'}))) == "a,b\n1,2\n4,5\n");
}

TEST_CASE("a later batch that does not fit is an error with its place", "[frame][csv]") {
    std::string text = "a,b\n";
    for (int i = 0; i < 30; ++i) text += "1,\"2\n\"\n";
    const auto failure = [](csv_reader reader) {
        return raised<parse_error>([&] {
            while (reader.next()) {
            }
        });
    };
    CHECK(
        failure(reader_of(text + "1.5,2\n")) ==
        "a.csv: row 32 (line 62), column 'a': '1.5' is not of kind int64, as the first 8 rows are; csv_options::kinds "
        "can say what it is");
    CHECK(failure(reader_of(text + "1.5,2\n", {.kinds = {{"a", kind::int8}}})) ==
          "a.csv: row 32 (line 62), column 'a': '1.5' is not of kind int8");
    CHECK(failure(reader_of(text + "1\n")) == "a.csv: row 32 (line 62): 1 cell; expected 2 as in the first row");
    CHECK(failure(reader_of(text + "1,\"x")) == "a.csv: row 32 (line 62): a quote begins here and does not end");
    CHECK(failure(reader_of(text + "1,\xFF\n")) == "a.csv: byte 216 is not UTF-8");
    const auto too_long = raised<edge::unsupported_error>([&] {
        csv_reader reader = reader_of("a,b\n1,2\n3," + std::string(100, 'x'));
        while (reader.next()) {
        }
    });
    CHECK(too_long == "a.csv: row 3 (line 3): has no end within 64 bytes, which is all of a batch");
    CHECK_THROWS_AS(reader_of("a", {}, 1), edge::argument_error);
    CHECK_THROWS_AS(csv_reader("/nonexistent/a.csv"), edge::io_error);
}

TEST_CASE("files are streamed with progress and a report", "[frame][csv]") {
    const temporary_folder folder;
    edge::write_file(folder / "a.csv", "a,b\n1,2\n3\n4,5\n");
    csv_report report;
    std::uint64_t done = 0, total = 0;
    csv_reader reader(folder / "a.csv", {.ragged = ragged_rows::skip,
                                         .progress =
                                             [&](std::uint64_t d, std::uint64_t t) {
                                                 done = d;
                                                 total = t;
                                             },
                                         .report = &report});
    while (reader.next()) {
    }
    CHECK(reader.rows() == 2);
    CHECK(reader.rows_skipped() == 1);
    CHECK(report.rows == 2);
    CHECK(report.rows_skipped == 1);
    CHECK(done == 14);
    CHECK(total == 14);
}

TEST_CASE("compressed files are read as what they hold", "[frame][csv]") {
    const temporary_folder folder;
    const std::string text = words_and_numbers(300, 2);
    const std::string whole = to_csv(parse_csv(text));
    edge::write_file(folder / "plain.csv", text);
    CHECK(to_csv(read_compressed_csv(folder / "plain.csv")) == whole);
    for (const codec c : {codec::gzip, codec::zstd}) {
        if (!is_available(c)) continue;
        INFO(to_string(c));
        parquet::compressor pack(c);
        std::string bytes;  // of two members
        for (const std::string_view part :
             {std::string_view(text).substr(0, 1000), std::string_view(text).substr(1000)}) {
            const auto packed = pack(std::as_bytes(std::span(part)));
            bytes.append(reinterpret_cast<const char*>(packed.data()), packed.size());
        }
        edge::write_file(folder / "a", bytes);
        CHECK(to_csv(read_compressed_csv(folder / "a")) == whole);
        csv_options options{.kinds = {{"s", kind::string}, {"t", kind::timestamp}}};
        CHECK(to_csv(joined(csv_reader(open_source(folder / "a"), "a", options, 512))) == whole);
        edge::write_file(folder / "torn", bytes.substr(0, bytes.size() - 5));
        CHECK_THROWS_AS(read_compressed_csv(folder / "torn"), parse_error);
        if (c == codec::zstd) continue;  // no checksum
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
        edge::write_file(folder / "damaged", bytes);
        CHECK_THROWS_AS(read_compressed_csv(folder / "damaged"), edge::error);
    }
}

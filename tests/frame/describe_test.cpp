// SPDX-License-Identifier: MIT
#include <edge/frame/describe_accumulator.hpp>

#include "support/catch.hpp"

#include <bit>
#include <limits>
#include <random>

using namespace edge::frame;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Values that are alike in their high bits, apart, repeated, missing, not numbers, and infinite.
table awkward(std::size_t rows) {
    std::mt19937_64 random(rows);
    std::vector<double> near(rows), wild(rows), same(rows, -7.5);
    std::vector<std::int64_t> wide(rows);
    std::vector<std::uint8_t> small(rows);
    std::vector<bool> there(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        near[i] = 9.81 + static_cast<double>(random() % 1000) * 1e-9;
        wild[i] = std::bit_cast<double>(random());
        if (random() % 10 == 0) wild[i] = random() % 2 == 0 ? infinity : -infinity;
        wide[i] = static_cast<std::int64_t>(random());
        small[i] = static_cast<std::uint8_t>(random());
        there[i] = random() % 4 != 0;
    }
    return {{"near", column(near)},
            {"wild", column(wild, there)},
            {"same", column(same, there)},
            {"name", column(std::vector<std::string>(rows, "x"))},
            {"wide", column(wide)},
            {"statistic", column(small, there)},
            {"none", column::missing(kind::float32, rows)}};
}

std::string text_of(const table& t) {
    std::string text;
    for (std::size_t c = 0; c < t.names().size(); ++c) {
        text += t.names()[c] + ":";
        const column& values = t.columns()[c];
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!values.is_valid(i))
                text += " -";
            else if (values.kind() == kind::string)
                text += " " + std::string(values.text(i));
            else if (const double v = values.values<double>()[i]; v != v)
                text += " nan";
            else
                text += edge::message(" ", v);
        }
        text += "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("statistics of a stream are those of the table", "[frame][describe]") {
    for (const std::size_t rows : std::vector<std::size_t>{0, 1, 2, 5, 1000, 5000}) {
        const table t = awkward(rows);
        for (const std::size_t most_kept : std::vector<std::size_t>{1, 100, 1'000'000}) {
            describe_accumulator all(most_kept);
            int passes = 0;
            do {
                for (std::size_t first = 0; first < rows || first == 0; first += 700)
                    all.update(t.slice(first, (std::min)(rows - first, std::size_t{700})));
                ++passes;
            } while (all.next_pass());
            CAPTURE(rows, most_kept, passes);
            CHECK(text_of(all.finish()) == text_of(describe(t)));
            CHECK(passes <= (most_kept == 1'000'000 ? 2 : 5));
            CHECK(passes >= (rows != 0 ? 2 : 1));
        }
    }
}

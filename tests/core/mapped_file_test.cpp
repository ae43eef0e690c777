// SPDX-License-Identifier: MIT
#include <edge/core/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>

TEST_CASE("a mapped file has the bytes of the file", "[core][file]") {
    const temporary_folder folder;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{100001}}) {
        std::string text(size, '\0');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 % 251);
        edge::write_file(folder / "a", text);
        const edge::mapped_file file(folder / "a");
        REQUIRE(file.bytes().size() == size);
        CHECK(std::equal(text.begin(), text.end(), reinterpret_cast<const char*>(file.bytes().data())));
    }
    CHECK_THROWS_WITH(edge::mapped_file(folder / "none"), Catch::Contains("none: cannot open"));
    CHECK_THROWS_WITH(edge::mapped_file(folder.path()), Catch::Contains("is a folder, not a file"));
}

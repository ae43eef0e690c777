// SPDX-License-Identifier: MIT
#include <edge/core/file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;

TEST_CASE("a file appears only when it is committed", "[core][file]") {
    const temporary_folder folder;
    const fs::path path = folder / "a.bin";
    {
        edge::output_file out(path);
        out.write("half");
    }
    CHECK(fs::is_empty(folder.path()));
    {
        edge::output_file out(path);
        out.write("whole");
        CHECK_FALSE(fs::exists(path));
        out.commit();
    }
    CHECK(edge::read_text_file(path) == "whole");
}

TEST_CASE("a commit replaces the file that was there and leaves no other", "[core][file]") {
    const temporary_folder folder;
    const fs::path path = folder / "a.bin";
    edge::write_file(path, "first");
    edge::write_file(path, "second");
    CHECK(edge::read_text_file(path) == "second");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("file errors name the path and the reason", "[core][file]") {
    const temporary_folder folder;
    CHECK_THROWS_AS(edge::read_file(folder / "none"), edge::io_error);
    CHECK_THROWS_AS(edge::read_file(folder.path()), edge::io_error);
    CHECK_THROWS_AS(edge::output_file(folder / "none" / "a"), edge::io_error);
    CHECK_THROWS_AS(edge::output_file(folder.path()), edge::io_error);
    edge::write_file(folder / "a", "0123");
    edge::input_file in(folder / "a");
    std::byte bytes[3];
    CHECK_THROWS_AS(in.read(2, bytes), edge::io_error);
    in.read(1, bytes);
    CHECK(bytes[2] == std::byte{'3'});
}

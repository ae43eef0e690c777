// SPDX-License-Identifier: MIT
#pragma once

/// @file Runs one of the built programs and says what it did.
///
///     scratch folder;
///     folder.write("p.csv", "x,y\n1,2\n");
///     const auto r = run("edge_match", {folder / "p.csv", "zones.geojson", "-o", "-"});
///     CHECK(r.status == 0);
///
/// The programs are in the folder named by EDGE_BIN; on another machine's behalf they are run by EDGE_RUNNER.

#include <edge/core/file.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// A folder of a check's own, removed at its end.
class scratch {
public:
    scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "edge-check-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }

    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
    [[nodiscard]] std::string read(const std::string& name) const { return edge::read_text_file(path_ / name); }

private:
    std::filesystem::path path_;
};

struct outcome {
    int status = -1;
    std::string out;
    std::string err;
};

/// Whether there is such a program: one whose libraries are absent is not built.
inline bool is_built(const std::string& program) {
    const char* folder = std::getenv("EDGE_BIN");
    REQUIRE_MESSAGE(folder != nullptr, "EDGE_BIN is not set: run the checks by ctest");
    return std::filesystem::exists(std::filesystem::path(folder) / program);
}

inline outcome run(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& input = {}) {
    const scratch folder;
    const auto quoted = [](const std::string& text) {
        std::string out = "'";
        for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return out + "'";
    };
    REQUIRE_MESSAGE(is_built(program), program, " is not in EDGE_BIN");
    const char* runner = std::getenv("EDGE_RUNNER");
    std::string command = runner == nullptr ? std::string() : std::string(runner) + " ";
    command += quoted(std::string(std::getenv("EDGE_BIN")) + "/" + program);
    for (const std::string& argument : arguments) command += " " + quoted(argument);
    folder.write("in", input);
    command += " <" + quoted(folder / "in") + " >" + quoted(folder / "out") + " 2>" + quoted(folder / "err");
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status));
    return {WEXITSTATUS(status), folder.read("out"), folder.read("err")};
}

/// What every program does when it fails: the status, nothing on stdout, and one line that begins with its name.
inline void check_refusal(const std::string& program, const std::vector<std::string>& arguments, int status,
                          const std::string& part) {
    const outcome r = run(program, arguments);
    CAPTURE(r.err);
    CHECK(r.status == status);
    CHECK(r.out.empty());
    CHECK(r.err.rfind(program + ": error: ", 0) == 0);
    CHECK(r.err.find(part) != std::string::npos);
    if (status == 1) CHECK(r.err.find('\n') == r.err.size() - 1);
}

// SPDX-License-Identifier: MIT
#pragma once

/// @file What every `edge_` program has in common: its options, its exit status, and how it says that it failed.
///
///     int main(int argc, char** argv) {
///         program app("edge_match", "Each point to the smallest polygon near it.");
///         std::string points;
///         app.cli.add_option("POINTS", points, "CSV with columns x and y")->required();
///         return app.run(argc, argv, [&] { … });
///     }
///
/// Exit status: 0 done, 1 failed with one line on stderr (`edge_x: error: …`), 2 wrong usage. `--help`, `--version` and
/// `--json` are there already; with `--json`, stdout holds exactly what `print_json` was given.

#include <edge/core/cpu.hpp>
#include <edge/core/error.hpp>
#include <edge/core/version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <new>
#include <string>

class program {
public:
    program(std::string name, const std::string& purpose) : cli(purpose, name), name_(std::move(name)) {
        cli.set_version_flag("--version", edge::message(name_, " ", edge::version, "\ncompiled for  ",
                                                        edge::cpu::to_string(edge::cpu::compiled()), "\nthis machine  ",
                                                        edge::cpu::to_string(edge::cpu::machine())));
        cli.add_flag("--json", json, "Print exactly one JSON object on stdout");
        cli.get_formatter()->column_width(36);
        cli.fallthrough();
    }

    CLI::App cli;
    bool json = false;

    /// Parses the command line, calls `work`, and turns what it throws into a line and an exit status.
    template <class Work>
    int run(int argc, char** argv, Work&& work) {
        try {
            cli.parse(argc, argv);
        } catch (const CLI::Success& done) {
            return cli.exit(done);
        } catch (const CLI::ParseError& wrong) {
            std::cerr << name_ << ": error: " << wrong.what() << "\ntry: " << name_ << " --help\n";
            return 2;
        }
        try {
            if (const auto lacking = edge::cpu::missing(); lacking.bits != 0)
                throw edge::unsupported_error("this program was built for a newer processor (" +
                                              edge::cpu::to_string(edge::cpu::compiled()) + ")");
            work();
            std::cout.flush();
            if (!std::cout) throw edge::io_error("cannot write to standard output");
            return 0;
        } catch (const std::bad_alloc&) {
            return fail("out of memory");
        } catch (const std::exception& e) {
            return fail(e.what());
        }
    }

    /// The one JSON object of `--json`.
    void print_json(const nlohmann::ordered_json& object) const {
        std::cout << object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    }

private:
    int fail(const std::string& why) const {
        std::cerr << name_ << ": error: " << why << '\n';
        return 1;
    }

    std::string name_;
};

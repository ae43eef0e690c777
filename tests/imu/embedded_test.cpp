// SPDX-License-Identifier: MIT
// The part of the layer that runs on a microcontroller: no exceptions, no RTTI, no allocation.

#include <edge/imu/mpu6050.hpp>
#include <edge/imu/ring.hpp>
#include <edge/imu/scenario.hpp>
#include <edge/imu/simulator.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;

/// Runs a command; its status and what it said.
std::pair<int, std::string> run(const std::string& command, const fs::path& log) {
    const int status = std::system((command + " >'" + log.string() + "' 2>&1").c_str());
    std::ifstream in(log);
    return {status, std::string(std::istreambuf_iterator<char>(in), {})};
}

/// The folder that holds tl/expected.hpp, where it is in a usual place.
fs::path folder_of_expected() {
    for (const char* place : {"/usr/include", "/usr/local/include", "/opt/homebrew/include"})
        if (fs::exists(fs::path(place) / "tl/expected.hpp")) return place;
    return {};
}

}  // namespace

TEST_CASE("sampling allocates nothing, from configuration to SI units", "[imu][embedded]") {
    using namespace edge::imu;
    const scenario drive;
    simulator device{[&drive](double t) { return drive.motion_at(t); }};
    retrying_bus bus{device};
    mpu6050 imu{bus};
    ring<raw_sample, 128> queue;
    std::array<raw_sample, 64> batch;
    float sum = 0;
    std::size_t read = 0;

    const std::size_t before = allocations();
    bool ok = imu.configure({}).has_value();
    for (int i = 0; i < 100; ++i) {
        ok = ok && imu.wait_ready();
        const auto sample = imu.read();
        ok = ok && sample && queue.push(*sample);
    }
    raw_sample one;
    while (queue.pop(one)) sum += imu.to_si(one).accel_mps2[2];
    ok = ok && imu.start_fifo();
    for (int i = 0; i < 20; ++i) {
        device.advance(100'000'000);
        const auto got = imu.read_fifo(batch);
        ok = ok && got && !got->overflow;
        if (got) read += got->count;
    }
    const std::size_t after = allocations();

    CHECK(ok);
    CHECK(after == before);
    CHECK(read == 400);
    CHECK(sum == Approx(100 * 9.8F).epsilon(0.05));
}

TEST_CASE("the driver compiles as firmware", "[imu][embedded]") {
    const fs::path here = fs::path(__FILE__).parent_path();
    const fs::path root = here.parent_path().parent_path();
    if (!fs::exists(root / "include/edge/imu.hpp")) {
        WARN("skipped: the sources are not where they were compiled from");
        return;
    }
    const fs::path expected = folder_of_expected();
    if (expected.empty()) {
        WARN("skipped: tl/expected.hpp is in no usual place");
        return;
    }
    // By itself: a cross compiler must not see the other headers beside it.
    const temporary_folder folder;
    fs::create_directory(folder / "tl");
    fs::copy_file(expected / "tl/expected.hpp", folder / "tl/expected.hpp");

    struct tool {
        std::string compiler, flags, symbols;
    };
    const tool tools[] = {
        {"g++", "", "nm"},
        {"clang++", "", "nm"},
        {"arm-none-eabi-g++", "-mcpu=cortex-m0 -mthumb -ffreestanding", "arm-none-eabi-nm"},
        {"arm-none-eabi-g++", "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard", "arm-none-eabi-nm"},
    };
    for (const tool& t : tools) {
        if (run("command -v " + t.compiler, folder / "log").first != 0) {
            WARN("skipped: there is no " << t.compiler);
            continue;
        }
        // A cross compiler without its standard library is one that cannot compile anything of this language.
        std::ofstream(folder / "probe.cpp") << "#include <span>\n#include <atomic>\n#include <functional>\n";
        const std::string common =
            t.compiler + " -std=c++20 " + t.flags + " -c -o '" + (folder / "firmware.o").string() + "' ";
        if (run(common + "'" + (folder / "probe.cpp").string() + "'", folder / "log").first != 0) {
            WARN("skipped: " << t.compiler << " has no standard library");
            continue;
        }
        const auto [status, said] =
            run(common + "-Os -fno-exceptions -fno-rtti -Wall -Wextra -Wconversion -Wshadow -Werror -I'" +
                    (root / "include").string() + "' -isystem '" + folder.path().string() + "' '" +
                    (here / "firmware/firmware.cpp").string() + "'",
                folder / "log");
        INFO(t.compiler << ' ' << t.flags << '\n' << said);
        REQUIRE(status == 0);

        const auto [listed, symbols] =
            run(t.symbols + " -u '" + (folder / "firmware.o").string() + "'", folder / "log");
        INFO(symbols);
        REQUIRE(listed == 0);
        // operator new and delete, malloc, exceptions, locks for atomics, guards for statics
        for (const char* forbidden :
             {"_Znw", "_Zna", "_Zdl", "malloc", "__cxa_throw", "__cxa_guard", "__atomic", "_ZTI"}) {
            INFO(forbidden);
            CHECK(symbols.find(forbidden) == std::string::npos);
        }
    }
}

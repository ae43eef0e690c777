// SPDX-License-Identifier: MIT
#include <edge/core/cpu.hpp>

#include "support/catch.hpp"

#include <fstream>
#include <sstream>
#include <string>

using edge::cpu::feature;

TEST_CASE("what this file was compiled for runs here", "[core][cpu]") {
    CHECK(edge::cpu::missing().bits == 0);
    CHECK((edge::cpu::compiled().bits & ~edge::cpu::machine().bits) == 0);
}

TEST_CASE("a processor with a wide instruction set has the narrower ones", "[core][cpu]") {
    const auto implies = [](feature wide, feature narrow) { return !edge::cpu::has(wide) || edge::cpu::has(narrow); };
    CHECK(implies(feature::avx2, feature::avx));
    CHECK(implies(feature::avx, feature::sse4_2));
    CHECK(implies(feature::sse4_2, feature::ssse3));
    CHECK(implies(feature::ssse3, feature::sse2));
    CHECK(implies(feature::avx512bw, feature::avx512f));
    CHECK(implies(feature::i8mm, feature::neon));
}

TEST_CASE("features print oldest first after the family", "[core][cpu]") {
    edge::cpu::features f;
    f.set(feature::avx2);
    f.set(feature::sse2);
    const std::string text = edge::cpu::to_string(f);
    CHECK(text.substr(text.find(' ')) == " sse2 avx2");
}

#if defined(__linux__) && defined(__x86_64__)
TEST_CASE("detection agrees with the kernel's", "[core][cpu]") {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line) && line.rfind("flags", 0) != 0) {
    }
    if (line.rfind("flags", 0) != 0) return;  // an emulator shows the host's file
    std::istringstream words(line);
    std::string all = " ";
    for (std::string word; words >> word;) all += word + " ";
    const auto listed = [&](const char* name) { return all.find(std::string(" ") + name + " ") != std::string::npos; };
    CHECK(edge::cpu::has(feature::sse4_2) == listed("sse4_2"));
    CHECK(edge::cpu::has(feature::avx) == listed("avx"));
    CHECK(edge::cpu::has(feature::avx2) == listed("avx2"));
    CHECK(edge::cpu::has(feature::fma) == listed("fma"));
    CHECK(edge::cpu::has(feature::avx512bw) == listed("avx512bw"));
    CHECK(edge::cpu::has(feature::avx512vnni) == listed("avx512_vnni"));
    CHECK(edge::cpu::has(feature::avxvnni) == listed("avx_vnni"));
}
#endif

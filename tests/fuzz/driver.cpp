// SPDX-License-Identifier: MIT
//
// Runs a fuzzer where there is no libFuzzer: every file of the given folders as it is, then damaged copies of them,
// each a function of the seed and its number. Takes libFuzzer's options -seed, -max_total_time, -max_len and ignores
// others. The input that is being tried is written to `crash-input` when the program dies of it.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Of the sanitizers' runtime, when there is one.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using bytes = std::vector<std::uint8_t>;

const bytes* current = nullptr;

void save_input() {
    if (std::FILE* f = current != nullptr ? std::fopen("crash-input", "wb") : nullptr) {
        std::fwrite(current->data(), 1, current->size(), f);
        std::fclose(f);
        std::fputs("the input is in crash-input\n", stderr);
    }
}

extern "C" void die(int signal) {
    save_input();
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

void try_input(const bytes& input) {
    current = &input;
    LLVMFuzzerTestOneInput(input.data(), input.size());
    current = nullptr;
}

void damage(bytes& input, const std::vector<bytes>& seeds, std::mt19937& random, std::size_t most) {
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random()) % n; };
    const auto byte = [&] { return static_cast<std::uint8_t>(random()); };
    const auto at = [&](std::size_t i) { return input.begin() + static_cast<std::ptrdiff_t>(i); };
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
        switch (below(7)) {
            case 0:  // a bit
                if (!input.empty()) input[below(input.size())] ^= static_cast<std::uint8_t>(1U << below(8));
                break;
            case 1:  // a byte, often one that lengths break on
                if (!input.empty()) {
                    const std::uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, byte()};
                    input[below(input.size())] = telling[below(std::size(telling))];
                }
                break;
            case 2:  // cut off
                input.resize(below(input.size() + 1));
                break;
            case 3: {  // a piece out
                const std::size_t first = below(input.size() + 1);
                input.erase(at(first), at(first + below(input.size() - first + 1)));
                break;
            }
            case 4: {  // a piece twice
                const std::size_t first = below(input.size() + 1);
                const bytes piece(at(first), at(first + below(input.size() - first + 1)));
                input.insert(at(below(input.size() + 1)), piece.begin(), piece.end());
                break;
            }
            case 5:  // bytes in
                input.insert(at(below(input.size() + 1)), 1 + below(8), byte());
                break;
            default: {  // the end of another
                const bytes& other = seeds[below(seeds.size())];
                input.resize(below(input.size() + 1));
                const auto from = static_cast<std::ptrdiff_t>(below(other.size() + 1));
                input.insert(input.end(), other.begin() + from, other.end());
                break;
            }
        }
    }
    if (input.size() > most) input.resize(most);
}

}  // namespace

int main(int argc, char** argv) {
    unsigned long seed = 1;
    unsigned long seconds = 5;
    std::size_t most = 16384;
    std::vector<bytes> seeds;
    const auto add = [&](const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    };
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const auto value = [&] { return std::strtoul(argument.c_str() + argument.find('=') + 1, nullptr, 10); };
        if (argument.starts_with("-seed="))
            seed = value();
        else if (argument.starts_with("-max_total_time="))
            seconds = value();
        else if (argument.starts_with("-max_len="))
            most = value();
        else if (argument.starts_with("-"))
            continue;
        else if (!std::filesystem::is_directory(argument))
            add(argument);
        else
            for (const auto& entry : std::filesystem::recursive_directory_iterator(argument))
                if (entry.is_regular_file()) add(entry.path());
    }
    std::sort(seeds.begin(), seeds.end());
    for (const int signal : {SIGSEGV, SIGABRT, SIGFPE}) std::signal(signal, die);
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save_input);

    seeds.emplace_back();
    for (bytes& input : seeds) {
        if (input.size() > most) input.resize(most);
        try_input(input);
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    unsigned long runs = 0;
    while (std::chrono::steady_clock::now() < end) {
        std::mt19937 random(static_cast<std::uint32_t>(seed * 1000003 + runs++));
        bytes input = seeds[random() % seeds.size()];
        damage(input, seeds, random, most);
        try_input(input);
    }
    std::printf("%zu inputs, %lu damaged ones\n", seeds.size(), runs);
    return 0;
}

// SPDX-License-Identifier: MIT
#pragma once

/// @file A program that runs jobs when it is told to, so that one script can alternate several of them:
///
///     multiply 1000000 2        one line in: job, elements, threads
///     0.000213                  one line out: seconds of one run; `unknown` for a job that it has not
///
/// A job is timed over as many runs as take ten milliseconds.

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>

namespace peer {

/// Gets the inputs of a job, and gives what is timed; nothing where it cannot run on so many threads.
using job = std::function<std::function<void()>(long n, int threads)>;

/// The inputs of `n` elements, made once for all jobs of that size.
template <class Inputs>
std::shared_ptr<Inputs> inputs(long n) {
    static std::shared_ptr<Inputs> last;
    static long size = -1;
    if (n != size) {
        last = nullptr;
        last = std::make_shared<Inputs>(n);
        size = n;
    }
    return last;
}

/// Element i of an input: the same numbers in every program.
inline float value(long i, long seed) {
    const auto bits = static_cast<unsigned long>(i + seed) * 2654435761UL;
    return static_cast<float>(bits % 4001) / 1000.0f - 2.0f;
}

/// Keeps what a job computes.
template <class T>
inline void keep(const T& x) {
    asm volatile("" : : "g"(&x) : "memory");
}

inline double seconds(const std::function<void()>& run, int runs) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < runs; ++i) run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline int serve(const std::map<std::string, job>& jobs) {
    struct prepared {
        std::function<void()> run;
        int runs = 1;
    };
    std::map<std::string, prepared> ready;
    std::string name;
    long n = 0, size = -1;
    int threads = 0;
    while (std::cin >> name >> n >> threads) {
        if (n != size) ready.clear();
        size = n;
        const auto [at, is_new] = ready.try_emplace(name + ' ' + std::to_string(threads));
        prepared& p = at->second;
        if (is_new) {
            const auto found = jobs.find(name);
            if (found != jobs.end()) p.run = found->second(n, threads);
            if (p.run) {
                p.run();
                while (seconds(p.run, p.runs) < 0.01) p.runs *= 2;
            }
        }
        if (p.run) {
            std::cout << seconds(p.run, p.runs) / p.runs << std::endl;
        } else {
            std::cout << "unknown" << std::endl;
        }
    }
    return 0;
}

}  // namespace peer

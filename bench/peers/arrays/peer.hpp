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
#include <string>

namespace peer {

/// Makes the inputs of a job once, and gives what is timed.
using job = std::function<std::function<void()>(long n, int threads)>;

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
    std::string name, current;
    long n = 0;
    int threads = 0;
    int runs = 1;
    std::function<void()> run;
    while (std::cin >> name >> n >> threads) {
        const std::string key = name + ' ' + std::to_string(n) + ' ' + std::to_string(threads);
        if (key != current) {
            const auto found = jobs.find(name);
            run = nullptr;  // frees the inputs of the last job first
            run = found == jobs.end() ? nullptr : found->second(n, threads);
            if (run) {
                run();
                for (runs = 1; seconds(run, runs) < 0.01;) runs *= 2;
            }
            current = key;
        }
        if (run) {
            std::cout << seconds(run, runs) / runs << std::endl;
        } else {
            std::cout << "unknown" << std::endl;
        }
    }
    return 0;
}

}  // namespace peer

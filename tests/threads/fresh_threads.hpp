// SPDX-License-Identifier: MIT
#pragma once

/// @file A thread pool whose threads the thread sanitizer knows, as it does not know those of OpenMP.
///
///     fresh_threads pool;
///     edge::set_thread_pool(&pool);
///     …
///     edge::set_thread_pool(nullptr);

#include <edge/core/parallel.hpp>

#include <thread>
#include <vector>

/// New threads for each call: as many as there are parts.
class fresh_threads final : public edge::thread_pool {
public:
    [[nodiscard]] int size() const noexcept override { return 3; }
    void run(int parts, void (*part)(void* context, int i), void* context) override {
        std::vector<std::thread> others;
        for (int i = 1; i < parts; ++i) others.emplace_back([=] { part(context, i); });
        part(context, 0);
        for (auto& t : others) t.join();
    }
};

// SPDX-License-Identifier: MIT
// Reductions of 5000 x 10000 floats against a loop that does no more than read them: the floor, on as many threads.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include "support/floor.hpp"

#include <cstdio>
#include <string>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;

/// One job over all elements and along each axis. `f` takes the array, and the axis if there is one; gives a number.
template <class F>
void run(const char* name, const tensor<float>& x, int threads, F&& f) {
    const auto size = static_cast<std::size_t>(x.size());
    const who floor{"read", [&] { return static_cast<double>(floors::read(x.data(), x.size(), threads)); }};
    const auto report = [&](const std::string& job, const auto& edge) {
        const auto result = edge::perf::compare({.job = job, .n = size, .threads = threads, .check = false},
                                                std::tuple(), floor, who{"edge", edge});
        std::fputs(result.table().c_str(), stderr);
        std::fputs(result.json_lines().c_str(), stdout);
    };
    report(name, [&] { return static_cast<double>(f(x)); });
    for (const index_t axis : {0, 1})
        report(std::string(name) + " along axis " + std::to_string(axis),
               [&] { return static_cast<double>(f(x, axis)[axis]); });
}

}  // namespace

int main() {
    tensor<float> x({5000, 10000});
    std::uint32_t state = 1;
    for (float& v : x) v = static_cast<float>((state = state * 1664525U + 1013904223U) >> 8) / 16777216.0f;
    for (const int t : {1, 2}) {
        run("sum", x, t, [t](const auto& a, auto... axis) { return edge::sum(a, axis..., {.threads = t}); });
        run("mean", x, t, [t](const auto& a, auto... axis) { return edge::mean(a, axis..., {.threads = t}); });
        run("var", x, t, [t](const auto& a, auto... axis) { return edge::var(a, axis..., {.threads = t}); });
        run("max", x, t, [t](const auto& a, auto... axis) { return edge::max(a, axis..., {.threads = t}); });
        run("argmax", x, t, [t](const auto& a, auto... axis) { return edge::argmax(a, axis..., {.threads = t}); });
        run("sum of squares", x, t,
            [t](const auto& a, auto... axis) { return edge::sum(a * a, axis..., {.threads = t}); });
    }
}

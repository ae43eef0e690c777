// SPDX-License-Identifier: MIT
// Functions element by element, one thread, beside a loop over the C library's, and the time that moving the bytes alone
// takes. Other libraries' are in bench/peers/arrays.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <tuple>

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;

/// Milliseconds that a copy of n floats takes, at best.
double copy_ms(const tensor<float>& from, tensor<float>& to) {
    const auto bytes = static_cast<std::size_t>(from.size()) * sizeof(float);
    const int copies = static_cast<int>((std::size_t{1} << 26) / bytes) + 1;
    double best = 1e9;
    for (int round = 0; round < 7; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < copies; ++i) {
            std::memcpy(to.data(), from.data(), bytes);
            edge::perf::keep(to[0]);
        }
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / copies);
    }
    return best;
}

void run(index_t n) {
    tensor<float> x({n}), positive({n}), part({n}), out({n});
    for (index_t i = 0; i < n; ++i) {
        x[i] = static_cast<float>(i * 7919 % 1000003) / 1000003.0f * 16.0f - 8.0f;
        positive[i] = std::abs(x[i]) + 0.001f;
        part[i] = x[i] / 8.0f;
    }
    const double floor_ms = copy_ms(x, out);
    const auto job = [&](const char* name, const tensor<float>& from, auto one, const auto& expression) {
        const auto middle = [&] { return double{out[n / 2]}; };
        const auto result = edge::perf::compare(
            {.job = name, .n = static_cast<std::size_t>(n), .tolerance = 1e-5, .floor_ms = floor_ms}, std::tuple(),
            who{"libm",
                [&] {
                    for (index_t i = 0; i < n; ++i) out[i] = one(from[i]);
                    return middle();
                }},
            who{"edge", [&] {
                    edge::assign(out, expression, {.threads = 1});
                    return middle();
                }});
        std::fputs(result.table().c_str(), stderr);
        std::fputs(result.json_lines().c_str(), stdout);
    };
    job(
        "sqrt", positive, [](float v) { return std::sqrt(v); }, edge::sqrt(positive));
    job(
        "exp", x, [](float v) { return std::exp(v); }, edge::exp(x));
    job(
        "exp2", x, [](float v) { return std::exp2(v); }, edge::exp2(x));
    job(
        "expm1", x, [](float v) { return std::expm1(v); }, edge::expm1(x));
    job(
        "log", positive, [](float v) { return std::log(v); }, edge::log(positive));
    job(
        "log1p", positive, [](float v) { return std::log1p(v); }, edge::log1p(positive));
    job(
        "sin", x, [](float v) { return std::sin(v); }, edge::sin(x));
    job(
        "cos", x, [](float v) { return std::cos(v); }, edge::cos(x));
    job(
        "tan", x, [](float v) { return std::tan(v); }, edge::tan(x));
    job(
        "asin", part, [](float v) { return std::asin(v); }, edge::asin(part));
    job(
        "atan", x, [](float v) { return std::atan(v); }, edge::atan(x));
    job(
        "sinh", x, [](float v) { return std::sinh(v); }, edge::sinh(x));
    job(
        "tanh", x, [](float v) { return std::tanh(v); }, edge::tanh(x));
    job(
        "asinh", x, [](float v) { return std::asinh(v); }, edge::asinh(x));
    job(
        "erf", x, [](float v) { return std::erf(v); }, edge::erf(x));
    job(
        "cbrt", x, [](float v) { return std::cbrt(v); }, edge::cbrt(x));
    job(
        "sigmoid", x, [](float v) { return 1.0f / (1.0f + std::exp(-v)); }, edge::sigmoid(x));
    job(
        "hypot", x, [](float v) { return std::hypot(v, 2.0f); }, edge::hypot(x, 2.0f));
    job(
        "pow", positive, [](float v) { return std::pow(v, 0.7f); }, edge::pow(positive, 0.7f));
}

}  // namespace

int main() {
    for (const index_t n : {4096, 1000000}) run(n);  // in the first cache, and beyond the second
}

// SPDX-License-Identifier: MIT
// Matrix products against the multiply-adds that this machine can do, and against Eigen and OpenBLAS where they are
// installed. The argument is the number of threads, 1 by default.

#include <edge/perf.hpp>
#include <edge/simd.hpp>

#include "support/floor.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>

#if defined(EDGE_BENCH_EIGEN)
#include <Eigen/Dense>
#endif
#if defined(EDGE_BENCH_OPENBLAS)
#include <cblas.h>
#endif

namespace {

using edge::index_t;
using edge::tensor;
using edge::perf::who;

void run(index_t m, index_t n, index_t k, int threads) {
    tensor<float> a({m, k}), b({k, n}), out({m, n});
    for (index_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 13) - 6.0f;  // sums are exact
    for (index_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 7) - 3.0f;
    const auto checksum = [&] { return double{out[0]} + double{out[out.size() / 2]} + double{out[out.size() - 1]}; };
    const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
#if defined(EDGE_BENCH_EIGEN)
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const matrix> left(a.data(), m, k), right(b.data(), k, n);
    Eigen::Map<matrix> product(out.data(), m, n);
    Eigen::setNbThreads(threads);
#endif
    const auto result = edge::perf::compare(
        {.job = "matmul " + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n),
         .n = static_cast<std::size_t>(work),
         .threads = threads,
         .floor_ms = work / floors::peak(threads) * 1e3},
        std::tuple(),
#if defined(EDGE_BENCH_OPENBLAS)
        who{"openblas",
            [&] {
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
                            static_cast<int>(k), 1.0f, a.data(), static_cast<int>(k), b.data(), static_cast<int>(n),
                            0.0f, out.data(), static_cast<int>(n));
                return checksum();
            }},
#endif
#if defined(EDGE_BENCH_EIGEN)
        who{"eigen",
            [&] {
                product.noalias() = left * right;
                return checksum();
            }},
#endif
        who{"edge", [&] {
                edge::matmul(out, a, b, {.threads = threads});
                return checksum();
            }});
    std::fputs(result.table().c_str(), stderr);
    std::fputs(result.json_lines().c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
#if defined(EDGE_BENCH_OPENBLAS)
    openblas_set_num_threads(threads);
#endif
    for (const index_t n : {4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}) run(n, n, n, threads);
    run(511, 517, 513, threads);
    run(1, 1000, 1280, threads);
    run(3136, 64, 64, threads);
}

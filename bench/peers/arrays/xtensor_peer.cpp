// SPDX-License-Identifier: MIT
// xtensor's side, with xsimd: without TBB it runs on one thread, whatever is asked.
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xtensor.hpp>

#include "peer.hpp"

#include <memory>

namespace {

using array = xt::xtensor<float, 1>;
using matrix = xt::xtensor<float, 2>;

array input(long n, long seed) {
    array x = array::from_shape({static_cast<std::size_t>(n)});
    for (long i = 0; i < n; ++i) x.data()[i] = peer::value(i, seed);
    return x;
}

struct arrays {
    array a, b, c, out, positive;
    explicit arrays(long n) : a(input(n, 0)), b(input(n, 7)), c(input(n, 99)), out(input(n, 0)), positive(xt::abs(a) + 0.5f) {}
};

template <class F>
peer::job over_arrays(F f) {
    return [f](long n, int) -> std::function<void()> {
        auto x = peer::inputs<arrays>(n);
        return [x, f] {
            f(*x);
            peer::keep(x->out);
        };
    };
}

struct rows {
    matrix x;
    explicit rows(long n) : x(matrix::from_shape({static_cast<std::size_t>(n / 10000), 10000})) {
        for (long i = 0; i < n; ++i) x.data()[i] = peer::value(i, 0);
    }
};

template <class F>
peer::job over_rows(F f) {
    return [f](long n, int) -> std::function<void()> {
        auto x = peer::inputs<rows>(n);
        return [x, f] { f(x->x); };
    };
}

}  // namespace

int main() {
    std::map<std::string, peer::job> jobs;
    jobs["multiply"] = over_arrays([](arrays& x) { xt::noalias(x.out) = x.a * x.b; });
    jobs["multiply_new"] = over_arrays([](arrays& x) {
        const array c = x.a * x.b;
        peer::keep(c);
    });
    jobs["fused"] = over_arrays(
        [](arrays& x) { xt::noalias(x.out) = x.a * x.b + 2.0f * x.c - xt::sqrt(xt::abs(x.a)); });
    jobs["exp"] = over_arrays([](arrays& x) { xt::noalias(x.out) = xt::exp(x.a); });
    jobs["log"] = over_arrays([](arrays& x) { xt::noalias(x.out) = xt::log(x.positive); });
    jobs["tanh"] = over_arrays([](arrays& x) { xt::noalias(x.out) = xt::tanh(x.a); });
    jobs["sin"] = over_arrays([](arrays& x) { xt::noalias(x.out) = xt::sin(x.a); });
    jobs["erf"] = over_arrays([](arrays& x) { xt::noalias(x.out) = xt::erf(x.a); });
    jobs["sum"] = over_rows([](const matrix& x) { peer::keep(xt::sum(x, xt::evaluation_strategy::immediate)()); });
    jobs["sum_axis0"] = over_rows([](const matrix& x) {
        const array s = xt::sum(x, {0}, xt::evaluation_strategy::immediate);
        peer::keep(s);
    });
    jobs["sum_axis1"] = over_rows([](const matrix& x) {
        const array s = xt::sum(x, {1}, xt::evaluation_strategy::immediate);
        peer::keep(s);
    });
    return peer::serve(jobs);
}

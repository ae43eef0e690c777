// SPDX-License-Identifier: MIT
// Eigen's side: its expressions and reductions run on one thread, whatever is asked.
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "peer.hpp"

#include <memory>

namespace {

using array = Eigen::ArrayXf;
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

array input(long n, long seed) {
    array x(n);
    for (long i = 0; i < n; ++i) x[i] = peer::value(i, seed);
    return x;
}

struct arrays {
    array a, b, c, out, positive;
    explicit arrays(long n) : a(input(n, 0)), b(input(n, 7)), c(input(n, 99)), out(array::Zero(n)), positive(a.abs() + 0.5f) {}
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

struct rows : matrix {
    explicit rows(long n) {
        resize(n / 10000, 10000);
        for (long i = 0; i < n; ++i) data()[i] = peer::value(i, 0);
    }
};

template <class F>
peer::job over_rows(F f) {
    return [f](long n, int) -> std::function<void()> {
        auto x = peer::inputs<rows>(n);
        return [x, f] { f(*x); };
    };
}

}  // namespace

int main() {
    std::map<std::string, peer::job> jobs;
    jobs["multiply"] = over_arrays([](arrays& x) { x.out = x.a * x.b; });
    jobs["multiply_new"] = over_arrays([](arrays& x) {
        const array c = x.a * x.b;
        peer::keep(c);
    });
    jobs["fused"] = over_arrays([](arrays& x) { x.out = x.a * x.b + 2.0f * x.c - x.a.abs().sqrt(); });
    jobs["exp"] = over_arrays([](arrays& x) { x.out = x.a.exp(); });
    jobs["log"] = over_arrays([](arrays& x) { x.out = x.positive.log(); });
    jobs["tanh"] = over_arrays([](arrays& x) { x.out = x.a.tanh(); });
    jobs["erf"] = over_arrays([](arrays& x) { x.out = x.a.erf(); });
    jobs["sin"] = over_arrays([](arrays& x) { x.out = x.a.sin(); });
    jobs["sum"] = over_rows([](const matrix& x) { peer::keep(x.sum()); });
    jobs["sum_axis0"] = over_rows([](const matrix& x) {
        const Eigen::RowVectorXf s = x.colwise().sum();
        peer::keep(s);
    });
    jobs["sum_axis1"] = over_rows([](const matrix& x) {
        const Eigen::VectorXf s = x.rowwise().sum();
        peer::keep(s);
    });
    jobs["argmax"] = over_rows([](const matrix& x) {
        Eigen::Index row, column;
        peer::keep(x.maxCoeff(&row, &column));
        peer::keep(column);
    });
    jobs["matmul"] = [](long n, int threads) -> std::function<void()> {
        auto a = std::make_shared<matrix>(n, n);
        auto b = std::make_shared<matrix>(n, n);
        auto c = std::make_shared<matrix>(n, n);
        for (long i = 0; i < n * n; ++i) {
            a->data()[i] = peer::value(i, 0);
            b->data()[i] = peer::value(i, 7);
        }
        Eigen::setNbThreads(threads);
        return [=] {
            c->noalias() = *a * *b;
            peer::keep(*c);
        };
    };
    return peer::serve(jobs);
}

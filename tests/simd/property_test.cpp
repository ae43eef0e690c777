// SPDX-License-Identifier: MIT
// Random expressions over random arrays, against an evaluator that goes from index to element, one by one.
//
// An expression is a lambda: of views it is what the library computes, of `scalar`s what it means. All else is drawn at
// run time: rank, extents, broadcasting, strides of any sign and order, offsets, and whether the result overlaps what is
// read. EDGE_PROPERTY_CASES in the environment sets how many cases.

#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

using edge::index_list;
using edge::index_t;
using edge::shape;
using edge::tensor_view;

namespace {

/// Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
class splitmix {
public:
    explicit splitmix(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// In [0, n).
    index_t below(index_t n) { return static_cast<index_t>((*this)() % static_cast<std::uint64_t>(n)); }
    bool one_in(index_t n) { return below(n) == 0; }

private:
    std::uint64_t state_;
};

// What an operation means for one element: rounded after each step, integers modulo 2^n.

template <class T>
struct scalar {
    T v;
};

/// Rounded here: a compiler would otherwise join a product and a sum.
template <class T>
scalar<T> kept(T v) {
    volatile T stored = v;
    return {stored};
}
template <class T, class F>
scalar<T> arithmetic(scalar<T> a, scalar<T> b, F f) {
    if constexpr (std::is_integral_v<T>) {
        return {static_cast<T>(f(static_cast<std::uint64_t>(a.v), static_cast<std::uint64_t>(b.v)))};
    } else {
        return kept<T>(f(a.v, b.v));
    }
}
template <class T>
scalar<T> operator+(scalar<T> a, scalar<T> b) {
    return arithmetic(a, b, [](auto x, auto y) { return x + y; });
}
template <class T>
scalar<T> operator-(scalar<T> a, scalar<T> b) {
    return arithmetic(a, b, [](auto x, auto y) { return x - y; });
}
template <class T>
scalar<T> operator*(scalar<T> a, scalar<T> b) {
    return arithmetic(a, b, [](auto x, auto y) { return x * y; });
}
template <class T>
scalar<T> operator/(scalar<T> a, scalar<T> b) {
    return kept<T>(static_cast<T>(a.v / b.v));
}
template <class T>
scalar<T> operator/(scalar<T> a, T b) {
    return a / scalar<T>{b};
}
template <class T>
scalar<T> operator-(scalar<T> a) {
    if constexpr (std::is_integral_v<T>) return scalar<T>{0} - a;
    return {static_cast<T>(-a.v)};
}
template <class T>
scalar<bool> operator<(scalar<T> a, scalar<T> b) {
    return {a.v < b.v};
}
template <class T>
scalar<bool> operator<=(scalar<T> a, scalar<T> b) {
    return {a.v <= b.v};
}
template <class T>
scalar<bool> operator==(scalar<T> a, scalar<T> b) {
    return {a.v == b.v};
}
template <class T>
scalar<bool> operator!=(scalar<T> a, scalar<T> b) {
    return {a.v != b.v};
}
scalar<bool> operator&(scalar<bool> a, scalar<bool> b) { return {a.v && b.v}; }
scalar<bool> operator|(scalar<bool> a, scalar<bool> b) { return {a.v || b.v}; }
scalar<bool> operator~(scalar<bool> a) { return {!a.v}; }
template <class T>
scalar<T> abs(scalar<T> a) {
    if constexpr (std::is_unsigned_v<T>) return a;
    if constexpr (std::is_integral_v<T>) return a.v < 0 ? -a : a;
    if constexpr (std::is_floating_point_v<T>) return {std::fabs(a.v)};
}
template <class T>
scalar<T> sqrt(scalar<T> a) {
    return kept<T>(std::sqrt(a.v));
}
template <class T>
scalar<T> minimum(scalar<T> a, scalar<T> b) {
    return a.v < b.v || a.v != a.v ? a : b;
}
template <class T>
scalar<T> maximum(scalar<T> a, scalar<T> b) {
    return a.v > b.v || a.v != a.v ? a : b;
}
template <class T>
scalar<T> clip(scalar<T> a, scalar<T> low, scalar<T> high) {
    return minimum(maximum(a, low), high);
}
template <class T>
scalar<T> where(scalar<bool> m, scalar<T> a, scalar<T> b) {
    return m.v ? a : b;
}

// A case: three arrays of T, one of truth values, and a result, each with its shape and strides.

struct layout {
    shape extents;
    edge::strides steps;
    index_t low = 0;   ///< least offset of an element from the first, not above 0
    index_t high = 0;  ///< greatest

    void measure() {
        low = high = 0;
        for (std::size_t i = 0; i < extents.rank(); ++i)
            (steps[i] < 0 ? low : high) += steps[i] * (std::max)(index_t{0}, extents[i] - 1);
    }
    [[nodiscard]] std::string text() const { return edge::message("shape ", extents, " strides ", steps); }
};

/// Strides in a random order of the axes, some with steps between elements, some backwards, within `most` elements.
layout random_layout(const shape& extents, splitmix& random, bool may_repeat, index_t most) {
    layout l{extents, extents.extents()};
    std::array<std::size_t, edge::max_rank> order{};
    for (std::size_t i = 0; i < extents.rank(); ++i) order[i] = extents.rank() - 1 - i;
    const bool plain = random.one_in(2);
    if (!plain && random.one_in(2))
        for (std::size_t i = extents.rank(); i > 1; --i)
            std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<index_t>(i)))]);
    index_t step = 1;
    for (std::size_t k = 0; k < extents.rank(); ++k) {
        const std::size_t axis = order[k];
        if (!plain && random.one_in(4)) step *= 1 + random.below(3);
        l.steps[axis] = !plain && random.one_in(6) ? -step : step;
        if (may_repeat && !plain && random.one_in(8)) {
            l.steps[axis] = 0;
        } else {
            step *= (std::max)(index_t{1}, extents[axis]);
        }
    }
    l.measure();
    if (l.high - l.low < most) return l;
    l.steps = extents.strides();
    l.measure();
    return l;
}

/// Extents with about `most` elements at most.
shape random_shape(splitmix& random, index_t most) {
    index_list extents;
    const index_t rank = random.one_in(3) ? random.below(9) : random.below(4);
    index_t size = 1;
    for (index_t i = 0; i < rank; ++i) {
        const index_t left = (std::max)(index_t{1}, most / size);
        index_t n = random.one_in(3) ? 1 + random.below(left) : 1 + random.below((std::min)(left, index_t{5}));
        if (random.one_in(40)) n = 0;
        extents.push_back(n);
        size *= (std::max)(index_t{1}, n);
    }
    return shape(extents);
}

/// A shape that broadcasts to another.
shape random_part(const shape& to, splitmix& random) {
    index_list extents = to.extents();
    while (!extents.empty() && random.one_in(6)) extents.erase(0);
    for (std::size_t i = 0; i < extents.size(); ++i)
        if (random.one_in(6)) extents[i] = 1;
    return shape(extents);
}

/// Where in memory the elements of an array are, in the row-major order of the result.
std::vector<index_t>& offsets_in(const layout& l, const shape& to, std::vector<index_t>& offsets) {
    offsets.clear();
    index_list position;
    for (std::size_t i = 0; i < to.rank(); ++i) position.push_back(0);
    const std::size_t added = to.rank() - l.extents.rank();
    for (index_t n = 0; n < to.size(); ++n) {
        index_t at = 0;
        for (std::size_t i = added; i < to.rank(); ++i)
            if (l.extents[i - added] != 1) at += position[i] * l.steps[i - added];
        offsets.push_back(at);
        for (std::size_t i = to.rank(); i-- > 0;) {
            if (++position[i] < to[i]) break;
            position[i] = 0;
        }
    }
    return offsets;
}

template <class T>
void fill(std::span<T> values, splitmix& random) {
    for (T& v : values) {
        const std::uint64_t bits = random();
        if constexpr (std::is_same_v<T, bool>) {
            v = (bits & 1) != 0;
        } else {
            std::memcpy(&v, &bits, sizeof v);  // infinities, NaN and all
            if (std::is_floating_point_v<T> && bits % 3 != 0) v = static_cast<T>(static_cast<int>(bits >> 60) - 7);
        }
    }
}

template <class T>
bool same(T a, T b) {
    if (a != a && b != b) return true;  // which NaN of several is anyone's choice
    return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T>
struct operands {
    tensor_view<const T> a, b, c;
    tensor_view<const bool> m;
};

template <class T, class R>
struct expression_case {
    const char* name;
    void (*run)(const tensor_view<R>& out, const operands<T>& in, int threads);
    scalar<R> (*mean)(scalar<T> a, scalar<T> b, scalar<T> c, scalar<bool> m);
};

/// Both readings of one lambda, which captures nothing.
template <class T, class R, class F>
expression_case<T, R> both(const char* name, F) {
    return {name,
            [](const tensor_view<R>& out, const operands<T>& in, int threads) {
                edge::assign(out, F()(in.a, in.b, in.c, in.m), {.threads = threads});
            },
            [](scalar<T> a, scalar<T> b, scalar<T> c, scalar<bool> m) { return F()(a, b, c, m); }};
}

/// Memory for the arrays of a case, and a picture of what the result's should become.
template <class T, class R>
class workplace {
public:
    /// @param least, most  elements of a result
    workplace(index_t least, index_t most) : least_(least), most_(most), size_(4 * most + 256) {
        read_.resize(static_cast<std::size_t>(size_));
        written_.resize(static_cast<std::size_t>(size_));
        truth_.resize(static_cast<std::size_t>(size_));
        splitmix random(1);
        fill(std::span<T>(read_), random);
        for (auto& t : truth_) t = random.one_in(2);
    }

    /// Runs one case. @return  what is wrong with it, or nothing
    std::string run(const expression_case<T, R>& e, std::uint64_t seed, int threads) {
        splitmix random(seed);
        fill(std::span<stored>(written_), random);
        if constexpr (std::is_same_v<R, bool>)
            for (auto& w : written_) w &= 1;
        shape to = random_shape(random, most_);
        while (to.size() < least_) to = random_shape(random, most_);
        const auto operand = [&] { return random_layout(random_part(to, random), random, true, size_ / 2); };
        const layout out = random_layout(to, random, false, size_ / 2);
        auto* result = reinterpret_cast<R*>(place(out, written_.data(), random));
        std::array<layout, 4> in;
        std::array<const T*, 3> at{};
        bool reads_result = false;
        for (std::size_t i = 0; i < 3; ++i) {
            in[i] = operand();
            at[i] = place(in[i], read_.data(), random);
            if constexpr (std::is_same_v<T, R>) {
                if (!random.one_in(6)) continue;
                reads_result = true;  // the result itself, or somewhere about it
                const bool is_itself = random.one_in(2);
                if (is_itself) in[i] = out;
                at[i] = is_itself ? result : place(in[i], written_.data(), random);
            }
        }
        in[3] = operand();
        const unsigned char* truth = place(in[3], truth_.data(), random);

        expected_ = written_;
        untouched_ = written_;
        auto* expected = reinterpret_cast<R*>(expected_.data()) + (result - reinterpret_cast<R*>(written_.data()));
        for (std::size_t i = 0; i < 4; ++i) offsets_in(in[i], to, offsets_[i]);
        offsets_in(out, to, offsets_[4]);
        for (std::size_t n = 0; n < offsets_[4].size(); ++n)
            expected[offsets_[4][n]] = e.mean({at[0][offsets_[0][n]]}, {at[1][offsets_[1][n]]}, {at[2][offsets_[2][n]]},
                                              {truth[offsets_[3][n]] != 0})
                                           .v;

        const operands<T> views{{at[0], in[0].extents, in[0].steps},
                                {at[1], in[1].extents, in[1].steps},
                                {at[2], in[2].extents, in[2].steps},
                                {reinterpret_cast<const bool*>(truth), in[3].extents, in[3].steps}};
        const std::size_t allocated = allocations();
        e.run({result, out.extents, out.steps}, views, threads);
        const bool allocates = allocations() != allocated;

        const auto described = [&](const char* what) {
            return edge::message(what, ": seed ", seed, ", ", e.name, " of ", edge::dtype_of<T>, ", result ",
                                 out.text(), ", a ", in[0].text(), ", b ", in[1].text(), ", c ", in[2].text(), ", m ",
                                 in[3].text(), reads_result ? ", reads its result" : "", ", threads ", threads);
        };
        if (std::memcmp(written_.data(), expected_.data(), written_.size() * sizeof(R)) != 0)
            for (std::size_t i = 0; i < written_.size(); ++i)
                if (!same(written_[i], expected_[i]))
                    return described(same(untouched_[i], expected_[i]) ? "written outside" : "wrong value");
        if (allocates && !reads_result && threads == 1) return described("allocated");
        return {};
    }

private:
    using stored = std::conditional_t<std::is_same_v<R, bool>, unsigned char, R>;

    /// The address of an array's first element, so that all of them are in memory.
    template <class U>
    U* place(const layout& l, U* memory, splitmix& random) const {
        const index_t room = size_ - (l.high - l.low);
        return memory + random.below(random.one_in(2) ? (std::min)(room, index_t{64}) : room) - l.low;
    }

    index_t least_;
    index_t most_;
    index_t size_;  ///< of each memory
    std::vector<T> read_;
    std::vector<stored> written_, expected_, untouched_;
    std::vector<unsigned char> truth_;
    std::vector<index_t> offsets_[5];
};

/// Runs cases of each expression in turn, until one fails.
template <class T, class R, std::size_t n>
void check(const expression_case<T, R> (&expressions)[n], std::uint64_t cases) {
    workplace<T, R> small(0, 48);
    workplace<T, R> large(70000, 100000);  // enough for two threads
    for (std::uint64_t seed = 0; seed < cases; ++seed) {
        const auto& e = expressions[seed % n];
        std::string wrong = small.run(e, seed, 1);
        if (wrong.empty() && seed % 3001 == 3000) wrong = large.run(e, seed, 1);
        if (wrong.empty() && seed % 3001 == 3000) wrong = large.run(e, seed, 3);
        if (wrong.empty()) continue;
        FAIL_CHECK(wrong);
        return;
    }
    CHECK(cases != 0);
}

std::uint64_t all_cases() {
    const char* text = std::getenv("EDGE_PROPERTY_CASES");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 100000;
}

#define EXPRESSION(T, R, ...)                                                                              \
    both<T, R>(#__VA_ARGS__, []([[maybe_unused]] auto a, [[maybe_unused]] auto b, [[maybe_unused]] auto c, \
                                [[maybe_unused]] auto m) { return __VA_ARGS__; })

}  // namespace

TEMPLATE_TEST_CASE("any expression of any arrays is what it means element by element", "[simd][property]", float,
                   std::int32_t, std::uint8_t) {
    using T = TestType;
    const expression_case<T, T> numbers[] = {
        EXPRESSION(T, T, a + b),
        EXPRESSION(T, T, a * b),
        EXPRESSION(T, T, a - b * c),
        EXPRESSION(T, T, (a + b) * (a - c)),
        EXPRESSION(T, T, a / T{3} - c),
        EXPRESSION(T, T, abs(a) - (-b)),
        EXPRESSION(T, T, maximum(minimum(a, b), c)),
        EXPRESSION(T, T, clip(a, b, c)),
        EXPRESSION(T, T, where(m, a, b)),
        EXPRESSION(T, T, where((a < b) & m, a * c, b)),
    };
    const expression_case<T, bool> truths[] = {
        EXPRESSION(T, bool, a < b),
        EXPRESSION(T, bool, (a <= b) | ~(a == c)),
        EXPRESSION(T, bool, m&(a != b)),
    };
    check(numbers, all_cases() / 4);
    check(truths, all_cases() / 20);
}

TEMPLATE_TEST_CASE("quotients and roots of any arrays too", "[simd][property]", float, double) {
    using T = TestType;
    const expression_case<T, T> numbers[] = {
        EXPRESSION(T, T, a / b),
        EXPRESSION(T, T, sqrt(abs(a)) + b),
        EXPRESSION(T, T, where(m, a - b * c, c)),
    };
    check(numbers, all_cases() / 20);
}

// SPDX-License-Identifier: MIT
#include <edge/simd/elementwise.hpp>
#include <edge/simd/evaluate.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/sweep.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using edge::index_t;
using edge::shape;
using edge::tensor;
namespace op = edge::simd::detail::op;

namespace {

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}
template <class T>
bool same_bits(const tensor<T>& a, const tensor<T>& b) {
    return a.shape() == b.shape() && same_bits<T>(a.flat(), b.flat());
}

/// Any bits: infinities, NaN, subnormals and all.
template <class T>
void fill(std::span<T> values, std::mt19937& random) {
    for (T& v : values) {
        const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
        if constexpr (std::is_same_v<T, bool>) {
            v = (bits & 1) != 0;
        } else {
            std::memcpy(&v, &bits, sizeof v);
            if constexpr (std::is_floating_point_v<
                              T>)  // a third each of anything, small whole numbers, and NaN or infinity
                if (bits % 3 == 0) v = static_cast<T>(static_cast<int>(bits % 7) - 3);
        }
    }
}
template <class T>
tensor<T> any_tensor_of(const shape& extents, std::mt19937& random) {
    auto t = tensor<T>::uninitialized(extents);
    fill(t.flat(), random);
    return t;
}

template <class T>
T wrapped(std::uint64_t bits) {
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(bits));
}

// What each operation means for one element.
template <class T>
T plus(T a, T b) {
    if constexpr (std::is_integral_v<T>)
        return wrapped<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    else
        return a + b;
}
template <class T>
T minus(T a, T b) {
    if constexpr (std::is_integral_v<T>)
        return wrapped<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
    else
        return a - b;
}
template <class T>
T times(T a, T b) {
    if constexpr (std::is_integral_v<T>)
        return wrapped<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    else
        return a * b;
}
template <class T>
T lower(T a, T b) {
    return a < b || a != a ? a : b;
}
template <class T>
T magnitude(T a) {
    if constexpr (std::is_floating_point_v<T>)
        return std::fabs(a);
    else
        return a < T{0} ? minus(T{0}, a) : a;
}

/// One register of any architecture, NaN payloads aside: those of a sum depend on the order of its operands.
template <class T>
bool same_values(T a, T b) {
    if constexpr (std::is_floating_point_v<T>)
        if (std::isnan(a) && std::isnan(b)) return true;
    return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class Arch, class E, class T>
void compute(const E& e, edge::tensor_view<T> out) {
    typename edge::detail::prepared_loop<E, Arch>::store result;
    edge::detail::prepared_loop<E, Arch>(e, out).run(result, 0, out.size());
}

/// All operations at once, so that one sweep sees them: each is a term, weighed by the others' results.
template <class T>
void sweep_type() {
    std::mt19937 random(7);
    sweep(
        [&]<class Arch>(arch_tag<Arch>, std::size_t count, std::size_t misalignment) {
            guarded<T> a(count, misalignment), b(count, misalignment), out(count, misalignment);
            guarded<bool> truth(count, misalignment);
            fill(a.values(), random);
            fill(b.values(), random);
            const auto x = edge::view(a.values());
            const auto y = edge::view(b.values());
            compute<Arch>(edge::where(x < y, x + y, edge::minimum(x * y, -x)) - edge::abs(y), edge::view(out.values()));
            compute<Arch>((x <= y) & ~(x == y), edge::view(truth.values()));
            bool ok = out.is_intact() && truth.is_intact();
            for (std::size_t i = 0; i < count; ++i) {
                const T p = a.values()[i];
                const T q = b.values()[i];
                T negative;
                if constexpr (std::is_floating_point_v<T>)
                    negative = -p;
                else
                    negative = minus(T{0}, p);
                volatile T product = times(p, q);  // not to be fused with what follows
                ok = ok && same_values(out.values()[i],
                                       minus(p < q ? plus(p, q) : lower<T>(product, negative), magnitude(q)));
                ok = ok && truth.values()[i] == (p < q);
            }
            REQUIRE(ok);
        },
        2 * 64 / sizeof(T) + 1);
}

}  // namespace

TEST_CASE("kernels equal the scalar reference on every architecture, count and alignment", "[simd][expression]") {
    sweep_type<float>();
    sweep_type<std::int32_t>();
    sweep_type<std::uint8_t>();
}

namespace {

/// Whether f(x, y) is what `got` has at each place.
template <class T, class R, class F>
bool agrees(const tensor<T>& a, const tensor<T>& b, const tensor<R>& got, F f) {
    bool ok = got.shape() == a.shape();
    for (index_t i = 0; i < a.size(); ++i) ok = ok && same_values<R>(got[i], f(a[i], b[i]));
    return ok;
}

}  // namespace

TEMPLATE_TEST_CASE("operations mean what they mean for one element", "[simd][expression]", float, std::int32_t) {
    using T = TestType;
    std::mt19937 random(11);
    const auto a = any_tensor_of<T>({257}, random);
    const auto b = any_tensor_of<T>({257}, random);
    CHECK(agrees(a, b, edge::eval(a + b), plus<T>));
    CHECK(agrees(a, b, edge::eval(a - b), minus<T>));
    CHECK(agrees(a, b, edge::eval(a * b), times<T>));
    CHECK(agrees(a, b, edge::eval(edge::maximum(a, b)), [](T x, T y) { return x > y || x != x ? x : y; }));
    CHECK(agrees(a, b, edge::eval(edge::abs(a)), [](T x, T) { return magnitude(x); }));
    CHECK(agrees(a, b, edge::eval(a >= b), [](T x, T y) { return x >= y; }));
    CHECK(agrees(a, b, edge::eval(a > b), [](T x, T y) { return x > y; }));
    CHECK(agrees(a, b, edge::eval(a != b), [](T x, T y) { return x != y; }));
}

TEMPLATE_TEST_CASE("every number type has arithmetic", "[simd][expression]", double, std::int8_t, std::uint8_t,
                   std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
    using T = TestType;
    std::mt19937 random(11);
    const auto a = any_tensor_of<T>({257}, random);
    const auto b = any_tensor_of<T>({257}, random);
    const auto mixed = edge::eval(edge::where((a > b) | (a == T{3}), edge::minimum(a, b) - b * T{7}, edge::abs(-a)));
    CHECK(agrees(a, b, mixed, [](T x, T y) {
        volatile T product = times(y, T{7});
        const T negative = std::is_floating_point_v<T> ? static_cast<T>(-x) : minus(T{0}, x);
        return x > y || x == T{3} ? minus<T>(lower(x, y), product) : magnitude<T>(negative);
    }));
    const auto quotient = edge::eval(a / edge::maximum(b, T{1}));
    CHECK(agrees(a, b, quotient, [](T x, T y) { return static_cast<T>(x / (y > T{1} || y != y ? y : T{1})); }));
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        const auto turned = edge::eval(a / T{-1});
        CHECK(agrees(a, b, turned, [](T x, T) { return minus(T{0}, x); }));
    }
}

TEST_CASE("floats divide, negate and take roots as IEEE 754 says", "[simd][expression]") {
    std::mt19937 random(11);
    const auto a = any_tensor_of<float>({257}, random);
    const auto b = any_tensor_of<float>({257}, random);
    CHECK(agrees(a, b, edge::eval(a / b), [](float x, float y) { return x / y; }));
    CHECK(agrees(a, b, edge::eval(-a), [](float x, float) { return -x; }));
    CHECK(agrees(a, b, edge::eval(edge::sqrt(a)), [](float x, float) { return std::sqrt(x); }));
}

TEST_CASE("minimum and maximum give NaN where either operand is NaN", "[simd][expression]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const tensor<float> a({4}, {nan, 1.0f, nan, 2.0f});
    const tensor<float> b({4}, {1.0f, nan, nan, 3.0f});
    for (const auto& t : {edge::eval(edge::minimum(a, b)), edge::eval(edge::maximum(a, b))}) {
        CHECK(std::isnan(t[0]));
        CHECK(std::isnan(t[1]));
        CHECK(std::isnan(t[2]));
        CHECK_FALSE(std::isnan(t[3]));
    }
    CHECK(edge::eval(edge::clip(b, 1.5f, 2.5f))[3] == 2.5f);
}

TEST_CASE("a fused expression has the bits of its steps", "[simd][expression]") {
    std::mt19937 random(5);
    const auto a = any_tensor_of<float>({1000}, random);
    const auto b = any_tensor_of<float>({1000}, random);
    const auto c = any_tensor_of<float>({1000}, random);
    const auto product = edge::eval(a * b);
    const auto scaled = edge::eval(2.0f * c);
    const auto sum = edge::eval(product + scaled);
    CHECK(same_bits(edge::eval(a * b + 2.0f * c), sum));
    CHECK(same_bits(edge::eval(a * b - c * a), edge::eval(product - edge::eval(c * a))));
}

TEST_CASE("shapes broadcast by NumPy's rule", "[simd][expression]") {
    std::mt19937 random(13);
    const auto extent = [&] { return static_cast<index_t>(random() % 4); };
    int fits = 0;
    for (int round = 0; round < 3000; ++round) {
        edge::index_list full;
        for (std::size_t rank = random() % 5; rank-- > 0;) full.push_back(random() % 8 == 0 ? extent() : 1 + extent());
        const auto thinned = [&] {
            edge::index_list part;
            for (std::size_t i = random() % (full.size() + 1); i < full.size(); ++i)
                part.push_back(random() % 3 == 0 ? 1 : random() % 40 == 0 ? full[i] + 1 : full[i]);
            return shape(part);
        };
        const auto a = any_tensor_of<std::int32_t>(thinned(), random);
        const auto b = any_tensor_of<std::int32_t>(thinned(), random);
        // Position of the result's element i in an operand, by the definition.
        const auto at = [](const tensor<std::int32_t>& t, const shape& result, index_t i) {
            index_t position = 0, step = 1;
            for (std::size_t axis = result.rank(), k = t.rank(); k-- > 0;) {
                --axis;
                if (t.shape()[k] != 1) position += i % result[axis] * step;
                step *= t.shape()[k];
                i /= result[axis];
            }
            return t[position];
        };
        tensor<std::int32_t> got;
        try {
            got = edge::eval(a - b);
        } catch (const edge::shape_error& e) {
            REQUIRE(std::string(e.what()) ==
                    edge::message("shapes ", a.shape(), " and ", b.shape(), " do not broadcast"));
            continue;
        }
        ++fits;
        bool ok = true;
        for (index_t i = 0; i < got.size(); ++i)
            ok = ok && got[i] == minus(at(a, got.shape(), i), at(b, got.shape(), i));
        REQUIRE(ok);
    }
    CHECK(fits > 1000);
}

TEST_CASE("views with any strides are operands and results", "[simd][expression]") {
    tensor<float> m({20, 30});
    for (index_t i = 0; i < m.size(); ++i) m[i] = static_cast<float>(i);
    const auto turned = edge::eval(m.view().transpose({1, 0}) * 2.0f);
    CHECK(turned.shape() == shape{30, 20});
    CHECK(turned(7, 3) == 2.0f * m(3, 7));
    const edge::tensor_view<const float> backwards(m.data() + 29, {30}, {-1});
    const auto reversed = edge::eval(-backwards);
    CHECK(reversed[0] == -29.0f);
    CHECK(reversed[29] == 0.0f);
    tensor<float> out({30, 40});
    edge::assign(out.view().slice(1, 0, 40, 2), m.view().transpose({1, 0}) + 1.0f);
    CHECK(out(7, 6) == m(3, 7) + 1.0f);
    CHECK(out(7, 5) == 0.0f);
}

TEST_CASE("a result that overlaps an operand is as if it did not", "[simd][expression]") {
    std::vector<float> v(100);
    for (int i = 0; i < 100; ++i) v[static_cast<std::size_t>(i)] = static_cast<float>(i);
    edge::assign(v, edge::view(v) + 1.0f);  // in place
    CHECK(v[99] == 100.0f);
    edge::assign(std::span(v).subspan(1), edge::view(std::span<const float>(v).first(99)) * 1.0f);  // shifted by one
    CHECK(v[0] == 1.0f);
    CHECK(v[1] == 1.0f);
    CHECK(v[99] == 99.0f);
    tensor<float> m({50, 50});
    for (index_t i = 0; i < m.size(); ++i) m[i] = static_cast<float>(i);
    edge::assign(m, m.view().transpose({1, 0}) + 0.0f);
    CHECK(m(3, 40) == 40.0f * 50 + 3);
}

TEST_CASE("results do not depend on the number of threads", "[simd][expression]") {
    std::mt19937 random(17);
    const auto a = any_tensor_of<float>({3, 70001}, random);
    const auto b = any_tensor_of<float>({70001}, random);
    const auto one = edge::eval(a * b + 1.5f, {.threads = 1});
    CHECK(same_bits(one, edge::eval(a * b + 1.5f, {.threads = 2})));
    CHECK(same_bits(one, edge::eval(a * b + 1.5f, {.threads = 5})));
}

TEST_CASE("a result larger than the caches has the same bits", "[simd][expression]") {
    const index_t n = edge::detail::large_result_bytes / 4 + 3;
    tensor<float> a({n});
    for (index_t i = 0; i < n; ++i) a[i] = static_cast<float>(i % 1001);
    const auto large = edge::eval(a * 1.1f, {.threads = 2});
    bool ok = true;
    for (index_t first = 0; first < n; first += 100003) {
        const index_t last = std::min(n, first + 100003);
        const auto piece = edge::eval(a.view().slice(0, first, last) * 1.1f);
        ok = ok && std::memcmp(piece.data(), large.data() + first, piece.flat().size_bytes()) == 0;
    }
    CHECK(ok);
}

TEST_CASE("assigning into memory that is there allocates nothing", "[simd][expression]") {
    const tensor<float> a({40, 30}, 2.0f), b({30}, 3.0f);
    tensor<float> out({40, 30});
    std::vector<float> flat(1200);
    const auto before = allocations();
    edge::assign(out, a * b + 2.0f * a);
    edge::assign(out, out.view() - b);
    edge::assign(flat, edge::sqrt(a));
    CHECK(allocations() == before);
    CHECK(out[5] == 7.0f);
}

TEST_CASE("a temporary lives as long as the expression", "[simd][expression]") {
    const auto make = [](float value) { return tensor<float>({1000}, value); };
    auto e = make(2.0f) * make(3.0f) + 1.0f;
    auto copy = e;
    CHECK(edge::eval(copy)[999] == 7.0f);
    CHECK(edge::eval(edge::sqrt(make(4.0f) + e * 0.0f))[0] == 2.0f);
}

TEST_CASE("ranges are operands beside an array, and results", "[simd][expression]") {
    const std::vector<double> v{1, 2, 3};
    const std::array<double, 3> w{10, 20, 30};
    const tensor<double> t({3}, {100, 200, 300});
    std::array<double, 3> out{};
    edge::assign(out, v + t - w);
    CHECK(out == std::array<double, 3>{91, 182, 273});
    edge::assign(out, edge::minimum(v, std::span(w)));
    CHECK(out[2] == 3.0);
    edge::assign(std::span(out).first(2), t.view().slice(0, 0, 2) / 2);
    CHECK(out == std::array<double, 3>{50, 100, 3});
}

TEST_CASE("bool arrays are conditions and combine", "[simd][expression]") {
    std::mt19937 random(19);
    const auto m = any_tensor_of<bool>({77}, random);
    const auto n = any_tensor_of<bool>({77}, random);
    const tensor<double> x({77}, 1.0);
    const auto chosen = edge::eval(edge::where(m & (x > 0.5), x, -x));
    const auto either = edge::eval(m | ~n);
    const auto flags = edge::eval(edge::where(m, 1, 0));
    for (index_t i = 0; i < 77; ++i) {
        CHECK(chosen[i] == (m[i] ? 1.0 : -1.0));
        CHECK(either[i] == (m[i] || !n[i]));
        CHECK(flags[i] == (m[i] ? 1 : 0));
    }
}

TEST_CASE("a refused expression writes nothing and says why", "[simd][expression]") {
    const tensor<int> a({4}, {1, 2, 3, 4});
    const tensor<int> b({4}, {1, 1, 0, 1});
    tensor<int> out({4}, 9);
    CHECK_THROWS_WITH(edge::assign(out, a / b), "integer division by zero");
    CHECK_THROWS_WITH(edge::assign(out, a / 0), "integer division by zero");
    CHECK_THROWS_WITH(edge::assign(out, a / (b - 1) + a), "integer division by zero");
    CHECK_THROWS_WITH(edge::assign(out, a + 3000000000LL), "scalar 3000000000 is outside the range of int32");
    CHECK_THROWS_WITH(edge::assign(out, tensor<int>({2, 4}) + a),
                      "expression of shape (2, 4) does not fit a result of shape (4,)");
    CHECK_THROWS_WITH(edge::eval(a + tensor<int>({3})), "shapes (4,) and (3,) do not broadcast");
    std::vector<int> five(5, 9);
    CHECK_THROWS_WITH(edge::assign(five, a + 1), "expression of shape (4,) does not fit a range of 5 elements");
    for (const int v : out) CHECK(v == 9);
    CHECK(edge::eval(tensor<int>({0}) / tensor<int>({0})).empty());
}

TEST_CASE("fma rounds once where the processor can", "[simd][expression]") {
    const float x = 1.0f + std::numeric_limits<float>::epsilon();
    const tensor<float> a({9}, x);
    const float got = edge::eval(edge::fma(a, a, -1.0f))[8];
    CHECK((got == std::fma(x, x, -1.0f) || got == x * x - 1.0f));
    const tensor<int> i({3}, {2, 3, 4});
    CHECK(edge::eval(edge::fma(i, i, i))[2] == 20);
}

// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/pool.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"
#include "support/random_floats.hpp"

#include <cmath>
#include <cstring>
#include <vector>

using edge::index_t;
using edge::nn::convolution;
using edge::nn::window;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Equal, or both NaN.
bool is_same(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
    return true;
}

/// One result of each kind, from the definition.
struct pooled {
    float most = -infinity, sum = 0.0f, inside = 0.0f;
};

pooled pool(const std::vector<float>& x, const convolution& g, index_t n, index_t oy, index_t ox, index_t c) {
    pooled p;
    for (index_t ky = 0; ky < g.window.kernel_h; ++ky)
        for (index_t kx = 0; kx < g.window.kernel_w; ++kx) {
            const index_t iy = oy * g.window.stride_h - g.window.pad_top + ky * g.window.dilation_h;
            const index_t ix = ox * g.window.stride_w - g.window.pad_left + kx * g.window.dilation_w;
            if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
            const float v = x[static_cast<std::size_t>(((n * g.in_h + iy) * g.in_w + ix) * g.in_c + c)];
            if (v > p.most || std::isnan(v)) p.most = std::isnan(p.most) ? p.most : v;
            p.sum += v;
            p.inside += 1.0f;
        }
    return p;
}

void check(const edge::shape& input, const window& w, bool has_nan, edge::splitmix64& random) {
    const convolution g = edge::nn::pooling_of(input, w);
    auto x = random_floats(input.size(), random);
    if (has_nan)
        for (std::size_t i = 3; i < x.size(); i += 37) x[i] = nan;
    std::vector<float> most, all, inside;
    for (index_t n = 0; n < g.batch; ++n)
        for (index_t oy = 0; oy < g.out_h; ++oy)
            for (index_t ox = 0; ox < g.out_w; ++ox)
                for (index_t c = 0; c < g.in_c; ++c) {
                    const pooled p = pool(x, g, n, oy, ox, c);
                    most.push_back(p.most);
                    all.push_back(p.sum / static_cast<float>(w.kernel_h * w.kernel_w));
                    inside.push_back(p.inside == 0.0f ? 0.0f : p.sum / p.inside);
                }
    INFO("input " << to_string(input) << ", kernel " << w.kernel_h << " " << w.kernel_w << ", stride " << w.stride_h);
    for_each_architecture([&]<class Arch>() {
        for (const int threads : {1, 3}) {
            guarded<float> y(most.size(), 4);
            edge::nn::max_pool<Arch>(x.data(), y.data(), g, threads);
            REQUIRE(is_same(y.values(), most));
            edge::nn::average_pool<Arch>(x.data(), y.data(), g, true, threads);
            REQUIRE(is_same(y.values(), all));
            edge::nn::average_pool<Arch>(x.data(), y.data(), g, false, threads);
            REQUIRE(is_same(y.values(), inside));
            REQUIRE(y.is_intact());
        }
    });
}

}  // namespace

TEST_CASE("pooling equals its definition for windows of every kind, NaN included", "[nn][pool]") {
    edge::splitmix64 random(1);
    for (const bool has_nan : {false, true}) {
        check({1, 9, 8, 19}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1},
              has_nan, random);
        check({2, 40, 33, 16}, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}, has_nan, random);
        check({1, 7, 7, 5}, {.kernel_h = 7, .kernel_w = 7}, has_nan, random);
        check({1, 6, 7, 3}, {.kernel_h = 2, .kernel_w = 3, .pad_left = 2, .pad_right = 2, .dilation_h = 2}, has_nan,
              random);
        check({1, 2, 2, 33}, {.kernel_h = 3, .kernel_w = 3, .pad_top = 4, .pad_bottom = 3, .pad_right = 1}, has_nan,
              random);
        check({1, 2, 2, 3}, {.kernel_h = 3, .kernel_w = 3}, has_nan, random);
        check({0, 4, 4, 3}, {.kernel_h = 3, .kernel_w = 3}, has_nan, random);
    }
    CHECK_THROWS_AS(edge::nn::pooling_of({4, 4, 3}, {}), edge::shape_error);
}

TEST_CASE("a global mean is that of a sum in double, with any number of threads", "[nn][pool]") {
    edge::splitmix64 random(2);
    for (const index_t channels : {1, 16, 37, 1280}) {
        const index_t batch = 3, pixels = 49;
        auto x = random_floats(batch * pixels * channels, random);
        x[0] = 1e8f;  // and the rest would be lost in a sum of floats
        std::vector<float> expected;
        for (index_t n = 0; n < batch; ++n)
            for (index_t c = 0; c < channels; ++c) {
                double sum = 0;
                for (index_t i = 0; i < pixels; ++i)
                    sum += static_cast<double>(x[static_cast<std::size_t>((n * pixels + i) * channels + c)]);
                expected.push_back(static_cast<float>(sum / static_cast<double>(pixels)));
            }
        for_each_architecture([&]<class Arch>() {
            for (const int threads : {1, 3}) {
                guarded<float> y(expected.size(), 4);
                edge::nn::global_average_pool<Arch>(x.data(), y.data(), batch, pixels, channels, threads);
                REQUIRE(y.is_intact());
                REQUIRE(y.values() == expected);
            }
        });
    }
}

TEST_CASE("pooling allocates nothing", "[nn][pool]") {
    const std::vector<float> x(8 * 8 * 24, 2.0f);
    std::vector<float> y(x.size());
    const convolution g = edge::nn::pooling_of({1, 8, 8, 24}, {.kernel_h = 3, .kernel_w = 3});
    const auto before = allocations();
    edge::nn::max_pool(x.data(), y.data(), g, 1);
    edge::nn::average_pool(x.data(), y.data(), g, true, 1);
    edge::nn::global_average_pool(x.data(), y.data(), 1, 64, 24, 1);
    CHECK(allocations() == before);
    CHECK(y[0] == 2.0f);
}

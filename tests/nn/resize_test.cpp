// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/nn/resize.hpp>

#include "support/allocations.hpp"
#include "support/architectures.hpp"
#include "support/guarded.hpp"

#include <cmath>

using edge::index_t;
using edge::nn::image_resizer;
using edge::nn::resize_coordinates;
using edge::nn::resize_filter;
using edge::nn::resize_options;

namespace {

constexpr resize_options pillow_bilinear{.filter = resize_filter::linear, .antialias = true};
constexpr resize_options pillow_bicubic{.filter = resize_filter::cubic, .antialias = true};

/// On every architecture, with guards around the result and the scratch memory, on one thread and on three.
template <class T, class Check>
void resize(const std::vector<T>& x, index_t in_h, index_t in_w, index_t out_h, index_t out_w, index_t channels,
            const resize_options& options, const Check& check) {
    const index_t batch = static_cast<index_t>(x.size()) / (in_h * in_w * channels);
    for_each_architecture([&]<class Arch>() {
        const image_resizer<T, Arch> resizer(in_h, in_w, out_h, out_w, options);
        for (const int threads : {1, 3}) {
            guarded<T> y(static_cast<std::size_t>(batch * out_h * out_w * channels), sizeof(T));
            guarded<T> scratch(resizer.scratch_bytes(channels) / sizeof(T), sizeof(T));
            resizer.run(x.data(), y.data(), batch, channels, scratch.data(), threads);
            REQUIRE(y.is_intact());
            REQUIRE(scratch.is_intact());
            check(y.values());
        }
    });
}

template <class T>
void equals(const std::vector<T>& x, index_t in_h, index_t in_w, index_t out_h, index_t out_w, index_t channels,
            const resize_options& options, const std::vector<T>& expected) {
    resize(x, in_h, in_w, out_h, out_w, channels, options, [&](const std::vector<T>& y) { REQUIRE(y == expected); });
}

void is_near(const std::vector<float>& x, index_t in_h, index_t in_w, index_t out_h, index_t out_w,
             const resize_options& options, const std::vector<float>& expected) {
    resize(x, in_h, in_w, out_h, out_w, 1, options, [&](const std::vector<float>& y) {
        for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(std::abs(y[i] - expected[i]) <= 4e-6f);
    });
}

/// [7, 9, 3]: np.arange(189) * 37 % 256
std::vector<std::uint8_t> photo() {
    std::vector<std::uint8_t> x;
    for (int i = 0; i < 189; ++i) x.push_back(static_cast<std::uint8_t>(i * 37 % 256));
    return x;
}

}  // namespace

// Pillow 9.4.0.
TEST_CASE("bytes are resized as Pillow does, to the bit", "[nn][resize]") {
    // Image.fromarray(photo).resize((4, 3), Image.BILINEAR)
    equals<std::uint8_t>(photo(), 7, 9, 3, 4, 3, pillow_bilinear,
                         {132, 110, 104, 122, 133, 120, 116, 123, 136, 128, 118, 132, 118, 143, 155, 105, 112, 137,
                          149, 114, 114, 120, 145, 110, 145, 135, 132, 140, 147, 92,  105, 141, 151, 135, 97,  134});
    // Image.fromarray(photo).resize((4, 3), Image.BICUBIC)
    equals<std::uint8_t>(photo(), 7, 9, 3, 4, 3, pillow_bicubic,
                         {131, 104, 100, 124, 138, 118, 114, 125, 141, 127, 115, 131, 118, 147, 157, 103, 109, 145,
                          155, 112, 111, 117, 149, 108, 148, 136, 135, 142, 149, 87,  94,  142, 153, 140, 92,  134});
    // Image.fromarray(photo).resize((3, 2), Image.BICUBIC)
    equals<std::uint8_t>(photo(), 7, 9, 2, 3, 3, pillow_bicubic,
                         {123, 124, 123, 122, 121, 131, 128, 127, 122, 133, 138, 136, 124, 132, 120, 124, 118, 129});
    // Image.fromarray(np.array([[0, 101, 202], [47, 148, 249]], np.uint8)).resize((5, 3), …)
    const std::vector<std::uint8_t> small{0, 101, 202, 47, 148, 249};
    equals<std::uint8_t>(small, 2, 3, 3, 5, 1, pillow_bilinear,
                         {0, 40, 101, 162, 202, 24, 64, 125, 186, 226, 47, 87, 148, 209, 249});
    equals<std::uint8_t>(small, 2, 3, 3, 5, 1, pillow_bicubic,
                         {0, 28, 98, 168, 207, 20, 55, 125, 195, 233, 42, 81, 151, 221, 255});
}

// PyTorch 1.13: torch.nn.functional.interpolate(x, size=(3, 5), …)
TEST_CASE("floats are resized as PyTorch does", "[nn][resize]") {
    const std::vector<float> x{0, 2, 6, 12, 20, 30};
    // mode="bilinear", align_corners=False
    is_near(x, 2, 3, 3, 5, {}, {0, 0.8f, 2, 4.4f, 6, 6, 8, 11, 15.2f, 18, 12, 15.2f, 20, 26, 30});
    // mode="bilinear", align_corners=True
    is_near(x, 2, 3, 3, 5, {.coordinates = resize_coordinates::align_corners},
            {0, 1, 2, 4, 6, 6, 8.5f, 11, 14.5f, 18, 12, 16, 20, 25, 30});
    // mode="bilinear", antialias=True, size=(1, 2)
    is_near(x, 2, 3, 1, 2, {.antialias = true}, {7.875f, 15.375f});
    // mode="nearest"
    equals<float>(x, 2, 3, 3, 5, 1, {.filter = resize_filter::nearest, .coordinates = resize_coordinates::asymmetric},
                  {0, 0, 2, 2, 6, 0, 0, 2, 2, 6, 12, 12, 20, 20, 30});
    // mode="nearest-exact"
    equals<float>(x, 2, 3, 3, 5, 1, {.filter = resize_filter::nearest},
                  {0, 0, 2, 6, 6, 12, 12, 20, 30, 30, 12, 12, 20, 30, 30});
}

TEST_CASE("an image of the size that is asked for stays as it is, whatever is in it", "[nn][resize]") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> x{1, infinity, -2, 3, -infinity, 5};
    for (const resize_filter filter : {resize_filter::nearest, resize_filter::linear, resize_filter::cubic})
        for (const resize_coordinates where :
             {resize_coordinates::half_pixel, resize_coordinates::align_corners, resize_coordinates::asymmetric})
            equals<float>(x, 2, 3, 2, 3, 1, {.filter = filter, .coordinates = where}, x);
    equals<std::uint8_t>(photo(), 7, 9, 7, 9, 3, pillow_bicubic, photo());
}

TEST_CASE("images of a batch and channels are resized on their own", "[nn][resize]") {
    edge::splitmix64 random(1);
    constexpr index_t batch = 2, in_h = 11, in_w = 13, out_h = 8, out_w = 21;
    for (const index_t channels : {1, 3, 16, 37}) {
        std::vector<float> x(static_cast<std::size_t>(batch * in_h * in_w * channels));
        for (float& v : x) v = static_cast<float>(random.uniform(-1.0, 1.0));
        const image_resizer<float> one(in_h, in_w, out_h, out_w, {.filter = resize_filter::cubic});
        std::vector<float> expected(static_cast<std::size_t>(batch * out_h * out_w * channels));
        std::vector<float> from(in_h * in_w), to(out_h * out_w), scratch(in_h * out_w);
        const auto at = [](index_t n, index_t pixels, index_t i, index_t step, index_t c) {
            return static_cast<std::size_t>((n * pixels + i) * step + c);
        };
        for (index_t n = 0; n < batch; ++n)
            for (index_t c = 0; c < channels; ++c) {
                for (index_t i = 0; i < in_h * in_w; ++i)
                    from[static_cast<std::size_t>(i)] = x[at(n, in_h * in_w, i, channels, c)];
                one.run(from.data(), to.data(), 1, 1, scratch.data(), 1);
                for (index_t i = 0; i < out_h * out_w; ++i)
                    expected[at(n, out_h * out_w, i, channels, c)] = to[static_cast<std::size_t>(i)];
            }
        resize(x, in_h, in_w, out_h, out_w, channels, {.filter = resize_filter::cubic},
               [&](const std::vector<float>& y) {
                   for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::abs(y[i] - expected[i]) <= 1e-6f);
               });
    }
}

TEST_CASE("resizing allocates nothing and refuses empty images", "[nn][resize]") {
    const image_resizer<std::uint8_t> half(8, 8, 4, 4, pillow_bilinear);
    const std::vector<std::uint8_t> x(8 * 8 * 3, 7);
    std::vector<std::uint8_t> y(4 * 4 * 3), scratch(half.scratch_bytes(3));
    const auto before = allocations();
    half.run(x.data(), y.data(), 1, 3, scratch.data(), 1);
    CHECK(allocations() == before);
    CHECK(y == std::vector<std::uint8_t>(4 * 4 * 3, 7));
    half.run(nullptr, nullptr, 0, 3, nullptr, 1);
    CHECK_THROWS_WITH(image_resizer<float>(0, 1, 1, 1), "resize from 0 to 1 pixels; expected 1 to 16777216");
}

// SPDX-License-Identifier: MIT
#include <edge/core/random.hpp>
#include <edge/core/tensor.hpp>
#include <edge/quant/observer.hpp>

#include "support/architectures.hpp"
#include "support/random_floats.hpp"

#include <cmath>

using edge::index_t;
namespace quant = edge::quant;

TEST_CASE("the range is that of all values, for every length", "[quant][observer]") {
    for_each_architecture([]<class Arch>() {
        const auto lanes = xsimd::batch<float, Arch>::size;
        for (std::size_t n = 0; n <= 2 * lanes + 1; ++n)
            for (std::size_t at = 0; at < n; ++at) {
                std::vector<float> x = random_floats(static_cast<edge::index_t>(n), n);
                x[at] = at % 2 == 0 ? 5.0f : -5.0f;
                quant::value_range range;
                REQUIRE(quant::detail::finite_range<Arch>(x.data(), static_cast<index_t>(n), range));
                REQUIRE(range.low == *std::min_element(x.begin(), x.end()));
                REQUIRE(range.high == *std::max_element(x.begin(), x.end()));
                for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
                    x[at] = bad;
                    REQUIRE_FALSE(quant::detail::finite_range<Arch>(x.data(), static_cast<index_t>(n), range));
                }
            }
    });
}

TEST_CASE("merging two observers equals observing both streams, either way round", "[quant][observer]") {
    const auto a = random_floats(37, 1), b = random_floats(54, 2), nothing = random_floats(0, 3);
    quant::minmax_observer first, second, both, empty;
    first.observe(a);
    second.observe(b);
    both.observe(b);
    both.observe(nothing);
    both.observe(a);
    auto ab = first, ba = second;
    ab.merge(second);
    ab.merge(empty);
    ba.merge(first);
    for (const auto& o : {ab, ba}) {
        CHECK(o.range().low == both.range().low);
        CHECK(o.range().high == both.range().high);
        CHECK(o.parameters_for(edge::dtype::u8) == both.parameters_for(edge::dtype::u8));
    }
}

TEST_CASE("an observer refuses what is not finite, names it and stays as it was", "[quant][observer]") {
    quant::minmax_observer seen;
    seen.observe(std::vector<float>{1.0f, 2.0f});
    CHECK_THROWS_WITH(seen.observe(std::vector<float>{-9.0f, HUGE_VALF, std::nanf("")}),
                      "observed value 1 is inf; expected a finite number");
    CHECK(seen.range().low == 1.0f);
    CHECK(seen.range().high == 2.0f);
    CHECK_THROWS_WITH(quant::minmax_observer().parameters_for(edge::dtype::u8),
                      "parameters of an observer that has seen no value");
}

TEST_CASE("a channel observer sees each channel alone", "[quant][observer]") {
    edge::tensor<float> x({4, 3, 7}, random_floats(84, 5));
    for (const index_t axis : {0, 1, 2, -2}) {
        const std::size_t a = x.shape().axis(axis);
        quant::channel_minmax_observer seen(axis), half(axis), other(axis);
        seen.observe(x);
        if (a != 0) {
            half.observe(x.view().slice(0, 0, 2));
            other.observe(x.view().slice(0, 2, 4));
            half.merge(other);
        } else {
            half.merge(seen);
        }
        REQUIRE(static_cast<index_t>(seen.ranges().size()) == x.shape()[a]);
        for (index_t c = 0; c < x.shape()[a]; ++c) {
            const auto channel = edge::copy(x.view().select(axis, c));
            quant::minmax_observer alone;
            alone.observe(channel.flat());
            const auto i = static_cast<std::size_t>(c);
            CHECK(seen.parameters_for(edge::dtype::i8)[i] == alone.parameters_for(edge::dtype::i8));
            CHECK(half.parameters_for(edge::dtype::i8)[i] == alone.parameters_for(edge::dtype::i8));
        }
    }
    quant::channel_minmax_observer seen(1);
    seen.observe(x);
    CHECK_THROWS_WITH(seen.observe(edge::tensor<float>({2, 4})), "observed 4 channels; expected 3 as before");
    x(3, 2, 6) = std::nanf("");
    CHECK_THROWS_WITH(seen.observe(x), "observed value 83 is nan; expected a finite number");
}

TEST_CASE("a moving average forgets old batches by its weight", "[quant][observer]") {
    quant::moving_average_observer seen(0.25f);
    seen.observe(std::vector<float>{-4.0f, 8.0f});
    seen.observe(std::vector<float>{0.0f, 0.0f});
    CHECK(seen.range().low == -3.0f);
    CHECK(seen.range().high == 6.0f);
    CHECK_THROWS_AS(quant::moving_average_observer(0.0f), edge::argument_error);
    CHECK_THROWS_AS(quant::moving_average_observer(std::nanf("")), edge::argument_error);
}

TEST_CASE("merged moving averages are those of one stream", "[quant][observer]") {
    const auto x = random_floats(60, 6);
    quant::moving_average_observer whole(0.1f), first(0.1f), second(0.1f), third(0.1f);
    for (std::size_t i = 0; i < 12; ++i) {
        const auto batch = std::span(x).subspan(5 * i, 5);
        whole.observe(batch);
        (i < 5 ? first : i < 6 ? second : third).observe(batch);
    }
    first.merge(second);
    first.merge(quant::moving_average_observer(0.1f));
    first.merge(third);
    CHECK(first.range().low == Approx(whole.range().low).epsilon(1e-6));
    CHECK(first.range().high == Approx(whole.range().high).epsilon(1e-6));
    CHECK_THROWS_AS(first.merge(quant::moving_average_observer(0.2f)), edge::argument_error);
}

TEST_CASE("an observer's bytes give it back, and damaged ones are refused", "[quant][observer]") {
    const edge::tensor<float> x({4, 3}, random_floats(12, 7));
    quant::channel_minmax_observer channels(-1);
    channels.observe(x);
    const auto bytes = channels.to_bytes();
    const auto back = quant::channel_minmax_observer::from_bytes(bytes);
    CHECK(std::equal(back.ranges().begin(), back.ranges().end(), channels.ranges().begin(), channels.ranges().end()));
    CHECK(back.to_bytes() == bytes);
    for (std::size_t n = 0; n < bytes.size(); ++n)
        CHECK_THROWS_AS(quant::channel_minmax_observer::from_bytes(std::span(bytes).first(n)), edge::parse_error);
    auto many = bytes;
    many[21] = std::byte{255};  // of the number of channels
    CHECK_THROWS_AS(quant::channel_minmax_observer::from_bytes(many), edge::parse_error);
    auto nan = bytes;
    nan[25] = nan[24] = std::byte{255};  // of a range
    CHECK_THROWS_AS(quant::channel_minmax_observer::from_bytes(nan), edge::parse_error);
    CHECK_THROWS_WITH(quant::minmax_observer::from_bytes(bytes), "observer: bytes of kind 5; expected 0");
}

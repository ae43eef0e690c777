// SPDX-License-Identifier: MIT
#include <edge/quant/any_observer.hpp>

#include "support/catch.hpp"
#include "support/random_floats.hpp"

namespace quant = edge::quant;
using quant::any_observer;
using quant::observer_kind;

namespace {

constexpr observer_kind kinds[] = {observer_kind::minmax, observer_kind::moving_average, observer_kind::percentile,
                                   observer_kind::mse, observer_kind::entropy};
const quant::format formats[] = {quant::format(edge::dtype::u8), quant::format(edge::dtype::i8)};

}  // namespace

TEST_CASE("names of observers are read as they are written", "[quant][observer]") {
    for (const auto kind : kinds) {
        CHECK(quant::observer_kind_from_string(quant::to_string(kind)) == kind);
        CHECK(any_observer(kind).kind() == kind);
    }
    CHECK_THROWS_AS(quant::observer_kind_from_string("max"), edge::argument_error);
}

TEST_CASE("for every kind, merging equals observing both, and bytes give an observer back", "[quant][observer]") {
    const auto a = random_floats(5000, 1), b = random_floats(300, 2), c = random_floats(40, 3);
    for (const auto kind : kinds) {
        INFO(std::string(quant::to_string(kind)));
        any_observer together(kind), first(kind), second(kind), none(kind);
        for (const auto* x : {&a, &b, &c}) together.observe(*x);
        first.observe(a);
        second.observe(b);
        second.observe(c);
        CHECK(none.is_empty());
        auto merged = any_observer::from_bytes(none.to_bytes());
        merged.merge(any_observer::from_bytes(first.to_bytes()));
        merged.merge(none);
        merged.merge(any_observer::from_bytes(second.to_bytes()));
        for (const auto& f : formats) {
            const auto p = merged.parameters_for(f), expected = together.parameters_for(f);
            if (kind == observer_kind::moving_average) {
                CHECK(p.scale == Approx(expected.scale).epsilon(1e-6));
            } else {
                CHECK(p == expected);
                CHECK(merged.to_bytes() == together.to_bytes());
            }
        }
        CHECK_THROWS_WITH(none.parameters_for(edge::dtype::u8), "parameters of an observer that has seen no value");
        CHECK_THROWS_WITH(together.observe(std::vector<float>{0.0f, 1.0f, std::nanf("")}),
                          "observed value 2 is nan; expected a finite number");
        const auto bytes = first.to_bytes();
        for (std::size_t n = 0; n < bytes.size(); n += 1 + n / 64)
            REQUIRE_THROWS_AS(any_observer::from_bytes(std::span(bytes).first(n)), edge::parse_error);
    }
    CHECK_THROWS_AS(any_observer(observer_kind::mse).merge(any_observer()), edge::argument_error);
    CHECK_THROWS_AS(any_observer({.kind = observer_kind::percentile, .keep = 2.0}), edge::argument_error);
}

TEST_CASE("parameters are sound for every kind and any finite values", "[quant][observer]") {
    const float most = (std::numeric_limits<float>::max)();
    for (const auto kind : kinds)
        for (const auto& x : std::vector<std::vector<float>>{{0.0f},
                                                             {5.0f, 5.0f},
                                                             {-1.0f},
                                                             {1e-38f, 1e38f, -1e-38f, -1e38f},
                                                             {-most, most},
                                                             {1e-45f},
                                                             std::vector<float>(1000, 0.0f)}) {
            any_observer seen(kind);
            seen.observe(x);
            seen.observe({});
            for (const auto& f : formats) {
                INFO(std::string(quant::to_string(kind)) << " of " << x[0]);
                CHECK_NOTHROW(quant::check(seen.parameters_for(f), f.range));
            }
        }
}

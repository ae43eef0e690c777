// SPDX-License-Identifier: MIT
#pragma once

/// @file Spans of time or of any other axis, as an option takes them: a number or a duration.
///
///     {.on = "ts", .tolerance = 50ms}             // of timestamps: nanoseconds are counted for you
///     {.on = "odometer", .tolerance = 0.5}        // of numbers: in the units of the column

#include <edge/core/error.hpp>
#include <edge/frame/kind.hpp>

#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace edge::frame {

/// None, a number in the units of a column, or a duration.
class time_span {
public:
    time_span() = default;

    template <class Number>
    requires std::is_arithmetic_v<Number> time_span(Number value)  // NOLINT: a number is a span
        : time_span(value, static_cast<double>(value), 1, false) {}

    /// A duration of std::chrono, for timestamps.
    template <class Duration>
    requires requires(Duration d) {
        d.count();
        typename Duration::period;
    }
    time_span(Duration d)  // NOLINT: a duration is a span
        : time_span(d.count(),
                    static_cast<double>(d.count()) * 1e9 * static_cast<double>(Duration::period::num) /
                        static_cast<double>(Duration::period::den),
                    1'000'000'000 * Duration::period::num / Duration::period::den, true) {}

    /// Whether there is one.
    [[nodiscard]] bool is_set() const noexcept { return set_; }
    [[nodiscard]] bool is_duration() const noexcept { return duration_; }

    /// In units of the column, or nanoseconds.
    [[nodiscard]] double value() const noexcept { return value_; }

    /// The same, rounded down to a whole number; the greatest int64 where it is more, -1 where it is negative.
    [[nodiscard]] std::int64_t ticks() const noexcept { return ticks_; }

private:
    template <class Count>
    time_span(Count count, double value, std::int64_t ticks_each, bool duration) noexcept
        : set_(true), duration_(duration), value_(value) {
        constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
        if (!(value < 9.2e18))
            ticks_ = most;
        else if (std::is_integral_v<Count> && ticks_each > 0 && value >= 0)
            ticks_ = static_cast<std::int64_t>(count) * ticks_each;  // exact where the double is not
        else
            ticks_ = value >= 0 ? static_cast<std::int64_t>(value) : -1;
    }

    bool set_ = false;
    bool duration_ = false;
    std::int64_t ticks_ = 0;
    double value_ = 0;
};

namespace detail {

/// @throws argument_error  if a duration is given for a column that holds no timestamps
inline void check_span(const time_span& span, kind k, std::string_view what, std::string_view column) {
    if (span.is_duration() && k != kind::timestamp)
        throw argument_error(message("a duration as the ", what, " of '", column, "' of ", to_string(k),
                                     "; expected a number in its units"));
}

}  // namespace detail
}  // namespace edge::frame

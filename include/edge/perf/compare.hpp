// SPDX-License-Identifier: MIT
#pragma once

/// @file Compare: several implementations of one thing, on the same arguments, side by side.
///
///     using edge::perf::who;
///     auto r = edge::perf::compare({.job = "sum", .n = x.size()}, std::tuple(std::span(x)),
///                                  who{"loop", loop_sum}, who{"edge", edge_sum});
///     std::fputs(r.table().c_str(), stderr);       // medians, and how much faster than the first
///     std::fputs(r.json_lines().c_str(), stdout);
///
/// Runs alternate, so what slows the machine down slows all of them down. Results must agree with the first one's.

#include <edge/core/cpu.hpp>
#include <edge/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace edge::perf {

struct compare_options {
    std::string job = {};  ///< what is done
    std::size_t n = 0;     ///< to how much
    int threads = 1;       ///< as told to the implementations; only reported
    int rounds = 11;       ///< each runs every implementation once; at least 1
    double least_ms = 1;   ///< a run repeats short calls for as long as this
    bool check = true;     ///< whether the results are compared; they need == or numbers in a range
    double tolerance = 0;  ///< of numbers, relative to the larger one; NaN equals NaN
    double floor_ms = 0;   ///< the time the machine cannot do it below, measured by the caller; 0: not known
};

/// An implementation and its name.
template <class F>
struct who {
    std::string name;
    F run;
};
template <class F>
who(const char*, F) -> who<F>;
template <class F>
who(std::string, F) -> who<F>;

/// How one implementation did.
struct measurement {
    std::string who;
    double median_ms = 0;
    double ratio = 1;      ///< median over the rounds of the first one's time ÷ this one's: above 1 is faster
    double ratio_low = 1;  ///< least and greatest of the middle half of them
    double ratio_high = 1;
};

struct comparison {
    compare_options options;
    std::vector<measurement> rows;

    /// One line each, for people.
    [[nodiscard]] std::string table() const;

    /// One JSON object a line and implementation: job, n, who, threads, median_ms, ratio, ratio_low, ratio_high,
    /// floor_ratio (null where the floor is not known), cpu.
    [[nodiscard]] std::string json_lines() const;
};

/// Keeps the compiler from leaving out what nobody reads.
template <class T>
void keep(const T& value) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __asm__ volatile("" : : "r"(&value) : "memory");
#else
    static const volatile void* volatile sink;
    sink = &value;
#endif
}

namespace detail {

template <class R>
concept range_of_numbers = requires(const R& r) {
    std::begin(r);
    std::end(r);
    requires std::is_arithmetic_v<std::remove_cvref_t<decltype(*std::begin(r))>>;
};

template <class T>
[[nodiscard]] bool numbers_agree(T a, T b, double tolerance) noexcept {
    if (a == b) return true;
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
        return std::abs(a - b) <= tolerance * (std::max)(std::abs(a), std::abs(b));
    }
    return false;
}

template <class R>
[[nodiscard]] bool results_agree(const R& a, const R& b, double tolerance) {
    if constexpr (std::is_arithmetic_v<R>) {
        return numbers_agree(a, b, tolerance);
    } else if constexpr (range_of_numbers<R>) {
        return std::equal(std::begin(a), std::end(a), std::begin(b), std::end(b),
                          [&](auto x, auto y) { return numbers_agree(x, y, tolerance); });
    } else if constexpr (std::equality_comparable<R>) {
        return a == b;
    } else {
        throw argument_error("the results cannot be compared; set check to false");
    }
}

/// Of the middle value, or the mean of the middle two.
[[nodiscard]] inline double sorted_quantile(const std::vector<double>& sorted, double q) noexcept {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = (std::min)(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

/// Mean milliseconds of one of `calls` calls.
template <class F, class Arguments>
[[nodiscard]] double time_calls(F& f, const Arguments& arguments, std::size_t calls) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    for (std::size_t i = 0; i < calls; ++i) {
        if constexpr (std::is_void_v<decltype(std::apply(f, arguments))>) {
            std::apply(f, arguments);
        } else {
            keep(std::apply(f, arguments));
        }
    }
    const std::chrono::duration<double, std::milli> took = clock::now() - start;
    return took.count() / static_cast<double>(calls);
}

[[nodiscard]] inline std::string quoted(const std::string& text) {
    constexpr const char* hex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (code < 0x20) {
            out += "\\u00";
            out += hex[code >> 4];
            out += hex[code & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace detail

/// Runs every implementation on `arguments`, a tuple. The first is what the others are compared with.
/// @throws argument_error  if rounds is below 1, or a result differs from the first one's; the message names both
template <class Arguments, class First, class... Others>
[[nodiscard]] comparison compare(compare_options options, const Arguments& arguments, who<First> first,
                                 who<Others>... others) {
    if (options.rounds < 1) throw argument_error(message("rounds ", options.rounds, "; expected 1 or more"));
    auto all = std::tie(first, others...);
    constexpr std::size_t count = 1 + sizeof...(Others);
    const auto for_each = [&](auto&& visit) {
        std::apply(
            [&](auto&... one) {
                std::size_t i = 0;
                (visit(i++, one), ...);
            },
            all);
    };

    if constexpr (!std::is_void_v<decltype(std::apply(first.run, arguments))>) {
        if (options.check) {
            const auto expected = std::apply(first.run, arguments);
            for_each([&](std::size_t i, auto& one) {
                if (i > 0 &&
                    !detail::results_agree(expected, static_cast<decltype(expected)>(std::apply(one.run, arguments)),
                                           options.tolerance))
                    throw argument_error(
                        message(options.job, ": '", one.name, "' does not agree with '", first.name, "'"));
            });
        }
    }

    std::vector<std::size_t> calls(count);
    std::vector<std::vector<double>> times(count);
    for_each([&](std::size_t i, auto& one) {
        (void)detail::time_calls(one.run, arguments, 1);  // caches, pages and clocks warm up
        const double once = detail::time_calls(one.run, arguments, 1);
        const double wanted = std::ceil(options.least_ms / (std::max)(once, 1e-6));
        calls[i] = static_cast<std::size_t>((std::clamp)(wanted, 1.0, 1e6));
    });
    for (int round = 0; round < options.rounds; ++round)
        for_each(
            [&](std::size_t i, auto& one) { times[i].push_back(detail::time_calls(one.run, arguments, calls[i])); });

    comparison result;
    for_each([&](std::size_t i, auto& one) {
        std::vector<double> ratios;
        for (std::size_t r = 0; r < times[i].size(); ++r) ratios.push_back(times[0][r] / (std::max)(times[i][r], 1e-9));
        std::sort(ratios.begin(), ratios.end());
        std::vector<double> sorted = times[i];
        std::sort(sorted.begin(), sorted.end());
        result.rows.push_back({one.name, detail::sorted_quantile(sorted, 0.5), detail::sorted_quantile(ratios, 0.5),
                               detail::sorted_quantile(ratios, 0.25), detail::sorted_quantile(ratios, 0.75)});
    });
    result.options = std::move(options);
    return result;
}

inline std::string comparison::table() const {
    // Four significant digits: what a timing is worth.
    const auto number = [](double v) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::general, 4).ptr;
        return std::string(digits, end);
    };
    const auto pad = [](std::string text, std::size_t width, bool right) {
        const std::string blanks(text.size() < width ? width - text.size() : 0, ' ');
        return right ? blanks + text : text + blanks;
    };
    std::size_t widest = 4;
    for (const auto& row : rows) widest = (std::max)(widest, row.who.size());
    std::string out = message(options.job, options.n == 0 ? "" : message(", n = ", options.n), ", ", options.threads,
                              options.threads == 1 ? " thread\n" : " threads\n");
    out += "  " + pad("", widest, false) + pad("median ms", 12, true) + pad("speed-up", 12, true) + "  middle half\n";
    for (const auto& row : rows)
        out += "  " + pad(row.who, widest, false) + pad(number(row.median_ms), 12, true) +
               pad(number(row.ratio) + "x", 12, true) + "  " + number(row.ratio_low) + " - " + number(row.ratio_high) +
               "\n";
    return out;
}

inline std::string comparison::json_lines() const {
    std::string out;
    for (const auto& row : rows)
        out += message(
            "{\"job\":", detail::quoted(options.job), ",\"n\":", options.n, ",\"who\":", detail::quoted(row.who),
            ",\"threads\":", options.threads, ",\"median_ms\":", row.median_ms, ",\"ratio\":", row.ratio,
            ",\"ratio_low\":", row.ratio_low, ",\"ratio_high\":", row.ratio_high,
            ",\"floor_ratio\":", options.floor_ms > 0 ? message(row.median_ms / options.floor_ms) : std::string("null"),
            ",\"cpu\":", detail::quoted(cpu::to_string(cpu::machine())), "}\n");
    return out;
}

}  // namespace edge::perf

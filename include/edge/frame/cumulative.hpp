// SPDX-License-Identifier: MIT
#pragma once

/// @file Running totals: what all rows up to a row come to.
///
///     t.add("energy", cum_sum(t, "power", {.by = "meter"}));
///     t.add("so_far", cum_max(t, "temperature"));
///
/// Missing values and NaN are skipped, and have no result of their own. The rows of a key count in the order in which
/// they appear; a missing key is a key too. A sum of floats carries its rounding errors along.

#include <edge/frame/detail/neighbours.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

struct cumulative_options {
    key_names by = {};
    parallel_options threads = {};
};

namespace detail {

/// @tparam W    int64 or double, as which values are taken and results given
/// @param next  next(state, value): takes a value and gives the result
template <class W, class State, class Next>
[[nodiscard]] column accumulated(const table& t, const std::string& name, const cumulative_options& o, kind k,
                                 Next&& next) {
    const column& c = t.column(name);
    const sequences s = sequences_of(t, o.by, o.threads);
    const std::vector<std::uint8_t> there = values_there(c, s, o.threads);
    growing<W> results = values_in_order<W>(c, s, W{}, o.threads);
    parallel_for(static_cast<index_t>(s.count()), {.threads = o.threads.threads}, [&](index_t first, index_t last) {
        for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g) {
            State state{};
            for (std::size_t i = s.begin[g]; i < s.begin[g + 1]; ++i)
                results[i] = there[i] != 0 ? next(state, results[i]) : W{};
        }
    });
    buffer validity =
        missing_in_rows(s, t.rows(), o.threads, [is = there.data()](std::size_t i) { return is[i] == 0; });
    return dispatch_stored(k, [&]<class T>() {
        return column(k, t.rows(), std::move(validity),
                      results_in_rows<T>(s, t.rows(), o.threads,
                                         [x = results.data()](std::size_t i) { return static_cast<T>(x[i]); }));
    });
}

inline void check_cumulative(const table& t, const std::string& name, bool times) {
    const kind k = t.column(name).kind();
    if (is_number(k) || (times && (k == kind::date || k == kind::timestamp))) return;
    throw argument_error(message("running total of column '", name, "' of ", to_string(k), "; expected numbers"));
}

/// Source: Ogita, Rump, Oishi 2005, "Accurate sum and dot product", Sum2.
struct running_sum {
    double total = 0;
    double error = 0;

    void add(double x) noexcept {
        const double s = total + x;
        const double back = s - total;
        error += (total - (s - back)) + (x - back);
        total = s;
    }
    [[nodiscard]] double sum() const noexcept { return std::isfinite(error) ? total + error : total; }
};

template <class W>
struct running_extreme {
    W value{};
    bool any = false;
};

template <bool Greatest>
[[nodiscard]] column accumulated_extreme(const table& t, const std::string& name, const cumulative_options& o) {
    check_cumulative(t, name, true);
    const kind k = t.column(name).kind();
    const auto choose = [](auto& state, auto x, auto is_less) {
        if (!state.any || (Greatest ? is_less(state.value, x) : is_less(x, state.value))) state = {x, true};
        return state.value;
    };
    if (is_float(k))
        return accumulated<double, running_extreme<double>>(t, name, o, k, [&](auto& state, double x) {
            return choose(state, x, [](double a, double b) { return a < b; });
        });
    return accumulated<std::int64_t, running_extreme<std::int64_t>>(t, name, o, k, [&](auto& state, std::int64_t x) {
        return choose(state, x, [&](std::int64_t a, std::int64_t b) {
            return k == kind::uint64 ? static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b) : a < b;
        });
    });
}

}  // namespace detail

/// int64, modulo 2^64, of integers; float64 of floats.
/// @throws argument_error  if a column is not there, or not of numbers
[[nodiscard]] inline column cum_sum(const table& t, const std::string& name, const cumulative_options& options = {}) {
    detail::check_cumulative(t, name, false);
    using sum = detail::running_sum;
    if (is_float(t.column(name).kind()))
        return detail::accumulated<double, sum>(t, name, options, kind::float64, [](sum& state, double x) {
            state.add(x);
            return state.sum();
        });
    return detail::accumulated<std::int64_t, std::uint64_t>(t, name, options, kind::int64,
                                                            [](std::uint64_t& state, std::int64_t x) {
                                                                state += static_cast<std::uint64_t>(x);
                                                                return static_cast<std::int64_t>(state);
                                                            });
}

/// Of the column's kind.
/// @throws argument_error  if a column is not there, or not of numbers or times
[[nodiscard]] inline column cum_min(const table& t, const std::string& name, const cumulative_options& options = {}) {
    return detail::accumulated_extreme<false>(t, name, options);
}
[[nodiscard]] inline column cum_max(const table& t, const std::string& name, const cumulative_options& options = {}) {
    return detail::accumulated_extreme<true>(t, name, options);
}

/// Values so far, of a column of any kind, in every row.
/// @throws argument_error  if a column is not there
[[nodiscard]] inline column cum_count(const table& t, const std::string& name, const cumulative_options& options = {}) {
    const detail::sequences s = detail::sequences_of(t, options.by, options.threads);
    const std::vector<std::uint8_t> there = detail::values_there(t.column(name), s, options.threads);
    std::vector<std::int64_t> counts(there.size());
    for (std::size_t k = 0; k < s.count(); ++k) {
        std::int64_t count = 0;
        for (std::size_t i = s.begin[k]; i < s.begin[k + 1]; ++i) counts[i] = count += there[i];
    }
    return column(kind::int64, t.rows(), {},
                  detail::results_in_rows<std::int64_t>(s, t.rows(), options.threads,
                                                        [x = counts.data()](std::size_t i) { return x[i]; }));
}

}  // namespace edge::frame

// SPDX-License-Identifier: MIT
#pragma once

/// @file Observers that keep a histogram and choose the range at the end, by a rule.
///
///     edge::quant::histogram_observer<edge::quant::percentile_rule> seen({.keep = 0.999}, 4096);
///
/// The rules: percentile.hpp, mse.hpp, entropy.hpp. A rule has `range(histogram, format)`, `check()` for its options,
/// `kind` and a byte form of them.

#include <edge/quant/histogram.hpp>

namespace edge::quant {

template <class Rule>
class histogram_observer {
public:
    /// @param bins  of the histogram, on each side of zero
    /// @throws argument_error  if an option is out of its range
    explicit histogram_observer(const Rule& rule = {}, int bins = 2048) : rule_(rule), seen_(bins) { rule.check(); }

    /// @param x  values of any shape, flattened; may be empty. O(n).
    /// @param threads  0: the process default
    /// @throws argument_error  at the first NaN or infinity, and nothing of x is taken in then
    void observe(std::span<const float> x, int threads = 0) { seen_.observe(x, threads); }

    /// As if `other`'s batches had been observed here. Commutes.
    /// @throws argument_error  if the options differ
    void merge(const histogram_observer& other) {
        if (!(other.rule_ == rule_)) throw argument_error("merging observers of different options");
        seen_.merge(other.seen_);
    }

    [[nodiscard]] const histogram& seen() const noexcept { return seen_; }
    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }

    /// Of all values; the rule's is `range(f)`.
    [[nodiscard]] const value_range& range() const noexcept { return seen_.range(); }

    /// What the rule chooses for integers of a format.
    /// @throws argument_error  if nothing was observed
    [[nodiscard]] value_range range(const format& f) const { return rule_.range(seen_, f); }

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] parameters parameters_for(const format& f) const { return detail::parameters_of(range(f), f); }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(Rule::kind);
        rule_.put(to);
        seen_.put(to);
        return std::move(to).bytes();
    }
    /// @throws parse_error     if the bytes are not those of such an observer
    /// @throws argument_error  if an option in them is out of its range
    [[nodiscard]] static histogram_observer from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, Rule::kind);
        histogram_observer o(Rule::take(from));
        o.seen_ = histogram::take(from);
        from.expect_end();
        return o;
    }

private:
    Rule rule_;
    histogram seen_;
};

}  // namespace edge::quant

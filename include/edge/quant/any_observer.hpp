// SPDX-License-Identifier: MIT
#pragma once

/// @file An observer that is picked by name.
///
///     std::vector<edge::quant::any_observer> all(tensors, edge::quant::any_observer(observer_kind::mse));
///     all[i].observe(values);
///     const auto p = all[i].parameters_for(edge::dtype::u8);
///     const edge::quant::histogram* h = all[i].seen();            // for a report; null where none is kept

#include <edge/quant/entropy.hpp>
#include <edge/quant/mse.hpp>
#include <edge/quant/percentile.hpp>

#include <string_view>
#include <variant>

namespace edge::quant {

/// How the range of a tensor follows from what calibration saw.
enum class observer_kind : std::uint8_t { minmax, moving_average, percentile, mse, entropy };

namespace detail {
inline constexpr std::string_view observer_names[] = {"minmax", "moving_average", "percentile", "mse", "entropy"};
}

/// "minmax", "moving_average", "percentile", "mse" or "entropy".
[[nodiscard]] constexpr std::string_view to_string(observer_kind kind) noexcept {
    return detail::observer_names[static_cast<std::size_t>(kind)];
}

/// @throws argument_error  if there is no such kind
[[nodiscard]] inline observer_kind observer_kind_from_string(std::string_view name) {
    for (std::size_t i = 0; i < std::size(detail::observer_names); ++i)
        if (detail::observer_names[i] == name) return static_cast<observer_kind>(i);
    throw argument_error(message("'", name,
                                 "' is not an observer; expected minmax, moving_average, percentile, mse or "
                                 "entropy"));
}

struct observer_options {
    observer_kind kind = observer_kind::minmax;
    float weight = 0.01f;  ///< of a new batch in a moving average, in (0, 1]
    double keep = 0.9999;  ///< share of values that a percentile's range holds, in (0.5, 1]
    int bins = 2048;       ///< of a histogram, on each side of zero: a power of two, 16 to 65536
};

/// One of the observers of whole tensors.
class any_observer {
public:
    /// @throws argument_error  if an option of the kind is out of its range
    explicit any_observer(const observer_options& options = {}) : seen_(made(options)) {}
    explicit any_observer(observer_kind kind) : any_observer(observer_options{kind, 0.01f, 0.9999, 2048}) {}

    [[nodiscard]] observer_kind kind() const noexcept { return static_cast<observer_kind>(seen_.index()); }

    /// @param x  values of any shape, flattened; may be empty. O(n).
    /// @throws argument_error  at the first NaN or infinity, and nothing of x is taken in then
    void observe(std::span<const float> x) {
        std::visit([&](auto& o) { o.observe(x); }, seen_);
    }

    /// As if `other`'s batches had been observed here, after those that were.
    /// @throws argument_error  if the kinds or options differ
    void merge(const any_observer& other) {
        if (other.kind() != kind())
            throw argument_error(message("merging an observer of kind ", to_string(other.kind()), " into one of kind ",
                                         to_string(kind())));
        std::visit([&]<class O>(O& o) { o.merge(*std::get_if<O>(&other.seen_)); }, seen_);
    }

    /// From the least to the greatest value seen; for a moving average, of the averages.
    [[nodiscard]] value_range range() const noexcept {
        return std::visit([](const auto& o) { return o.range(); }, seen_);
    }

    [[nodiscard]] bool is_empty() const noexcept { return range().is_empty(); }

    /// The histogram, where the kind keeps one, else null.
    [[nodiscard]] const histogram* seen() const noexcept {
        return std::visit(
            [](const auto& o) -> const histogram* {
                if constexpr (requires { o.seen(); })
                    return &o.seen();
                else
                    return nullptr;
            },
            seen_);
    }

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] parameters parameters_for(const format& f) const {
        return std::visit([&](const auto& o) { return o.parameters_for(f); }, seen_);
    }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        return std::visit([](const auto& o) { return o.to_bytes(); }, seen_);
    }
    /// @throws parse_error     if the bytes are not those of an observer of whole tensors
    /// @throws argument_error  if an option in them is out of its range
    [[nodiscard]] static any_observer from_bytes(std::span<const std::byte> bytes) {
        any_observer o;
        switch (detail::byte_reader::kind_of(bytes)) {
            case detail::stored_kind::minmax: o.seen_ = minmax_observer::from_bytes(bytes); break;
            case detail::stored_kind::moving_average: o.seen_ = moving_average_observer::from_bytes(bytes); break;
            case detail::stored_kind::percentile: o.seen_ = percentile_observer::from_bytes(bytes); break;
            case detail::stored_kind::mse: o.seen_ = mse_observer::from_bytes(bytes); break;
            case detail::stored_kind::entropy: o.seen_ = entropy_observer::from_bytes(bytes); break;
            default: throw parse_error("observer: bytes of no observer of whole tensors");
        }
        return o;
    }

private:
    using variant = std::variant<minmax_observer, moving_average_observer, percentile_observer, mse_observer,
                                 entropy_observer>;  // in the order of observer_kind

    static variant made(const observer_options& o) {
        switch (o.kind) {
            case observer_kind::moving_average: return moving_average_observer(o.weight);
            case observer_kind::percentile: return percentile_observer({o.keep}, o.bins);
            case observer_kind::mse: return mse_observer({}, o.bins);
            case observer_kind::entropy: return entropy_observer({}, o.bins);
            case observer_kind::minmax: break;
        }
        return minmax_observer();
    }

    variant seen_;
};
static_assert(observer<any_observer>);

}  // namespace edge::quant

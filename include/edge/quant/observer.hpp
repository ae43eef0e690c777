// SPDX-License-Identifier: MIT
#pragma once

/// @file Observers: which real range a tensor takes, learned batch by batch.
///
///     edge::quant::minmax_observer seen;
///     for (const auto& batch : calibration) seen.observe(batch);
///     const auto p = seen.parameters_for(edge::dtype::u8);   // scale, zero_point
///
/// Observers of one kind merge, so a calibration set can be split between threads or machines; `to_bytes` and
/// `from_bytes` carry them there. Observers that keep a histogram: percentile.hpp, mse.hpp, entropy.hpp; one that is
/// picked by name: any_observer.hpp.

#include <edge/core/tensor_view.hpp>
#include <edge/quant/detail/bytes.hpp>
#include <edge/quant/parameters.hpp>
#include <edge/simd/batch.hpp>

#include <concepts>
#include <span>
#include <vector>

namespace edge::quant {

/// Least and greatest value seen; `low > high` while there is none.
struct value_range {
    float low = std::numeric_limits<float>::infinity();
    float high = -std::numeric_limits<float>::infinity();

    [[nodiscard]] bool is_empty() const noexcept { return low > high; }
    void extend(const value_range& other) noexcept {
        low = (std::min)(low, other.low);
        high = (std::max)(high, other.high);
    }

    friend bool operator==(const value_range&, const value_range&) = default;
};

/// What calibration asks of an observer.
template <class O>
concept observer = requires(O o, const O c, std::span<const float> x, std::span<const std::byte> bytes) {
    o.observe(x);
    o.merge(c);
    { c.range() } -> std::convertible_to<value_range>;
    { c.parameters_for(dtype::u8) } -> std::same_as<parameters>;
    { c.to_bytes() } -> std::same_as<std::vector<std::byte>>;
    { O::from_bytes(bytes) } -> std::same_as<O>;
};

namespace detail {

/// Whether all values are finite; only then is `range` that of x.
template <class Arch>
bool finite_range(const float* x, index_t n, value_range& range) noexcept {
    using batch = xsimd::batch<float, Arch>;
    constexpr auto lanes = static_cast<index_t>(batch::size);
    batch low(range.low), high(range.high), bad(0.0f);
    index_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        const batch v = batch::load_unaligned(x + i);
        low = xsimd::select(v < low, v, low);
        high = xsimd::select(v > high, v, high);
        bad += v - v;  // 0, or NaN for NaN and infinity
    }
    alignas(alignment) float lows[batch::size], highs[batch::size], bads[batch::size];
    low.store_aligned(lows);
    high.store_aligned(highs);
    bad.store_aligned(bads);
    bool finite = true;
    for (std::size_t lane = 0; lane < batch::size; ++lane) {
        range.extend({lows[lane], highs[lane]});
        finite = finite && bads[lane] == 0.0f;
    }
    for (; i < n; ++i) {
        range.extend({x[i], x[i]});
        finite = finite && std::isfinite(x[i]);
    }
    return finite;
}

/// @throws argument_error  at the first value that is not finite; `first` is the index of x[0] in its tensor
inline value_range range_of(std::span<const float> x, index_t first = 0) {
    value_range range;
    if (!finite_range<simd::detail::default_arch>(x.data(), static_cast<index_t>(x.size()), range))
        for (std::size_t i = 0; i < x.size(); ++i)
            if (!std::isfinite(x[i]))
                throw argument_error(message("observed value ", first + static_cast<index_t>(i), " is ", x[i],
                                             "; expected a finite number"));
    return range;
}

inline parameters parameters_of(const value_range& range, const format& f) {
    if (range.is_empty()) throw argument_error("parameters of an observer that has seen no value");
    return choose_parameters(range.low, range.high, f);
}

inline void put(byte_writer& to, const value_range& range) {
    to.put(range.low);
    to.put(range.high);
}

/// @throws parse_error  if it is neither empty nor finite
inline value_range take_range(byte_reader& from) {
    value_range r;
    r.low = from.take<float>();
    r.high = from.take<float>();
    const bool finite = std::isfinite(r.low) && std::isfinite(r.high) && r.low <= r.high;
    if (!finite && r != value_range{})
        throw parse_error(message("observer: range [", r.low, ", ", r.high, "]; expected finite, low to high"));
    return r;
}

}  // namespace detail

/// From the least to the greatest value seen: no value saturates, and one outlier costs everybody resolution.
class minmax_observer {
public:
    /// @param x  values of any shape, flattened; may be empty. O(n).
    /// @throws argument_error  at the first NaN or infinity, and nothing of x is taken in then
    void observe(std::span<const float> x) { range_.extend(detail::range_of(x)); }

    /// As if `other`'s batches had been observed here. Commutes.
    void merge(const minmax_observer& other) noexcept { range_.extend(other.range_); }

    [[nodiscard]] const value_range& range() const noexcept { return range_; }

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] parameters parameters_for(const format& f) const { return detail::parameters_of(range_, f); }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(detail::stored_kind::minmax);
        detail::put(to, range_);
        return std::move(to).bytes();
    }
    /// @throws parse_error  if the bytes are not those of such an observer
    [[nodiscard]] static minmax_observer from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, detail::stored_kind::minmax);
        minmax_observer o;
        o.range_ = detail::take_range(from);
        from.expect_end();
        return o;
    }

private:
    value_range range_;
};
static_assert(observer<minmax_observer>);

/// Moving averages of the batches' least and greatest values; the order of the batches counts.
class moving_average_observer {
public:
    /// @param weight  of a new batch, in (0, 1]; the first has weight 1
    /// @throws argument_error  if it is out of its range
    explicit moving_average_observer(float weight = 0.01f) : weight_(weight) {
        if (!(weight > 0.0f && weight <= 1.0f))
            throw argument_error(message("weight ", weight, " of a new batch; expected above 0, at most 1"));
    }

    /// @throws argument_error  at the first NaN or infinity, and nothing of x is taken in then
    void observe(std::span<const float> x) {
        const value_range batch = detail::range_of(x);
        if (batch.is_empty()) return;
        if (batches_++ == 0) {
            range_ = first_ = batch;
        } else {
            range_.low = moved(range_.low, batch.low);
            range_.high = moved(range_.high, batch.high);
        }
    }

    /// As if `other`'s batches had followed on those here, up to rounding: with the weight c and n batches there, those
    /// here fade by (1 - c)^n, and other's first batch counts c instead of 1.
    /// @throws argument_error  if the weights differ
    void merge(const moving_average_observer& other) {
        if (other.weight_ != weight_)
            throw argument_error(message("merging averages of weight ", other.weight_, "; expected ", weight_));
        if (other.batches_ == 0) return;
        if (batches_ == 0) {
            *this = other;
            return;
        }
        const double fade = std::pow(1.0 - static_cast<double>(weight_), static_cast<double>(other.batches_));
        const auto followed = [&](float here, float there, float first) {
            return static_cast<float>(static_cast<double>(there) +
                                      fade * (static_cast<double>(here) - static_cast<double>(first)));
        };
        range_ = {followed(range_.low, other.range_.low, other.first_.low),
                  followed(range_.high, other.range_.high, other.first_.high)};
        batches_ += other.batches_;
    }

    [[nodiscard]] const value_range& range() const noexcept { return range_; }

    /// @throws argument_error  if nothing was observed
    [[nodiscard]] parameters parameters_for(const format& f) const { return detail::parameters_of(range_, f); }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(detail::stored_kind::moving_average);
        to.put(weight_);
        to.put(batches_);
        detail::put(to, range_);
        detail::put(to, first_);
        return std::move(to).bytes();
    }
    /// @throws parse_error  if the bytes are not those of such an observer
    [[nodiscard]] static moving_average_observer from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, detail::stored_kind::moving_average);
        const auto weight = from.take<float>();
        if (!(weight > 0.0f && weight <= 1.0f)) throw parse_error(message("observer: weight ", weight, " of a batch"));
        moving_average_observer o(weight);
        o.batches_ = from.take<std::uint64_t>();
        o.range_ = detail::take_range(from);
        o.first_ = detail::take_range(from);
        from.expect_end();
        if (o.range_.is_empty() != (o.batches_ == 0) || o.first_.is_empty() != (o.batches_ == 0))
            throw parse_error(message("observer: ", o.batches_, " batches do not go with the ranges"));
        return o;
    }

private:
    [[nodiscard]] float moved(float from, float to) const noexcept {
        const volatile float step = weight_ * (to - from);  // else some compilers fuse it with the sum, and bits differ
        return from + step;
    }

    value_range range_;
    value_range first_;  ///< of the first batch
    std::uint64_t batches_ = 0;
    float weight_;
};
static_assert(observer<moving_average_observer>);

/// A min-max range for each position along one axis.
class channel_minmax_observer {
public:
    /// @param axis  of the observed tensors; negative counts from the end
    explicit channel_minmax_observer(index_t axis) : axis_(axis) {}

    /// @param x  contiguous
    /// @throws argument_error  at the first NaN or infinity
    /// @throws shape_error     if x has no such axis or another number of channels than before
    void observe(tensor_view<const float> x) {
        const std::size_t a = x.shape().axis(axis_);
        const index_t channels = x.shape()[a];
        expect(static_cast<std::size_t>(channels));
        index_t inner = 1;
        for (std::size_t i = a + 1; i < x.rank(); ++i) inner *= x.shape()[i];
        const auto values = x.flat();
        std::vector<value_range> seen(static_cast<std::size_t>(channels));
        const index_t rows = inner == 0 ? 0 : x.size() / inner;
        for (index_t row = 0; row < rows; ++row)
            seen[static_cast<std::size_t>(row % channels)].extend(detail::range_of(
                values.subspan(static_cast<std::size_t>(row * inner), static_cast<std::size_t>(inner)), row * inner));
        extend(seen);
    }

    /// @throws shape_error  if `other` has seen another number of channels
    void merge(const channel_minmax_observer& other) {
        if (other.ranges_.empty()) return;
        expect(other.ranges_.size());
        extend(other.ranges_);
    }

    [[nodiscard]] std::span<const value_range> ranges() const noexcept { return ranges_; }

    /// One for each channel.
    /// @throws argument_error  if nothing was observed
    [[nodiscard]] std::vector<parameters> parameters_for(const format& f) const {
        if (ranges_.empty()) throw argument_error("parameters of an observer that has seen no value");
        std::vector<parameters> all;
        for (const value_range& r : ranges_) all.push_back(detail::parameters_of(r, f));
        return all;
    }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(detail::stored_kind::channel_minmax);
        to.put(std::int64_t{axis_});
        to.put(std::uint64_t{ranges_.size()});
        for (const value_range& r : ranges_) detail::put(to, r);
        return std::move(to).bytes();
    }
    /// @throws parse_error  if the bytes are not those of such an observer
    [[nodiscard]] static channel_minmax_observer from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, detail::stored_kind::channel_minmax);
        channel_minmax_observer o(static_cast<index_t>(from.take<std::int64_t>()));
        o.ranges_.resize(from.take_count(2 * sizeof(float)));
        for (value_range& r : o.ranges_) r = detail::take_range(from);
        from.expect_end();
        return o;
    }

private:
    void expect(std::size_t channels) {
        if (!ranges_.empty() && ranges_.size() != channels)
            throw shape_error(message("observed ", channels, " channels; expected ", ranges_.size(), " as before"));
    }
    void extend(const std::vector<value_range>& seen) {
        ranges_.resize(seen.size());
        for (std::size_t i = 0; i < seen.size(); ++i) ranges_[i].extend(seen[i]);
    }

    index_t axis_;
    std::vector<value_range> ranges_;
};

}  // namespace edge::quant

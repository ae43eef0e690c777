// SPDX-License-Identifier: MIT
#pragma once

/// @file Second moments of a layer's inputs: what learned rounding needs to know of the data.
///
///     edge::quant::input_moments seen(k);                              // of a dense layer: x is [m, k]
///     for (const auto& batch : calibration) seen.observe(batch);
///     const edge::tensor<float> gram = seen.moments(0);                // [k, k]: means of x[i]·x[j]
///
///     edge::quant::input_moments depthwise(9, channels);               // of a convolution: patches of x
///     depthwise.observe(x, {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, …});
///
/// An error e of a row of weights makes a mean squared error of eᵀ·gram·e in its output: no other fact of the data counts.

#include <edge/core/tensor.hpp>
#include <edge/quant/observer.hpp>
#include <edge/simd/gemm.hpp>

#include <cmath>

namespace edge::quant {

/// Where a convolution's kernels look.
struct patches {
    index_t kernel_h = 1, kernel_w = 1;
    index_t stride_h = 1, stride_w = 1;
    index_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
    index_t dilation_h = 1, dilation_w = 1;
    index_t every = 1;  ///< takes each n-th position of an image only: a sample is enough where there are many
};

/// Sums in double of float products; merging is exact up to rounding. Memory: 8·k²·groups bytes, 12·k² of one group.
class input_moments {
public:
    /// @param k       inputs of each output: of a convolution [out, in / groups, kh, kw] the product of the last three
    /// @param groups  of the convolution
    /// @throws argument_error  if they are below 1 or their sums beyond 2^40 bytes
    explicit input_moments(index_t k, index_t groups = 1) : k_(k), groups_(groups) {
        if (k < 1 || groups < 1 || k > 1 << 18 || groups > (index_t{1} << 37) / (k * k))
            throw argument_error(message("input moments of ", k, " inputs in ", groups, " groups"));
        sums_.resize(static_cast<std::size_t>(k * groups));
        products_.resize(static_cast<std::size_t>(k * k * groups));
    }

    /// Of a dense layer.
    /// @param x  [m, k], any strides; one group. O(m·k²).
    /// @throws shape_error     if it does not fit
    /// @throws argument_error  at the first NaN or infinity; nothing of x is taken in then
    void observe(tensor_view<const float> x, int threads = 0) {
        if (x.rank() != 2 || x.shape()[1] != k_ || groups_ != 1)
            throw shape_error(message("input moments: ", x.shape(), "; expected [m, ", k_, "] of one group"));
        check_finite(x);
        add_rows({x.data(), x.shape()[0], k_, x.strides()[0], x.strides()[1]}, threads);
    }

    /// Of a convolution.
    /// @param x  [n, c, h, w], any strides: c is groups · (k / (kernel_h·kernel_w))
    /// @throws shape_error     if it does not fit
    /// @throws argument_error  at the first NaN or infinity, nothing of x is taken in then; or if a patch makes no sense
    void observe(tensor_view<const float> x, const patches& at, int threads = 0) {
        const index_t taps = check(x, at);
        check_finite(x);
        const index_t inputs = k_ / taps;  // of a group
        const index_t out_h = extent(x.shape()[2], at.kernel_h, at.stride_h, at.pad_top + at.pad_bottom, at.dilation_h);
        const index_t out_w = extent(x.shape()[3], at.kernel_w, at.stride_w, at.pad_left + at.pad_right, at.dilation_w);
        const index_t positions = out_h * out_w;
        const auto& steps = x.strides();
        const bool is_plain = taps == 1 && at.stride_h == 1 && at.stride_w == 1 && out_h == x.shape()[2] &&
                              out_w == x.shape()[3] && steps[2] == out_w * steps[3];
        if (groups_ == 1 && is_plain) {  // a dense layer at each position: nothing to gather
            const index_t m = (positions + at.every - 1) / at.every;
            for (index_t n = 0; n < x.shape()[0]; ++n)
                add_rows({x.data() + n * steps[0], m, k_, at.every * steps[3], steps[1]}, threads);
            return;
        }
        // Groups that are taken together, next to each other in the innermost place.
        const index_t together = (std::min)(groups_, index_t{64});
        const index_t block = groups_ == 1 ? 512 : 64;
        std::vector<float> rows(static_cast<std::size_t>(block * k_ * together));
        for (index_t first = 0; first < groups_; first += together) {
            const index_t wide = (std::min)(together, groups_ - first);
            index_t filled = 0;
            const auto flush = [&] {
                if (filled == 0) return;
                if (groups_ == 1)
                    add_rows({rows.data(), filled, k_, k_, 1}, threads);
                else
                    add_groups(rows.data(), filled, first, wide);
                filled = 0;
            };
            for (index_t n = 0; n < x.shape()[0]; ++n)
                for (index_t position = 0; position < positions; position += at.every) {
                    const index_t top = position / out_w * at.stride_h - at.pad_top;
                    const index_t left = position % out_w * at.stride_w - at.pad_left;
                    const float* from = x.data() + n * steps[0] + first * inputs * steps[1];
                    float* to = rows.data() + filled * k_ * wide;
                    for (index_t i = 0; i < at.kernel_h; ++i)
                        for (index_t j = 0; j < at.kernel_w; ++j, to += wide) {
                            const index_t h = top + i * at.dilation_h, w = left + j * at.dilation_w;
                            const bool inside = h >= 0 && h < x.shape()[2] && w >= 0 && w < x.shape()[3];
                            take_tap(inside ? from + h * steps[2] + w * steps[3] : nullptr, steps[1], inputs, taps,
                                     wide, to);
                        }
                    if (++filled == block) flush();
                }
            flush();
        }
    }

    /// As if `other`'s batches had been observed here.
    /// @throws shape_error  if it is of another number of inputs or groups
    void merge(const input_moments& other) {
        if (other.k_ != k_ || other.groups_ != groups_)
            throw shape_error(message("merging moments of ", other.k_, " inputs in ", other.groups_, " groups into ",
                                      k_, " in ", groups_));
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
        for (std::size_t i = 0; i < products_.size(); ++i) products_[i] += other.product(i);
        count_ += other.count_;
    }

    [[nodiscard]] index_t inputs() const noexcept { return k_; }
    [[nodiscard]] index_t groups() const noexcept { return groups_; }
    /// Rows or patches seen.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_ / static_cast<std::uint64_t>(groups_); }

    /// Means of x[i]·x[j] in a group, [k, k]. Of nothing: zeros.
    /// @throws argument_error  if there is no such group
    [[nodiscard]] tensor<float> moments(index_t group = 0) const { return matrix(group, false); }

    /// Means of (x[i] - mean[i])·(x[j] - mean[j]): what counts where the bias takes the mean of the error back.
    /// @throws argument_error  if there is no such group
    [[nodiscard]] tensor<float> covariance(index_t group = 0) const { return matrix(group, true); }

    /// Means of x in a group, [k].
    /// @throws argument_error  if there is no such group
    [[nodiscard]] std::vector<float> mean(index_t group = 0) const {
        check_group(group);
        std::vector<float> all;
        for (index_t i = 0; i < k_; ++i) all.push_back(static_cast<float>(sum(i, group) * per_count()));
        return all;
    }

    [[nodiscard]] std::vector<std::byte> to_bytes() const {
        detail::byte_writer to(detail::stored_kind::moments);
        to.put(std::uint64_t{count_});
        to.put(std::int64_t{k_});
        to.put(std::int64_t{groups_});
        for (const double v : sums_) to.put(v);
        for (std::size_t i = 0; i < products_.size(); ++i) to.put(product(i));
        return std::move(to).bytes();
    }
    /// @throws parse_error  if the bytes are not those of moments
    [[nodiscard]] static input_moments from_bytes(std::span<const std::byte> bytes) {
        detail::byte_reader from(bytes, detail::stored_kind::moments);
        const auto count = from.take<std::uint64_t>();
        const auto k = from.take<std::int64_t>(), groups = from.take<std::int64_t>();
        const auto doubles = static_cast<std::int64_t>(from.left() / sizeof(double));
        if (k < 1 || groups < 1 || k > 1 << 18 || groups > doubles / (k * k + k) || doubles != groups * (k * k + k))
            throw parse_error(
                message("observer: moments of ", k, " inputs in ", groups, " groups, ", doubles, " sums"));
        input_moments o(static_cast<index_t>(k), static_cast<index_t>(groups));
        o.count_ = count;
        for (auto* all : {&o.sums_, &o.products_})
            for (double& v : *all)
                if (v = from.take<double>(); !std::isfinite(v)) throw parse_error(message("observer: a moment is ", v));
        from.expect_end();
        return o;
    }

private:
    [[nodiscard]] static index_t extent(index_t in, index_t kernel, index_t stride, index_t pads, index_t dilation) {
        const index_t room = in + pads - ((kernel - 1) * dilation + 1);
        return room < 0 ? 0 : room / stride + 1;
    }

    [[nodiscard]] index_t check(const tensor_view<const float>& x, const patches& p) const {
        for (const index_t v : {p.kernel_h, p.kernel_w, p.stride_h, p.stride_w, p.dilation_h, p.dilation_w, p.every})
            if (v < 1 || v > 1 << 20) throw argument_error(message("patches: ", v, "; expected 1 to ", 1 << 20));
        for (const index_t v : {p.pad_top, p.pad_left, p.pad_bottom, p.pad_right})
            if (v < 0 || v > 1 << 20) throw argument_error(message("patches: padding ", v));
        const index_t taps = p.kernel_h * p.kernel_w;
        if (x.rank() != 4 || x.shape()[1] * taps != k_ * groups_)
            throw shape_error(message("input moments: ", x.shape(), " in patches of ", p.kernel_h, " by ", p.kernel_w,
                                      "; expected [n, c, h, w] for ", k_, " inputs in ", groups_, " groups"));
        return taps;
    }

    static void check_finite(const tensor_view<const float>& x) {
        if (x.is_contiguous()) {
            (void)detail::range_of(x.flat());
            return;
        }
        index_t i = 0;
        const auto walk = [&](const auto& self, std::size_t axis, const float* from) -> void {
            for (index_t at = 0; at < x.shape()[axis]; ++at, from += x.strides()[axis]) {
                if (axis + 1 < x.rank()) {
                    self(self, axis + 1, from);
                } else {
                    if (!std::isfinite(*from))
                        throw argument_error(
                            message("observed value ", i, " is ", *from, "; expected a finite number"));
                    ++i;
                }
            }
        };
        walk(walk, 0, x.data());
    }

    /// One place of a kernel, of all inputs of some groups: [inputs][groups] with `taps` places between inputs.
    static void take_tap(const float* from, index_t step, index_t inputs, index_t taps, index_t groups,
                         float* to) noexcept {
        for (index_t i = 0; i < inputs; ++i, to += taps * groups) {
            if (from == nullptr) {
                std::fill_n(to, groups, 0.0f);
            } else if (step == 1 && inputs == 1) {
                std::copy_n(from, groups, to);
            } else {
                const float* own = from + i * step;
                for (index_t g = 0; g < groups; ++g, own += inputs * step) to[g] = *own;
            }
        }
    }

    void check_group(index_t group) const {
        if (group < 0 || group >= groups_) throw argument_error(message("group ", group, " of ", groups_));
    }

    /// Products of the columns of [m, k]: summed in float over some thousand rows, then in double.
    void add_rows(const simd::matrix<const float>& x, int threads) {
        constexpr index_t most = 2048;
        for (index_t row = 0; row < x.rows;) {
            const index_t m = (std::min)(most - recent_count_, x.rows - row);
            if (recent_.empty()) recent_.resize(products_.size());
            const auto some = x.block(row, 0, m, k_);
            simd::gemm<simd::detail::default_arch, float>(some.transposed(), some, {recent_.data(), k_, k_, k_},
                                                          {.accumulate = recent_count_ != 0, .threads = threads});
            recent_count_ += m;
            if (recent_count_ == most) settle();
            for (index_t i = 0; i < k_; ++i) {
                const float* from = some.data + i * some.column_step;
                double sum = 0.0;
                for (index_t r = 0; r < m; ++r) sum += static_cast<double>(from[r * some.row_step]);
                sums_[static_cast<std::size_t>(i)] += sum;
            }
            count_ += static_cast<std::uint64_t>(m);
            row += m;
        }
    }

    /// Adds the sums in float to those in double.
    void settle() {
        if (recent_count_ == 0) return;
        for (std::size_t i = 0; i < products_.size(); ++i) products_[i] += static_cast<double>(recent_[i]);
        recent_count_ = 0;
    }

    /// The same for [m, k, groups]: `wide` groups from `first` on.
    void add_groups(const float* rows, index_t m, index_t first, index_t wide) {
        using batch = simd::batch<float, simd::detail::default_arch>;
        constexpr auto lanes = static_cast<index_t>(batch::size);
        const index_t row = k_ * wide;
        alignas(alignment) float some[batch::size];
        for (index_t g = 0; g < wide; g += lanes) {
            const index_t n = (std::min)(lanes, wide - g);
            for (index_t i = 0; i < k_; ++i) {
                const float* a = rows + i * wide + g;
                double* sums = sums_.data() + i * groups_ + first + g;
                for (index_t l = 0; l < n; ++l) {
                    float sum = 0.0f;
                    for (index_t r = 0; r < m; ++r) sum += a[r * row + l];
                    sums[l] += static_cast<double>(sum);
                }
                for (index_t j = 0; j <= i; ++j) {
                    const float* b = rows + j * wide + g;
                    if (n == lanes) {
                        batch sum(0.0f);
                        for (index_t r = 0; r < m; ++r)
                            sum =
                                simd::fma(batch::load_unaligned(a + r * row), batch::load_unaligned(b + r * row), sum);
                        sum.store_aligned(some);
                    } else {
                        for (index_t l = 0; l < n; ++l) {
                            some[l] = 0.0f;
                            for (index_t r = 0; r < m; ++r) some[l] += a[r * row + l] * b[r * row + l];
                        }
                    }
                    double* to = products_.data() + (i * k_ + j) * groups_ + first + g;
                    for (index_t l = 0; l < n; ++l) to[l] += static_cast<double>(some[l]);
                }
            }
        }
        count_ += static_cast<std::uint64_t>(m * wide);
    }

    [[nodiscard]] double per_count() const noexcept { return count() == 0 ? 0.0 : 1.0 / static_cast<double>(count()); }
    [[nodiscard]] double product(std::size_t i) const {
        return products_[i] + (recent_count_ == 0 ? 0.0 : static_cast<double>(recent_[i]));
    }
    [[nodiscard]] double sum(index_t i, index_t group) const {
        return sums_[static_cast<std::size_t>(i * groups_ + group)];
    }

    [[nodiscard]] tensor<float> matrix(index_t group, bool centred) const {
        check_group(group);
        tensor<float> all({k_, k_});
        for (index_t i = 0; i < k_; ++i)
            for (index_t j = 0; j <= i; ++j) {
                double v = product(static_cast<std::size_t>((i * k_ + j) * groups_ + group)) * per_count();
                if (centred) v -= sum(i, group) * per_count() * sum(j, group) * per_count();
                all(i, j) = all(j, i) = static_cast<float>(v);
            }
        return all;
    }

    index_t k_;
    index_t groups_;
    std::uint64_t count_ = 0;       ///< over all groups
    std::vector<double> sums_;      ///< [k, groups]
    std::vector<double> products_;  ///< [k, k, groups], the lower triangle counts
    std::vector<float> recent_;     ///< the same, of the last rows
    index_t recent_count_ = 0;
};

}  // namespace edge::quant

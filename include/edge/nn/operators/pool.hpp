// SPDX-License-Identifier: MIT
#pragma once

/// @file How ONNX gives a convolution or pooling its window, and pooling itself.

#include <edge/nn/operator.hpp>
#include <edge/nn/operators/reduce.hpp>

#include <array>
#include <limits>

namespace edge::nn::operators {

namespace detail {

/// A window along one axis.
struct window_axis {
    index_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;

    /// The taps [first, last) that fall inside for result `i`, and where the first tap lies.
    struct taps {
        index_t start, first, last;
    };
    [[nodiscard]] taps at(index_t i) const noexcept {
        const index_t start = i * stride - before;
        const index_t first = start < 0 ? (-start + dilation - 1) / dilation : 0;
        const index_t room = in - start;
        const index_t last = room <= 0 ? 0 : (std::min)(kernel, (room + dilation - 1) / dilation);
        return {start, first, last};
    }
};

/// The window of a node over an input [n, c, …] of at most three spatial axes; leading ones are added to make three.
struct window_over {
    index_t batch = 1, channels = 1;
    std::size_t spatial = 0;
    std::array<window_axis, 3> axes;

    [[nodiscard]] index_t in_size() const noexcept { return axes[0].in * axes[1].in * axes[2].in; }
    [[nodiscard]] index_t out_size() const noexcept { return axes[0].out * axes[1].out * axes[2].out; }
    /// [n, c, …] of the result, with c as given.
    [[nodiscard]] edge::shape result(index_t out_channels) const {
        index_list extents{batch, out_channels};
        for (std::size_t i = 3 - spatial; i < 3; ++i) extents.push_back(axes[i].out);
        return edge::shape(extents);
    }
};

/// @param kernel  extents of the window, one for each spatial axis
inline window_over window_of(const preparation& p, const edge::shape& x, const std::vector<std::int64_t>& kernel) {
    constexpr std::int64_t most = 1 << 20;  // far beyond any use, and no product of two of them overflows
    if (x.rank() < 3 || x.rank() > 5)
        throw unsupported_error(message("input of shape ", x, "; expected one to three spatial axes"));
    window_over w;
    w.batch = x[0];
    w.channels = x[1];
    w.spatial = x.rank() - 2;
    const auto list = [&](const char* key, std::size_t count, std::int64_t otherwise, std::int64_t least) {
        auto values = p.node().integers(key, std::vector<std::int64_t>(count, otherwise));
        if (values.size() != count)
            throw argument_error(message(values.size(), " ", key, " for ", w.spatial, " spatial axes"));
        for (const auto v : values)
            if (v < least || v > most)
                throw argument_error(message(key, " of ", v, "; expected ", least, " to ", most));
        return values;
    };
    if (kernel.size() != w.spatial)
        throw argument_error(message("kernel of ", kernel.size(), " axes for input of shape ", x));
    const auto strides = list("strides", w.spatial, 1, 1);
    const auto dilations = list("dilations", w.spatial, 1, 1);
    const auto pads = list("pads", 2 * w.spatial, 0, 0);
    const auto auto_pad = p.node().text("auto_pad", "NOTSET");
    const bool ceil_mode = p.node().integer("ceil_mode", 0) != 0;
    if (auto_pad != "NOTSET" && auto_pad != "VALID" && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER")
        throw argument_error(message("auto_pad '", auto_pad, "'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"));
    for (std::size_t i = 0; i < w.spatial; ++i) {
        window_axis& a = w.axes[3 - w.spatial + i];
        if (kernel[i] < 1 || kernel[i] > most)
            throw argument_error(message("kernel of ", kernel[i], "; expected 1 to ", most));
        a.in = x[2 + i];
        a.kernel = static_cast<index_t>(kernel[i]);
        a.stride = static_cast<index_t>(strides[i]);
        a.dilation = static_cast<index_t>(dilations[i]);
        const index_t reach = (a.kernel - 1) * a.dilation + 1;
        if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
            a.out = (a.in + a.stride - 1) / a.stride;
            const index_t total = (std::max)(index_t{0}, (a.out - 1) * a.stride + reach - a.in);
            a.before = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
            a.after = total - a.before;
            continue;
        }
        if (auto_pad == "NOTSET") {
            a.before = static_cast<index_t>(pads[i]);
            a.after = static_cast<index_t>(pads[i + w.spatial]);
        }
        const index_t room = a.in + a.before + a.after - reach;
        if (room < 0) throw shape_error(message("window of ", reach, " does not fit axis ", 2 + i, " of ", x));
        a.out = (ceil_mode ? (room + a.stride - 1) / a.stride : room / a.stride) + 1;
        // A window must not start beyond the data and the padding before it (as in ONNX and PyTorch).
        if (ceil_mode && (a.out - 1) * a.stride >= a.in + a.before) --a.out;
    }
    return w;
}

/// Calls visit(offset in the channel, i0, i1, i2) for the elements under result (o0, o1, o2).
template <class F>
void visit_window(const window_over& w, index_t o0, index_t o1, index_t o2, F&& visit) {
    const auto t0 = w.axes[0].at(o0);
    const auto t1 = w.axes[1].at(o1);
    const auto t2 = w.axes[2].at(o2);
    for (index_t k0 = t0.first; k0 < t0.last; ++k0)
        for (index_t k1 = t1.first; k1 < t1.last; ++k1)
            for (index_t k2 = t2.first; k2 < t2.last; ++k2) {
                const index_t i0 = t0.start + k0 * w.axes[0].dilation;
                const index_t i1 = t1.start + k1 * w.axes[1].dilation;
                visit((i0 * w.axes[1].in + i1) * w.axes[2].in + t2.start + k2 * w.axes[2].dilation);
            }
}

/// Calls each(result index, o0, o1, o2) over the results of one channel.
template <class F>
void visit_results(const window_over& w, F&& each) {
    index_t at = 0;
    for (index_t o0 = 0; o0 < w.axes[0].out; ++o0)
        for (index_t o1 = 0; o1 < w.axes[1].out; ++o1)
            for (index_t o2 = 0; o2 < w.axes[2].out; ++o2) each(at++, o0, o1, o2);
}

/// @param x  [n, c, …]
inline window_over pool_window(const preparation& p, const edge::shape& x) {
    const auto w = window_of(p, x, p.node().integers("kernel_shape"));
    for (const auto& a : w.axes)
        if (a.before >= (a.kernel - 1) * a.dilation + 1 || a.after >= (a.kernel - 1) * a.dilation + 1)
            throw argument_error(message("pads ", a.before, " and ", a.after, " are not smaller than the window"));
    return w;
}

inline window_over pool_window(preparation& p) {
    const auto w = pool_window(p, p.shape(0));
    p.output(0, p.type(0), w.result(w.channels));
    return w;
}

inline kernel average_pool(preparation& p) {
    const window_over w = pool_window(p);
    const bool count_padding = p.node().integer("count_include_pad", 0) != 0;
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [w, count_padding](const arguments& a) {
            for (index_t c = 0; c < w.batch * w.channels; ++c) {
                const T* x = a.input<T>(0) + c * w.in_size();
                T* y = a.output<T>(0) + c * w.out_size();
                visit_results(w, [&](index_t at, index_t o0, index_t o1, index_t o2) {
                    T sum{};
                    index_t count = 0;
                    visit_window(w, o0, o1, o2, [&](index_t i) {
                        sum += x[i];
                        ++count;
                    });
                    if (count_padding) {
                        // Padding counts, but not what lies beyond it, which ceil_mode can reach.
                        count = 1;
                        const std::array<index_t, 3> o{o0, o1, o2};
                        for (std::size_t k = 0; k < 3; ++k) {
                            const window_axis& axis = w.axes[k];
                            const index_t room = axis.in + axis.after - (o[k] * axis.stride - axis.before);
                            count *= (std::min)(axis.kernel, (room + axis.dilation - 1) / axis.dilation);
                        }
                    }
                    y[at] = sum / static_cast<T>(count);
                });
            }
        };
    });
}

/// The largest element of each window and, where output 1 is wanted, its place in the input, flattened.
inline kernel max_pool(preparation& p) {
    const window_over w = pool_window(p);
    // Places are counted along the rows of a plane or, with storage_order 1, along its columns.
    const bool by_column = p.node().integer("storage_order", 0) != 0;
    const bool wants_places = p.wants(1);
    p.output(1, dtype::i64, w.result(w.channels));
    using types = nn::detail::for_types<float, std::int8_t, std::uint8_t>;
    return types::call(p.type(0), [&]<class T>() -> kernel {
        return [w, by_column, wants_places](const arguments& a) {
            const index_t rows = w.axes[0].in * w.axes[1].in;
            const index_t columns = w.axes[2].in;
            for (index_t c = 0; c < w.batch * w.channels; ++c) {
                const T* x = a.input<T>(0) + c * w.in_size();
                T* y = a.output<T>(0) + c * w.out_size();
                visit_results(w, [&](index_t at, index_t o0, index_t o1, index_t o2) {
                    T best = lowest<T>();
                    index_t place = -1;
                    visit_window(w, o0, o1, o2, [&](index_t i) {
                        if (place >= 0 && !(x[i] > best) && x[i] == x[i]) return;
                        if (place >= 0 && best != best) return;  // the first NaN stays
                        best = x[i];
                        place = i;
                    });
                    y[at] = best;
                    if (!wants_places) return;
                    if (by_column) place = place % columns * rows + place / columns;
                    a.output<std::int64_t>(1)[c * w.out_size() + at] = c * w.in_size() + place;
                });
            }
        };
    });
}

template <class Step, class Finish>
kernel global_pool(preparation& p, Step step, Finish finish) {
    const edge::shape& x = p.shape(0);
    if (x.rank() < 3) throw shape_error(message("input has shape ", x, "; expected [n, c, …]"));
    index_list extents{x[0], x[1]};
    index_t inner = 1;
    for (std::size_t i = 2; i < x.rank(); ++i) {
        extents.push_back(1);
        inner *= x[i];
    }
    if (inner == 0) throw shape_error(message("nothing to pool in shape ", x));
    p.output(0, p.type(0), edge::shape(extents));
    return nn::detail::for_types<float>::call(p.type(0), [&]<class T>() -> kernel {
        return [step, finish, outer = x[0] * x[1], inner](const arguments& a) {
            const T* values = a.input<T>(0);
            for (index_t i = 0; i < outer; ++i, values += inner) {
                double state = static_cast<double>(values[0]);
                for (index_t k = 1; k < inner; ++k) step(state, static_cast<double>(values[k]));
                a.output<T>(0)[i] = static_cast<T>(finish(state, inner));
            }
        };
    });
}

}  // namespace detail

// clang-format off
inline constexpr operator_row pools[] = {
    {"AveragePool", detail::average_pool},
    {"MaxPool", detail::max_pool},
    {"GlobalAveragePool", [](preparation& p) { return detail::global_pool(p, [](double& s, double x) { s += x; }, [](double s, index_t n) { return s / static_cast<double>(n); }); }},
    {"GlobalMaxPool", [](preparation& p) { return detail::global_pool(p, [](double& s, double x) { if (x > s || x != x) s = x; }, [](double s, index_t) { return s; }); }},
};
// clang-format on

}  // namespace edge::nn::operators

// SPDX-License-Identifier: MIT
#pragma once

/// @file Plots as SVG text, for pages that open anywhere and need nothing.
///
///     svg::axis time{0, 60, "s"}, accel{-12, 12, "m/s²"};
///     svg::plot p(900, 160, time, accel);
///     p.envelope(t, low, high, "#4477aa");
///     page += p.str();

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace svg {

/// Text that may hold <, > and & as it stands in a page.
[[nodiscard]] inline std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

/// `%.Nf` without the zeros at its end.
[[nodiscard]] inline std::string number(double value, int decimals = 1) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    std::string s = text;
    if (s.find('.') != std::string::npos) {
        while (s.back() == '0') s.pop_back();
        if (s.back() == '.') s.pop_back();
    }
    return s == "-0" ? "0" : s;
}

struct axis {
    double low = 0;
    double high = 1;
    std::string unit;
    bool labelled = true;  ///< whether ticks are drawn

    /// Around the values, with a margin; never empty.
    static axis around(std::span<const double> values, std::string unit, double margin = 0.05) {
        axis a{0, 0, std::move(unit), true};
        bool any = false;
        for (const double v : values) {
            if (!std::isfinite(v)) continue;
            a.low = any ? (std::min)(a.low, v) : v;
            a.high = any ? (std::max)(a.high, v) : v;
            any = true;
        }
        const double pad = (std::max)((a.high - a.low) * margin, (std::max)(std::abs(a.high), 1.0) * 1e-6);
        a.low -= pad;
        a.high += pad;
        return a;
    }

    /// Round places along the axis, about `wanted` of them: steps of 1, 2 or 5 times a power of ten.
    [[nodiscard]] std::vector<double> ticks(int wanted) const {
        const double raw = (high - low) / wanted;
        const double power = std::pow(10.0, std::floor(std::log10(raw)));
        const double step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
        std::vector<double> places;
        for (double v = std::ceil(low / step) * step; v <= high + step * 1e-9; v += step) places.push_back(v);
        return places;
    }
};

/// Between a frame and the edge of its picture.
struct margins {
    double left = 56;
    double right = 30;
    double top = 8;
    double bottom = 24;
};

/// A frame with two axes, drawn into in data coordinates.
class plot {
public:
    plot(double width, double height, axis x, axis y, margins m = {}, int x_ticks = 9)
        : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)), m_(m) {
        body_ = "<svg viewBox=\"0 0 " + number(width) + ' ' + number(height) + "\" role=\"img\">";
        for (const double v : y_.labelled ? y_.ticks(4) : std::vector<double>{}) {
            line(m_.left, py(v), width_ - m_.right, py(v), "grid");
            text(m_.left - 6, py(v) + 3.5, tick_label(v, y_), "tick", "end");
        }
        for (const double v : x_.ticks(x_ticks)) {
            line(px(v), m_.top, px(v), height_ - m_.bottom, "grid");
            text(px(v), height_ - m_.bottom + 14, tick_label(v, x_), "tick", "middle");
        }
        text(width_ - 2, height_ - m_.bottom + 14, x_.unit, "unit", "end");
        text(m_.left + 5, m_.top + 9, y_.unit, "unit", "start");
    }

    /// The band between two curves; where they meet, a line.
    void envelope(std::span<const double> x, std::span<const double> low, std::span<const double> high,
                  std::string_view color) {
        std::string path;
        for (std::size_t i = 0; i < x.size(); ++i) path += point(x[i], high[i], i == 0);
        for (std::size_t i = x.size(); i-- > 0;) path += point(x[i], low[i], false);
        body_ += "<path d=\"" + path + "Z\" fill=\"" + std::string(color) + "\" stroke=\"" + std::string(color) +
                 "\" stroke-width=\"0.8\" fill-opacity=\"0.55\" stroke-linejoin=\"round\"/>";
    }

    /// A curve; a value that is not a number interrupts it.
    void curve(std::span<const double> x, std::span<const double> y, std::string_view color, double stroke = 1.4) {
        std::string path;
        bool pen_up = true;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (!std::isfinite(y[i]) || !std::isfinite(x[i])) {
                pen_up = true;
                continue;
            }
            path += point(x[i], y[i], pen_up);
            pen_up = false;
        }
        body_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + std::string(color) + "\" stroke-width=\"" +
                 number(stroke) + "\" stroke-linejoin=\"round\"/>";
    }

    /// A rectangle in data coordinates, with a tooltip.
    void block(double x0, double x1, double y0, double y1, std::string_view color, std::string_view tip) {
        body_ += "<rect x=\"" + number(px(x0), 2) + "\" y=\"" + number(py(y1), 2) + "\" width=\"" +
                 number((std::max)(px(x1) - px(x0), 0.3), 2) + "\" height=\"" + number(py(y0) - py(y1), 2) +
                 "\" fill=\"" + std::string(color) + "\"><title>" + escape(tip) + "</title></rect>";
    }

    void polygon(std::span<const double> x, std::span<const double> y, std::string_view color, std::string_view tip) {
        std::string points;
        for (std::size_t i = 0; i < x.size(); ++i) points += number(px(x[i]), 2) + ',' + number(py(y[i]), 2) + ' ';
        body_ += "<polygon points=\"" + points + "\" fill=\"" + std::string(color) +
                 "\" fill-opacity=\"0.22\" stroke=\"" + std::string(color) + "\"><title>" + escape(tip) +
                 "</title></polygon>";
    }

    void dot(double x, double y, double radius, std::string_view color, std::string_view tip) {
        body_ += "<circle cx=\"" + number(px(x), 2) + "\" cy=\"" + number(py(y), 2) + "\" r=\"" + number(radius) +
                 "\" fill=\"" + std::string(color) + "\"><title>" + escape(tip) + "</title></circle>";
    }

    /// A label at a place in data coordinates, so many pixels below it.
    void label(double x, double y, std::string_view what, std::string_view anchor = "middle", double below = 0) {
        text(px(x), py(y) + below, what, "label", anchor);
    }

    [[nodiscard]] std::string str() const { return body_ + "</svg>"; }

private:
    [[nodiscard]] double px(double v) const {
        return m_.left + (v - x_.low) / (x_.high - x_.low) * (width_ - m_.left - m_.right);
    }
    [[nodiscard]] double py(double v) const {
        return height_ - m_.bottom - (v - y_.low) / (y_.high - y_.low) * (height_ - m_.top - m_.bottom);
    }
    [[nodiscard]] std::string point(double x, double y, bool move) const {
        return (move ? "M" : "L") + number(px(x), 2) + ' ' + number(py(y), 2);
    }
    static std::string tick_label(double v, const axis& a) {
        const double span = a.high - a.low;
        return number(v, span < 0.1 ? 3 : span < 2 ? 2 : span < 20 ? 1 : 0);
    }
    void line(double x0, double y0, double x1, double y1, std::string_view style) {
        body_ += "<line class=\"" + std::string(style) + "\" x1=\"" + number(x0, 2) + "\" y1=\"" + number(y0, 2) +
                 "\" x2=\"" + number(x1, 2) + "\" y2=\"" + number(y1, 2) + "\"/>";
    }
    void text(double x, double y, std::string_view what, std::string_view style, std::string_view anchor) {
        body_ += "<text class=\"" + std::string(style) + "\" x=\"" + number(x, 2) + "\" y=\"" + number(y, 2) +
                 "\" text-anchor=\"" + std::string(anchor) + "\">" + escape(what) + "</text>";
    }

    double width_;
    double height_;
    axis x_;
    axis y_;
    margins m_;
    std::string body_;
};

}  // namespace svg

// SPDX-License-Identifier: MIT
#pragma once

/// @file What our HTML pages have in common: their style, cards with a figure, keys of charts.
///
///     std::string html = page::start("edge quantization report");
///     html += "<div class=\"cards\">" + page::card("12.3 dB", "SQNR") + "</div><section>" + chart.str() + "</section>";
///     html += page::end;

#include "common/svg.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace page {

inline constexpr const char* style = R"css(
:root{--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--card:#fff;--page:#f4f6f8}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#9aa6b4;--line:#2d3742;--card:#1a212a;--page:#11161c}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 16px 48px}h1{font-size:24px;margin:0}h2{font-size:16px;margin:0 0 8px}
p{margin:4px 0;color:var(--soft)}section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin-top:16px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:16px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.card b{display:block;font-size:19px;white-space:nowrap;font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:13px}
svg{display:block;width:100%;height:auto}.grid{stroke:var(--line);stroke-width:1}.tick{fill:var(--soft);font:10px system-ui,sans-serif}
.unit{fill:var(--soft);font:italic 10px system-ui,sans-serif}.label{fill:var(--ink);font:600 11px system-ui,sans-serif}
.key{display:inline-flex;gap:6px;align-items:center;margin-right:14px;font-size:13px;color:var(--soft)}
.key i{width:12px;height:12px;border-radius:3px;display:inline-block}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}th{color:var(--soft);font-weight:600}
th:first-child,td:first-child{text-align:left}
)css";

inline std::string key(std::string_view color, std::string_view name) {
    return "<span class=\"key\"><i style=\"background:" + std::string(color) + "\"></i>" + svg::escape(name) +
           "</span>";
}

inline std::string card(const std::string& value, const std::string& what) {
    return "<div class=\"card\"><b>" + svg::escape(value) + "</b><span>" + svg::escape(what) + "</span></div>";
}

/// A count with its thousands apart.
inline std::string count(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, " ");
    return digits;
}

/// Up to the first thing in <main>.
inline std::string start(std::string_view title) {
    return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
           "content=\"width=device-width,initial-scale=1\"><title>" +
           svg::escape(title) + "</title><style>" + std::string(style) + "</style><main>";
}
inline constexpr const char* end = "</main></html>\n";

}  // namespace page

#!/bin/sh
# Rules that hold for the text of the repository; prints what breaks one as file:line: rule, and fails then.
#   sh tests/structure/check.sh [FOLDER of the repository]
set -u
cd "${1:-$(dirname -- "$0")/../..}" || exit 2

headers=$(find include/edge -name '*.hpp' | sort)
examples=$(find examples -name '*.hpp' -o -name '*.cpp' | sort)
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    everything=$(git ls-files --cached --others --exclude-standard)
else
    everything=$(find . -type f -not -path './build*' -not -path '*/node_modules/*' | sed 's|^\./||')
fi

# shellcheck disable=SC2086  # names of ours hold no spaces
awk '
BEGIN {
    # Includes point down this list only.
    below["core"] = "core"
    below["simd"] = "core simd"
    below["frame"] = "core simd frame"
    below["quant"] = "core simd quant"
    below["geo"] = "core simd geo"
    below["ml"] = "core simd ml"
    below["nn"] = "core simd frame quant geo ml nn"
    below["perf"] = "core perf"
    below["imu"] = "imu"
    # The only headers that may name an instruction.
    raw["include/edge/simd/dot.hpp"] = raw["include/edge/simd/stream.hpp"] = raw["include/edge/simd/widen.hpp"] = 1
    raw["include/edge/simd/dot/groups.hpp"] = 1
    raw["include/edge/core/cpu.hpp"] = 1
    raw["include/edge/simd/exact.hpp"] = raw["include/edge/simd/interleave.hpp"] = 1
    raw["include/edge/simd/byte_bits.hpp"] = raw["include/edge/simd/decimal_digits.hpp"] = 1
}
function broken(rule) { print FILENAME ":" FNR ": " rule; failed = 1 }
function end_of_file() {
    if (file == "" || file !~ /^include\//) return
    if (!once) { print file ":1: no #pragma once"; failed = 1 }
    if (lines > 600) { print file ":" lines ": " lines " lines; a header holds one idea, in 600 at most"; failed = 1 }
}
FNR == 1 {
    end_of_file()
    file = FILENAME; once = 0
    layer = ""
    if (split(FILENAME, path, "/") >= 3 && path[1] == "include") { layer = path[3]; sub(/\.hpp$/, "", layer) }
    if ($0 !~ /^\/\/ SPDX-License-Identifier: MIT$/) broken("the first line is not // SPDX-License-Identifier: MIT")
    if (layer != "" && layer != "edge" && !(layer in below)) broken("no such layer: " layer)
}
{ lines = FNR }
/^#pragma once/ { once = 1 }
/^#[ \t]*include[ \t]*</ {
    name = $0; sub(/^[^<]*</, "", name); sub(/>.*$/, "", name)
    if (name !~ /^edge\//) {
        if (name ~ /intrin\.h$|^arm_neon\.h$|^arm_sve\.h$/ && !(FILENAME in raw))
            broken("<" name "> belongs to simd/dot.hpp, stream.hpp and widen.hpp")
        next
    }
    split(name, part, "/"); target = part[2]; sub(/\.hpp$/, "", target)
    inside = part[3] == "detail"
    if (layer == "") {
        if (inside) broken("<" name "> is a detail of edge/" target)
    } else if (layer == "edge") {
        if (inside) broken("<" name "> is a detail of edge/" target)
    } else if (layer == "imu" && name == "edge/core/expected.hpp") {
    } else if (index(" " below[layer] " ", " " target " ") == 0) {
        broken("edge/" layer " may not include <" name ">; below it are: " below[layer] (layer == "imu" ? " core/expected.hpp" : ""))
    } else if (inside && target != layer) {
        broken("<" name "> is a detail of edge/" target)
    }
}
layer != "" && /^#[ \t]*include[ \t]*"/ { broken("headers of the library are included with <edge/…>") }
# An empty __asm__ names no instruction: it keeps the compiler from leaving out or joining what is there.
layer != "" && !(FILENAME in raw) && !/__asm__( volatile)?\(""/ && /(^|[^A-Za-z0-9_])(_mm(256|512)?_|__m(128|256|512)|__builtin_ia32_|__builtin_neon_|v(dot|mmla|usdot|mull|mlal|padal|ld1|st1)q?_[a-z0-9_]*[su](8|16|32)|__asm__|asm volatile)/ {
    broken("raw instructions belong to simd/byte_bits.hpp, decimal_digits.hpp, dot.hpp, exact.hpp, interleave.hpp, stream.hpp and widen.hpp")
}
layer != "" && FILENAME !~ /\/detail\// && /^[^\/]*xsimd::default_arch/ {
    broken("xsimd::default_arch outside detail/: nothing public depends on compiler flags")
}
layer != "" && /^[^\/]*std::(min|max)(<[A-Za-z0-9_:]+>)?\(/ {
    broken("(std::min)(a, b): Windows headers define macros of these names")
}
layer != "" && /^[^\/]*std::numeric_limits<[^>]*>::(min|max)\(/ {
    broken("(std::numeric_limits<T>::max)(): Windows headers define macros of these names")
}
END { end_of_file(); exit failed }
' $headers $examples
status=$?

# Nothing is left for later, and nothing names a machine that it was written on. (The brackets keep this file out.)
# shellcheck disable=SC2086
if grep -nIE 'TO[D]O|FIX[M]E|XX[X]:' $everything </dev/null; then
    echo "structure: the lines above leave something for later"
    status=1
fi
# shellcheck disable=SC2086
if grep -nIE '(^|[^A-Za-z0-9._/-])/(work|root|home|Users)/[A-Za-z0-9]|registry\.npm[j]s|deb\.debia[n]\.org|snapshot\.debia[n]|files\.pythonhoste[d]|artifactor[y]' $everything </dev/null; then
    echo "structure: the lines above name a machine's paths or a package host"
    status=1
fi

[ "$status" = 0 ] && echo "structure: $(echo "$headers" | wc -l) headers, every rule holds"
exit "$status"

#!/bin/sh
# The rules of check.sh, each broken once: check.sh must name each.
set -u
check=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/check.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# breaks FILE LINE EXPECTED: a repository of one header with that line, and what check.sh must say.
breaks() {
    rm -rf "${folder:?}"/*
    mkdir -p "$folder/$(dirname "$1")" "$folder/include/edge" "$folder/examples"
    printf '// SPDX-License-Identifier: MIT\n#pragma once\n%b\n' "$2" >"$folder/$1"
    said=$(sh "$check" "$folder" 2>&1)
    state=$?
    if [ "$state" = 0 ]; then
        [ "$3" = "every rule holds" ] && return
        echo "not found in $1: $2"
        failed=1
    elif ! echo "$said" | grep -qF -- "$3"; then
        echo "for $1: $2: expected '$3', got: $said"
        failed=1
    fi
}

h=include/edge
breaks $h/frame/a.hpp '#include <edge/simd/eval.hpp>' 'every rule holds'
breaks $h/core/a.hpp '#include <edge/simd/eval.hpp>' 'edge/core may not include'
breaks $h/simd/a.hpp '#include <edge/frame/table.hpp>' 'edge/simd may not include'
breaks $h/frame/a.hpp '#include <edge/quant/observer.hpp>' 'edge/frame may not include'
breaks $h/frame.hpp '#include <edge/nn.hpp>' 'edge/frame may not include'
breaks $h/imu/a.hpp '#include <edge/core/expected.hpp>' 'every rule holds'
breaks $h/imu/a.hpp '#include <edge/core/error.hpp>' 'edge/imu may not include'
breaks $h/perf/a.hpp '#include <edge/simd/eval.hpp>' 'edge/perf may not include'
breaks $h/nn/a.hpp '#include <edge/simd/detail/loop.hpp>' 'is a detail of edge/simd'
breaks $h/simd/a.hpp '#include <edge/simd/detail/loop.hpp>' 'every rule holds'
breaks examples/a.hpp '#include <edge/simd/detail/loop.hpp>' 'is a detail of edge/simd'
breaks $h/nn/a.hpp '#include "conv.hpp"' 'included with <edge/'
breaks $h/other/a.hpp '' 'no such layer'
breaks $h/nn/a.hpp '#include <immintrin.h>' 'belongs to simd/dot.hpp'
breaks $h/simd/dot.hpp '#include <immintrin.h>' 'every rule holds'
breaks $h/nn/a.hpp 'auto x = _mm256_add_epi8(a, b);' 'raw instructions'
breaks $h/nn/a.hpp 'auto x = vdotq_s32(a, b, c);' 'raw instructions'
breaks $h/nn/a.hpp '__asm__ volatile("xgetbv" : "=a"(x));' 'raw instructions'
breaks $h/nn/a.hpp '__asm__ volatile("" : : "r"(&x) : "memory");' 'every rule holds'
breaks $h/nn/a.hpp 'template <class A = xsimd::default_arch> void f();' 'outside detail/'
breaks $h/nn/detail/a.hpp 'template <class A = xsimd::default_arch> void f();' 'every rule holds'
breaks $h/nn/a.hpp 'auto x = std::min(a, b);' 'Windows headers'
breaks $h/nn/a.hpp 'auto x = std::numeric_limits<int>::max();' 'Windows headers'
breaks $h/nn/a.hpp "$(seq 600)" 'in 600 at most'
breaks $h/nn/a.hpp "$(printf '// TO%s later' DO)" 'for later'
breaks $h/nn/a.hpp "$(printf '// see /ho%s/me/notes' me)" "machine's paths"
echo '#pragma once' >"$folder/include/edge/nn/a.hpp"
sh "$check" "$folder" | grep -q SPDX || { echo 'not found: a header without SPDX'; failed=1; }
echo '// SPDX-License-Identifier: MIT' >"$folder/include/edge/nn/a.hpp"
sh "$check" "$folder" | grep -q 'no #pragma once' || { echo 'not found: a header without pragma once'; failed=1; }

[ "$failed" = 0 ] && echo 'structure: every rule can fail'
exit "$failed"

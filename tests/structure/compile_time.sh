#!/bin/sh
# <edge/simd.hpp> alone takes at most twice the time of <xsimd/xsimd.hpp>, on which it is built: processor time, the least of
# seven compilations of each, taking turns, so that whatever else the machine does meets both.
#   compile_time.sh SOURCE_DIR COMPILER
set -eu
source=$1
compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Hundredths of a second that compiling one include takes.
time_of() {
    echo "#include <$1>" > "$work/one.cpp"
    # shellcheck disable=SC2016
    bash -c 'TIMEFORMAT=%U; time "$@"' - "$compiler" -std=c++20 -O2 -I"$source/include" -c "$work/one.cpp" -o "$work/one.o" 2>&1 |
        tail -n 1 | awk '{ printf "%d", $1 * 100 }'
}

floor=999999
ours=999999
for _ in 1 2 3 4 5 6 7; do
    taken=$(time_of xsimd/xsimd.hpp)
    if [ "$taken" -lt "$floor" ]; then floor=$taken; fi
    taken=$(time_of edge/simd.hpp)
    if [ "$taken" -lt "$ours" ]; then ours=$taken; fi
done
echo "compile time: <xsimd/xsimd.hpp> 0.01 s x $floor, <edge/simd.hpp> 0.01 s x $ours"
[ "$ours" -le $((2 * floor)) ]

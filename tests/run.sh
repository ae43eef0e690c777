#!/bin/sh
# Builds and runs the tests: by the machine's own compiler, optimized, then by clang++ with the address and
# undefined-behaviour sanitizers:
#   sh tests/run.sh [arguments of ctest, such as -R frame]
# First installs what is missing (Debian, Ubuntu, Raspberry Pi OS). From any folder, as often as wanted. Tests that need
# the larger files look in the folder named by EDGE_TEST_DATA and say that they were skipped where it is unset.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/cmake/packages.sh"

need_build
need_tests
install_missing
install_clang
use_compiler_cache
if [ -n "${EDGE_TEST_DATA:-}" ]; then
    EDGE_TEST_DATA=$(CDPATH='' cd -- "$EDGE_TEST_DATA" && pwd)
    export EDGE_TEST_DATA
fi
cd "$root"

status=0
for preset in release asan-ubsan; do
    echo "== $preset"
    cmake --preset "$preset" -DEDGE_TEST_DATA="${EDGE_TEST_DATA:-}" && cmake --build --preset "$preset" -j "$(parallel_jobs 4000)" &&
        ctest --preset "$preset" -j "$(parallel_jobs)" "$@" || status=1
done
exit "$status"

#!/bin/sh
# Builds the pipeline and runs it:  sh examples/run.sh [--seconds 60] [--trace FILE.csv] [--out DIR] …
# First installs what is missing (Debian, Ubuntu, Raspberry Pi OS). From any folder, as often as wanted; paths in the
# arguments are relative to where it is called.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/cmake/packages.sh"

need_build
install_missing
use_compiler_cache

# The first build shows how far it is; later ones are quiet unless they fail.
build() { cmake --preset release && cmake --build --preset release -j "$(parallel_jobs)" --target edge_pipeline; }
(
    cd "$root"
    if [ ! -x build/release/bin/edge_pipeline ]; then
        build
    elif ! build >build/build.log 2>&1; then
        cat build/build.log
        exit 1
    fi
) >&2

out=''
json=''
take_next=''
for argument in "$@"; do
    if [ -n "$take_next" ]; then
        out=$argument
        take_next=''
        continue
    fi
    case $argument in
        --out) take_next=yes ;;
        --out=*) out=${argument#--out=} ;;
        --json) json=yes ;;
    esac
done
if [ -z "$out" ]; then
    out=$root/build/report
    set -- "$@" --out "$out"
fi

"$root/build/release/bin/edge_pipeline" "$@"

if [ -f "$out/report.html" ]; then
    report=$(CDPATH='' cd -- "$out" && pwd)/report.html
    if [ -n "$json" ]; then echo "report: $report" >&2; else echo "report: $report"; fi
fi

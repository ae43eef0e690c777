#!/bin/sh
# Runs a script of this folder with Node.js, the packages of package.json installed in a folder of the build.
#   run.sh FOLDER SCRIPT ARGUMENT…
# Exit status 77, with the reason, where that cannot be done.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$1
script=$2
shift 2

skip() {
    echo "skipped: $*"
    exit 77
}
command -v node >/dev/null 2>&1 || skip "there is no node (Debian: nodejs)"
if ! cmp -s "$here/package.json" "$folder/installed.json"; then
    command -v npm >/dev/null 2>&1 || skip "there is no npm (Debian: npm)"
    mkdir -p "$folder" && cp "$here/package.json" "$folder/package.json" || exit 1
    # ONNX Runtime's own step would fetch a GPU's libraries.
    (cd "$folder" && ONNXRUNTIME_NODE_INSTALL=skip npm install --no-package-lock --no-audit --no-fund --loglevel=error --fetch-retries=1) ||
        skip "npm cannot install what $here/package.json names"
    for package in @duckdb/node-api onnxruntime-node; do
        NODE_PATH=$folder/node_modules node -e "require('$package')" || skip "$package does not run on this machine"
    done
    cp "$here/package.json" "$folder/installed.json"
fi
NODE_PATH=$folder/node_modules exec node "$here/$script" "$@"

#!/bin/sh
# Compiles each header by itself, included twice, with every warning an error:  headers_alone.sh SOURCES COMPILER [FLAG…]
set -u
root=$1
compiler=$2
shift 2
cd "$root" || exit 2

one='header=$1; shift
    printf "#include <%s>\n#include <%s>\n" "$header" "$header" |
        "$@" -std=c++20 -Iinclude -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Werror -x c++ - ||
        { echo "$header does not compile alone"; exit 1; }'
(cd include && find edge -name '*.hpp' | sort) |
    xargs -P "$(nproc 2>/dev/null || echo 1)" -I HEADER sh -c "$one" sh HEADER "$compiler" "$@"

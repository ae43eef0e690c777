#!/bin/sh
# Builds and runs the downstream project in one of the ways to use edge:
#   check.sh WAY SOURCES PREFIX FOLDER COMPILER PARTS
# WAY: find_package subdirectory fetch_content plain pkg_config conan. PREFIX: where edge is installed. FOLDER: to build in,
# emptied first. PARTS: optional parts that this machine has, such as "onnx snappy". Exits with 77 where a tool is missing.
set -eu
way=$1 sources=$2 prefix=$3 folder=$4 compiler=$5 parts=$6
here=$sources/tests/package
rm -rf "$folder"
mkdir -p "$folder"

# has PART: whether it is one of the parts.
has() {
    case " $parts " in *" $1 "*) ;; *) return 1 ;; esac
}
libraries=''
definitions=''
has openmp && libraries="$libraries -fopenmp"
if has snappy; then libraries="$libraries -lsnappy"; else definitions="$definitions -DEDGE_WITHOUT_SNAPPY"; fi
if has zlib; then libraries="$libraries -lz"; else definitions="$definitions -DEDGE_WITHOUT_ZLIB"; fi
if has zstd; then libraries="$libraries -lzstd"; else definitions="$definitions -DEDGE_WITHOUT_ZSTD"; fi

case $way in
    find_package | subdirectory | fetch_content)
        cmake -S "$here" -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DEDGE_WAY="$way" \
            -DEDGE_PARTS="$(echo "$parts" | tr ' ' ';')" -DEDGE_SOURCE_DIR="$sources" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_CXX_FLAGS="$definitions"
        cmake --build "$folder"
        if [ "$way" = find_package ]; then
            # What edge lacks is said in one line, and optional packages that are not there are no error.
            mkdir "$folder/wrong"
            cat >"$folder/wrong/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.23)
project(wrong LANGUAGES CXX)
find_package(edge QUIET COMPONENTS nope)
if(edge_FOUND OR NOT edge_NOT_FOUND_MESSAGE MATCHES "no component 'nope'")
  message(FATAL_ERROR "edge_FOUND ${edge_FOUND}: ${edge_NOT_FOUND_MESSAGE}")
endif()
CMAKE
            cmake -S "$folder/wrong" -B "$folder/wrong/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
                -DCMAKE_PREFIX_PATH="$prefix"
        fi
        ;;
    plain)
        # All of edge in two files of one program: what is not inline would be defined twice.
        echo '#include <edge/edge.hpp>' >"$folder/all.cpp"
        # shellcheck disable=SC2086  # a list of flags
        "$compiler" -std=c++20 $definitions -I "$sources/include" -c "$folder/all.cpp" -o "$folder/all.o"
        if nm --extern-only --defined-only "$folder/all.o" | grep ' [ABDGRST] '; then
            echo 'check.sh: these are neither inline nor templates' >&2
            exit 1
        fi
        # shellcheck disable=SC2086
        "$compiler" -std=c++20 $definitions -I "$sources/include" "$here/main.cpp" "$here/second.cpp" $libraries -o "$folder/downstream"
        ;;
    pkg_config)
        command -v pkg-config >/dev/null || { echo 'skipped: there is no pkg-config'; exit 77; }
        PKG_CONFIG_PATH=$prefix/share/pkgconfig
        export PKG_CONFIG_PATH
        pkg-config --print-errors --exists 'edge >= 0.1'
        # shellcheck disable=SC2046,SC2086
        "$compiler" -std=c++20 $definitions $(pkg-config --cflags edge) "$here/main.cpp" "$here/second.cpp" \
            $(pkg-config --libs edge) $libraries -o "$folder/downstream"
        ;;
    conan)
        command -v conan >/dev/null || { echo 'skipped: there is no conan'; exit 77; }
        conan create "$sources" -s compiler.cppstd=20 --build=missing  # builds and runs the downstream project too
        exit
        ;;
    *)
        echo "check.sh: no such way: $way" >&2
        exit 2
        ;;
esac
"$folder/downstream"

# Sourced by the scripts that set a machine up: installs what is missing, and nothing where all is there.
#
#   need tool:package… header.hpp:package…     adds to what is asked for; what holds a dot is a C++ header
#   install_missing                            with apt; elsewhere says what to install and exits with 1
#
# A name of a package is Debian's. A machine that has everything is left alone: no package manager, no network.

needed='cmake:cmake ninja:ninja-build'
needed_headers=''

need() {
    for item in "$@"; do
        case $item in
            *.*:*) needed_headers="$needed_headers $item" ;;
            *) needed="$needed $item" ;;
        esac
    done
}

# Everything that edge's examples and tests are built with.
need_build() {
    need "${CXX:-g++}:g++" \
        xsimd/xsimd.hpp:libxsimd-dev tl/expected.hpp:libexpected-dev protozero/pbf_reader.hpp:libprotozero-dev \
        snappy-c.h:libsnappy-dev zlib.h:zlib1g-dev zstd.h:libzstd-dev CLI/CLI.hpp:libcli11-dev \
        nlohmann/json.hpp:nlohmann-json3-dev stb/stb_image.h:libstb-dev doctest/doctest.h:doctest-dev catch2/catch_test_macros.hpp,catch2/catch.hpp:catch2
}

# What the tests use besides: the real DuckDB, by its package for Node.
need_tests() {
    need node:nodejs npm:npm
}

# clang++ with OpenMP, sanitizers and libFuzzer, which Debian has apart; installs what is missing.
install_clang() {
    need clang++:clang
    install_missing
    if ! echo 'int main() {}' | clang++ -fopenmp -x c++ - -o /dev/null 2>/dev/null; then need no-omp:libomp-dev; fi
    if ! echo 'extern "C" int LLVMFuzzerTestOneInput() { return 0; }' | clang++ -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null; then
        need "no-fuzzer:libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
    fi
    install_missing
}

# Packages whose tool or header is not there, one a line. "a.hpp,b.hpp" is there if either is.
missing_packages() {
    for item in $needed; do
        command -v "${item%%:*}" >/dev/null 2>&1 || echo "${item##*:}"
    done
    if command -v "${CXX:-g++}" >/dev/null 2>&1; then
        for item in $needed_headers; do
            echo "#if !__has_include(<$(echo "${item%%:*}" | sed 's/,/>) \&\& !__has_include(</g')>)"
            echo "package ${item##*:}"
            echo '#endif'
        done | "${CXX:-g++}" -x c++ -E -P - | sed -n 's/^package //p' | tr -d ' '
    else
        for item in $needed_headers; do echo "${item##*:}"; done
    fi
}

install_missing() {
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "edge: install these, by the names they have on Debian: $missing" >&2
        exit 1
    fi
    echo "edge: installing $missing" >&2
    as_root=''
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "edge: as root, run: apt-get install $missing" >&2
            exit 1
        }
        as_root=sudo
    fi
    # shellcheck disable=SC2086  # a list of names
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -q update && apt-get -qy install --no-install-recommends "$@"' \
        apt $missing >&2 || {
        echo "edge: apt-get could not install $missing" >&2
        exit 1
    }
}

# Objects of earlier builds, where a compiler cache is there.
use_compiler_cache() {
    if command -v ccache >/dev/null 2>&1; then
        export CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER-ccache}"
    fi
}

# As many jobs as there are processors, but one for each 1.5 GB of memory, or for each $1 MB: a Raspberry Pi has four
# cores and may have 2 GB.
parallel_jobs() {
    cores=$(nproc 2>/dev/null || echo 1)
    fit=$(awk -v each="${1:-1500}" '/^MemAvailable/ { print int($2 / 1000 / each) }' /proc/meminfo 2>/dev/null)
    [ "${fit:-$cores}" -ge 1 ] || fit=1
    [ "${fit:-$cores}" -lt "$cores" ] && echo "$fit" || echo "$cores"
}

// SPDX-License-Identifier: MIT

/// @file Any bytes as a group accumulator: one that gives its groups, goes on through bytes and merges, or a clear error.

#include <edge/frame/csv.hpp>
#include <edge/frame/group_accumulator.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace {

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "groups: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace edge::frame;
    try {
        group_accumulator groups = group_accumulator::from_bytes(std::as_bytes(std::span(data, size)));
        const table found = groups.finish({.threads = 1});
        const group_accumulator again = group_accumulator::from_bytes(groups.bytes());
        expect(again.rows() == groups.rows() && again.groups() == groups.groups(), "groups are lost on the way");
        expect(to_csv(again.finish({.threads = 1})) == to_csv(found), "the groups change on their way");
        const std::size_t before = groups.groups();
        groups.merge(again, {.threads = 1});
        expect(groups.groups() == before, "groups are not those of themselves");
        (void)std::move(groups).finish({.threads = 1});
    } catch (const edge::error&) {
    }
    return 0;
}

// SPDX-License-Identifier: MIT
// Any bytes are read as a Parquet file or refused with an error of edge; what was read is the same when written and read.

#include <edge/frame/parquet.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#if defined(__unix__)
#include <unistd.h>
#endif

namespace {

namespace ef = edge::frame;

bool same(const ef::column& a, const ef::column& b) {
    if (a.kind() != b.kind() || a.size() != b.size() || a.null_count() != b.null_count()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a.is_valid(i) != b.is_valid(i)) return false;
        if (!a.is_valid(i)) continue;
        if (a.kind() == ef::kind::boolean ? a.boolean(i) != b.boolean(i)
                                          : a.kind() == ef::kind::string && a.text(i) != b.text(i))
            return false;
        if (a.kind() == ef::kind::boolean || a.kind() == ef::kind::string) continue;
        const bool equal = ef::dispatch_stored(
            a.kind(), [&]<class T>() { return std::memcmp(&a.values<T>()[i], &b.values<T>()[i], sizeof(T)) == 0; });
        if (!equal) return false;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ef::table first;
    try {
        // Without checksums, or damage would not get past them; little memory, so that it is the limits that are tried.
        const ef::parquet_read_options options{
            .null_out_of_range = true, .verify_checksums = false, .max_page_bytes = 1 << 22, .max_bytes = 1 << 24};
        first = ef::parquet_reader(std::as_bytes(std::span(data, size)), "input", options).read();
    } catch (const edge::error&) {
        return 0;
    }
    try {  // the same strings as codes; what is made of them may be too large
        const ef::table coded = ef::parquet_reader(std::as_bytes(std::span(data, size)), "input",
                                                   {.null_out_of_range = true,
                                                    .dictionary = true,
                                                    .verify_checksums = false,
                                                    .max_page_bytes = 1 << 22,
                                                    .max_bytes = 1 << 24})
                                    .read();
        for (std::size_t c = 0; c < first.names().size(); ++c)
            if (!same(coded.columns()[c], first.columns()[c])) std::abort();
    } catch (const edge::error&) {
    }
    if (first.names().empty() || first.rows() > 4096 || first.names().size() > 64) return 0;
#if defined(__unix__)
    const std::string path = edge::message("/tmp/edge-parquet-fuzz-", static_cast<long long>(::getpid()), ".parquet");
    ef::write_parquet(path, first, {.row_group_rows = 1000, .page_bytes = 4096});
    const ef::table second = ef::parquet_reader(path).read();
    ::unlink(path.c_str());
    if (second.names().size() != first.names().size()) std::abort();
    for (std::size_t c = 0; c < first.names().size(); ++c)
        if (second.names()[c] != first.names()[c] || !same(first.columns()[c], second.columns()[c])) std::abort();
#endif
    return 0;
}

// SPDX-License-Identifier: MIT
#pragma once

/// @file Products of uint8 rows and int8 weights that are packed once, with exact int32 sums.
///
///     edge::simd::packed_bytes<Arch> w({weights, k, n, n});
///     edge::simd::multiply_bytes<Arch>(rows, 0, m, w, 0, w.vectors(), start, finish);
///
/// Sums begin with `start[column]` and are handed over tile by tile, from a buffer that stays in the nearest cache: what
/// becomes of them is said by `finish`, and its instructions run beside the products of the next tile. Sums wrap modulo
/// 2^32, so their order, and with it the tile and the instruction set, does not show.

#include <edge/simd/dot/groups.hpp>
#include <edge/simd/packed_gemm.hpp>
#include <edge/simd/prefetch.hpp>

#include <vector>

namespace edge::simd {

namespace detail {

/// As `gemm_tile`, of integer products. Where products and sums are two instructions, a tile needs one register more.
template <class Arch>
struct byte_tile {
    static constexpr std::size_t bytes = 4 * lanes<std::int32_t, Arch>;
#if defined(__aarch64__)
    static constexpr int rows = 6;
    static constexpr int vectors = 4;
    static constexpr int narrow_rows = 12;
#else
    static constexpr int rows = bytes == 64 ? 14 : bytes == 32 ? 6 : 4;
    static constexpr int vectors = 2;
    static constexpr int narrow_rows = bytes == 64 ? 24 : 2 * rows;
#endif
    static constexpr auto lanes = static_cast<index_t>(simd::lanes<std::int32_t, Arch>);
    static constexpr index_t columns = vectors * lanes;
    static constexpr bool fetches_ahead = bytes == 64;

    /// Whether a `finish` may have tiles of so many registers of columns before they leave theirs. With 32 registers this
    /// saves up to 0.15 of the time, with 16 nothing.
    template <int registers>
    static constexpr bool hands_over = bytes == 64 && registers == vectors;

    /// Tiles that are done before their sums are looked at, so that little is lost between the two: 4 KiB of sums.
    template <int height, int registers>
    static constexpr int at_once = (std::max)(1, 4096 / (height * registers * static_cast<int>(bytes)));
};

}  // namespace detail

/// int8 weights [k, n] in the order in which `Arch` reads them: panels [groups of k, columns of a tile, group], then the
/// registers of columns that are left over as panels of one register each. What does not exist is zero.
template <class Arch>
class packed_bytes {
public:
    packed_bytes() = default;

    /// O(rows·columns).
    explicit packed_bytes(const matrix<const std::int8_t>& w) : rows_(w.rows), columns_(w.columns) {
        const index_t size = checked_multiply(groups() * group, vectors() * n, "number of bytes");
        memory_ = edge::detail::allocate_bytes(static_cast<std::size_t>(size));
        auto* to = static_cast<std::int8_t*>(memory_.get());
        std::fill_n(to, size, std::int8_t{0});
        for (index_t v = 0; v < vectors(); ++v) {
            const auto [from, step] = at(v);
            std::int8_t* const panel = to + (from - static_cast<const std::int8_t*>(memory_.get()));
            for (index_t k = 0; k < rows_; ++k)
                for (index_t lane = 0; lane < (std::min)(n, columns_ - v * n); ++lane)
                    panel[k / group * step + product::place(lane, k % group)] =
                        w.data[k * w.row_step + (v * n + lane) * w.column_step];
        }
    }

    [[nodiscard]] index_t rows() const noexcept { return rows_; }
    [[nodiscard]] index_t columns() const noexcept { return columns_; }
    [[nodiscard]] index_t groups() const noexcept { return (rows_ + group - 1) / group; }

    /// Registers of columns, the last of which may not be full.
    [[nodiscard]] index_t vectors() const noexcept { return (columns_ + n - 1) / n; }

    /// Those of them that lie in panels as wide as a tile.
    [[nodiscard]] index_t wide_vectors() const noexcept { return vectors() / tile::vectors * tile::vectors; }

    [[nodiscard]] std::size_t bytes() const noexcept {
        return static_cast<std::size_t>(groups() * group * vectors() * n);
    }

    /// Where the columns of a register lie: its first group, and the distance between groups.
    struct place {
        const std::int8_t* data;
        index_t step;
    };
    [[nodiscard]] place at(index_t vector) const noexcept {
        const auto* const from = static_cast<const std::int8_t*>(memory_.get());
        constexpr index_t each = n * group;
        if (vector >= wide_vectors()) return {from + vector * each * groups(), each};
        return {from + vector / tile::vectors * tile::vectors * each * groups() + vector % tile::vectors * each,
                tile::vectors * each};
    }

private:
    using product = byte_product<Arch>;
    using tile = detail::byte_tile<Arch>;
    static constexpr index_t group = product::group;
    static constexpr auto n = tile::lanes;

    index_t rows_ = 0;
    index_t columns_ = 0;
    std::unique_ptr<void, edge::detail::aligned_delete> memory_;
};

/// Σ_k w[k, c] of each column, modulo 2^32: as many as there are lanes.
template <class Arch>
[[nodiscard]] std::vector<std::uint32_t> column_sums(const matrix<const std::int8_t>& w) {
    constexpr auto n = detail::byte_tile<Arch>::lanes;
    std::vector<std::uint32_t> sums(static_cast<std::size_t>((w.columns + n - 1) / n * n));
    for (index_t j = 0; j < w.columns; ++j)
        for (index_t k = 0; k < w.rows; ++k)
            sums[static_cast<std::size_t>(j)] +=
                static_cast<std::uint32_t>(std::int32_t{w.data[k * w.row_step + j * w.column_step]});
    return sums;
}

/// What the sum of a column starts with, so that it is Σ (x - x_zero)·w + bias.
template <class Arch>
[[nodiscard]] constexpr std::int32_t byte_start(std::uint32_t column_sum, std::int32_t x_zero,
                                                std::int32_t bias = 0) noexcept {
    const std::int32_t offset = byte_product<Arch>::left_offset - x_zero;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) +
                                     static_cast<std::uint32_t>(offset) * column_sum);
}

/// Rows of the left side in the form that `byte_product<Arch>` reads.
template <class Arch>
struct byte_rows {
    const typename byte_product<Arch>::left* data;
    index_t row_step;
    bool is_padded;  ///< whether whole groups may be read
};

/// Whether rows are read as they lie. The others are widened first.
template <class Arch>
inline constexpr bool reads_bytes = std::is_same_v<typename byte_product<Arch>::left, std::uint8_t>;

/// Elements between widened rows: whole groups, and not whole pages, of which few fit the first cache.
template <class Arch>
[[nodiscard]] constexpr index_t widened_row(index_t k) noexcept {
    const index_t whole = (k + 7) / 8 * 8;
    return whole % 512 == 0 ? whole + 32 : whole;
}

/// Rows of k bytes as `multiply_bytes` wants them.
/// @param scratch  [count, widened_row] int16, where rows are widened; else not used
template <class Arch>
[[nodiscard]] byte_rows<Arch> rows_of_bytes(const std::uint8_t* x, index_t row_step, index_t count, index_t k,
                                            [[maybe_unused]] void* scratch) noexcept {
    if constexpr (reads_bytes<Arch>) {
        return {x, row_step, false};
    } else {
        auto* const rows = static_cast<std::int16_t*>(scratch);
        const index_t step = widened_row<Arch>(k);
        for (index_t i = 0; i < count; ++i) {
            widen_row<Arch>(x + i * row_step, rows + i * step, k);
            if (k % 2 != 0) rows[i * step + k] = 0;
        }
        return {rows, step, true};
    }
}

namespace detail {

/// Rows of a tile are reached from every third one, as in gemm_tile.hpp.
inline constexpr int shared_rows = 3;
template <int rows>
inline constexpr int row_bases = (rows + shared_rows - 1) / shared_rows;

/// One group of k of a tile. `count`, if any, is how many bytes of the group exist.
template <class Arch, int rows, int vectors, class Left, class... Count>
EDGE_ALWAYS_INLINE void add_byte_group(typename byte_product<Arch>::sums (&sums)[rows][vectors],
                                       const Left* (&base)[row_bases<rows>], index_t row_step, const std::int8_t* w,
                                       Count... count) noexcept {
    using product = byte_product<Arch>;
    decltype(product::load(w)) right[vectors];
    unrolled<vectors>([&](auto j) { right[j] = product::load(w + j * byte_tile<Arch>::lanes * product::group); });
    decltype(product::broadcast(base[0])) left;
    unrolled<rows * vectors>([&](auto t) {
        constexpr int i = t / vectors;
        constexpr int j = t % vectors;
        if constexpr (j == 0) left = product::broadcast(base[i / shared_rows] + i % shared_rows * row_step, count...);
        sums[i][j] = product::add(sums[i][j], left, right[j]);
    });
    unrolled<row_bases<rows>>([&](auto i) { base[i] += product::group; });
}

/// to[i, j] = start[j] + Σ_p x[i, p]·w[p, j] for `count` times `rows` rows and the columns of `vectors` registers; or, if
/// `take` is not null, take->take(sums, row, column) of each tile in its registers.
template <class Arch, int rows, int vectors, class Finish>
EDGE_NEVER_INLINE void multiply_byte_tiles(byte_rows<Arch> x, index_t count, const std::int8_t* panel, index_t k,
                                           const std::int32_t* start, std::int32_t* to,
                                           [[maybe_unused]] const Finish* take, [[maybe_unused]] index_t row,
                                           [[maybe_unused]] index_t column, [[maybe_unused]] const std::int8_t* ahead,
                                           [[maybe_unused]] index_t ahead_step) noexcept {
    using product = byte_product<Arch>;
    using tile = byte_tile<Arch>;
    using B = typename product::sums;
    constexpr index_t group = product::group;
    constexpr index_t each = vectors * tile::lanes * group;
    constexpr int all = rows * vectors;
    // Few rows: more chains, which are added up, so that multiply-adds do not wait for each other.
    constexpr int chains = rows == 1 ? 4 : rows == 2 ? 2 : 1;
    for (; count > 0; --count, x.data += rows * x.row_step, to += all * tile::lanes) {
        B sums[chains][rows][vectors];
        unrolled<chains * all>([&](auto t) {
            if constexpr (t < all)
                sums[0][t / vectors][t % vectors] = B::load_unaligned(start + t % vectors * tile::lanes);
            else
                sums[t / all][t / vectors % rows][t % vectors] = B(std::int32_t{0});
        });
        const typename product::left* base[row_bases<rows>];
        unrolled<row_bases<rows>>([&](auto i) { base[i] = x.data + i * shared_rows * x.row_step; });
        const index_t row_step = x.row_step;
        const std::int8_t* w = panel;
        index_t left_over = (x.is_padded ? k + group - 1 : k) / group;
        if constexpr (chains > 1)
            for (; left_over >= chains; left_over -= chains, w += chains * each)
                unrolled<chains>(
                    [&](auto c) { add_byte_group<Arch, rows, vectors>(sums[c], base, row_step, w + c * each); });
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 2
#endif
        for (; left_over > 0; --left_over, w += each) {
            if constexpr (tile::fetches_ahead && vectors > 1 && chains == 1) {
                prefetch(ahead);
                ahead += ahead_step;
            }
            add_byte_group<Arch, rows, vectors>(sums[0], base, row_step, w);
        }
        if constexpr (reads_bytes<Arch> && group > 1)
            if (!x.is_padded && k % group != 0)
                add_byte_group<Arch, rows, vectors>(sums[0], base, row_step, w, static_cast<int>(k % group));
        if constexpr (!std::is_same_v<Finish, as_is>)
            if (take != nullptr) {
                take->take(sums[0], row, column);
                row += rows;
                continue;
            }
        unrolled<all>([&](auto t) {
            B sum = sums[0][t / vectors][t % vectors];
            if constexpr (chains > 1)
                unrolled<chains - 1>([&](auto c) { sum = sum + sums[c + 1][t / vectors][t % vectors]; });
            sum.store_aligned(to + t * tile::lanes);
        });
    }
}

/// Sums that are handed over at a time, with room for whole runs of four registers.
template <class Arch>
inline constexpr index_t byte_buffer = 1024 + 4 * byte_tile<Arch>::lanes;

/// A `finish` that may have tiles in their registers.
template <class Finish>
concept takes_tiles = requires(const Finish& finish) {
    finish.takes_registers();
};

/// A `finish` that is told when all columns of some rows are done.
template <class Finish>
concept finishes_rows = requires(const Finish& finish) {
    finish.rows_done(0, 0, 0, 0);
};

/// The rows of a block times one panel of w.
template <class Arch, int vectors, class Finish>
void multiply_byte_panel(byte_rows<Arch> x, index_t m, const tile_heights& heights, const std::int8_t* w, index_t k,
                         const std::int32_t* start, std::int32_t* sums, const std::int8_t* ahead, index_t ahead_step,
                         const Finish& finish, index_t row, index_t column, index_t count) {
    using tile = byte_tile<Arch>;
    constexpr int most = vectors == 1 ? tile::narrow_rows : tile::rows;
    constexpr int next = tile_heights::below(most);
    const index_t last = row + m;
    const index_t groups = k / byte_product<Arch>::group;
    bool takes = false;
    if constexpr (takes_tiles<Finish>) takes = count == vectors * tile::lanes && finish.takes_registers();
    const auto tiles = [&]<int rows>(std::integral_constant<int, rows>, index_t number) {
        constexpr index_t at_once = tile::template at_once<rows, vectors>;
        static_assert(at_once * rows * vectors * tile::lanes <= 1024);
        // Tiles of few rows are rare: for them, one kernel serves every end.
        constexpr bool may_take = tile::template hands_over<vectors> && rows > 4 && takes_tiles<Finish>;
        const std::conditional_t<may_take, Finish, as_is>* take = nullptr;
        if constexpr (may_take) take = takes ? &finish : nullptr;
        while (number > 0) {
            const index_t here = (std::min)(number, at_once);
            multiply_byte_tiles<Arch, rows, vectors>(x, here, w, k, start, sums, take, row, column, ahead, ahead_step);
            if (take == nullptr) finish(std::integral_constant<int, vectors>{}, sums, row, here * rows, column, count);
            x.data += here * rows * x.row_step;
            row += here * rows;
            ahead += here * groups * ahead_step;
            number -= here;
        }
    };
    tiles(std::integral_constant<int, most>{}, heights.tall);
    tiles(std::integral_constant<int, next>{}, heights.next);
    if constexpr (next > 4) tiles(std::integral_constant<int, 4>{}, (last - row) / 4);
    if constexpr (next > 2) tiles(std::integral_constant<int, 2>{}, (last - row) / 2);
    tiles(std::integral_constant<int, 1>{}, last - row);
}

}  // namespace detail

/// Rows that are done for all panels of the weights: 32 KiB of them and of their results, at least some tiles.
template <class Arch>
[[nodiscard]] constexpr index_t packed_byte_rows(index_t k, index_t n) noexcept {
    constexpr index_t tall = detail::byte_tile<Arch>::rows;
    const index_t each = (reads_bytes<Arch> ? k : 2 * k) + n + 1;
    return (std::max)(index_t{32768} / each / tall, index_t{56} / tall) * tall;
}

/// Rows [i0, i1) and registers [v0, v1) of the columns of x·w, on this thread. v0 and v1 are where panels begin or end.
///
/// @param block   called with a first row and a count of at most `packed_byte_rows`: the byte_rows of them
/// @param start   `byte_start` of each column, as many as there are lanes
/// @param finish  called as `finish(std::integral_constant<int, vectors>, sums, row, rows, column, count)`: sums are
///                [rows, vectors · lanes], aligned, and may be read up to a multiple of four registers; the first is that
///                of `row` and `column`, and `count` columns exist. If it has `takes_registers()` and that is true, it
///                may be given whole tiles before they leave their registers: `take(sums, row, column)`.
///                If it has `rows_done(row, rows, column, columns)`, that is called when their sums are all handed over
/// @param column  of the result at which w begins, for `finish`
template <class Arch, class Block, class Finish>
void multiply_bytes(const Block& block, index_t i0, index_t i1, const packed_bytes<Arch>& w, index_t v0, index_t v1,
                    const std::int32_t* start, const Finish& finish, index_t column = 0) {
    using tile = detail::byte_tile<Arch>;
    constexpr index_t n = tile::lanes;
    alignas(alignment) std::int32_t sums[detail::byte_buffer<Arch>] = {};
    const index_t k = w.rows();
    const index_t each = detail::even_blocks(i1 - i0, packed_byte_rows<Arch>(k, w.columns()), tile::rows).each;
    for (index_t i = i0; i < i1; i += each) {
        const index_t m = (std::min)(each, i1 - i);
        const byte_rows<Arch> rows = block(i, m);
        const detail::tile_heights heights(m, tile::rows);
        const detail::tile_heights narrow(m, tile::narrow_rows);
        for (index_t v = v0; v < v1;) {
            const index_t wide = (std::min)(v1, w.wide_vectors());
            const bool is_wide = v < wide;
            const index_t j = v * n;
            const index_t count = (std::min)(is_wide ? tile::columns : n, w.columns() - j);
            const std::int8_t* const panel = w.at(v).data;
            if (is_wide) {
                // Weights that are read by few tiles come from far away each time.
                const bool fetches = tile::fetches_ahead && m <= 8 * tile::rows && v + 2 * tile::vectors <= wide;
                const std::int8_t* const ahead = fetches ? w.at(v + tile::vectors).data : panel;
                const index_t ahead_step = fetches ? w.at(v).step * (std::min)(m, index_t{tile::rows}) / m : 0;
                detail::multiply_byte_panel<Arch, tile::vectors>(rows, m, heights, panel, k, start + j, sums, ahead,
                                                                 ahead_step, finish, i, column + j, count);
                v += tile::vectors;
            } else {
                detail::multiply_byte_panel<Arch, 1>(rows, m, narrow, panel, k, start + j, sums, panel, 0, finish, i,
                                                     column + j, count);
                v += 1;
            }
        }
        if constexpr (detail::finishes_rows<Finish>)
            finish.rows_done(i, m, column + v0 * n, (std::min)(w.columns(), v1 * n) - v0 * n);
    }
}

/// Calls `part(cell, i0, i1, v0, v1)` for the cells of a product on as many threads as pay.
template <class Arch, class Part>
void share_bytes(index_t m, const packed_bytes<Arch>& w, int threads, const Part& part) {
    if (m == 0 || w.columns() == 0) return;
    using tile = detail::byte_tile<Arch>;
    constexpr index_t align = tile::rows == 14 ? 7 : 1;
    const int parts = product_parts(m, w.columns(), w.rows() / 4 + 1, threads);
    const detail::packed_split split(m, (w.vectors() + tile::vectors - 1) / tile::vectors, tile::columns, align, parts);
    parallel_parts(split.cells(), [&](int cell) {
        const auto [i0, i1] = partition(m, split.rows, cell / split.columns, align);
        const auto [v0, v1] = partition(w.vectors(), split.columns, cell % split.columns, tile::vectors);
        if (i0 < i1 && v0 < v1) part(cell, i0, i1, v0, v1);
    });
}

}  // namespace edge::simd

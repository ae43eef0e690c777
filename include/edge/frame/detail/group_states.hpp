// SPDX-License-Identifier: MIT
#pragma once

/// @file States of aggregates for many groups: arrays of cells by slot, and the choices of rows and of k values.

#include <edge/frame/detail/group_cells.hpp>
#include <edge/frame/detail/state_bytes.hpp>
#include <edge/frame/take.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// What a state of one block of rows is given.
struct state_input {
    const row_block& rows;
    const value_block& values;           ///< of the column
    const value_block* other = nullptr;  ///< of the second one
};

/// Which slot of one state joins which of another: entry i of each list, or i itself without a list.
struct slot_map {
    const std::uint32_t* sources = nullptr;
    const std::uint32_t* targets = nullptr;

    [[nodiscard]] std::size_t from(std::size_t i) const noexcept { return sources == nullptr ? i : sources[i]; }
    [[nodiscard]] std::size_t to(std::size_t i) const noexcept { return targets == nullptr ? i : targets[i]; }
};

/// Array of a value for each slot. Unlike that of a std::vector, memory that large ones give back is used again.
template <class T>
class slot_array {
public:
    slot_array() = default;
    slot_array(std::size_t size, T value) { values_.append(size, value); }
    slot_array(const slot_array& other) { values_.append(other.all()); }
    slot_array(slot_array&& other) noexcept : values_(std::exchange(other.values_, {})) {}
    slot_array& operator=(slot_array other) noexcept {
        std::swap(values_, other.values_);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] T* data() noexcept { return values_.data(); }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return values_[i]; }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return values_[i]; }
    [[nodiscard]] std::span<const T> all() const noexcept { return {values_.data(), values_.size()}; }

    /// Only to more values: those are `T{}`.
    void resize(std::size_t size) {
        if (size > values_.size()) values_.append(size - values_.size(), T{});
    }
    void assign(std::span<const T> values) {
        values_ = {};
        values_.append(values);
    }

private:
    growing<T> values_;
};

class group_state {
public:
    virtual ~group_state() = default;
    virtual void resize(std::size_t slots) = 0;
    virtual void add(const state_input& in) = 0;
    /// From here until `settle`, one thread adds, and many rows for each slot.
    virtual void expect_rows() {}
    virtual void settle() {}
    /// Entries [first, last) of the map: slots of `from`, a state of the same kind, join slots of this.
    virtual void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) = 0;
    [[nodiscard]] virtual std::unique_ptr<group_state> copy() const = 0;
    virtual void write(byte_writer& to) const = 0;
    /// @throws parse_error  if the bytes are not those of a state of so many slots
    virtual void read(byte_reader& from, std::size_t slots) = 0;

protected:
    group_state() = default;
    group_state(const group_state&) = default;
    group_state& operator=(const group_state&) = default;
};

template <class Cell>
class cell_state final : public group_state {
public:
    [[nodiscard]] const Cell& operator[](std::size_t slot) const noexcept { return cells_[slot]; }

    void resize(std::size_t slots) override { cells_.resize(slots); }
    void add(const state_input& in) override {
        const value_block& b = in.values;
        Cell* const cells = cells_.data();
        if constexpr (requires(Cell c) { c.add(0.0, 0.0); }) {
            for (std::size_t i = 0; i < b.count; ++i) cells[b.slots[i]].add(b.numbers[i], in.other->numbers[i]);
        } else {
            const auto* const values = Cell::input(b);
            for (std::size_t i = 0; i < b.count; ++i) cells[b.slots[i]].add(values[i]);
        }
    }
    void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) override {
        const auto& cells = static_cast<const cell_state&>(from).cells_;
        for (std::size_t i = first; i < last; ++i) cells_[map.to(i)].merge(cells[map.from(i)]);
    }
    [[nodiscard]] std::unique_ptr<group_state> copy() const override { return std::make_unique<cell_state>(*this); }
    void write(byte_writer& to) const override { to.put_array(cells_.all()); }
    void read(byte_reader& from, std::size_t slots) override {
        cells_.assign(from.get_array<Cell>(slots));
        if (cells_.size() != slots) from.fail("cells of another number of groups");
    }

private:
    slot_array<Cell> cells_;
};

/// A row of each group, chosen by its place or by another column.
class choice_state : public group_state {
public:
    static constexpr std::uint64_t none = static_cast<std::uint64_t>(-1);

    enum class by : std::uint8_t { first, last, least, greatest };

    explicit choice_state(by how) : how_(how) {}

    [[nodiscard]] std::span<const std::uint64_t> rows() const noexcept { return rows_; }
    /// The chosen rows from now on: those of a column in which they stand side by side, `offset` and on.
    void renumber(std::uint64_t offset) noexcept {
        for (std::size_t i = 0; i < rows_.size(); ++i)
            if (rows_[i] != none) rows_[i] = offset + i;
    }

    void resize(std::size_t slots) override {
        rows_.resize(slots, none);
        if (how_ == by::least || how_ == by::greatest) keys_.resize(slots, 0);
    }
    void add(const state_input& in) override {
        const value_block& b = in.values;
        const auto each = [&](auto&& f) {
            for (std::size_t i = 0; i < b.count; ++i) f(b.slots[i], in.rows.row(b.at == nullptr ? i : b.at[i]), i);
        };
        switch (how_) {
            case by::first:
                return each([&](std::uint32_t s, std::size_t row, std::size_t) {
                    if (rows_[s] == none) rows_[s] = row;
                });
            case by::last: return each([&](std::uint32_t s, std::size_t row, std::size_t) { rows_[s] = row; });
            case by::least:
                return each([&](std::uint32_t s, std::size_t row, std::size_t i) { take(s, row, b.ordered[i]); });
            case by::greatest:
                return each([&](std::uint32_t s, std::size_t row, std::size_t i) { take(s, row, ~b.ordered[i]); });
        }
    }
    void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) override {
        const auto& other = static_cast<const choice_state&>(from);
        for (std::size_t i = first; i < last; ++i) {
            const std::size_t from_slot = map.from(i);
            const std::size_t s = map.to(i);
            if (other.rows_[from_slot] == none) continue;
            if (how_ == by::last || (how_ == by::first && rows_[s] == none)) rows_[s] = other.rows_[from_slot];
            if (how_ == by::least || how_ == by::greatest) take(s, other.rows_[from_slot], other.keys_[from_slot]);
        }
    }
    [[nodiscard]] std::unique_ptr<group_state> copy() const override { return std::make_unique<choice_state>(*this); }
    void write(byte_writer& to) const override {
        to.put_array(std::span<const std::uint64_t>(rows_));
        to.put_array(std::span<const std::uint64_t>(keys_));
    }
    void read(byte_reader& from, std::size_t slots) override {
        rows_ = from.get_array<std::uint64_t>(slots);
        keys_ = from.get_array<std::uint64_t>(slots);
        const bool keyed = how_ == by::least || how_ == by::greatest;
        if (rows_.size() != slots || keys_.size() != (keyed ? slots : 0)) from.fail("rows of another number of groups");
    }

protected:
    std::vector<std::uint64_t> rows_;

private:
    void take(std::size_t slot, std::uint64_t row, std::uint64_t key) noexcept {
        if (rows_[slot] != none && key >= keys_[slot]) return;
        rows_[slot] = row;
        keys_[slot] = key;
    }

    by how_;
    std::vector<std::uint64_t> keys_;  ///< of the greatest the complement, so that less is better
};

/// A row of each group, in which the text of a column is least or greatest.
class text_choice_state final : public choice_state {
public:
    /// @param texts  the column in whose rows the texts stand
    text_choice_state(by how, column texts) : choice_state(by::first), greatest_(how == by::greatest), texts_(texts) {}

    void set_texts(column texts) { texts_ = std::move(texts); }

    void add(const state_input& in) override {
        const value_block& b = in.values;
        for (std::size_t i = 0; i < b.count; ++i) take(b.slots[i], in.rows.row(b.at == nullptr ? i : b.at[i]));
    }
    void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) override {
        const std::span<const std::uint64_t> rows = static_cast<const choice_state&>(from).rows();
        for (std::size_t i = first; i < last; ++i)
            if (rows[map.from(i)] != none) take(map.to(i), rows[map.from(i)]);
    }
    [[nodiscard]] std::unique_ptr<group_state> copy() const override {
        return std::make_unique<text_choice_state>(*this);
    }

private:
    void take(std::size_t slot, std::uint64_t row) {
        if (rows_[slot] != none) {
            const int order = texts_.text(row).compare(texts_.text(rows_[slot]));
            if (greatest_ ? order <= 0 : order >= 0) return;
        }
        rows_[slot] = row;
    }

    bool greatest_;
    column texts_;
};

/// The k least or greatest values of each group.
class top_state final : public group_state {
public:
    top_state(std::size_t k, bool greatest) : k_(k), flip_(greatest ? ~std::uint64_t{0} : 0) {}

    /// The values of a group, the best first, each to be combined with `flip()` by xor to be what `to_ordered` said.
    [[nodiscard]] std::span<const std::uint64_t> values(std::size_t slot) const noexcept {
        return {best_.data() + slot * k_, counts_[slot]};
    }
    [[nodiscard]] std::uint64_t flip() const noexcept { return flip_; }

    void resize(std::size_t slots) override {
        counts_.resize(slots);
        best_.resize(slots * k_);
    }
    void add(const state_input& in) override {
        const value_block& b = in.values;
        for (std::size_t i = 0; i < b.count; ++i) put(b.slots[i], b.ordered[i] ^ flip_);
    }
    void merge(const group_state& from, const slot_map& map, std::size_t first, std::size_t last) override {
        const auto& other = static_cast<const top_state&>(from);
        for (std::size_t i = first; i < last; ++i)
            for (const std::uint64_t value : other.values(map.from(i))) put(map.to(i), value);
    }
    [[nodiscard]] std::unique_ptr<group_state> copy() const override { return std::make_unique<top_state>(*this); }
    void write(byte_writer& to) const override {
        to.put_array(std::span<const std::uint32_t>(counts_));
        to.put_array(std::span<const std::uint64_t>(best_));
    }
    void read(byte_reader& from, std::size_t slots) override {
        counts_ = from.get_array<std::uint32_t>(slots);
        best_ = from.get_array<std::uint64_t>(from.left() / 8);
        if (counts_.size() != slots || best_.size() / k_ != slots || best_.size() % k_ != 0)
            from.fail("best values of another number of groups");
        for (const std::uint32_t n : counts_)
            if (n > k_) from.fail("more best values than asked for");
    }

private:
    void put(std::size_t slot, std::uint64_t value) noexcept {
        std::uint64_t* const best = best_.data() + slot * k_;
        std::uint32_t& count = counts_[slot];
        if (count == k_) {
            if (value >= best[k_ - 1]) return;
        } else {
            ++count;
        }
        std::size_t at = count - 1;
        for (; at != 0 && value < best[at - 1]; --at) best[at] = best[at - 1];
        best[at] = value;
    }

    std::size_t k_;
    std::uint64_t flip_;
    std::vector<std::uint32_t> counts_;
    std::vector<std::uint64_t> best_;
};

}  // namespace edge::frame::detail

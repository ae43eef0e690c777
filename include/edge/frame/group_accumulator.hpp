// SPDX-License-Identifier: MIT
#pragma once

/// @file Group-by over a stream: batch after batch, in memory that grows with the groups and not with the rows.
///
///     group_accumulator acc("window", {count(), mean("ax"), stddev("ax")});
///     while (read(batch)) acc.update(batch);
///     acc.merge(other);                            // of another thread or machine, for the same aggregates
///     table t = acc.finish();                      // sorted by window; more batches may follow
///     save(acc.bytes());                           // and elsewhere: group_accumulator::from_bytes(bytes)
///
/// All aggregates of a table, by keys of any kind. A group takes 16 bytes and more for its keys and 8 to 48 for each
/// aggregate; `median` and `quantile` keep every value (8 bytes), `nunique` each different one of a group (about 28).
///
/// Rows are taken in chunks of 2^20, whatever the batches: the same rows in batches of any size give the same bits, on any
/// number of threads. Less than a chunk waits in the memory of its batches. Against `table::group_by`, sums, means,
/// variances and correlations of more than 2^14 rows may differ by their rounding; everything else is equal.

#include <edge/frame/detail/held_values.hpp>
#include <edge/frame/detail/stored_keys.hpp>
#include <edge/frame/group_by.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

class group_accumulator {
public:
    /// @param keys  columns of any kind, up to 64; with none, all rows are one group
    /// @throws argument_error  if two keys or aggregates have one name
    group_accumulator(std::vector<std::string> keys, std::vector<aggregate> wanted);
    template <std::convertible_to<std::string_view> Name>
    group_accumulator(const Name& key, std::vector<aggregate> wanted)
        : group_accumulator(std::vector<std::string>{std::string(std::string_view(key))}, std::move(wanted)) {}

    /// Rows whose key is missing are a group too; missing values and NaN are skipped. O(rows).
    /// @throws argument_error  if a column is not there, not of a kind to be aggregated so, or of another kind than in the
    ///                         batches before; nothing of the batch is then added
    void update(const table& batch, const parallel_options& threads = {});

    /// As if `other`'s batches had come after those of this one; commutes but for rounding, `first` and `last`.
    /// @throws argument_error  if the keys, the aggregates or the kinds of the columns differ
    void merge(const group_accumulator& other, const parallel_options& threads = {});

    /// O(1) where no rows wait for the rest of their chunk, else their group-by.
    [[nodiscard]] std::size_t groups() const;
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    /// The keys and the aggregates, a row for each group (more with `largest` and `smallest`), in ascending order of the
    /// keys; a missing one comes last.
    [[nodiscard]] table finish(const parallel_options& threads = {}) const&;
    /// The same, without a copy of what is there: of an accumulator that is then used up.
    [[nodiscard]] table finish(const parallel_options& threads = {}) &&;

    /// All of it, to go on with elsewhere. Rows that wait for the rest of their chunk are then a chunk there.
    [[nodiscard]] std::vector<std::byte> bytes() const;
    /// @throws parse_error, argument_error  if the bytes are not those of an accumulator
    [[nodiscard]] static group_accumulator from_bytes(std::span<const std::byte> bytes);

private:
    static constexpr std::size_t chunk_rows = std::size_t{1} << 20;
    static constexpr std::uint32_t version = 1;

    /// Values of one column, for the aggregates of all values.
    struct held {
        std::size_t source;
        bool all;
        detail::held_values values;
    };

    void start(const table& batch);
    void check(const table& batch) const;
    void take(const table& keys, const table& chunk, std::size_t rows, const parallel_options& threads);
    void add_rows(const table& chunk, std::span<const std::uint32_t> group_of, const parallel_options& threads);
    [[nodiscard]] bool adds_rows(std::size_t rows) const noexcept;
    void take_pending(const parallel_options& threads);
    void join(detail::group_aggregates& part, const detail::slot_map& map, std::size_t count,
              const std::vector<column>& kept, const std::vector<column>& compared, const parallel_options& threads);
    void shrink_kept(std::size_t state);
    [[nodiscard]] std::optional<group_accumulator> without_pending(const parallel_options& threads) const;
    [[nodiscard]] table schema() const;

    std::vector<std::string> keys_;
    std::vector<aggregate> wanted_;
    std::shared_ptr<const detail::aggregate_plan> plan_;  ///< none before the first batch, as all below
    std::vector<kind> wanted_kinds_;                      ///< of the columns of the aggregates
    detail::stored_keys groups_;
    std::optional<detail::group_aggregates> states_;
    std::vector<column> kept_;      ///< of each aggregate that chooses rows, the values of the rows chosen so far
    std::vector<column> compared_;  ///< of each state that chooses by texts, the texts of those rows
    std::vector<held> held_;
    std::vector<table> pending_keys_;  ///< columns of numbers
    std::vector<table> pending_;       ///< what is aggregated
    std::size_t pending_rows_ = 0;
    std::size_t rows_ = 0;
};

inline group_accumulator::group_accumulator(std::vector<std::string> keys, std::vector<aggregate> wanted)
    : keys_(std::move(keys)), wanted_(std::move(wanted)) {
    table names;
    for (const std::string& key : keys_) names.add(key, column());
    for (const aggregate& a : wanted_) {
        names.add(a.result_name(), column());
        if (a.column.empty() && a.what != statistic::count)
            throw argument_error(message(a.function(), " of no column"));
    }
    if (keys_.size() > detail::stored_keys::most_columns)
        throw argument_error(
            message("groups by ", keys_.size(), " columns; expected up to ", detail::stored_keys::most_columns));
}

/// Plans for the kinds of the columns of a batch.
inline void group_accumulator::start(const table& batch) {
    plan_ = std::make_shared<detail::aggregate_plan>(wanted_, batch);
    std::vector<kind> kinds;
    for (const std::string& key : keys_) kinds.push_back(batch.column(key).kind());
    groups_ = detail::stored_keys(std::move(kinds));
    for (const aggregate& a : wanted_) {
        wanted_kinds_.push_back(a.column.empty() ? kind::int64 : batch.column(a.column).kind());
        kept_.push_back(column::missing(wanted_kinds_.back(), 0));
    }
    compared_.assign(plan_->states.size(), column::missing(kind::string, 0));
    states_.emplace(plan_, plan_->columns(schema()));
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (!detail::is_of_all_values(wanted_[i].what)) continue;
        const std::size_t source = plan_->results[i].source;
        const bool all = wanted_[i].what != statistic::nunique;
        const auto same = [&](const held& h) { return h.source == source && h.all == all; };
        if (std::none_of(held_.begin(), held_.end(), same))
            held_.push_back({source, all, detail::held_values(plan_->sources[source].kind, all)});
    }
}

/// @throws argument_error  if a batch does not fit those before
inline void group_accumulator::check(const table& batch) const {
    const auto expect = [](const std::string& name, kind is, kind was) {
        if (is != was)
            throw argument_error(
                message("column '", name, "' of ", to_string(is), "; expected ", to_string(was), " as before"));
    };
    for (std::size_t i = 0; i < keys_.size(); ++i) expect(keys_[i], batch.column(keys_[i]).kind(), groups_.kinds()[i]);
    for (const auto& s : plan_->sources) expect(s.name, batch.column(s.name).kind(), s.kind);
    for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (!wanted_[i].column.empty())
            expect(wanted_[i].column, batch.column(wanted_[i].column).kind(), wanted_kinds_[i]);
}

inline void group_accumulator::update(const table& batch, const parallel_options& threads) {
    if (plan_ == nullptr) {
        group_accumulator started(keys_, wanted_);  // so that nothing is left of a batch that is refused
        started.start(batch);
        *this = std::move(started);
    } else {
        check(batch);
    }
    std::vector<std::string> names;
    const auto need = [&](const std::string& name) {
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const aggregate& a : wanted_) {
        need(a.column);
        need(a.other);
    }
    table keys;
    for (std::size_t i = 0; i < keys_.size(); ++i)
        keys.add(keys_[i], groups_.numbered(i, batch.column(keys_[i]), threads));
    const table used = batch.select(names);
    rows_ += batch.rows();
    for (std::size_t first = 0; first < batch.rows();) {
        const std::size_t count = (std::min)(batch.rows() - first, chunk_rows - pending_rows_);
        const auto part = [&](const table& t) { return t.names().empty() ? t : t.slice(first, count); };
        pending_keys_.push_back(part(keys));
        pending_.push_back(part(used));
        pending_rows_ += count;
        first += count;
        if (pending_rows_ == chunk_rows) take_pending(threads);
    }
    if (pending_.size() > 64) {  // so that many small batches do not cost a table each
        pending_keys_ = {concat(pending_keys_)};
        pending_ = {concat(pending_)};
    }
}

inline void group_accumulator::take_pending(const parallel_options& threads) {
    if (pending_rows_ == 0) return;
    const table keys = concat(std::exchange(pending_keys_, {}));
    const table chunk = concat(std::exchange(pending_, {}));
    take(keys, chunk, std::exchange(pending_rows_, 0), threads);
}

/// Whether groups are so many that those of a chunk would be little fewer than its rows.
inline bool group_accumulator::adds_rows(std::size_t rows) const noexcept {
    bool chooses = false;  // a row of the chunk, which is then forgotten
    for (std::size_t s = 0; s < plan_->states.size(); ++s) chooses = chooses || plan_->is_choice(s);
    return !chooses && groups_.size() > rows / 32;
}

inline void group_accumulator::take(const table& keys, const table& chunk, std::size_t rows,
                                    const parallel_options& threads) {
    const auto hold = [&](std::span<const std::uint32_t> group_of) {
        for (held& h : held_) h.values.add(chunk.column(plan_->sources[h.source].name), group_of);
    };
    if (adds_rows(rows)) {
        const growing<std::uint32_t> group_of = groups_.insert(keys.columns(), rows, threads);
        add_rows(chunk, {group_of.data(), rows}, threads);
        return hold({group_of.data(), rows});
    }
    detail::row_groups groups(keys.columns(), rows, threads);
    detail::group_aggregates part = detail::aggregate_rows(groups, plan_, chunk, threads);
    std::vector<std::uint32_t> slots;
    for (std::size_t s = 0; s < part.slots(); ++s)
        if (part.sizes()[s] != 0) slots.push_back(static_cast<std::uint32_t>(s));
    const std::vector<std::uint32_t> group_of = groups_.insert(groups, slots, threads);
    std::vector<column> kept(wanted_.size());
    std::vector<column> compared(plan_->states.size());
    const auto chosen = [&](std::size_t state, const std::string& name) {
        const auto& choice = static_cast<const detail::choice_state&>(part.state(state));
        std::vector<std::size_t> from(choice.rows().size());
        for (std::size_t i = 0; i < from.size(); ++i)
            from[i] =
                choice.rows()[i] == detail::choice_state::none ? no_row : static_cast<std::size_t>(choice.rows()[i]);
        return frame::take(chunk.column(name), from);
    };
    for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (plan_->chooses(i)) kept[i] = chosen(plan_->results[i].state, wanted_[i].column);
    for (std::size_t s = 0; s < compared.size(); ++s)
        if (plan_->compares_texts(s)) compared[s] = chosen(s, plan_->sources[plan_->states[s].source].name);
    join(part, {slots.data(), group_of.data()}, slots.size(), kept, compared, threads);
    if (held_.empty()) return;
    std::vector<std::uint32_t> target(part.slots());
    for (std::size_t i = 0; i < slots.size(); ++i) target[slots[i]] = group_of[i];
    std::vector<std::uint32_t> of_row(rows);
    groups.numbers(of_row);
    for (std::uint32_t& n : of_row) n = target[n];
    hold(of_row);
}

/// Values of a chunk straight to the states of their groups. The states are cut into pieces that fit in a cache; a piece's
/// rows are taken together, on one thread, in their order.
inline void group_accumulator::add_rows(const table& chunk, std::span<const std::uint32_t> group_of,
                                        const parallel_options& threads) {
    constexpr std::size_t most_pieces = 256;
    states_->read_from(plan_->columns(chunk));
    states_->resize(groups_.size());
    int shift = 10;
    while ((groups_.size() - 1) >> shift >= most_pieces) ++shift;
    const std::size_t pieces = ((groups_.size() - 1) >> shift) + 1;
    growing<std::uint64_t> rows;
    growing<std::uint32_t> begins;
    detail::gather_by_slot<std::uint64_t>(
        group_of.size(), pieces,
        [&](std::size_t first, std::size_t count, auto&& f) {
            for (std::size_t i = first; i < first + count; ++i)
                f(group_of[i] >> shift, static_cast<std::uint64_t>(group_of[i]) << 32 | i);
        },
        threads, rows, begins);
    struct scratch {
        detail::group_aggregates::scratch values;
        std::uint32_t rows[detail::row_block::most];
        std::uint32_t groups[detail::row_block::most];
    };
    const auto tasks = static_cast<index_t>(pieces);
    std::vector<std::unique_ptr<scratch>> work(static_cast<std::size_t>(parts_for(tasks, threads)));
    for (auto& w : work) w = std::make_unique<scratch>();
    parallel_tasks(tasks, threads, [&](index_t piece, int part) {
        scratch& mine = *work[static_cast<std::size_t>(part)];
        const std::size_t end = begins[static_cast<std::size_t>(piece) + 1];
        for (std::size_t at = begins[static_cast<std::size_t>(piece)]; at < end;) {
            const std::size_t count = (std::min)(detail::row_block::most, end - at);
            for (std::size_t i = 0; i < count; ++i) {
                mine.rows[i] = static_cast<std::uint32_t>(rows[at + i]);
                mine.groups[i] = static_cast<std::uint32_t>(rows[at + i] >> 32);
            }
            states_->add({0, mine.rows, count, mine.groups}, mine.values);
            at += count;
        }
    });
    states_->read_from(plan_->columns(schema()));
}

/// Groups of another stream or of a chunk. @param kept  values of the rows that they chose, by slot; `compared` as well
inline void group_accumulator::join(detail::group_aggregates& part, const detail::slot_map& map, std::size_t count,
                                    const std::vector<column>& kept, const std::vector<column>& compared,
                                    const parallel_options& threads) {
    states_->resize(groups_.size());
    states_->prepare_merge(part);
    const auto append = [](column& to, const column& more) {
        const std::vector<table> both{{{"x", to}}, {{"x", more}}};
        to = concat(both).columns().front();
    };
    std::vector<bool> renumbered(plan_->states.size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (!plan_->chooses(i)) continue;
        const std::size_t s = plan_->results[i].state;
        if (!renumbered[s]) static_cast<detail::choice_state&>(part.state(s)).renumber(kept_[i].size());
        renumbered[s] = true;
        append(kept_[i], kept[i]);
    }
    for (std::size_t s = 0; s < compared.size(); ++s) {
        if (!plan_->compares_texts(s)) continue;
        append(compared_[s], compared[s]);
        static_cast<detail::text_choice_state&>(states_->state(s)).set_texts(compared_[s]);
    }
    parallel_for(static_cast<index_t>(count), {.threads = threads.threads, .grain = 1 << 10},
                 [&](index_t first, index_t last) {
                     states_->merge(part, map, static_cast<std::size_t>(first), static_cast<std::size_t>(last));
                 });
    for (std::size_t s = 0; s < plan_->states.size(); ++s)
        if (renumbered[s]) shrink_kept(s);
}

/// Forgets values of rows that are no longer the chosen ones, where they are most.
inline void group_accumulator::shrink_kept(std::size_t state) {
    auto& choice = static_cast<detail::choice_state&>(states_->state(state));
    std::vector<std::size_t> rows(choice.rows().size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = choice.rows()[i] == detail::choice_state::none ? no_row : static_cast<std::size_t>(choice.rows()[i]);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (!plan_->chooses(i) || plan_->results[i].state != state) continue;
        if (kept_[i].size() <= 2 * rows.size()) return;  // all of one state are as long
        kept_[i] = frame::take(kept_[i], rows);
    }
    if (plan_->compares_texts(state)) {
        compared_[state] = frame::take(compared_[state], rows);
        static_cast<detail::text_choice_state&>(choice).set_texts(compared_[state]);
    }
    choice.renumber(0);
}

inline std::optional<group_accumulator> group_accumulator::without_pending(const parallel_options& threads) const {
    if (pending_rows_ == 0) return std::nullopt;
    group_accumulator copy = *this;
    copy.take_pending(threads);
    return copy;
}

inline std::size_t group_accumulator::groups() const {
    const auto whole = without_pending({});
    return (whole ? *whole : *this).groups_.size();
}

inline void group_accumulator::merge(const group_accumulator& other, const parallel_options& threads) {
    bool same = keys_ == other.keys_ && wanted_.size() == other.wanted_.size();
    for (std::size_t i = 0; same && i < wanted_.size(); ++i) {
        const aggregate& a = wanted_[i];
        const aggregate& b = other.wanted_[i];
        same =
            a.what == b.what && a.column == b.column && a.other == b.other && a.k == b.k && !(a.q < b.q || b.q < a.q);
    }
    if (!same) throw argument_error("merging accumulators of different keys or aggregates");
    if (other.plan_ == nullptr) return;
    if (plan_ == nullptr) {
        std::vector<aggregate> names = std::move(wanted_);
        *this = other;
        wanted_ = std::move(names);
        return;
    }
    same = std::equal(groups_.kinds().begin(), groups_.kinds().end(), other.groups_.kinds().begin()) &&
           wanted_kinds_ == other.wanted_kinds_;
    for (std::size_t i = 0; same && i < plan_->sources.size(); ++i)
        same = plan_->sources[i].kind == other.plan_->sources[i].kind;
    if (!same) throw argument_error("merging accumulators of columns of different kinds");
    take_pending(threads);
    group_accumulator from = other;
    from.take_pending(threads);
    std::vector<std::uint32_t> slots(from.groups_.size());
    for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = static_cast<std::uint32_t>(i);
    const std::vector<std::uint32_t> group_of = groups_.insert(from.groups_, threads);
    for (std::size_t s = 0; s < plan_->states.size(); ++s) {
        if (!plan_->is_choice(s)) continue;
        std::vector<std::size_t> rows;
        for (const std::uint64_t row : static_cast<detail::choice_state&>(from.states_->state(s)).rows())
            rows.push_back(row == detail::choice_state::none ? no_row : static_cast<std::size_t>(row));
        for (std::size_t i = 0; i < wanted_.size(); ++i)
            if (plan_->chooses(i) && plan_->results[i].state == s) from.kept_[i] = frame::take(from.kept_[i], rows);
        if (plan_->compares_texts(s)) from.compared_[s] = frame::take(from.compared_[s], rows);
    }
    join(*from.states_, {nullptr, group_of.data()}, slots.size(), from.kept_, from.compared_, threads);
    for (std::size_t h = 0; h < held_.size(); ++h) held_[h].values.add(from.held_[h].values, group_of);
    rows_ += from.rows_;
}

inline table group_accumulator::finish(const parallel_options& threads) && {
    take_pending(threads);
    return std::as_const(*this).finish(threads);
}

inline table group_accumulator::finish(const parallel_options& threads) const& {
    if (const auto whole = without_pending(threads)) return std::as_const(*whole).finish(threads);
    if (plan_ == nullptr) {
        table none;
        for (const std::string& key : keys_) none.add(key, column::missing(kind::int64, 0));
        for (const aggregate& a : wanted_)
            none.add(a.result_name(), column::missing(detail::result_kind(a.what, kind::float64), 0));
        return none;
    }
    if (keys_.empty() && groups_.size() == 0) return schema().group_by().agg(wanted_, threads);
    const table keys(keys_, groups_.columns());
    std::vector<std::uint32_t> slots(groups_.size());
    std::vector<std::size_t> order(groups_.size());
    if (!keys_.empty()) {  // else there is one group
        std::vector<sort_key> by;
        for (const std::string& key : keys_) by.push_back({key});
        order = sorted_rows(keys, by, threads);
    }
    for (std::size_t g = 0; g < slots.size(); ++g) slots[g] = static_cast<std::uint32_t>(order[g]);
    std::vector<column> columns(wanted_.size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        const aggregate& a = wanted_[i];
        if (detail::is_of_all_values(a.what)) {
            const bool all = a.what != statistic::nunique;
            for (const held& h : held_) {
                if (h.source != plan_->results[i].source || h.all != all) continue;
                columns[i] = !all ? h.values.different(slots, groups_.size())
                                  : h.values.quantile(slots, a.what == statistic::median ? 0.5 : a.q, threads);
            }
        } else if (a.k == 0) {
            columns[i] = states_->result(i, slots, kept_[i]);
        }
    }
    table first;
    const table sorted = keys_.empty() ? table() : frame::take(keys, order, threads);
    for (std::size_t i = 0; i < keys_.size(); ++i) first.add(keys_[i], plain(sorted.columns()[i]));
    return detail::with_lists(first, *plan_, &*states_, std::move(columns), slots);
}

/// A table of no rows with the columns that are read.
inline table group_accumulator::schema() const {
    table t;
    const auto add = [&](const std::string& name, kind k) {
        if (!name.empty() && !t.has(name)) t.add(name, column::missing(k, 0));
    };
    for (std::size_t i = 0; i < keys_.size(); ++i) add(keys_[i], groups_.kinds()[i]);
    for (const auto& s : plan_->sources) add(s.name, s.kind);
    for (std::size_t i = 0; i < wanted_.size(); ++i) add(wanted_[i].column, wanted_kinds_[i]);
    return t;
}

inline std::vector<std::byte> group_accumulator::bytes() const {
    if (const auto whole = without_pending({})) return whole->bytes();
    detail::byte_writer to;
    to.put_text("edge groups");
    to.put(version);
    to.put(static_cast<std::uint64_t>(keys_.size()));
    for (const std::string& key : keys_) to.put_text(key);
    to.put(static_cast<std::uint64_t>(wanted_.size()));
    for (const aggregate& a : wanted_) {
        to.put_text(a.function());
        to.put_text(a.column);
        to.put_text(a.name);
        to.put(a.q);
    }
    to.put(static_cast<std::uint64_t>(rows_));
    to.put(static_cast<std::uint8_t>(plan_ != nullptr));
    if (plan_ == nullptr) return to.finish();
    const table columns = schema();
    to.put(static_cast<std::uint64_t>(columns.names().size()));
    for (std::size_t i = 0; i < columns.names().size(); ++i) {
        to.put_text(columns.names()[i]);
        to.put(columns.columns()[i].kind());
    }
    groups_.write(to);
    states_->write(to);
    for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (plan_->chooses(i)) to.put_column(kept_[i]);
    for (std::size_t s = 0; s < compared_.size(); ++s)
        if (plan_->compares_texts(s)) to.put_column(compared_[s]);
    for (const held& h : held_) h.values.write(to);
    return to.finish();
}

inline group_accumulator group_accumulator::from_bytes(std::span<const std::byte> bytes) {
    detail::byte_reader from(bytes);
    if (from.get_text() != "edge groups") from.fail("not a group accumulator");
    if (from.get<std::uint32_t>() != version) from.fail("of another version");
    std::vector<std::string> keys;
    for (auto n = from.get<std::uint64_t>(); n > 0; --n) keys.push_back(from.get_text());
    std::vector<aggregate> wanted;
    for (auto n = from.get<std::uint64_t>(); n > 0; --n) {
        const std::string function = from.get_text();
        const std::string name = from.get_text();
        aggregate a = aggregate_from_string(function, name);
        a.name = from.get_text();
        const auto q = from.get<double>();
        if (a.what == statistic::quantile) a.q = quantile("", q).q;  // the text has fewer digits
        wanted.push_back(std::move(a));
    }
    group_accumulator acc(std::move(keys), std::move(wanted));
    const auto rows = from.get<std::uint64_t>();
    if (rows > std::uint64_t{1} << 62) from.fail("so many rows");
    const auto is_started = from.get<std::uint8_t>();
    if (is_started != 0) {
        table columns;
        for (auto n = from.get<std::uint64_t>(); n > 0; --n) {
            const std::string name = from.get_text();
            const auto k = from.get<std::uint8_t>();
            if (k >= kind_names.size()) from.fail("a column of no known kind");
            columns.add(name, column::missing(static_cast<kind>(k), 0));
        }
        acc.start(columns);
        const std::vector<kind> kinds(acc.groups_.kinds().begin(), acc.groups_.kinds().end());
        acc.groups_.read(from);
        if (!std::equal(kinds.begin(), kinds.end(), acc.groups_.kinds().begin(), acc.groups_.kinds().end()))
            from.fail("keys of other kinds");
        acc.states_->read(from, acc.groups_.size());
        std::vector<std::size_t> kept_rows(acc.plan_->states.size(), static_cast<std::size_t>(-1));
        const auto read_column = [&](kind k, std::size_t state) {
            column c = from.get_column();
            if (c.kind() != k) from.fail("values of another kind");
            kept_rows[state] = (std::min)(kept_rows[state], c.size());
            return c;
        };
        for (std::size_t i = 0; i < acc.wanted_.size(); ++i)
            if (acc.plan_->chooses(i)) acc.kept_[i] = read_column(acc.wanted_kinds_[i], acc.plan_->results[i].state);
        for (std::size_t s = 0; s < acc.compared_.size(); ++s) {
            if (!acc.plan_->compares_texts(s)) continue;
            acc.compared_[s] = read_column(kind::string, s);
            static_cast<detail::text_choice_state&>(acc.states_->state(s)).set_texts(acc.compared_[s]);
        }
        for (std::size_t s = 0; s < kept_rows.size(); ++s) {
            if (!acc.plan_->is_choice(s)) continue;
            for (const std::uint64_t row : static_cast<detail::choice_state&>(acc.states_->state(s)).rows())
                if (row != detail::choice_state::none && row >= kept_rows[s]) from.fail("a row that is not there");
        }
        for (held& h : acc.held_) h.values.read(from, acc.groups_.size());
    }
    if (from.left() != 0) from.fail("more bytes than expected");
    acc.rows_ = static_cast<std::size_t>(rows);
    return acc;
}

}  // namespace edge::frame

// SPDX-License-Identifier: MIT
#pragma once

/// @file The aggregates that were asked for, of many groups at once: which states they need, and what comes out of them.

#include <edge/frame/aggregate.hpp>
#include <edge/frame/detail/aggregate_kinds.hpp>
#include <edge/frame/detail/float_sums.hpp>
#include <edge/frame/detail/group_states.hpp>
#include <edge/frame/detail/result_column.hpp>
#include <edge/frame/detail/slot_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame::detail {

/// Whether the values of a group must be together for it.
[[nodiscard]] constexpr bool is_of_all_values(statistic s) noexcept {
    return s == statistic::median || s == statistic::quantile || s == statistic::nunique;
}

[[nodiscard]] constexpr bool is_choice(statistic s) noexcept {
    return s == statistic::first || s == statistic::last || s == statistic::arg_min || s == statistic::arg_max;
}

/// What to keep of each group for some aggregates of the columns of a table.
struct aggregate_plan {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct source {
        std::string name;
        frame::kind kind;
        bool is_read = false;  ///< its values, by a state; not only by one that takes two columns
        value_forms forms = {};
        std::vector<std::size_t> states = {};
    };
    struct state {
        statistic what;
        std::size_t source;
        std::size_t other = none;
        std::size_t k = 0;
    };
    struct result {
        std::size_t source = none;  ///< whose values count; none: rows
        std::size_t state = none;
    };

    std::vector<aggregate> wanted;
    std::vector<source> sources;
    std::vector<state> states;
    std::vector<result> results;  ///< of each aggregate

    /// @throws argument_error  if a column is not there, or of a kind that has no such aggregate
    aggregate_plan(std::vector<aggregate> aggregates, const table& t) : wanted(std::move(aggregates)) {
        for (const aggregate& a : wanted) {
            check(a, t);
            result r;
            if (!a.column.empty()) plan(a, t, r);
            results.push_back(r);
        }
    }

    /// The columns of another table; of the same kinds.
    [[nodiscard]] std::vector<column> columns(const table& t) const {
        std::vector<column> found;
        for (const source& s : sources) found.push_back(t.column(s.name));
        return found;
    }

    /// Whether aggregate `i` is the value of a chosen row; state `s` chooses rows, and does so by texts.
    [[nodiscard]] bool chooses(std::size_t i) const noexcept {
        return results[i].state != none && is_choice(results[i].state);
    }
    [[nodiscard]] bool is_choice(std::size_t s) const noexcept { return detail::is_choice(states[s].what); }
    [[nodiscard]] bool compares_texts(std::size_t s) const noexcept {
        const statistic what = states[s].what;
        return sources[states[s].source].kind == frame::kind::string &&
               (what == statistic::arg_min || what == statistic::arg_max);
    }
    [[nodiscard]] bool has_lists() const noexcept {
        return std::any_of(states.begin(), states.end(), [](const state& s) { return s.k != 0; });
    }

    /// Whether all that is kept is a sum of each of some columns of floats, and rows are counted.
    [[nodiscard]] bool is_of_float_sums() const noexcept {
        return !sources.empty() && std::all_of(sources.begin(), sources.end(), [&](const source& s) {
            return is_float(s.kind) && s.states.size() == 1 && states[s.states[0]].what == statistic::sum;
        });
    }

    /// Column of what came out of aggregate `i`. @param from  column in whose rows the choices are
    [[nodiscard]] column finish(std::size_t i, result_column& made, const column& from,
                                const parallel_options& threads) const {
        const statistic what = wanted[i].what;
        if (chooses(i)) return made.finish_rows(from, threads);
        if (what == statistic::count) return made.finish(kind::int64);
        const frame::kind k = sources[results[i].source].kind;
        if (what == statistic::min || what == statistic::max) return made.finish_ordered(k);
        return made.finish(result_kind(what, k));
    }

private:
    static void check(const aggregate& a, const table& t) {
        if (a.column.empty()) {
            if (a.what != statistic::count)
                throw argument_error(message(a.function(), " of no column; expected the name of one"));
            return;
        }
        check_kind(a, t.column(a.column).kind(), a.column);
        if (a.what == statistic::corr) check_kind(a, t.column(a.other).kind(), a.other);
        if (a.what == statistic::arg_min || a.what == statistic::arg_max) (void)t.column(a.other);
    }

    std::size_t source_of(const std::string& name, const table& t) {
        const auto at = std::find_if(sources.begin(), sources.end(), [&](const source& s) { return s.name == name; });
        if (at != sources.end()) return static_cast<std::size_t>(at - sources.begin());
        sources.push_back({name, t.column(name).kind()});
        return sources.size() - 1;
    }

    void plan(const aggregate& a, const table& t, result& r) {
        statistic what = a.what;
        std::size_t other = none;
        r.source = source_of(a.column, t);
        const bool is_text = sources[r.source].kind == kind::string;
        if (is_of_all_values(what)) return;
        if (what == statistic::count) {
            sources[r.source].is_read = true;
            return;
        }
        if (is_text && (what == statistic::min || what == statistic::max))
            what = what == statistic::min ? statistic::arg_min : statistic::arg_max;  // of itself
        else if (what == statistic::arg_min || what == statistic::arg_max)
            r.source = source_of(a.other, t);
        if (what == statistic::corr) other = source_of(a.other, t);
        if (what == statistic::mean) what = statistic::sum;
        if (what == statistic::std) what = statistic::var;
        const auto same = std::find_if(states.begin(), states.end(), [&](const state& s) {
            return s.what == what && s.source == r.source && s.other == other && s.k == a.k;
        });
        r.state = static_cast<std::size_t>(same - states.begin());
        if (same != states.end()) return;
        states.push_back({what, r.source, other, a.k});
        source& s = sources[r.source];
        if (what != statistic::corr) {
            s.states.push_back(r.state);
            s.is_read = true;
        }
        const bool is_sum = what == statistic::sum;
        s.forms.integers |= is_sum && !is_float(s.kind);
        s.forms.numbers |= (is_sum && is_float(s.kind)) || what == statistic::var;
        s.forms.ordered |= s.kind != kind::string && !is_sum && what != statistic::var && what != statistic::corr &&
                           what != statistic::first && what != statistic::last;
    }
};

/// States of some number of slots.
class group_aggregates {
public:
    group_aggregates(std::shared_ptr<const aggregate_plan> plan, std::vector<column> columns)
        : plan_(std::move(plan)), columns_(std::move(columns)), absent_(plan_->sources.size()) {
        for (const aggregate_plan::state& s : plan_->states) states_.push_back(make(s));
    }
    group_aggregates(const group_aggregates& other)
        : plan_(other.plan_), columns_(other.columns_), sizes_(other.sizes_), absent_(other.absent_) {
        for (const auto& s : other.states_) states_.push_back(s->copy());
    }
    group_aggregates(group_aggregates&&) noexcept = default;
    group_aggregates& operator=(group_aggregates other) noexcept {
        std::swap(plan_, other.plan_);
        columns_.swap(other.columns_);
        std::swap(sizes_, other.sizes_);
        absent_.swap(other.absent_);
        states_.swap(other.states_);
        return *this;
    }

    [[nodiscard]] const aggregate_plan& plan() const noexcept { return *plan_; }
    [[nodiscard]] std::size_t slots() const noexcept { return sizes_.size(); }
    /// Rows of each slot.
    [[nodiscard]] std::span<const std::int64_t> sizes() const noexcept { return sizes_.all(); }
    [[nodiscard]] group_state& state(std::size_t i) noexcept { return *states_[i]; }
    [[nodiscard]] const group_state& state(std::size_t i) const noexcept { return *states_[i]; }

    /// The columns of the rows that are added from now on; of the same kinds.
    void read_from(std::vector<column> columns) { columns_ = std::move(columns); }

    void resize(std::size_t slots) {
        sizes_.resize(slots);
        for (std::size_t s = 0; s < absent_.size(); ++s)
            if (plan_->sources[s].is_read && (may_miss(s) || !absent_[s].empty())) absent_[s].resize(slots);
        for (const auto& s : states_) s->resize(slots);
    }

    /// What `add` works in: one for each thread.
    struct scratch {
        value_reader values;
        value_reader other;
    };

    /// Blocks of different slots may be added at the same time.
    void add(const row_block& rows, scratch& work) {
        if (counter_ == none)
            for (std::size_t i = 0; i < rows.count; ++i) ++sizes_[rows.slots[i]];
        for (std::size_t s = 0; s < columns_.size(); ++s) {
            const aggregate_plan::source& source = plan_->sources[s];
            if (!source.is_read || (source.states.empty() && absent_[s].empty())) continue;
            add_values(s, rows, work);
        }
        for (std::size_t i = 0; i < states_.size(); ++i) {
            const aggregate_plan::state& s = plan_->states[i];
            if (s.what != statistic::corr) continue;
            const value_forms numbers{.numbers = true};
            value_block x = work.values.read(columns_[s.source], numbers, rows);
            value_block y = work.other.read(columns_[s.other], numbers, rows);
            value_reader::keep_both(work.values, x, work.other, y, rows.count);
            states_[i]->add({rows, x, &y});
        }
    }

    /// As `add`, of rows [first, first + count), whose slots are `keys[i] - least`. Only sums of floats, for which these are
    /// not all needed, between `expect_rows` and `settle`.
    template <class Key>
    void add_keys(const Key* keys, Key least, std::size_t first, std::size_t count, scratch& work) {
        for (std::size_t s = 0; s < columns_.size(); ++s) {
            const auto add = [&]<class T>() {
                return sums(plan_->sources[s].states[0])
                    .add_cut(keys, least, columns_[s].values<T>().data() + first, count, float_sum_state::most_at_once);
            };
            const bool all = columns_[s].null_count() == 0;
            if (all && (plan_->sources[s].kind == kind::float64 ? add.template operator()<double>()
                                                                : add.template operator()<float>()))
                continue;
            std::uint32_t slots[float_sum_state::most_at_once];
            for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<std::uint32_t>(keys[i] - least);
            add_values(s, {first, nullptr, count, slots}, work);
        }
    }

    /// Before and after one thread adds many rows for each slot, the first ones.
    void expect_rows() {
        for (const auto& s : states_) s->expect_rows();
        for (std::size_t i = 0; i < states_.size() && counter_ == none; ++i)
            if (is_float_sum(i) && sums(i).start_counting()) counter_ = i;
    }
    void settle() {
        for (const auto& s : states_) s->settle();
        if (counter_ == none) return;
        const std::span<const std::int64_t> counts = sums(counter_).counts();
        const std::vector<std::int64_t>& absent = absent_[plan_->states[counter_].source];
        for (std::size_t slot = 0; slot < sizes_.size(); ++slot) sizes_[slot] = counts[slot] + absent[slot];
        counter_ = none;
    }

    /// Before `merge`: room for what `from` says is missing.
    void prepare_merge(const group_aggregates& from) {
        for (std::size_t s = 0; s < absent_.size(); ++s)
            if (!from.absent_[s].empty()) absent_[s].resize(sizes_.size());
    }
    /// Entries [first, last) of the map: slots of `from` join slots of this. Different slots may be merged at the same time.
    void merge(const group_aggregates& from, const slot_map& map, std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) sizes_[map.to(i)] += from.sizes_[map.from(i)];
        for (std::size_t s = 0; s < absent_.size(); ++s)
            if (!from.absent_[s].empty())
                for (std::size_t i = first; i < last; ++i) absent_[s][map.to(i)] += from.absent_[s][map.from(i)];
        for (std::size_t i = 0; i < states_.size(); ++i) states_[i]->merge(*from.states_[i], map, first, last);
    }

    /// Values of source `s` that were there in a slot.
    [[nodiscard]] std::int64_t count(std::size_t s, std::size_t slot) const noexcept {
        return sizes_[slot] - (s == aggregate_plan::none || absent_[s].empty() ? 0 : absent_[s][slot]);
    }

    /// What comes out of aggregate `i` of some slots, for groups `first` and on, a multiple of 64. Not for aggregates of
    /// all values or with lists.
    void put(std::size_t i, std::size_t first, std::span<const std::uint32_t> slots, result_column& to) const;

    /// Column of aggregate `i` of some groups. @param from  column in whose rows the choices are
    [[nodiscard]] column result(std::size_t i, const slot_list& slots, const column& from,
                                const parallel_options& threads = {}) const {
        result_column made(slots.size());
        slots.each_block(threads,
                         [&](std::size_t first, std::span<const std::uint32_t> block) { put(i, first, block, made); });
        return plan_->finish(i, made, from, threads);
    }

    void write(byte_writer& to) const {
        to.put_array(sizes_.all());
        for (const auto& a : absent_) to.put_array(std::span<const std::int64_t>(a));
        for (const auto& s : states_) s->write(to);
    }
    /// @throws parse_error  if the bytes are not those of aggregates of so many slots
    void read(byte_reader& from, std::size_t slots) {
        constexpr std::int64_t most = std::int64_t{1} << 48;
        sizes_.assign(from.get_array<std::int64_t>(slots));
        if (sizes_.size() != slots) from.fail("sizes of another number of groups");
        for (const std::int64_t size : sizes_.all())
            if (size < 0 || size > most) from.fail("a group of so many rows");
        for (auto& a : absent_) {
            a = from.get_array<std::int64_t>(slots);
            if (a.size() != slots && !a.empty()) from.fail("counts of another number of groups");
            for (std::size_t i = 0; i < a.size(); ++i)
                if (a[i] < 0 || a[i] > sizes_[i]) from.fail("more missing values than rows");
        }
        for (const auto& s : states_) s->read(from, slots);
    }

private:
    [[nodiscard]] bool may_miss(std::size_t s) const noexcept {
        return columns_[s].null_count() != 0 || is_float(columns_[s].kind());
    }

    void add_values(std::size_t s, const row_block& rows, scratch& work) {
        const aggregate_plan::source& source = plan_->sources[s];
        const value_block values = work.values.read(columns_[s], source.forms, rows);
        if (values.at != nullptr) {
            for (std::size_t i = 0; i < rows.count; ++i) ++absent_[s][rows.slots[i]];
            for (std::size_t i = 0; i < values.count; ++i) --absent_[s][values.slots[i]];
        }
        for (const std::size_t i : source.states) states_[i]->add({rows, values});
    }

    [[nodiscard]] bool is_float_sum(std::size_t i) const noexcept {
        const aggregate_plan::state& s = plan_->states[i];
        return s.what == statistic::sum && is_float(plan_->sources[s.source].kind);
    }
    [[nodiscard]] float_sum_state& sums(std::size_t i) noexcept { return static_cast<float_sum_state&>(*states_[i]); }

    [[nodiscard]] std::unique_ptr<group_state> make(const aggregate_plan::state& s) const {
        const kind k = plan_->sources[s.source].kind;
        const auto text = [&](choice_state::by how) -> std::unique_ptr<group_state> {
            if (k == kind::string) return std::make_unique<text_choice_state>(how, columns_[s.source]);
            return std::make_unique<choice_state>(how);
        };
        switch (s.what) {
            case statistic::sum:
                if (is_float(k)) return std::make_unique<float_sum_state>();
                if (k == kind::int64) return std::make_unique<cell_state<wide_sum<true>>>();
                if (k == kind::uint64) return std::make_unique<cell_state<wide_sum<false>>>();
                if (is_unsigned(k)) return std::make_unique<cell_state<narrow_sum<false>>>();
                return std::make_unique<cell_state<narrow_sum<true>>>();
            case statistic::var: return std::make_unique<cell_state<spread>>();
            case statistic::min: return std::make_unique<cell_state<least>>();
            case statistic::max: return std::make_unique<cell_state<greatest>>();
            case statistic::corr: return std::make_unique<cell_state<relation>>();
            case statistic::largest: return std::make_unique<top_state>(s.k, true);
            case statistic::smallest: return std::make_unique<top_state>(s.k, false);
            case statistic::arg_min: return text(choice_state::by::least);
            case statistic::arg_max: return text(choice_state::by::greatest);
            case statistic::first: return std::make_unique<choice_state>(choice_state::by::first);
            default: return std::make_unique<choice_state>(choice_state::by::last);
        }
    }

    std::shared_ptr<const aggregate_plan> plan_;
    std::vector<column> columns_;  // of the sources
    slot_array<std::int64_t> sizes_;
    std::vector<std::vector<std::int64_t>> absent_;  // rows without a value of each source; none where none can be
    std::vector<std::unique_ptr<group_state>> states_;
    static constexpr std::size_t none = aggregate_plan::none;
    std::size_t counter_ = none;  // state that counts the rows which are added, until they are settled
};

inline void group_aggregates::put(std::size_t i, std::size_t first, std::span<const std::uint32_t> slots,
                                  result_column& to) const {
    const statistic what = plan_->wanted[i].what;
    const aggregate_plan::result& r = plan_->results[i];
    const auto count = [&](std::uint32_t slot) { return this->count(r.source, slot); };
    const auto all = [](std::uint32_t) { return true; };
    const auto any = [&](std::uint32_t slot) { return count(slot) > 0; };
    const auto put_values = [&](auto&& valid, auto&& value) { to.put(first, slots, valid, value); };
    if (what == statistic::count) return put_values(all, count);
    const kind k = plan_->sources[r.source].kind;
    const group_state& state = *states_[r.state];
    const auto with = [&]<class State>(auto&& f) {
        const auto& cells = static_cast<const State&>(state);
        f([&](std::uint32_t slot) -> const auto& { return cells[slot]; });
    };
    const auto of_sums = [&](auto&& f) {
        if (is_float(k)) return with.template operator()<float_sum_state>(f);
        if (k == kind::int64) return with.template operator()<cell_state<wide_sum<true>>>(f);
        if (k == kind::uint64) return with.template operator()<cell_state<wide_sum<false>>>(f);
        if (is_unsigned(k)) return with.template operator()<cell_state<narrow_sum<false>>>(f);
        return with.template operator()<cell_state<narrow_sum<true>>>(f);
    };
    switch (plan_->is_choice(r.state) ? statistic::first : what) {
        case statistic::sum:
            return of_sums([&](auto cell) { put_values(all, [&](std::uint32_t slot) { return cell(slot).sum(); }); });
        case statistic::mean:
            return of_sums([&](auto cell) {
                put_values(any,
                           [&](std::uint32_t slot) { return cell(slot).value() / static_cast<double>(count(slot)); });
            });
        case statistic::std:
        case statistic::var:
            return with.template operator()<cell_state<spread>>([&](auto cell) {
                put_values([&](std::uint32_t slot) { return count(slot) > 1; },
                           [&](std::uint32_t slot) {
                               const double variance = cell(slot).variance();
                               return what == statistic::std ? std::sqrt(variance) : variance;
                           });
            });
        case statistic::corr:
            return with.template operator()<cell_state<relation>>([&](auto cell) {
                put_values(
                    [&](std::uint32_t slot) {
                        const double related = cell(slot).value();
                        return cell(slot).count > 1 && related == related;
                    },
                    [&](std::uint32_t slot) { return cell(slot).value(); });
            });
        case statistic::min:
            return with.template operator()<cell_state<least>>(
                [&](auto cell) { put_values(any, [&](std::uint32_t slot) { return cell(slot).value; }); });
        case statistic::max:
            return with.template operator()<cell_state<greatest>>(
                [&](auto cell) { put_values(any, [&](std::uint32_t slot) { return cell(slot).value; }); });
        default: {
            const std::span<const std::uint64_t> rows = static_cast<const choice_state&>(state).rows();
            return put_values([&](std::uint32_t slot) { return rows[slot] != choice_state::none; },
                              [&](std::uint32_t slot) { return rows[slot]; });
        }
    }
}

}  // namespace edge::frame::detail

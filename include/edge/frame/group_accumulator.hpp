// SPDX-License-Identifier: MIT
#pragma once

/// @file Group-by over a stream: batch after batch, in memory that grows with the groups and not with the rows.
///
///     group_accumulator acc("window", {count(), mean("ax"), stddev("ax")});
///     while (read(batch)) acc.update(batch);
///     acc.merge(other);                            // of another thread or machine, for the same aggregates
///     table t = acc.finish();                      // sorted by window; more batches may follow
///
/// The same rows in batches of any size give the same bits.

#include <edge/frame/detail/moments.hpp>
#include <edge/frame/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

class group_accumulator {
public:
    /// @param key     column of int32, int64 or timestamps
    /// @param wanted  of count, sum, mean, min, max, std and var
    /// @throws argument_error  if an aggregate is another one, or two have one name
    group_accumulator(std::string key, std::vector<aggregate> wanted);

    /// Rows whose key is missing are a group too; missing values and NaN are skipped. O(rows).
    /// @throws argument_error  if a column is not there, not of numbers, or of another kind than in the batches before;
    ///                         nothing of the batch is then added
    void update(const table& batch);

    /// As if `other`'s batches had come after those of this one; commutes but for rounding.
    /// @throws argument_error  if the key, the aggregates or the kinds of the columns differ
    void merge(const group_accumulator& other);

    [[nodiscard]] std::size_t groups() const noexcept { return keys_.size() - (sizes_[missing] == 0 ? 1 : 0); }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    /// The key and the aggregates, a row for each group, in ascending order of the key; a missing key comes last.
    [[nodiscard]] table finish() const;

private:
    struct source {
        std::string name;
        bool spread = false;
        kind of = kind::float64;
        std::optional<detail::moments> states = {};  ///< none before the first batch
    };

    static constexpr std::uint32_t missing = 0;  ///< group of the rows without a key; always there, perhaps empty

    std::uint32_t group_of(std::int64_t key);
    void number(const column& keys);

    std::string key_;
    std::vector<aggregate> wanted_;
    std::vector<source> sources_;
    std::vector<std::size_t> source_of_;  ///< of each aggregate; `no_row` for the number of rows
    std::optional<kind> key_kind_;
    detail::id_index index_;
    std::vector<std::int64_t> keys_{0};   ///< of each group
    std::vector<std::int64_t> sizes_{0};  ///< rows of each group
    std::vector<std::uint32_t> ids_;      ///< of the rows of a batch; kept for its memory
    std::size_t rows_ = 0;
};

inline group_accumulator::group_accumulator(std::string key, std::vector<aggregate> wanted)
    : key_(std::move(key)), wanted_(std::move(wanted)) {
    index_.insert(0, [](std::uint32_t) { return false; });  // takes the id of `missing`
    table names;
    names.add(key_, column());
    for (const aggregate& a : wanted_) {
        names.add(a.result_name(), column());
        if (!detail::is_moment(a.what))
            throw argument_error(
                message(a.function(), " of a stream; expected count, sum, mean, min, max, std or var"));
        if (a.column.empty()) {
            if (a.what != statistic::count) throw argument_error(message(a.function(), " of no column"));
            source_of_.push_back(no_row);
            continue;
        }
        const auto at =
            std::find_if(sources_.begin(), sources_.end(), [&](const source& s) { return s.name == a.column; });
        source_of_.push_back(static_cast<std::size_t>(at - sources_.begin()));
        if (at == sources_.end()) sources_.push_back({a.column});
        sources_[source_of_.back()].spread |= detail::is_spread(a.what);
    }
}

inline void group_accumulator::update(const table& batch) {
    const column& keys = batch.column(key_);
    if (keys.kind() != kind::int32 && keys.kind() != kind::int64 && keys.kind() != kind::timestamp)
        throw argument_error(
            message("key '", key_, "' of ", to_string(keys.kind()), "; expected integers or timestamps"));
    if (key_kind_ && *key_kind_ != keys.kind())
        throw argument_error(message("key '", key_, "' of ", to_string(keys.kind()), "; expected ",
                                     to_string(*key_kind_), " as before"));
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (source_of_[i] == no_row) continue;
        const source& s = sources_[source_of_[i]];
        const kind k = batch.column(s.name).kind();
        detail::check_kind(wanted_[i], k, s.name);
        if (k == kind::string || k == kind::boolean)
            throw argument_error(message("column '", s.name, "' of ", to_string(k), "; expected numbers"));
        if (s.states && s.of != k)
            throw argument_error(
                message("column '", s.name, "' of ", to_string(k), "; expected ", to_string(s.of), " as before"));
    }
    key_kind_ = keys.kind();
    number(keys);
    for (source& s : sources_) {
        const column& values = batch.column(s.name);
        if (!s.states) {
            s.of = values.kind();
            s.states.emplace(s.of, s.spread);
        }
        s.states->resize(keys_.size());
        s.states->add(values, ids_, 0, batch.rows());
    }
    rows_ += batch.rows();
}

inline std::uint32_t group_accumulator::group_of(std::int64_t key) {
    const std::uint32_t id =
        index_.insert(detail::mix(detail::key_bits(key)), [](std::uint32_t i) { return i != missing; });
    if (id == keys_.size()) {
        keys_.push_back(key);
        sizes_.push_back(0);
    }
    return id;
}

/// Fills `ids_`, and makes groups of keys that are new.
inline void group_accumulator::number(const column& keys) {
    ids_.assign(keys.size(), missing);
    const bit_view valid = keys.validity();
    dispatch_stored(keys.kind(), [&]<class T>() {
        const auto values = keys.values<T>();
        for (std::size_t row = 0; row < values.size(); ++row) {
            if (valid[row]) {
                const bool repeats = row != 0 && ids_[row - 1] != missing && values[row] == values[row - 1];
                ids_[row] = repeats ? ids_[row - 1] : group_of(static_cast<std::int64_t>(values[row]));
            }
            ++sizes_[ids_[row]];
        }
    });
}

inline void group_accumulator::merge(const group_accumulator& other) {
    bool same = key_ == other.key_ && wanted_.size() == other.wanted_.size();
    for (std::size_t i = 0; same && i < wanted_.size(); ++i)
        same = wanted_[i].what == other.wanted_[i].what && wanted_[i].column == other.wanted_[i].column;
    if (!same) throw argument_error("merging accumulators of different keys or aggregates");
    if (!other.key_kind_) return;
    if (!key_kind_) key_kind_ = other.key_kind_;
    same = key_kind_ == other.key_kind_;
    for (std::size_t i = 0; same && i < sources_.size(); ++i)
        same = !sources_[i].states || sources_[i].of == other.sources_[i].of;
    if (!same) throw argument_error("merging accumulators of columns of different kinds");
    std::vector<std::uint32_t> to(other.keys_.size());
    for (std::size_t g = 0; g < to.size(); ++g) {
        to[g] = g == missing ? missing : group_of(other.keys_[g]);
        sizes_[to[g]] += other.sizes_[g];
    }
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        source& s = sources_[i];
        if (!s.states) {
            s.of = other.sources_[i].of;
            s.states.emplace(s.of, s.spread);
        }
        s.states->resize(keys_.size());
        s.states->merge(*other.sources_[i].states, to);
    }
    rows_ += other.rows_;
}

inline table group_accumulator::finish() const {
    std::vector<bool> there(keys_.size(), true);
    there[missing] = false;
    const column ids{keys_, there};
    std::vector<std::size_t> order = sorted_rows(table{{key_, ids}}, std::vector<sort_key>{{key_}});
    if (sizes_[missing] == 0) order.pop_back();  // a missing key is sorted last
    column_builder keys(key_kind_.value_or(kind::int64));
    for (const std::size_t g : order) {
        if (g == missing)
            keys.append_null();
        else if (keys.kind() == kind::int32)
            keys.append(static_cast<std::int32_t>(keys_[g]));
        else
            keys.append(keys_[g]);
    }
    table result{{key_, keys.finish()}};
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (source_of_[i] == no_row) {
            result.add(wanted_[i].result_name(), take(column(sizes_), order));
            continue;
        }
        const source& s = sources_[source_of_[i]];
        const detail::moments none(s.of, s.spread);
        result.add(wanted_[i].result_name(), (s.states ? *s.states : none).result(wanted_[i].what, order));
    }
    return result;
}

}  // namespace edge::frame

// SPDX-License-Identifier: MIT
#pragma once

/// @file The statistics of `describe`, exact, of rows that never lie in memory together.
///
///     describe_accumulator all;
///     do {
///         parquet_reader file("year.parquet");
///         for (std::size_t g = 0; g < file.row_groups(); ++g) all.update(file.read_row_group(g));
///     } while (all.next_pass());                    // twice for most data: quartiles take a second look
///     table summary = all.finish();

#include <edge/frame/describe.hpp>
#include <edge/frame/detail/streamed_quantiles.hpp>
#include <edge/frame/group_accumulator.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edge::frame {

class describe_accumulator {
public:
    /// @param most_kept  values of a column in memory for each quartile, at most; fewer may take more passes
    explicit describe_accumulator(std::size_t most_kept = std::size_t{1} << 20) : most_kept_(most_kept) {}

    /// Rows. The first batch says which columns there are; the same batches come in each pass. O(rows).
    /// @throws argument_error  if a column is not there, or of another kind than before
    void update(const table& batch) {
        if (columns_.empty() && names_.empty()) begin(batch);
        if (moments_ && pass_ == 0) moments_->update(batch);
        for (described& d : columns_) {
            const column& c = batch.column(d.name);
            const bit_view valid = c.validity();
            detail::streamed_quantiles& quartiles = d.quartiles;
            dispatch_stored(c.kind(), [&]<class T>() {
                const auto values = c.values<T>();
                for (std::size_t i = 0; i < values.size(); ++i)
                    if (valid[i] && values[i] == values[i]) quartiles.add(static_cast<double>(values[i]));
            });
        }
    }

    /// To be called when all batches were seen.
    /// @return  whether they must come again
    [[nodiscard]] bool next_pass() {
        bool more = false;
        for (described& d : columns_) more = d.quartiles.end_pass() || more;
        ++pass_;
        return more;
    }

    /// The table that `describe` gives of all rows, after the last pass.
    [[nodiscard]] table finish() const;

private:
    struct described {
        std::string name;
        detail::streamed_quantiles quartiles;
    };

    static std::vector<aggregate> statistics_of(const std::string& name) {
        return {count(name).as(name + " count"), mean(name).as(name + " mean"), stddev(name).as(name + " std"),
                min(name).as(name + " min"), max(name).as(name + " max")};
    }

    void begin(const table& batch) {
        names_ = {batch.names().begin(), batch.names().end()};
        std::vector<aggregate> wanted;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            if (!is_number(batch.columns()[c].kind())) continue;
            columns_.push_back({names_[c], detail::streamed_quantiles({0.25, 0.5, 0.75}, most_kept_)});
            for (aggregate& a : statistics_of(names_[c])) wanted.push_back(std::move(a));
        }
        if (!columns_.empty()) moments_.emplace(std::vector<std::string>{}, std::move(wanted));
    }

    std::size_t most_kept_;
    std::vector<std::string> names_;
    std::vector<described> columns_;  ///< those of numbers
    std::optional<group_accumulator> moments_;
    int pass_ = 0;
};

inline table describe_accumulator::finish() const {
    table summary{{"statistic", column(detail::described_statistics())}};
    if (!moments_) return summary;
    const table moments = moments_->finish();
    std::size_t next = 0;
    for (const described& d : columns_) {
        const auto moment = [&] { return convert(moments.columns()[next++], kind::float64); };
        column_builder values(kind::float64);
        for (int i = 0; i < 4; ++i) values.append(moment());
        for (std::size_t quartile = 0; quartile < 3; ++quartile) {
            if (const auto value = d.quartiles.result(quartile))
                values.append(*value);
            else
                values.append_null();
        }
        values.append(moment());
        summary.add(detail::described_name(d.name), values.finish());
    }
    return summary;
}

}  // namespace edge::frame

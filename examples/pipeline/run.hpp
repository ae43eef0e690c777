// SPDX-License-Identifier: MIT
#pragma once

/// @file The pipeline: sensor → ring buffer → Parquet files → windows → motion model → zones.
///
///     pipeline::results r = pipeline::run(*source, {.seconds = 60, .folder = "out"}, model, zones);
///
/// One thread samples and fills the ring; this one empties it, logs, and works on each file of the log as soon as it is
/// complete, reading it back as anybody would. Memory does not grow with the length of the run.

#include "common/geojson.hpp"
#include "common/progress.hpp"
#include "pipeline/classifier.hpp"
#include "pipeline/results.hpp"
#include "pipeline/samples.hpp"
#include "pipeline/windows.hpp"

#include <edge/frame/parquet.hpp>
#include <edge/frame/parquet_log.hpp>
#include <edge/geo.hpp>
#include <edge/perf.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace pipeline {

struct run_options {
    double seconds = 60;  ///< of sensor time; infinity for as long as the source gives
    std::filesystem::path folder;
    bool realtime = false;  ///< a simulated sensor waits for the clock
    double chunk_s = 10;    ///< of one file of the log
    bool show_progress = true;
};

namespace detail {

using stopwatch = std::chrono::steady_clock;

/// Samples on a thread of its own, into a ring.
class sampler {
public:
    sampler(source& from, const run_options& options, const std::atomic<bool>& stop)
        : from_(from),
          waits_(!from.is_live()),
          paced_(options.realtime && !from.is_live()),
          seconds_(options.seconds),
          stop_(stop),
          thread_([this] { work(); }) {}
    sampler(const sampler&) = delete;
    sampler& operator=(const sampler&) = delete;
    ~sampler() {
        abandon_ = true;
        if (thread_.joinable()) thread_.join();
    }

    /// Up to `into.size()` readings, waiting for the first. 0 at the end.
    /// @throws what the source threw
    std::size_t take(std::span<reading> into) {
        for (;;) {
            const bool last = ended_.load(std::memory_order_acquire);
            if (const std::size_t n = ring_.pop(into)) return n;
            if (last) break;
            std::this_thread::sleep_for(std::chrono::microseconds(paced_ || !waits_ ? 2000 : 20));
        }
        thread_.join();
        if (failure_) std::rethrow_exception(failure_);
        return 0;
    }

    // After the end.
    [[nodiscard]] const edge::perf::latency& per_sample() const { return time_; }
    [[nodiscard]] std::uint64_t lost() const { return from_.lost() + (waits_ ? 0 : ring_.overflows()); }

private:
    void work() {
        try {
            reading r;
            std::int64_t first = 0;
            const auto began = stopwatch::now();
            for (std::uint64_t n = 0; !stop_ && !abandon_; ++n) {
                bool more = false;
                {
                    const edge::perf::timer t(time_);
                    more = from_.next(r);
                }
                if (n == 0) first = r.ts_ns;
                const std::int64_t since = r.ts_ns - first;
                if (!more || static_cast<double>(since) * 1e-9 >= seconds_) break;
                if (paced_) std::this_thread::sleep_until(began + std::chrono::nanoseconds(since));
                // What is simulated can wait for room; a live sensor cannot, and the ring counts what it drops.
                while (!ring_.push(r) && waits_ && !abandon_)
                    std::this_thread::sleep_for(std::chrono::microseconds(20));
            }
        } catch (...) {
            failure_ = std::current_exception();
        }
        ended_.store(true, std::memory_order_release);
    }

    source& from_;
    const bool waits_;
    const bool paced_;
    const double seconds_;
    const std::atomic<bool>& stop_;
    edge::imu::ring<reading, 8192> ring_;
    edge::perf::latency time_;
    std::exception_ptr failure_;
    std::atomic<bool> ended_{false};
    std::atomic<bool> abandon_{false};
    std::thread thread_;
};

/// What becomes of the files of the log.
class analysis {
public:
    analysis(results& into, classifier& model, std::span<const zone> zones, const run_options& options)
        : into_(into),
          model_(model),
          matcher_(shapes(zones), {.mode = edge::geo::match_mode::contains}),
          log_(options.folder / "windows", edge::frame::parquet_log_options{.rotate_rows = 3600}) {
        for (const auto& z : zones) into_.zones.push_back({z.name, z.shape, 0});
    }

    /// What the carrier did at a time, where it is known.
    void note_truth(std::int64_t ts_ns, std::int8_t state) {
        if (state < 0) return;
        if (!origin_) origin_ = ts_ns;
        const auto window = static_cast<std::size_t>((ts_ns - *origin_) / window_ns) - first_truth_;
        while (truth_.size() <= window) truth_.push_back({});
        ++truth_[window][static_cast<std::size_t>(state)];
    }

    /// The next samples. Those of a window that may go on in the next file are kept until then.
    void add(const edge::frame::table& samples) {
        if (samples.rows() == 0) return;
        edge::frame::table all = samples;
        if (kept_.rows() != 0) all = edge::frame::concat(std::vector{kept_, samples});
        const auto ts = all.column("ts").values<std::int64_t>();
        if (!origin_) origin_ = ts.front();
        const std::int64_t last = (ts.back() - *origin_) / window_ns;
        const auto split = static_cast<std::size_t>(
            std::partition_point(ts.begin(), ts.end(),
                                 [&](std::int64_t t) { return (t - *origin_) / window_ns < last; }) -
            ts.begin());
        kept_ = all.slice(split, all.rows() - split);
        work(all.slice(0, split));
    }

    void finish() {
        work(kept_);
        kept_ = {};
        log_.close();
        if (judged_ > 0) into_.agreement = static_cast<double>(agreed_) / static_cast<double>(judged_);
        if (into_.samples > 0) {
            into_.rms_accel = std::sqrt(accel2_sum_ / static_cast<double>(into_.samples));
            into_.mean_temperature = temp_sum_ / static_cast<double>(into_.samples);
        }
    }

    edge::perf::latency windows_time;
    edge::perf::latency model_time;
    edge::perf::latency match_time;
    std::uint64_t rows = 0;

private:
    static constexpr std::int64_t window_ns = 1'000'000'000;

    static std::vector<edge::geo::polygon> shapes(std::span<const zone> zones) {
        std::vector<edge::geo::polygon> out;
        for (const auto& z : zones) out.push_back(z.shape);
        return out;
    }

    void work(const edge::frame::table& samples) {
        if (samples.rows() == 0) return;
        rows += samples.rows();
        const auto began = stopwatch::now();
        const auto windows =
            summarize(samples, {.origin_ns = *origin_, .length_ns = window_ns, .rate_hz = into_.rate_hz});
        const auto features = features_of(windows);
        windows_time.record(stopwatch::now() - began);

        const auto number = windows.column("window").values<std::int64_t>();
        const auto count = windows.column("samples").values<std::int64_t>();
        const auto accel2 = windows.column("accel2_mean").values<double>();
        const auto gyro = windows.column("gyro_max").values<float>();
        const auto temp = windows.column("temp_mean").values<double>();
        const auto& x = windows.column("x");
        const auto& y = windows.column("y");
        constexpr double window_s = static_cast<double>(window_ns) * 1e-9;
        std::vector<std::string> states;
        std::vector<std::string> places;
        for (std::size_t w = 0; w < windows.rows(); ++w) {
            const auto row = features.view().select(0, static_cast<edge::index_t>(w));
            const std::size_t state = model_.classify(row.flat(), model_time);

            states.emplace_back(motion_state_names[state]);
            places.emplace_back();
            history_entry e;
            e.start_s = static_cast<double>(number[w]) * window_s;
            e.end_s = e.start_s + window_s;
            e.windows_in_state[state] = 1;
            for (std::size_t f = 0; f < motion_features; ++f) e.features[f] = static_cast<double>(row.data()[f]);
            for (std::size_t s = 0; s < signals; ++s) {
                const std::string name = signal_names[s];
                e.low[s] = static_cast<double>(windows.column(name + "_min").values<float>()[w]);
                e.high[s] = static_cast<double>(windows.column(name + "_max").values<float>()[w]);
            }
            if (x.is_valid(w) && y.is_valid(w)) {
                e.x = x.values<double>()[w];
                e.y = y.values<double>()[w];
                into_.has_positions = true;
                places.back() = match(edge::geo::point{e.x, e.y}, window_s);
            }
            into_.seen.add(e);
            into_.seconds_in_state[state] += window_s;
            ++into_.windows;
            accel2_sum_ += accel2[w] * static_cast<double>(count[w]);
            temp_sum_ += temp[w] * static_cast<double>(count[w]);
            into_.peak_gyro = (std::max)(into_.peak_gyro, static_cast<double>(gyro[w]));
            judge(static_cast<std::size_t>(number[w]), state);
        }
        write(windows, features, states, places);
    }

    /// One row a window: what was summarized, what the model saw of it, and what was decided.
    void write(const edge::frame::table& windows, const edge::tensor<float>& features,
               const std::vector<std::string>& states, const std::vector<std::string>& places) {
        edge::frame::table all;
        std::vector<std::int64_t> ts;
        for (const std::int64_t w : windows.column("window").values<std::int64_t>())
            ts.push_back(*origin_ + w * window_ns);
        all.add("ts", edge::frame::column::timestamps(std::move(ts)));
        for (std::size_t c = 0; c < windows.names().size(); ++c) all.add(windows.names()[c], windows.columns()[c]);
        for (std::size_t f = 0; f < motion_features; ++f) {
            const auto values = edge::copy(features.view().select(1, static_cast<edge::index_t>(f)));
            all.add(motion_feature_names[f], to_column(values));
        }
        all.add("state", edge::frame::column(states));
        std::vector<bool> somewhere;
        for (const auto& name : places) somewhere.push_back(!name.empty());
        all.add("zone", edge::frame::column(places, somewhere));
        log_.append(all);
    }

    /// Name of the zone, or nothing.
    std::string match(edge::geo::point at, double window_s) {
        edge::index_t found = edge::geo::no_match;
        {
            const edge::perf::timer t(match_time);
            found = matcher_.match(at);
        }
        if (found == edge::geo::no_match) {
            into_.seconds_outside += window_s;
            return {};
        }
        auto& zone = into_.zones[static_cast<std::size_t>(found)];
        zone.seconds += window_s;
        return zone.name;
    }

    /// A window is right where the model says what was the case for most of it.
    void judge(std::size_t window, std::size_t state) {
        while (first_truth_ < window && !truth_.empty()) {
            truth_.pop_front();
            ++first_truth_;
        }
        if (truth_.empty() || first_truth_ != window) return;
        const auto& counts = truth_.front();
        ++judged_;
        agreed_ +=
            std::max_element(counts.begin(), counts.end()) - counts.begin() == static_cast<std::ptrdiff_t>(state);
    }

    results& into_;
    classifier& model_;
    edge::geo::matcher matcher_;
    edge::frame::parquet_log log_;
    edge::frame::table kept_;
    std::optional<std::int64_t> origin_;
    std::deque<std::array<int, motion_states>> truth_;  ///< of the windows that were not judged yet
    std::size_t first_truth_ = 0;
    std::uint64_t judged_ = 0;
    std::uint64_t agreed_ = 0;
    double accel2_sum_ = 0;
    double temp_sum_ = 0;
};

inline stage_time stage(std::string name, std::string per, const edge::perf::latency& l, std::uint64_t rows) {
    stage_time s{.name = std::move(name), .per = std::move(per), .calls = l.count(), .rows = rows};
    if (l.count() == 0) return s;
    s.p50_us = l.milliseconds(0.5) * 1e3;
    s.p95_us = l.milliseconds(0.95) * 1e3;
    s.p99_us = l.milliseconds(0.99) * 1e3;
    s.max_us = l.milliseconds(1) * 1e3;
    s.busy_s = static_cast<double>(l.mean().count()) * 1e-9 * static_cast<double>(l.count());
    return s;
}

}  // namespace detail

/// Runs until the source ends, `options.seconds` are over or `stop` is set; what was sampled by then is worked on whole.
/// @throws edge::error  if the sensor, the disk or a file fails; complete files of the log stay
[[nodiscard]] inline results run(source& from, const run_options& options, classifier& model,
                                 std::span<const zone> zones, const std::atomic<bool>& stop) {
    using detail::stopwatch;
    results out;
    out.source = from.name();
    out.model = model.name();
    out.folder = options.folder.string();
    out.rate_hz = from.rate_hz();
    const auto began = stopwatch::now();

    detail::analysis analysis(out, model, zones, options);
    edge::perf::latency log_time;
    edge::perf::latency read_time;
    edge::frame::parquet_log log(options.folder / "imu",
                                 edge::frame::parquet_log_options{.rotate_seconds = options.chunk_s});
    std::uint64_t read_rows = 0;
    const auto read_back = [&] {
        for (const auto& file : log.take_completed()) {
            const auto start = stopwatch::now();
            const auto samples = edge::frame::read_parquet(file);
            read_time.record(stopwatch::now() - start);
            read_rows += samples.rows();
            ++out.files;
            out.bytes += std::filesystem::file_size(file);
            analysis.add(samples);
        }
    };

    detail::sampler sampler(from, options, stop);
    progress bar("pipeline", static_cast<std::uint64_t>(std::isfinite(options.seconds) ? options.seconds * 1000 : 0));
    std::vector<reading> batch(256);
    std::int64_t first = 0;
    std::int64_t last = 0;
    while (const std::size_t n = sampler.take(batch)) {
        const auto readings = std::span(batch).first(n);
        for (const reading& r : readings) {
            analysis.note_truth(r.ts_ns, r.truth);
            out.saturated += r.saturated;
        }
        if (out.samples == 0) first = readings.front().ts_ns;
        last = readings.back().ts_ns;
        out.samples += n;
        {
            const edge::perf::timer t(log_time);
            log.append(to_table(readings));
        }
        read_back();
        bar.at(static_cast<std::uint64_t>(last - first) / 1'000'000);
    }
    {
        const edge::perf::timer t(log_time);
        log.close();
    }
    read_back();
    analysis.finish();

    out.seconds = out.samples == 0 ? 0 : static_cast<double>(last - first) * 1e-9 + 1 / out.rate_hz;
    out.lost = sampler.lost();
    out.stages = {detail::stage("sample", "sample", sampler.per_sample(), out.samples),
                  detail::stage("log", "batch", log_time, out.samples),
                  detail::stage("read back", "file", read_time, read_rows),
                  detail::stage("windows", "file", analysis.windows_time, analysis.rows),
                  detail::stage("motion model", "window", analysis.model_time, out.windows),
                  detail::stage("zones", "window", analysis.match_time, analysis.match_time.count())};
    out.wall_s = std::chrono::duration<double>(stopwatch::now() - began).count();
    return out;
}

}  // namespace pipeline

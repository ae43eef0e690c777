// SPDX-License-Identifier: MIT
// The logger and the bench tools of a board with an MPU-6050, real or simulated.

#include "common/imu_trace.hpp"
#include "common/program.hpp"
#include "common/progress.hpp"

#include <edge/frame/parquet_log.hpp>
#include <edge/imu.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace imu = edge::imu;
using nlohmann::ordered_json;
using wall_clock = std::chrono::steady_clock;

std::atomic<bool> interrupted{false};  ///< by SIGINT or SIGTERM
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

struct settings {
    std::string i2c;
    std::string trace;
    std::string fault;
    double fault_at = 1;
    std::uint64_t seed = 0;
    bool realtime = false;
    unsigned rate_hz = 200;
    unsigned accel_g = 0;
    unsigned gyro_dps = 0;
    unsigned dlpf_hz = 0;
    double seconds = -1;
    std::string out;
    std::size_t rotate_rows = 100'000;
    double rotate_seconds = 60;
    imu_trace_options recording{};
};

const std::map<std::string, imu::fault_kind> faults = {
    {"nack", imu::fault_kind::nack},         {"timeout", imu::fault_kind::timeout},
    {"stuck", imu::fault_kind::stuck_bus},   {"short", imu::fault_kind::short_read},
    {"wrong-id", imu::fault_kind::wrong_id}, {"frozen", imu::fault_kind::frozen}};

/// Ranges and filter: as given, else wide for a recording, and the widest filter within a quarter of the rate.
imu::config config_of(const settings& s) {
    constexpr unsigned bandwidths[] = {256, 188, 98, 42, 20, 10, 5};
    unsigned dlpf = s.rate_hz > 1000 ? 0 : 1;
    if (s.dlpf_hz != 0)
        for (dlpf = 0; bandwidths[dlpf] != s.dlpf_hz;) ++dlpf;
    else if (dlpf != 0)
        while (dlpf < 6 && bandwidths[dlpf] * 4 > s.rate_hz) ++dlpf;
    const auto steps = [](unsigned first, unsigned range) {
        unsigned n = 0;
        for (; first < range; first *= 2) ++n;
        return n;
    };
    const bool wide = !s.trace.empty();
    return {.rate_hz = static_cast<std::uint16_t>(s.rate_hz),
            .accel = static_cast<imu::accel_range>(steps(2, s.accel_g != 0 ? s.accel_g
                                                            : wide         ? 16
                                                                           : 4)),
            .gyro = static_cast<imu::gyro_range>(steps(250, s.gyro_dps != 0 ? s.gyro_dps
                                                            : wide          ? 2000
                                                                            : 500)),
            .dlpf = static_cast<imu::filter>(dlpf)};
}

struct timed_sample {
    std::int64_t ts_ns = 0;  ///< since 1970, UTC
    imu::si_sample si{};
};

/// What the commands ask of a board, real or simulated. What fails throws edge::io_error.
class board {
public:
    explicit board(std::string name) : name_(std::move(name)) {}
    virtual ~board() = default;
    virtual void configure(const imu::config& wanted) = 0;
    virtual timed_sample next() = 0;  ///< waits for it
    virtual imu::self_test_result self_test() = 0;
    virtual std::uint8_t read_register(std::uint8_t at) = 0;
    [[nodiscard]] virtual std::string chip() const = 0;
    [[nodiscard]] virtual double rate_hz() const = 0;
    [[nodiscard]] virtual std::uint64_t retries() const = 0;
    [[nodiscard]] virtual bool is_live() const = 0;  ///< samples come whether somebody waits or not
    [[nodiscard]] virtual bool is_over() const { return false; }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string title() const {
        char rate[32];
        std::snprintf(rate, sizeof rate, " at %.4g Hz", rate_hz());
        return name_ + (name_.find("MPU") == std::string::npos ? " (" + chip() + ')' : "") + rate;
    }
    [[nodiscard]] std::uint64_t recoveries() const { return recoveries_; }  ///< times that contact was lost and found
    [[nodiscard]] std::uint64_t clipped() const { return clipped_; }        ///< samples at the end of a range

protected:
    template <class T>
    T check(edge::expected<T, imu::error> result) const {
        if (!result) throw edge::io_error(name_ + ": " + to_string(result.error()));
        if constexpr (!std::is_void_v<T>) return *result;
    }

    std::string name_;
    std::uint64_t recoveries_ = 0;
    std::uint64_t clipped_ = 0;
};

template <imu::i2c_bus Bus>
class driven : public board {
public:
    template <class... Parts>
    explicit driven(std::string name, Parts&&... parts) : board(std::move(name)), bus_(std::forward<Parts>(parts)...) {}

    void configure(const imu::config& wanted) override {
        wanted_ = wanted;
        check(driver_.configure(wanted));
    }

    /// A bus that fails in spite of being tried again gets three more chances, each with the chip configured anew.
    timed_sample next() override {
        for (int attempt = 0;; ++attempt) {
            before_sample();
            const auto ready = driver_.wait_ready();
            const auto raw = ready ? driver_.read() : edge::unexpected<imu::error>(ready.error());
            if (raw) {
                clipped_ += is_clipped(*raw);
                return {timestamp_ns(), driver_.to_si(*raw)};
            }
            if (attempt == 3 || interrupted) check(raw);
            bus_.wait_us(100'000U << static_cast<unsigned>(attempt));
            if (driver_.configure(wanted_)) ++recoveries_;
        }
    }

    imu::self_test_result self_test() override { return check(imu::self_test(driver_)); }
    std::uint8_t read_register(std::uint8_t at) override { return check(driver_.read_register(at)); }
    std::string chip() const override { return to_string(driver_.chip()); }
    double rate_hz() const override { return 1e6 / driver_.period_us(); }
    std::uint64_t retries() const override { return again_.retries(); }

protected:
    virtual void before_sample() {}
    [[nodiscard]] virtual std::int64_t timestamp_ns() const = 0;

    static bool is_clipped(const imu::raw_sample& raw) {
        bool clipped = false;
        for (const auto& axes : {raw.accel, raw.gyro})
            for (const std::int16_t v : axes) clipped = clipped || v == 32767 || v == -32768;
        return clipped;
    }

    Bus bus_;
    imu::retrying_bus<Bus> again_{bus_};
    imu::mpu6050<imu::retrying_bus<Bus>> driver_{again_};
    imu::config wanted_{};
};

/// Device time begins at 2026-01-01T00:00:00Z, so that the same run writes the same files; in real time, now.
class simulated final : public driven<imu::simulator> {
public:
    simulated(const settings& s, imu::simulator::source felt, double length_s, std::string what)
        : driven(
              std::move(what), [this, felt = std::move(felt)](double t) { return felt((std::max)(t - start_s_, 0.0)); },
              s.trace.empty() ? imu::random_device(s.seed) : imu::simulator_options{.noise = 0, .low_pass = false}),
          settings_(s),
          length_s_(length_s) {
        if (s.fault == "wrong-id") bus_.inject({.kind = imu::fault_kind::wrong_id});
    }

    void configure(const imu::config& wanted) override {
        driven::configure(wanted);
        start_ns_ = bus_.now_ns();
        start_s_ = static_cast<double>(start_ns_) * 1e-9;
        begun_ = wall_clock::now();
        if (settings_.realtime) {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            epoch_ns_ = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
        }
    }

    bool is_live() const override { return settings_.realtime; }
    bool is_over() const override { return static_cast<double>(bus_.sample_ns() - start_ns_) * 1e-9 >= length_s_; }

protected:
    void before_sample() override {
        bus_.advance_to_sample();
        const std::int64_t since = bus_.now_ns() - start_ns_;
        if (!faulty_ && !settings_.fault.empty() && since >= static_cast<std::int64_t>(settings_.fault_at * 1e9)) {
            faulty_ = true;
            bus_.inject({.kind = faults.at(settings_.fault)});
        }
        if (settings_.realtime) std::this_thread::sleep_until(begun_ + std::chrono::nanoseconds(since));
    }
    std::int64_t timestamp_ns() const override { return epoch_ns_ + bus_.sample_ns() - start_ns_; }

private:
    settings settings_;
    double length_s_;
    bool faulty_ = false;
    std::int64_t start_ns_ = 0;
    double start_s_ = (std::numeric_limits<double>::max)();
    std::int64_t epoch_ns_ = 1'767'225'600'000'000'000;
    wall_clock::time_point begun_{};
};

#if defined(__linux__)
class real final : public driven<imu::linux_i2c> {
public:
    explicit real(const std::string& path) : driven(path, path.c_str()) {
        if (!bus_.is_open())
            throw edge::io_error(
                edge::message(path, ": cannot open as an I2C bus: ", std::strerror(bus_.last_errno())));
    }
    bool is_live() const override { return true; }

protected:
    std::int64_t timestamp_ns() const override {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    }
};
#endif

std::unique_ptr<board> open_board(const settings& s) {
    if (!s.i2c.empty()) {
#if defined(__linux__)
        return std::make_unique<real>(s.i2c);
#else
        throw edge::unsupported_error(edge::message("--i2c ", s.i2c, ": only on Linux"));
#endif
    }
    if (!s.trace.empty()) {
        const auto recording = std::make_shared<const imu::trace>(read_imu_trace(s.trace, s.recording));
        std::cerr << s.trace << ": " << describe(*recording) << '\n';
        return std::make_unique<simulated>(
            s, [recording](double t) { return recording->at(t); }, recording->duration(),
            s.trace + " through a simulated MPU-6050");
    }
    const auto drive =
        std::make_shared<const imu::scenario>(s.seed == 0 ? imu::scenario_parameters{} : imu::random_scenario(s.seed));
    return std::make_unique<simulated>(
        s, [drive](double t) -> imu::stimulus { return drive->motion_at(t); }, std::numeric_limits<double>::infinity(),
        "simulated MPU-6050");
}

/// Hands `limit` samples to `take`, in order; fewer where the user stops it or a recording ends. Live samples wait in a
/// ring meanwhile, so that a slow disk costs none. How many found it full.
template <class Take>
std::uint64_t stream(board& from, std::uint64_t limit, Take take) {
    std::uint64_t count = 0;
    const auto goes_on = [&] { return count < limit && !interrupted && !from.is_over(); };
    if (!from.is_live()) {
        for (; goes_on(); ++count) take(from.next());
        return 0;
    }
    const auto queue = std::make_unique<imu::ring<timed_sample, 8192>>();
    std::atomic<bool> stop{false}, done{false};
    std::exception_ptr failure;
    std::thread sampling([&] {
        try {
            for (; goes_on() && !stop; ++count) queue->push(from.next());
        } catch (...) {
            failure = std::current_exception();
        }
        done = true;
    });
    try {
        std::array<timed_sample, 256> batch;
        for (;;) {
            const bool last = done;
            const std::size_t n = queue->pop(batch);
            for (std::size_t i = 0; i < n; ++i) take(batch[i]);
            if (n == 0 && last) break;
            if (n == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    } catch (...) {
        stop = true;
        sampling.join();
        throw;
    }
    sampling.join();
    if (failure) std::rethrow_exception(failure);
    return queue->overflows();
}

std::uint64_t sample_limit(const settings& s, const board& from, double seconds_by_default) {
    const double seconds = s.seconds >= 0 ? s.seconds : seconds_by_default;
    return seconds == 0 ? (std::numeric_limits<std::uint64_t>::max)()
                        : static_cast<std::uint64_t>(std::llround((std::min)(seconds, 1e9) * from.rate_hz()));
}

void log(const program& app, const settings& s) {
    using edge::frame::kind;
    const auto from = open_board(s);
    from->configure(config_of(s));
    edge::frame::parquet_log files(s.out, {.columns = {{"ts", kind::timestamp},
                                                       {"ax", kind::float32},
                                                       {"ay", kind::float32},
                                                       {"az", kind::float32},
                                                       {"gx", kind::float32},
                                                       {"gy", kind::float32},
                                                       {"gz", kind::float32},
                                                       {"temp", kind::float32}},
                                           .rotate_rows = s.rotate_rows,
                                           .rotate_seconds = s.rotate_seconds});
    const std::uint64_t limit = sample_limit(s, *from, s.trace.empty() ? 60 : 0);
    const auto begun = wall_clock::now();
    std::uint64_t samples = 0, lost = 0;
    std::int64_t first_ns = 0, last_ns = 0;
    try {
        progress bar("log", limit);
        lost = stream(*from, limit, [&](const timed_sample& t) {
            const auto& [accel, gyro, temperature] = t.si;
            files.append_row(t.ts_ns, accel[0], accel[1], accel[2], gyro[0], gyro[1], gyro[2], temperature);
            if (samples++ == 0) first_ns = t.ts_ns;
            last_ns = t.ts_ns;
            if ((samples & 1023U) == 0) bar.at(samples);
        });
    } catch (const edge::error& e) {
        files.flush();
        throw edge::io_error(
            edge::message(e.what(), "; the ", files.rows_written(), " samples before that are in ", s.out));
    }
    files.close();

    const double wall = std::chrono::duration<double>(wall_clock::now() - begun).count();
    const double span = samples == 0 ? 0 : static_cast<double>(last_ns - first_ns) * 1e-9 + 1 / from->rate_hz();
    if (app.json) {
        app.print_json({{"source", from->name()},
                        {"chip", from->chip()},
                        {"rate_hz", from->rate_hz()},
                        {"samples", samples},
                        {"seconds", span},
                        {"out", s.out},
                        {"files", files.files_written()},
                        {"clipped_samples", from->clipped()},
                        {"lost_samples", lost},
                        {"bus_retries", from->retries()},
                        {"recoveries", from->recoveries()},
                        {"wall_seconds", wall},
                        {"interrupted", interrupted.load()}});
        return;
    }
    std::printf("%s: %llu samples, %.1f s, in %llu files in %s\n", from->title().c_str(),
                static_cast<unsigned long long>(samples), span, static_cast<unsigned long long>(files.files_written()),
                s.out.c_str());
    std::printf("clipped %llu, lost %llu, bus retries %llu; took %.2f s\n",
                static_cast<unsigned long long>(from->clipped()), static_cast<unsigned long long>(lost),
                static_cast<unsigned long long>(from->retries()), wall);
}

void show(const program& app, const settings& s) {
    const auto from = open_board(s);
    from->configure(config_of(s));
    const std::uint64_t each = (std::max)(std::uint64_t{1}, static_cast<std::uint64_t>(from->rate_hz() / 10));
    std::uint64_t samples = 0;
    std::int64_t first_ns = 0;
    ordered_json rows = ordered_json::array();
    if (!app.json)
        std::printf("%s\n%8s  %7s %7s %7s m/s²  %7s %7s %7s °/s  %5s\n", from->title().c_str(), "s", "ax", "ay", "az",
                    "gx", "gy", "gz", "°C");
    const auto lost = stream(*from, sample_limit(s, *from, 5), [&](const timed_sample& t) {
        if (samples == 0) first_ns = t.ts_ns;
        if (samples++ % each != 0) return;
        const double at = static_cast<double>(t.ts_ns - first_ns) * 1e-9;
        const auto& [accel, gyro, temperature] = t.si;
        if (app.json) {
            rows.push_back({at});
            for (const float v : {accel[0], accel[1], accel[2], gyro[0], gyro[1], gyro[2], temperature})
                rows.back().push_back(std::round(static_cast<double>(v) * 1e5) / 1e5);
            return;
        }
        std::printf("%8.2f  %7.2f %7.2f %7.2f       %7.1f %7.1f %7.1f      %5.1f\n", at, accel[0], accel[1], accel[2],
                    gyro[0], gyro[1], gyro[2], temperature);
        std::fflush(stdout);
    });
    if (app.json)
        app.print_json({{"source", from->name()},
                        {"chip", from->chip()},
                        {"rate_hz", from->rate_hz()},
                        {"samples", samples},
                        {"lost_samples", lost},
                        {"columns", {"s", "ax_mps2", "ay_mps2", "az_mps2", "gx_dps", "gy_dps", "gz_dps", "temp_c"}},
                        {"rows", rows}});
}

void registers(const program& app, const settings& s) {
    const auto from = open_board(s);
    ordered_json all = ordered_json::array();
    for (const auto& r : imu::register_map) {
        const std::uint8_t value = from->read_register(r.address);
        if (app.json)
            all.push_back({{"address", r.address},
                           {"name", r.name},
                           {"value", value},
                           {"reset", r.reset},
                           {"writable", r.writable},
                           {"fields", r.fields}});
        else
            std::printf("%02X  %-18s %02X %c %-2s  %s\n", r.address, r.name, value, value == r.reset ? ' ' : '*',
                        r.writable ? "rw" : "r", r.fields);
    }
    if (app.json)
        app.print_json({{"source", from->name()}, {"registers", all}});
    else
        std::printf("* differs from the value after reset\n");
}

void self_test(const program& app, settings s) {
    const auto from = open_board(s);
    const imu::self_test_result result = from->self_test();
    ordered_json axes = ordered_json::array();
    for (const auto& [sensor, three] : {std::pair("accel", &result.accel), std::pair("gyro", &result.gyro)})
        for (std::size_t i = 0; i < 3; ++i) {
            const auto& a = (*three)[i];
            const std::string name = std::string(sensor) + ' ' + "xyz"[i];
            if (app.json)
                axes.push_back({{"axis", name},
                                {"response_counts", a.response},
                                {"factory_counts", a.factory},
                                {"change_percent", a.change_percent},
                                {"passed", a.passed}});
            else
                std::printf("%-8s response %8.1f  factory %8.1f  change %+6.1f %%  %s\n", name.c_str(), a.response,
                            a.factory, a.change_percent,
                            a.passed         ? "passed"
                            : a.factory == 0 ? "no trim"
                                             : "FAILED");
        }
    if (app.json)
        app.print_json({{"source", from->name()}, {"chip", from->chip()}, {"passed", result.passed()}, {"axes", axes}});
    if (!result.passed()) throw edge::error(from->name() + ": the self-test failed");
}

}  // namespace

int main(int argc, char** argv) {
    program app("edge_imu", "Logger and bench tools for an MPU-6050 on an I2C bus, or a simulated one.");
    settings s;
    bool sim = false;
    auto& cli = app.cli;
    auto* i2c = cli.add_option("--i2c", s.i2c, "Bus of a real board, such as /dev/i2c-1")->group("Source");
    auto* simulate = cli.add_flag("--sim", sim, "Simulated chip on a drive (the default)")->group("Source");
    auto* trace = cli.add_option("--trace", s.trace, "Recording (CSV) that the simulated chip feels")->group("Source");
    auto* fault =
        cli.add_option("--fault", s.fault, "Fault of the simulated chip: nack timeout stuck short wrong-id frozen")
            ->check(CLI::IsMember(faults))
            ->group("Source");
    cli.add_option("--fault-at", s.fault_at, "Seconds until it comes")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e9))
        ->group("Source");
    auto* seed = cli.add_option("--seed", s.seed, "Drive and chip drawn by this number; 0: the built-in drive")
                     ->capture_default_str()
                     ->group("Source");
    auto* realtime =
        cli.add_flag("--realtime", s.realtime, "Simulate in real time, not as fast as possible")->group("Source");
    for (auto* other : {simulate, trace, fault, seed, realtime}) i2c->excludes(other);
    seed->excludes(trace);
    cli.add_option("--trace-columns", s.recording.columns,
                   "Where the header says nothing: time,ax,ay,az,gx,gy,gz[,temp]; - for no time")
        ->delimiter(',')
        ->expected(7, 8)
        ->group("Source");
    cli.add_option("--trace-accel", s.recording.accel_unit, "Unit: m/s2, g or raw")
        ->check(CLI::IsMember({"m/s2", "g", "raw"}))
        ->group("Source");
    cli.add_option("--trace-gyro", s.recording.gyro_unit, "Unit: rad/s, deg/s or raw")
        ->check(CLI::IsMember({"rad/s", "deg/s", "raw"}))
        ->group("Source");
    cli.add_option("--trace-rate", s.recording.rate_hz, "Rows a second of a recording without time")
        ->capture_default_str()
        ->check(CLI::Range(1e-3, 1e6))
        ->group("Source");

    cli.add_option("--rate", s.rate_hz, "Samples a second; above 1000 without the chip's filter")
        ->capture_default_str()
        ->check(CLI::Range(4, 8000))
        ->group("Sampling");
    cli.add_option("--accel-range", s.accel_g, "± g: 2 4 8 16 [4; recording: 16]")
        ->check(CLI::IsMember({2, 4, 8, 16}))
        ->group("Sampling");
    cli.add_option("--gyro-range", s.gyro_dps, "± °/s: 250 500 1000 2000 [500; recording: 2000]")
        ->check(CLI::IsMember({250, 500, 1000, 2000}))
        ->group("Sampling");
    cli.add_option("--dlpf", s.dlpf_hz, "Low-pass filter, Hz: 256 188 98 42 20 10 5 [a quarter of the rate]")
        ->check(CLI::IsMember({256, 188, 98, 42, 20, 10, 5}))
        ->group("Sampling");
    cli.add_option("--seconds", s.seconds, "How long; 0: until interrupted [log 60, show 5; recording: all of it]")
        ->check(CLI::Range(0.0, 1e9))
        ->group("Sampling");

    auto* log_command =
        cli.add_subcommand("log", "Write Parquet files to --out: ts, ax ay az in m/s², gx gy gz in °/s, temp in °C");
    log_command->add_option("--out", s.out, "Folder of the files")->required();
    log_command->add_option("--rotate-rows", s.rotate_rows, "Rows of a file at most")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000'000));
    log_command
        ->add_option("--rotate-seconds", s.rotate_seconds,
                     "Seconds of a file at most; what a power cut can cost; 0: any")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
    auto* show_command = cli.add_subcommand("show", "Print ten samples a second");
    auto* registers_command = cli.add_subcommand(
        "registers", "Print the registers as they are; reading clears INT_STATUS and takes a byte from the FIFO");
    auto* self_test_command =
        cli.add_subcommand("selftest", "Let the chip test itself against its factory trim; keep it still");
    cli.require_subcommand(1);

    std::signal(SIGINT, [](int) { interrupted = true; });
    std::signal(SIGTERM, [](int) { interrupted = true; });
    return app.run(argc, argv, [&] {
        if (*log_command) log(app, s);
        if (*show_command) show(app, s);
        if (*registers_command) registers(app, s);
        if (*self_test_command) self_test(app, s);
    });
}

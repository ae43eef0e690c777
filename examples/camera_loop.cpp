// SPDX-License-Identifier: MIT

// A camera's loop: capture, preprocess, infer and render, each in a thread of its own, with short queues between them.

#include "common/bounded_queue.hpp"
#include "common/image.hpp"
#include "common/image_files.hpp"
#include "common/program.hpp"
#include "common/top_classes.hpp"

#include <edge/nn/mobilenet_v2.hpp>
#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>
#include <edge/perf/latency.hpp>

#include <array>
#include <functional>
#include <iomanip>
#include <thread>

namespace {

using edge::index_t;
using edge::perf::latency;
using steady = std::chrono::steady_clock;

struct frame {
    int number = 0;
    steady::time_point captured{};
    edge::tensor<std::uint8_t> image{};  // [height, width, 3]
    edge::tensor<float> input{};
    scored_class seen{};
};

/// A disc that goes round on a gradient.
edge::tensor<std::uint8_t> synthetic_image(int number, index_t side) {
    auto image = edge::tensor<std::uint8_t>::uninitialized({side, side, 3});
    const double turn = 0.1 * number;
    const double size = static_cast<double>(side);
    const double x0 = size * (0.5 + 0.3 * std::cos(turn));
    const double y0 = size * (0.5 + 0.3 * std::sin(turn));
    for (index_t y = 0; y < side; ++y)
        for (index_t x = 0; x < side; ++x) {
            const double dx = static_cast<double>(x) - x0;
            const double dy = static_cast<double>(y) - y0;
            const bool on_disc = dx * dx + dy * dy < size * size / 50;
            image(y, x, index_t{0}) = on_disc ? std::uint8_t{250} : static_cast<std::uint8_t>(x * 200 / side);
            image(y, x, index_t{1}) = on_disc ? std::uint8_t{180} : static_cast<std::uint8_t>(y * 200 / side);
            image(y, x, index_t{2}) = on_disc ? std::uint8_t{20} : std::uint8_t{90};
        }
    return image;
}

/// A bar below the image, as long as the likeliest class is likely.
void draw_probability(edge::tensor<std::uint8_t>& image, double probability) {
    const index_t height = image.shape()[0];
    const index_t width = image.shape()[1];
    const auto length = static_cast<index_t>(probability * static_cast<double>(width));
    for (index_t y = height - (height + 15) / 16; y < height; ++y)
        for (index_t x = 0; x < width; ++x)
            for (index_t c = 0; c < 3; ++c) image(y, x, c) = x < length ? std::uint8_t{255} : std::uint8_t{0};
}

/// The side of the square that the model takes, or 0 where it leaves that open.
index_t side_of(const edge::nn::graph& g) {
    if (g.inputs.size() != 1 || g.inputs[0].dims.size() != 4 || g.outputs.empty())
        throw edge::argument_error("the model does not take one image and give scores");
    return (std::max)(index_t{0}, g.inputs[0].dims[3].size);
}

/// Threads that take frames from one queue, work on each, and give them to the next. What one throws ends them all.
class stages {
public:
    explicit stages(std::size_t queued) : queued_(queued) {}

    /// Adds a stage; the first one gets empty frames, `frames` of them.
    void add(const char* name, std::function<void(frame&)> work) { list_.push_back({name, std::move(work), {}}); }

    void run(int frames) {
        std::deque<bounded_queue<frame>> queues;
        for (std::size_t i = 0; i <= list_.size(); ++i) queues.emplace_back(queued_);
        const auto stop = [&](std::exception_ptr why) {
            const std::lock_guard lock(mutex_);
            if (failure_ == nullptr) failure_ = std::move(why);
            for (auto& q : queues) q.close();
        };
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < list_.size(); ++i)
            threads.emplace_back([&, i] {
                try {
                    while (auto f = queues[i].pop()) {
                        {
                            const edge::perf::timer t(list_[i].times);
                            list_[i].work(*f);
                        }
                        if (i + 1 < list_.size() && !queues[i + 1].push(std::move(*f))) break;
                    }
                    queues[i + 1].close();
                } catch (...) {
                    stop(std::current_exception());
                }
            });
        for (int n = 0; n < frames; ++n) {
            frame f;
            f.number = n;
            if (!queues[0].push(std::move(f))) break;
        }
        queues[0].close();
        for (auto& t : threads) t.join();
        if (failure_ != nullptr) std::rethrow_exception(failure_);
    }

    struct stage {
        const char* name;
        std::function<void(frame&)> work;
        latency times;
    };
    [[nodiscard]] const std::vector<stage>& list() const { return list_; }

private:
    std::size_t queued_;
    std::vector<stage> list_{};
    std::mutex mutex_{};
    std::exception_ptr failure_{};
};

}  // namespace

int main(int argc, char** argv) {
    program app("camera_loop", "Capture, preprocess, infer and render, each in a thread of its own.");
    std::string model, folder, names_file, last;
    int frames = 100;
    int threads = 1;
    std::size_t queued = 2;
    app.cli.add_option("--model", model, "ONNX file of a classifier; without one, a small one with random weights");
    app.cli.add_option("--images", folder,
                       "Folder whose images are taken in turn, heeding preprocess.json; else a disc moves");
    app.cli.add_option("--classes", names_file, "Text file whose line i names class i");
    app.cli.add_option("--frames", frames, "How many")->check(CLI::PositiveNumber)->capture_default_str();
    app.cli.add_option("--threads", threads, "Of the inference")->check(CLI::Range(1, 1024))->capture_default_str();
    app.cli.add_option("--queue", queued, "Frames that wait between two stages")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.cli.add_option("--last", last, "File (.ppm) for the last frame, as rendered");
    return app.run(argc, argv, [&] {
        edge::nn::session session{model.empty() ? edge::nn::mobilenet_v2(0.35, 96, 1000) : edge::nn::load_onnx(model),
                                  {.threads = threads}};
        const auto names = names_file.empty() ? std::vector<std::string>{} : read_class_names(names_file);
        preprocessing how;
        if (!folder.empty()) how = read_preprocessing(std::filesystem::path(folder) / "preprocess.json");
        if (const index_t side = side_of(session.model()); side > 0) {
            how.resize = (std::max)(how.resize * side / how.crop, side);
            how.crop = side;
        }
        const auto files = folder.empty() ? std::vector<std::filesystem::path>{} : image_files(folder);

        latency whole;
        edge::tensor<std::uint8_t> shown;
        stages loop(queued);
        loop.add("capture", [&](frame& f) {
            f.captured = steady::now();
            f.image = files.empty() ? synthetic_image(f.number, how.crop)
                                    : load_image(files[static_cast<std::size_t>(f.number) % files.size()]);
        });
        loop.add("preprocess", [&](frame& f) { f.input = network_input(f.image, how); });
        loop.add("infer", [&](frame& f) { f.seen = top_classes(session(f.input)[0].as<float>().flat(), 1).at(0); });
        loop.add("render", [&](frame& f) {
            draw_probability(f.image, f.seen.probability);
            whole.record(steady::now() - f.captured);
            if (!app.json && f.number % 10 == 0)
                std::cout << "frame " << f.number << "  " << class_name(names, f.seen.index) << "  "
                          << static_cast<int>(100 * f.seen.probability + 0.5) << " %\n";
            shown = std::move(f.image);
        });
        const auto start = steady::now();
        loop.run(frames);
        const double fps = frames / std::chrono::duration<double>(steady::now() - start).count();

        if (!last.empty()) {
            std::string text = edge::message("P6\n", shown.shape()[1], ' ', shown.shape()[0], "\n255\n");
            text.append(reinterpret_cast<const char*>(shown.data()), static_cast<std::size_t>(shown.size()));
            edge::write_file(last, text);
        }
        nlohmann::ordered_json said{{"frames", frames}, {"fps", fps}};
        for (const auto& s : loop.list()) said[std::string(s.name) + "_p50_ms"] = s.times.milliseconds(0.5);
        said["capture_to_render_p50_ms"] = whole.milliseconds(0.5);
        if (app.json) return app.print_json(said);
        std::cout << std::fixed << std::setprecision(2) << '\n' << fps << " frames a second\n";
        for (const auto& s : loop.list())
            std::cout << std::left << std::setw(12) << s.name << std::right << std::setw(10)
                      << s.times.milliseconds(0.5) << " ms P50\n";
        std::cout << std::left << std::setw(12) << "all" << std::right << std::setw(10) << whole.milliseconds(0.5)
                  << " ms P50, from capture to render\n";
    });
}

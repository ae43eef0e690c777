// SPDX-License-Identifier: MIT

// What is on the images of a folder: the likeliest classes of each, with their names.

#include "common/image.hpp"
#include "common/image_files.hpp"
#include "common/program.hpp"
#include "common/top_classes.hpp"

#include <edge/nn/onnx.hpp>
#include <edge/nn/session.hpp>

#include <iomanip>

int main(int argc, char** argv) {
    program app("classify_images", "What is on the images of a folder.");
    std::string model, folder, names_file;
    std::size_t top = 5;
    int threads = 0;
    app.cli.add_option("MODEL", model, "ONNX file of a classifier")->required();
    app.cli.add_option("FOLDER", folder, "JPEG and PNG files; a preprocess.json is heeded")->required();
    app.cli.add_option("--classes", names_file, "Text file whose line i names class i");
    app.cli.add_option("--top", top, "Classes to print for each image")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.cli.add_option("--threads", threads, "0: as many as there are")->check(CLI::Range(0, 1024));
    return app.run(argc, argv, [&] {
        edge::nn::session session{edge::nn::load_onnx(model), {.threads = threads}};
        const auto names = names_file.empty() ? std::vector<std::string>{} : read_class_names(names_file);
        const preprocessing how = read_preprocessing(std::filesystem::path(folder) / "preprocess.json");
        auto list = nlohmann::ordered_json::array();
        for (const auto& file : image_files(folder)) {
            const auto& results = session(network_input(load_image(file), how));
            const auto classes = top_classes(results.at(0).as<float>().flat(), top);
            auto said = nlohmann::ordered_json::array();
            for (const auto& c : classes)
                said.push_back(
                    {{"class", c.index}, {"name", class_name(names, c.index)}, {"probability", c.probability}});
            list.push_back({{"file", file.filename().string()}, {"classes", said}});
            if (app.json) continue;
            std::cout << file.filename().string() << '\n';
            for (const auto& c : classes)
                std::cout << std::setw(8) << std::fixed << std::setprecision(1) << 100 * c.probability << " %  "
                          << class_name(names, c.index) << '\n';
        }
        if (app.json) app.print_json({{"images", list}});
    });
}

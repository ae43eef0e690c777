// SPDX-License-Identifier: MIT
// edge_nn from outside.

#include <edge/nn/onnx.hpp>

#include "checks/png.hpp"
#include "checks/run_program.hpp"

#include <nlohmann/json.hpp>

namespace {

/// Images of side 4 to six scores: the mean of red, green and blue, then three that are less.
void write_colour_model(const std::string& path) {
    edge::nn::graph g;
    g.inputs.push_back({"image", edge::dtype::f32, {{"n"}, {3}, {4}, {4}}});
    const auto means = g.add("Flatten", {g.add("GlobalAveragePool", {"image"})});
    edge::tensor<float> w({3, 6}, 0.0f);
    for (edge::index_t i = 0; i < 3; ++i) w(i, i) = 1, w(i, i + 3) = -1;
    const auto b = g.constant("b", edge::tensor<float>({6}, {0, 0, 0, -9, -9, -9}));
    g.outputs.push_back({g.add("Gemm", {means, g.constant("w", w), b}), edge::dtype::f32, {{"n"}, {6}}});
    edge::nn::save_onnx(g, path);
}

/// Four images; one is said to be green and is blue, one is of a class that comes last.
void write_images(const scratch& folder) {
    folder.write("red.png", png(4, 4, {200, 10, 20}));
    folder.write("green.png", png(4, 4, {10, 200, 20}));
    folder.write("blue.png", png(40, 17, {10, 20, 200}));  // to be resized and cut
    folder.write("labels.csv", "file,label_index,split\nred.png,0,a\ngreen.png,1,b\nblue.png,1,a\nblue.png,5,a\n");
    folder.write("preprocess.json", R"({"mean": 127.5, "std": [127.5, 127.5, 127.5], "resize": 5, "crop": 4})");
}

}  // namespace

TEST_CASE("edge_nn eval counts the images whose label is first, or among the first five") {
    if (!is_built("edge_nn")) return;
    const scratch folder;
    const auto model = folder / "model.onnx";
    write_colour_model(model);
    write_images(folder);
    const auto eval = [&](std::vector<std::string> more) {
        std::vector<std::string> all{"eval", model, "--images", folder / "", "--json"};
        all.insert(all.end(), more.begin(), more.end());
        const auto r = run("edge_nn", all);
        CAPTURE(r.err);
        REQUIRE(r.status == 0);
        return nlohmann::json::parse(r.out);
    };
    const auto all = eval({});
    CHECK(all.at("images") == 4);
    CHECK(all.at("top1") == 50.0);
    CHECK(all.at("top5") == 75.0);
    const auto some = eval({"--split", "a", "--limit", "2", "--threads", "1"});
    CHECK(some.at("images") == 2);
    CHECK(some.at("top1") == 50.0);
    CHECK(some.at("top5") == 100.0);
    CHECK(eval({"--channels", "BGR"}).at("top1") == 25.0);  // green alone

    check_refusal("edge_nn", {"eval", model, "--images", folder / "", "--split", "c"}, 1, "no image is in split 'c'");
    check_refusal("edge_nn", {"eval", model, "--images", folder / "", "--std", "0"}, 1, "std 0");
    check_refusal("edge_nn", {"eval", model, "--images", folder / "", "--crop", "9"}, 1, "crop 9");
    check_refusal("edge_nn", {"eval", model}, 2, "--images");
    folder.write("labels.csv", "file,label_index,split\nred.png,6,a\n");
    check_refusal("edge_nn", {"eval", model, "--images", folder / ""}, 1, "label 6; the network has 6 classes");
    folder.write("labels.csv", "file,label_index,split\nlabels.csv,0,a\n");
    check_refusal("edge_nn", {"eval", model, "--images", folder / ""}, 1, "labels.csv: not a JPEG or PNG image");
    folder.write("labels.csv", "file,label_index\nred.png,0\n");
    check_refusal("edge_nn", {"eval", model, "--images", folder / "", "--split", "a"}, 1, "no column 'split'");
    folder.write("preprocess.json", R"({"mean": "x"})");
    check_refusal("edge_nn", {"eval", model, "--images", folder / ""}, 1, "preprocess.json");
}

TEST_CASE("edge_nn bench says how long a model takes") {
    if (!is_built("edge_nn")) return;
    const scratch folder;
    write_colour_model(folder / "model.onnx");
    const auto r = run("edge_nn", {"bench", folder / "model.onnx", "--runs", "5", "--threads", "1", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto said = nlohmann::json::parse(r.out);
    const double p50 = said.at("p50_ms");
    CHECK(p50 > 0);
    CHECK(p50 <= said.at("p95_ms"));
    CHECK(said.at("p95_ms") <= said.at("p99_ms"));
    CHECK(said.at("fps").get<double>() == doctest::Approx(1000 / p50));
    CHECK(said.at("arena_bytes") > 0);
    CHECK(said.at("macs") == 18);
    CHECK(said.at("peak_gflops") > 0);
    REQUIRE(said.at("layers").size() >= 1);
    CHECK(said.at("layers")[0].at("ms") > 0);
    check_refusal("edge_nn", {"bench", folder / "model.onnx", "--runs", "0"}, 2, "--runs");
}

TEST_CASE("edge_nn quantize calibrates on a folder of images") {
    if (!is_built("edge_nn")) return;
    const scratch folder;
    write_colour_model(folder / "model.onnx");
    write_images(folder);
    const auto r = run("edge_nn", {"quantize", folder / "model.onnx", "--calibrate", folder / "", "--split", "a", "-o",
                                   folder / "int8.onnx", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    CHECK(nlohmann::json::parse(r.out).at("calibration_files") == 3);
    const auto e = run("edge_nn", {"eval", folder / "int8.onnx", "--images", folder / "", "--json"});
    REQUIRE(e.status == 0);
    CHECK(nlohmann::json::parse(e.out).at("top1") == 50.0);
}

TEST_CASE("edge_nn quantize tells what it did, and what it cannot do") {
    if (!is_built("edge_nn")) return;
    const scratch folder;
    write_colour_model(folder / "model.onnx");
    write_images(folder);
    const auto quantize = [&](const std::vector<std::string>& more) {
        std::vector<std::string> line = {"quantize", folder / "model.onnx", "--calibrate", folder / "",
                                         "-o",       folder / "int8.onnx"};
        line.insert(line.end(), more.begin(), more.end());
        return line;
    };
    const auto r = run("edge_nn", quantize({"--report", folder / "report.html", "--weights", "per-tensor", "--observer",
                                            "minmax", "--format", "qoperator", "--json"}));
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto report = nlohmann::json::parse(r.out).at("report");
    CHECK(report.at("layers").size() >= 1);
    CHECK(report.at("values")[0].at("histogram").size() == 64);
    CHECK(report.at("values")[0].at("sqnr_db") > 30);
    const auto page = edge::read_text_file(folder / "report.html");
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.substr(page.size() - 8) == "</html>\n");

    check_refusal("edge_nn", quantize({"--observer", "guess"}), 2, "--observer");
    check_refusal("edge_nn", quantize({"--split", "none"}), 1, "no image is in split 'none'");
    check_refusal("edge_nn", {"quantize", folder / "model.onnx", "-o", folder / "x.onnx"}, 1, "--calibrate DIR");
    check_refusal("edge_nn",
                  {"quantize", folder / "int8.onnx", "--calibrate", folder / "", "-o", folder / "twice.onnx"}, 1,
                  "quantized already");
    std::filesystem::create_directories(folder / "empty");
    check_refusal("edge_nn",
                  {"quantize", folder / "model.onnx", "--calibrate", folder / "empty", "-o", folder / "x.onnx"}, 1,
                  "no .npy file and no labels.csv");
}

TEST_CASE("classify_images names what is on each image") {
    if (!is_built("classify_images")) return;
    const scratch folder;
    write_colour_model(folder / "model.onnx");
    write_images(folder);
    folder.write("names.txt", "red\ngreen\r\nblue");
    const auto r = run("classify_images",
                       {folder / "model.onnx", folder / "", "--classes", folder / "names.txt", "--top", "2", "--json"});
    CAPTURE(r.err);
    REQUIRE(r.status == 0);
    const auto images = nlohmann::json::parse(r.out).at("images");
    REQUIRE(images.size() == 3);
    CHECK(images[0].at("file") == "blue.png");
    CHECK(images[0].at("classes")[0].at("name") == "blue");
    CHECK(images[1].at("classes")[0].at("name") == "green");
    CHECK(images[2].at("classes")[0].at("name") == "red");
    REQUIRE(images[2].at("classes").size() == 2);
    CHECK(images[2].at("classes")[1].at("name") == "blue");
    // of the means less 127.5, by 127.5: a softmax of these and of their negatives less 9
    CHECK(images[2].at("classes")[0].at("probability").get<double>() == doctest::Approx(0.6805).epsilon(1e-3));
    const auto text = run("classify_images", {folder / "model.onnx", folder / ""});
    CHECK(text.out.find("blue.png\n    68.1 %  class 2\n") == 0);
    check_refusal("classify_images", {folder / "model.onnx", folder / "none"}, 1, "cannot list this folder");
}

TEST_CASE("camera_loop sends every frame through all of its stages") {
    if (!is_built("camera_loop")) return;
    const scratch folder;
    write_colour_model(folder / "model.onnx");
    write_images(folder);
    for (const bool from_files : {false, true}) {
        std::vector<std::string> arguments{"--model", folder / "model.onnx", "--frames", "50",
                                           "--last",  folder / "last.ppm",   "--json"};
        if (from_files) arguments.insert(arguments.end(), {"--images", folder / ""});
        const auto r = run("camera_loop", arguments);
        CAPTURE(r.err);
        REQUIRE(r.status == 0);
        const auto said = nlohmann::json::parse(r.out);
        CHECK(said.at("frames") == 50);
        CHECK(said.at("fps") > 0);
        for (const char* stage : {"capture", "preprocess", "infer", "render", "capture_to_render"})
            CHECK(said.at(std::string(stage) + "_p50_ms") >= 0);
        CHECK(folder.read("last.ppm").rfind("P6\n", 0) == 0);
    }
    CHECK(run("camera_loop", {"--frames", "2"}).out.find("frame 0  class ") == 0);
    folder.write("blue.png", "no image");
    check_refusal("camera_loop", {"--model", folder / "model.onnx", "--images", folder / ""}, 1,
                  "blue.png: not a JPEG");
}

// SPDX-License-Identifier: MIT
// Array operations on .npy files; names as in NumPy.

#include <edge/core/npy.hpp>

#include "common/array_ops.hpp"
#include "common/program.hpp"

#include <optional>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    program app("edge_array", "Array operations on .npy files; names as in NumPy.");
    app.cli.require_subcommand(1);
    std::string name;
    std::vector<std::string> files;
    std::string out;
    std::optional<long> axis;
    bool keepdims = false;

    const auto add = [&](const char* command, const char* purpose, const char* first,
                         const std::string& first_purpose) {
        CLI::App* sub = app.cli.add_subcommand(command, purpose);
        sub->add_option(first, name, first_purpose)->required();
        sub->add_option("FILES", files, "operands, .npy")->required();
        sub->add_option("-o,--output", out, "result, .npy")->required();
        return sub;
    };
    const auto* op = add("op", "Element by element, shapes broadcast", "NAME",
                         array_ops::unary_names() + " " + array_ops::binary_names());
    auto* reduce = add("reduce", "All elements to one, or those along an axis", "NAME",
                       array_ops::listed(array_ops::reduction_names));
    reduce->add_option("--axis", axis, "along this axis, from the end where negative; all elements without it");
    reduce->add_flag("--keepdims", keepdims, "keep reduced axes, with extent 1");
    const auto* einsum = add("einsum", "Sums of products by Einstein's notation", "EQUATION", "such as 'ij,jk->ik'");

    // An equation may begin with its arrow, '->' for a scalar; a space keeps it from looking like an option.
    std::vector<std::string> words(argv, argv + argc);
    std::vector<char*> arguments;
    for (auto& word : words) {
        if (word.rfind("->", 0) == 0) word.insert(0, " ");
        arguments.push_back(word.data());
    }
    return app.run(argc, arguments.data(), [&] {
        std::vector<edge::any_tensor> operands;
        for (const auto& file : files) operands.push_back(edge::load_npy(file));
        const auto result = [&] {
            if (op->parsed()) return array_ops::elementwise(name, operands);
            if (einsum->parsed()) return array_ops::einsum(name, operands);
            if (operands.size() != 1)
                throw edge::argument_error(edge::message(name, " takes 1 operand, ", operands.size(), " given"));
            return array_ops::reduce(name, operands[0], axis, keepdims);
        }();
        edge::save_npy(out, result);
        if (app.json) {
            app.print_json({{"output", out},
                            {"dtype", to_string(result.dtype())},
                            {"shape", std::vector<edge::index_t>(result.shape().begin(), result.shape().end())}});
        }
    });
}

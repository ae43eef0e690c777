// SPDX-License-Identifier: MIT
#pragma once

/// @file Sessions: a graph made ready to run, as often as wanted.
///
///     edge::nn::session run{edge::nn::load_onnx("model.onnx"), {.threads = 2}};
///     const auto& results = run({image});                            // inputs in the order of the graph
///     const auto& same = run({{"input", image}});                    // or by name
///     results[0].as<float>();                                        // outputs in the order of the graph
///
///     edge::nn::session other = run.share();                         // for another thread; the weights are there once
///
/// The graph is rewritten (nn/passes.hpp); its nodes are sorted, prepared for the shapes that are known, and folded where
/// all they read is constant, when the session is made. A new shape of an input prepares them again in the run that
/// brings it. After that, runs allocate nothing, but for nodes whose result's shape depends on the value of an input (a
/// Reshape whose shape is an input). Values share the bytes of one arena: those that do not live at the same time lie at
/// the same place.

#include <edge/core/memory.hpp>
#include <edge/nn/detail/engine.hpp>
#include <edge/nn/operator.hpp>
#include <edge/nn/passes.hpp>

#include <functional>
#include <initializer_list>
#include <memory>
#include <utility>

namespace edge::nn {

struct session_options {
    int threads = 0;             ///< 0: the process default, as it is when the session is made
    bool integer_layers = true;  ///< compute quantized layers in integers, where false takes the file by its letter
    pass_options passes{};       ///< how the graph is rewritten
    bool profile = false;        ///< take the time of each layer
    /// Largest value, in bytes, that a model may ask for.
    index_t max_bytes = index_t{1} << 32;
};

/// What a node is, costs and gives, once its shapes are known.
struct layer_info {
    std::string name;
    std::string op_type;
    std::vector<value_type> outputs;  ///< empty where the shapes are not known before a run
    index_t macs = 0;                 ///< multiply-adds
    index_t parameters = 0;  ///< elements of initializers that no earlier layer reads, without int64 (shapes, indices)
    bool is_folded = false;  ///< computed already: it reads constants alone
    double seconds = 0;      ///< of a run, the mean of all so far; 0 without `session_options::profile`
};

/// Where a value, or the memory that a layer has for itself, lies in the arena.
struct placed_value {
    std::string name;
    index_t offset;
    index_t bytes;
    std::size_t first, last;  ///< layers that write it and that read it for the last time
};

class session {
public:
    using named_input = std::pair<std::string_view, any_view>;

    /// Called with each value that a run computes, and with its inputs.
    using tap = std::function<void(std::string_view name, const any_view& value)>;

    /// @throws unsupported_error  if there is no such operator, or not for such inputs; names the node
    /// @throws shape_error, argument_error  if the graph contradicts itself; names the node
    explicit session(graph g, const session_options& options = {});
    session(session&&) noexcept = default;
    session& operator=(session&&) noexcept = default;
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() = default;

    /// The graph as it is run.
    [[nodiscard]] const graph& model() const noexcept { return model_->g; }

    /// A session of the same model and its packed weights, to run at the same time as this one.
    [[nodiscard]] session share() const { return {model_, options_}; }

    /// Runs the graph. The results belong to the session and hold until its next run.
    /// @param inputs  in the order of the graph's inputs
    /// @throws argument_error  if the number or a type is not that of the graph
    /// @throws shape_error     if a shape is not; names the node if it does not fit there
    const std::vector<any_tensor>& operator()(std::span<const any_view> inputs);
    const std::vector<any_tensor>& operator()(std::initializer_list<any_view> inputs) {
        return (*this)(std::span<const any_view>(inputs.begin(), inputs.size()));
    }
    /// For a graph of one input.
    const std::vector<any_tensor>& operator()(const any_view& input) { return (*this)(std::span(&input, 1)); }
    /// @throws argument_error  also for a name that the graph has not, or one that is missing
    const std::vector<any_tensor>& operator()(std::span<const named_input> inputs);
    const std::vector<any_tensor>& operator()(std::initializer_list<named_input> inputs) {
        return (*this)(std::span<const named_input>(inputs.begin(), inputs.size()));
    }

    /// Sets what is to see the values of the coming runs, or nothing. What was folded is a constant and not shown; nor is
    /// what a pass made away with, unless `pass_options::keep` names it.
    void observe(tap function) { tap_ = std::move(function); }

    /// Prepares for inputs of these shapes, in the order of the graph, without running.
    void plan(std::span<const edge::shape> shapes);

    /// Layers in the order in which they run.
    [[nodiscard]] std::vector<layer_info> layers() const;

    /// Most bytes that the values of a run take at the same time, if each is freed after its last use. Without those whose
    /// shapes are not known.
    [[nodiscard]] index_t peak_bytes() const;

    /// Bytes of the block that all values share but inputs, outputs and constants, and those whose shapes are not known.
    [[nodiscard]] index_t arena_bytes() const noexcept { return arena_bytes_; }
    /// What lies where in it.
    [[nodiscard]] const std::vector<placed_value>& memory_plan() const noexcept { return plan_; }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// What all sessions of a model share.
    struct shared_model {
        graph g;
        packed_store packed;
    };
    session(std::shared_ptr<shared_model> model, const session_options& options);

    struct slot {
        std::string name;
        value_type type{};
        bool is_typed = false;       ///< type and shape are known
        const void* data = nullptr;  ///< where the elements are, in a run
        const any_tensor* constant = nullptr;
        any_tensor folded{};             ///< what `constant` points to, if it is no initializer
        any_tensor buffer{};             ///< what a node writes to, where that is neither an output nor in the arena
        index_t offset = -1;             ///< in the arena, or -1
        bool from_initializers = false;  ///< constant whatever the inputs' shapes are
        std::size_t output = none;       ///< the graph's output that holds the buffer instead
    };

    struct step {
        const node* what = nullptr;
        prepare_function prepare = nullptr;
        std::vector<std::size_t> inputs, outputs;  ///< slots, or none
        kernel run{};
        std::vector<const void*> in{};
        std::vector<void*> out{};
        index_t macs = 0;
        index_t scratch_bytes = 0;
        index_t scratch_offset = -1;         ///< in the arena, or -1
        tensor<std::uint8_t> own_scratch{};  ///< where it is not in the arena
        double seconds = 0;
        bool is_ready = false;
        bool is_folded = false;
        bool reads_values = false;  ///< of inputs that are not constant: prepared in each run
    };

    void bind(std::span<const any_view> inputs);
    void check_input(std::size_t i, std::span<const any_view> inputs) const;
    void forget_shapes(std::size_t first_step = 0);
    void prepare_all();
    bool prepare(step& s, bool in_run);
    [[nodiscard]] bool is_small(const step& s) const;
    void fold(step& s);
    void plan_memory();
    void point(step& s);
    void call(step& s);
    void run_step(step& s);
    [[nodiscard]] std::vector<std::size_t> last_uses() const;
    void show(std::size_t id) const {
        if (tap_ && id != none && slots_[id].constant == nullptr)
            tap_(slots_[id].name, {slots_[id].type, slots_[id].data});
    }

    std::shared_ptr<shared_model> model_;
    session_options options_;
    std::vector<slot> slots_;
    std::vector<step> steps_;
    std::vector<std::size_t> input_slots_, output_slots_;
    std::vector<any_tensor> results_;
    std::vector<any_view> ordered_;
    std::unique_ptr<void, edge::detail::aligned_delete> arena_;
    index_t arena_room_ = 0;  // bytes of the block
    index_t arena_bytes_ = 0;
    std::vector<placed_value> plan_;
    index_t runs_ = 0;
    tap tap_;
};

}  // namespace edge::nn

#if EDGE_NN_HAS_ENGINE
#include <edge/nn/detail/session_engine.hpp>
#endif

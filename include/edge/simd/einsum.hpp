// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of products by Einstein's notation, as NumPy's einsum.
///
///     auto c = edge::einsum("ij,jk->ik", a, b);                 // matrix product
///     auto scores = edge::einsum("bhsd,bhtd->bhst", q, k);      // attention
///     auto trace = edge::einsum("ii->", a);                     // diagonals, transposes and sums of one operand
///
/// Labels are letters; `...` stands for axes that broadcast; without `->` the result has the labels that occur once, in
/// alphabetical order. Operands are joined from the left, each pair as a batch of matrix products, so the cost of three
/// or more depends on their order. Intermediate results have rank at most eight.

#include <edge/simd/detail/matmul.hpp>
#include <edge/simd/reduce.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace edge {

namespace detail {

/// Labels of each operand's axes and of the result's. Axes of an ellipsis have the labels 8 to 1, 1 the last.
struct einsum_plan {
    std::vector<std::string> operands;
    std::string result;
    index_t extents[128] = {};  ///< of each label
};

inline bool is_label(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

[[noreturn]] inline void refuse_equation(std::string_view equation, std::string_view why) {
    throw argument_error(message("einsum '", equation, "': ", why));
}

/// One operand's term, with the ellipsis as `axes` labels. `axes` < 0: as many as the rank leaves.
inline std::string expand_term(std::string_view equation, std::string_view term, index_t rank, index_t axes) {
    std::string labels;
    bool has_ellipsis = false;
    const auto named = std::count_if(term.begin(), term.end(), is_label);
    for (std::size_t i = 0; i < term.size(); ++i) {
        if (is_label(term[i])) {
            labels += term[i];
        } else if (term.substr(i, 3) == "..." && !has_ellipsis) {
            has_ellipsis = true;
            i += 2;
            const index_t count = axes >= 0 ? axes : rank - named;
            for (index_t k = count; k > 0; --k) labels += static_cast<char>(k);
        } else {
            refuse_equation(equation, message("'", term, "' is not letters with at most one '...'"));
        }
    }
    return labels;
}

inline einsum_plan plan_einsum(std::string_view equation, std::span<const shape> shapes) {
    std::string text;
    for (const char c : equation) {
        if (static_cast<unsigned char>(c) >= 0x80) refuse_equation("?", "labels are ASCII letters");
        if (c != ' ') text += c;
    }
    const std::size_t arrow = text.find("->");
    const std::string left = text.substr(0, arrow);
    einsum_plan plan;
    index_t ellipsis = 0;
    int uses[128] = {};
    for (std::size_t start = 0;;) {
        const std::size_t comma = left.find(',', start);
        const std::string term = left.substr(start, comma == left.npos ? comma : comma - start);
        const std::size_t i = plan.operands.size();
        if (i == shapes.size()) refuse_equation(equation, message("more terms than the ", shapes.size(), " operands"));
        const auto rank = static_cast<index_t>(shapes[i].rank());
        const std::string labels = expand_term(equation, term, rank, -1);
        if (static_cast<index_t>(labels.size()) != rank)
            refuse_equation(equation, message("'", term, "' does not fit operand ", i, " of shape ", shapes[i]));
        for (std::size_t axis = 0; axis < labels.size(); ++axis) {
            const auto label = static_cast<unsigned char>(labels[axis]);
            ++uses[label];
            if (label <= max_rank) ellipsis = (std::max)(ellipsis, index_t{label});
            index_t& extent = plan.extents[label];
            const index_t here = shapes[i][axis];
            const bool is_repeated = labels.find(labels[axis]) < axis;
            const bool is_new = uses[label] == 1 || (extent == 1 && !is_repeated);
            if (is_new) {
                extent = here;
            } else if (here != extent && (here != 1 || is_repeated)) {
                throw shape_error(message("einsum '", equation, "': operand ", i, " of shape ", shapes[i],
                                          " has extent ", here, " along axis ", axis, ", expected ", extent));
            }
        }
        plan.operands.push_back(labels);
        if (comma == left.npos) break;
        start = comma + 1;
    }
    if (plan.operands.size() != shapes.size())
        refuse_equation(equation, message(plan.operands.size(), " terms for ", shapes.size(), " operands"));
    if (arrow == text.npos) {
        for (index_t k = ellipsis; k > 0; --k) plan.result += static_cast<char>(k);
        for (char c = 'A'; c <= 'z'; ++c)
            if (uses[static_cast<unsigned char>(c)] == 1) plan.result += c;
        return plan;
    }
    const std::string term = text.substr(arrow + 2);
    plan.result = expand_term(equation, term, 0, ellipsis);
    if (ellipsis > 0 && term.find("...") == term.npos) refuse_equation(equation, "the result drops the axes of '...'");
    for (std::size_t i = 0; i < plan.result.size(); ++i) {
        const char c = plan.result[i];
        if (plan.result.find(c) < i) refuse_equation(equation, message("label '", c, "' is twice in the result"));
        if (uses[static_cast<unsigned char>(c)] == 0)
            refuse_equation(equation, message("label '", c, "' is in no operand"));
    }
    return plan;
}

/// An array whose axes have labels, each once.
template <class T>
struct labelled {
    std::string labels;
    tensor_view<const T> view;
    tensor<T> own;  ///< what `view` sees, where that is a result of ours

    labelled(std::string names, tensor<T> values) : labels(std::move(names)), own(std::move(values)) {
        view = own.view();
    }

    /// An operand: repeated labels become the diagonal, and extents of one are stretched to that of their label.
    labelled(const std::string& names, const tensor_view<const T>& values, const einsum_plan& plan) {
        index_list extents;
        strides steps;
        for (std::size_t axis = 0; axis < names.size(); ++axis) {
            const index_t extent = plan.extents[static_cast<unsigned char>(names[axis])];
            const index_t step = values.shape()[axis] == 1 ? 0 : values.strides()[axis];
            if (const std::size_t at = labels.find(names[axis]); at != labels.npos) {
                steps[at] += step;
            } else {
                labels += names[axis];
                extents.push_back(extent);
                steps.push_back(step);
            }
        }
        view = {values.data(), edge::shape(extents), steps};
    }

    [[nodiscard]] index_t extent(char label) const { return view.shape()[labels.find(label)]; }
    [[nodiscard]] index_t extent(const std::string& names) const {
        index_t product = 1;
        for (const char c : names) product *= extent(c);
        return product;
    }

    /// Axes in another order, contiguous.
    [[nodiscard]] tensor<T> ordered(const std::string& names) const {
        index_list order;
        for (const char c : names) order.push_back(static_cast<index_t>(labels.find(c)));
        return eval(view.transpose(order));
    }
};

inline std::string those_in(const std::string& labels, const std::string& others, bool in = true) {
    std::string result;
    for (const char c : labels)
        if ((others.find(c) != others.npos) == in) result += c;
    return result;
}

/// Sums over the axes that are not in `kept`.
template <class T>
[[nodiscard]] labelled<T> sum_out(labelled<T> x, const std::string& kept, int threads) {
    const std::string rest = those_in(x.labels, kept);
    const std::string summed = those_in(x.labels, kept, false);
    if (summed.empty()) return x;
    index_list extents;
    for (const char c : rest) extents.push_back(x.extent(c));
    const shape result(extents);
    tensor<T> values = x.ordered(rest + summed);
    values.reshape({result.size(), values.size() == 0 ? x.extent(summed) : values.size() / result.size()});
    const axis_split split(values.shape(), 1, false);
    tensor<T> sums =
        split.extent == 0 ? tensor<T>(split.reduced) : reduce_axis<simd::detail::sum_of>(values.data(), split, threads);
    sums.reshape(result);
    return {rest, std::move(sums)};
}

/// c[batch, m, n] = Σ_k a[batch, m, k]·b[batch, k, n], all contiguous.
template <class T>
[[nodiscard]] tensor<T> multiply(const tensor<T>& a, const tensor<T>& b, index_t batch, index_t m, index_t k, index_t n,
                                 int threads) {
    using arch = simd::detail::default_arch;
    constexpr index_t width = simd::detail::panel<arch, T>;
    auto c = tensor<T>::uninitialized({batch, m, n});
    const index_t panels = (n + width - 1) / width;
    const index_t grain = 1 + elements_per_thread / (1 + m * k * width);
    run_parts(batch * panels, parallel_options{.threads = threads, .grain = grain}, [&](index_t first, index_t last) {
        auto packed = tensor<T>::uninitialized({(std::max)(k, index_t{1}), width});
        for (index_t i = first; i < last; ++i) {
            const index_t at = i / panels;
            const index_t column = i % panels * width;
            simd::detail::pack_panel<arch>(tensor_view<const T>(b.data() + at * k * n, {k, n}), column, packed.data());
            simd::detail::multiply_panel<arch>(a.data() + at * m * k, k, packed.data(), m, k,
                                               c.data() + at * m * n + column, n, (std::min)(width, n - column));
        }
    });
    return c;
}

/// The product of two arrays, summed over the labels that are not in `kept`.
template <class T>
[[nodiscard]] labelled<T> contract(labelled<T> a, labelled<T> b, const std::string& kept, int threads) {
    a = sum_out(std::move(a), b.labels + kept, threads);
    b = sum_out(std::move(b), a.labels + kept, threads);
    const std::string shared = those_in(a.labels, b.labels);
    const std::string batch = those_in(shared, kept);
    const std::string inner = those_in(shared, kept, false);
    const std::string rows = those_in(a.labels, shared, false);
    const std::string columns = those_in(b.labels, shared, false);
    const std::string labels = batch + rows + columns;
    index_list extents;
    for (const char c : batch + rows) extents.push_back(a.extent(c));
    for (const char c : columns) extents.push_back(b.extent(c));
    tensor<T> product = multiply(a.ordered(batch + rows + inner), b.ordered(batch + inner + columns), a.extent(batch),
                                 a.extent(rows), a.extent(inner), b.extent(columns), threads);
    product.reshape(shape(extents));
    return {labels, std::move(product)};
}

template <class T>
[[nodiscard]] tensor<T> run_einsum(const einsum_plan& plan, std::span<const tensor_view<const T>> operands,
                                   int threads) {
    labelled<T> total(plan.operands[0], operands[0], plan);
    for (std::size_t i = 1; i < operands.size(); ++i) {
        std::string kept = plan.result;
        for (std::size_t k = i + 1; k < operands.size(); ++k) kept += plan.operands[k];
        total = contract(std::move(total), labelled<T>(plan.operands[i], operands[i], plan), kept, threads);
    }
    return sum_out(std::move(total), plan.result, threads).ordered(plan.result);
}

}  // namespace detail

/// @throws argument_error  if the equation is not one, or does not fit the number and ranks of the operands
/// @throws shape_error     if extents of one label differ
template <element T>
requires(!std::same_as<T, bool>)
    [[nodiscard]] tensor<T> einsum(std::string_view equation, std::span<const tensor_view<const T>> operands,
                                   const compute_options& options = {}) {
    if (operands.empty()) detail::refuse_equation(equation, "no operands");
    std::vector<shape> shapes;
    for (const auto& view : operands) shapes.push_back(view.shape());
    return detail::run_einsum<T>(detail::plan_einsum(equation, shapes), operands, options.threads);
}

/// The same of arrays of one type.
template <number_array X, number_array... Rest>
requires(detail::tensor_traits<std::remove_cvref_t<X>>::value && (same_element_types<X, Rest> && ...))
    [[nodiscard]] auto einsum(std::string_view equation, const X& first, const Rest&... rest) {
    using T = value_type_of<X>;
    const tensor_view<const T> operands[] = {tensor_view<const T>(first), tensor_view<const T>(rest)...};
    return einsum<T>(equation, std::span<const tensor_view<const T>>(operands));
}

}  // namespace edge

// SPDX-License-Identifier: MIT
#pragma once

/// @file Sums of products by Einstein's notation, as NumPy's einsum.
///
///     auto c = edge::einsum("ij,jk->ik", a, b);                 // matrix product
///     auto scores = edge::einsum("bhsd,bhtd->bhst", q, k);      // attention
///     auto trace = edge::einsum("ii->", a);                     // diagonals, transposes and sums of one operand
///
/// Labels are letters; `...` stands for axes that broadcast; without `->` the result has the labels that occur once, in
/// alphabetical order. Three and more operands are joined two by two in the order that takes the fewest multiplications.
/// Each pair is a batch of matrix products, or of inner products or rows, of the operands where they lie, whatever the
/// order of their axes. Intermediate results have rank at most eight. The bits do not depend on the number of threads.

#include <edge/simd/detail/contract.hpp>
#include <edge/simd/detail/einsum_plan.hpp>
#include <edge/simd/evaluate.hpp>

namespace edge {

namespace detail {

/// An array whose axes have labels, each once, and none an extent of one.
template <class T>
struct labelled {
    const T* data = nullptr;
    index_list labels;
    strides steps;
    label_set set = 0;
    tensor<T> own;  ///< what `data` is in, where that is a result of ours

    labelled() = default;

    /// An operand: repeated labels become the diagonal.
    labelled(const tensor_view<const T>& view, const index_list& names) : data(view.data()) {
        for (std::size_t axis = 0; axis < names.size(); ++axis) {
            if (view.shape()[axis] == 1) continue;
            if ((set & set_of(names[axis])) == 0) {
                labels.push_back(names[axis]);
                steps.push_back(view.strides()[axis]);
                set |= set_of(names[axis]);
                continue;
            }
            for (std::size_t i = 0; i < labels.size(); ++i)
                if (labels[i] == names[axis]) steps[i] += view.strides()[axis];
        }
    }

    /// A row-major array to be written.
    labelled(const index_list& names, const einsum_plan& plan) : labels(names), set(set_of(names)) {
        index_list extents;
        for (const index_t label : names) extents.push_back(plan.extents[label]);
        const shape whole(extents);
        steps = whole.strides();
        own = tensor<T>::uninitialized(whole);
        data = own.data();
    }

    [[nodiscard]] index_t step(index_t label) const noexcept {
        if ((set & set_of(label)) == 0) return 0;
        std::size_t i = 0;
        while (labels[i] != label) ++i;
        return steps[i];
    }
};

/// c = a, its axes in another order.
template <class T>
void copy_labelled(const labelled<T>& a, labelled<T>& c, int threads) {
    strides steps;
    for (const index_t label : c.labels) steps.push_back(a.step(label));
    assign(c.own, tensor_view<const T>(a.data, c.own.shape(), steps), {.threads = threads});
}

/// c = Σ a·b over the labels that c lacks. Labels of an operand that neither the other nor c has were summed out before.
template <class T>
void multiply_labelled(const labelled<T>& a, const labelled<T>& b, labelled<T>& c, const einsum_plan& plan,
                       int threads) {
    simd::detail::product_plan product;
    const label_set shared = a.set & b.set;
    for_labels(a.set | b.set, [&](index_t label) {
        const label_set one = set_of(label);
        auto& kind = (c.set & one) == 0    ? product.inner
                     : (shared & one) != 0 ? product.batch
                     : (a.set & one) != 0  ? product.rows
                                           : product.columns;
        kind.add({plan.extents[label], a.step(label), b.step(label), c.step(label)});
    });
    product.join();
    T* const to = c.own.data();
    if (!simd::detail::is_fragmented(product)) return simd::detail::run_product(a.data, b.data, to, product, threads);
    // Copies whose axes of a kind follow each other, and so are one.
    index_list left;
    index_list right;
    index_list result;
    const auto append = [](label_set set, auto&... lists) {
        for_labels(set, [&](index_t label) { (lists.push_back(label), ...); });
    };
    append(shared & c.set, left, right, result);
    append(a.set & ~shared, left, result);
    append(shared & ~c.set, left, right);
    append(b.set & ~shared, right, result);
    labelled<T> a_copy(left, plan);
    copy_labelled(a, a_copy, threads);
    labelled<T> b_copy(right, plan);
    copy_labelled(b, b_copy, threads);
    labelled<T> c_copy(result, plan);
    multiply_labelled(a_copy, b_copy, c_copy, plan, threads);
    copy_labelled(c_copy, c, threads);
}

/// c = Σ a over the labels that c lacks.
template <class T>
void sum_labelled(const labelled<T>& a, labelled<T>& c, const einsum_plan& plan, int threads) {
    if ((a.set & ~c.set) == 0) return copy_labelled(a, c, threads);
    static constexpr T one = 1;
    simd::detail::product_plan product;
    for_labels(a.set, [&](index_t label) {
        auto& kind = (c.set & set_of(label)) != 0 ? product.batch : product.inner;
        kind.add({plan.extents[label], a.step(label), 0, c.step(label)});
    });
    simd::detail::run_product(a.data, &one, c.own.data(), product, threads);
}

/// Sums over the labels that are not in `kept`, if there are such.
template <class T>
void sum_out(labelled<T>& a, label_set kept, const einsum_plan& plan, int threads) {
    if ((a.set & ~kept) == 0) return;
    index_list rest;
    for (const index_t label : a.labels)
        if ((set_of(label) & kept) != 0) rest.push_back(label);
    labelled<T> sum(rest, plan);
    sum_labelled(a, sum, plan, threads);
    a = std::move(sum);
}

/// The product of two arrays in `c`, whose labels are those that are still needed.
template <class T>
void contract(labelled<T>& a, labelled<T>& b, labelled<T>& c, const einsum_plan& plan, int threads) {
    sum_out(a, b.set | c.set, plan, threads);
    sum_out(b, a.set | c.set, plan, threads);
    multiply_labelled(a, b, c, plan, threads);
}

template <class T>
[[nodiscard]] tensor<T> run_einsum(const einsum_plan& plan, std::span<const tensor_view<const T>> operands,
                                   int threads) {
    bool is_empty = false;
    for_labels(plan.used, [&](index_t label) { is_empty = is_empty || plan.extents[label] == 0; });
    if (is_empty) return tensor<T>(plan.result_shape());
    labelled<T> result(plan.result, plan);
    if (operands.size() == 1) {
        sum_labelled(labelled<T>(operands[0], plan.operands[0]), result, plan, threads);
        return std::move(result.own);
    }
    if (operands.size() == 2) {
        labelled<T> a(operands[0], plan.operands[0]);
        labelled<T> b(operands[1], plan.operands[1]);
        contract(a, b, result, plan, threads);
        return std::move(result.own);
    }
    std::vector<labelled<T>> arrays;
    std::vector<label_set> sets;
    arrays.reserve(operands.size());
    for (std::size_t i = 0; i < operands.size(); ++i) {
        arrays.emplace_back(operands[i], plan.operands[i]);
        sets.push_back(arrays[i].set);
    }
    const einsum_order order(sets, result.set, plan.extents);
    for (std::size_t i = 0; i < order.pairs.size(); ++i) {
        auto& a = arrays[order.pairs[i].first];
        auto& b = arrays[order.pairs[i].second];
        if (i + 1 == order.pairs.size()) {
            contract(a, b, result, plan, threads);
            break;
        }
        label_set needed = result.set;
        for (const auto& other : arrays)
            if (&other != &a && &other != &b) needed |= other.set;
        index_list labels;
        for_labels((a.set | b.set) & needed, [&](index_t label) { labels.push_back(label); });
        labelled<T> product(labels, plan);
        contract(a, b, product, plan, threads);
        a = std::move(product);
        b = labelled<T>();
    }
    return std::move(result.own);
}

}  // namespace detail

/// @throws argument_error  if the equation is not one, or does not fit the number and ranks of the operands
/// @throws shape_error     if extents of one label differ
template <element T>
requires(!std::same_as<T, bool>)
    [[nodiscard]] tensor<T> einsum(std::string_view equation, std::span<const tensor_view<const T>> operands,
                                   const compute_options& options = {}) {
    if (operands.empty()) detail::refuse_equation(equation, "no operands");
    std::vector<const shape*> shapes;
    shapes.reserve(operands.size());
    for (const auto& view : operands) shapes.push_back(&view.shape());
    return detail::run_einsum<T>(detail::einsum_plan(equation, shapes), operands, options.threads);
}

/// The same of arrays of one type.
template <number_array X, number_array... Rest>
requires(detail::tensor_traits<std::remove_cvref_t<X>>::value && (same_element_types<X, Rest> && ...))
    [[nodiscard]] auto einsum(std::string_view equation, const X& first, const Rest&... rest) {
    using T = value_type_of<X>;
    const tensor_view<const T> operands[] = {tensor_view<const T>(first), tensor_view<const T>(rest)...};
    return einsum<T>(equation, std::span<const tensor_view<const T>>(operands));
}

/// The shape of the result, for operands of these shapes.
/// @throws argument_error, shape_error  as `einsum`
[[nodiscard]] inline shape einsum_shape(std::string_view equation, std::span<const shape> operands) {
    std::vector<const shape*> shapes;
    for (const shape& s : operands) shapes.push_back(&s);
    return detail::einsum_plan(equation, shapes).result_shape();
}

}  // namespace edge

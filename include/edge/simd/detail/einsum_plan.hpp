// SPDX-License-Identifier: MIT
#pragma once

/// @file What an equation of einsum says: the labels of each operand's axes and of the result's, and their extents.

#include <edge/core/shape.hpp>

#include <algorithm>
#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::detail {

/// Labels are numbers in the order of an implicit result: the axes of `...`, 7 the last, then A to Z and a to z.
using label_set = std::uint64_t;
inline constexpr index_t last_of_ellipsis = 7;
inline constexpr std::size_t label_count = 60;

[[nodiscard]] constexpr index_t label_of(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? 8 + (c - 'A') : c >= 'a' && c <= 'z' ? 34 + (c - 'a') : -1;
}
[[nodiscard]] constexpr label_set set_of(index_t label) noexcept { return label_set{1} << label; }
[[nodiscard]] inline label_set set_of(const index_list& labels) noexcept {
    label_set set = 0;
    for (const index_t label : labels) set |= set_of(label);
    return set;
}

/// Calls `f(label)` for each label of a set, in order.
template <class F>
void for_labels(label_set set, F&& f) {
    for (; set != 0; set &= set - 1) f(static_cast<index_t>(std::countr_zero(set)));
}

[[noreturn]] inline void refuse_equation(std::string_view equation, std::string_view why) {
    throw argument_error(message("einsum '", equation, "': ", why));
}

struct einsum_plan {
    std::vector<index_list> operands;
    index_list result;
    index_t extents[label_count] = {};  ///< of each label
    label_set used = 0;

    /// @throws argument_error  if the equation is not one, or does not fit the number and ranks of the operands
    /// @throws shape_error     if extents of one label differ
    einsum_plan(std::string_view equation, std::span<const shape* const> shapes) : equation_(equation) {
        std::string text;
        for (const char c : equation) {
            if (static_cast<unsigned char>(c) >= 0x80) refuse_equation("?", "labels are ASCII letters");
            if (c != ' ') text += c;
        }
        const std::string_view whole = text;
        const std::size_t arrow = whole.find("->");
        const std::string_view left = whole.substr(0, arrow);
        operands.reserve(shapes.size());
        for (std::size_t start = 0;;) {
            const std::size_t comma = left.find(',', start);
            add_operand(left.substr(start, comma == left.npos ? comma : comma - start), shapes);
            if (comma == left.npos) break;
            start = comma + 1;
        }
        if (operands.size() != shapes.size())
            refuse_equation(equation, message(operands.size(), " terms for ", shapes.size(), " operands"));
        if (arrow == whole.npos) {
            for_labels(once_, [&](index_t label) { result.push_back(label); });
        } else {
            read_result(whole.substr(arrow + 2));
        }
    }

    [[nodiscard]] shape result_shape() const {
        index_list list;
        for (const index_t label : result) list.push_back(extents[label]);
        return shape(list);
    }

private:
    /// Calls `named(label)` and `ellipsis()` for what a term holds.
    template <class Named, class Ellipsis>
    void read_term(std::string_view term, Named&& named, Ellipsis&& ellipsis) const {
        bool has_ellipsis = false;
        for (std::size_t i = 0; i < term.size(); ++i) {
            if (const index_t label = label_of(term[i]); label >= 0) {
                named(label);
            } else if (term.substr(i, 3) == "..." && !has_ellipsis) {
                has_ellipsis = true;
                i += 2;
                ellipsis();
            } else {
                refuse_equation(equation_, message("'", term, "' is not letters with at most one '...'"));
            }
        }
    }

    void add_operand(std::string_view term, std::span<const shape* const> shapes) {
        const std::size_t i = operands.size();
        if (i == shapes.size()) refuse_equation(equation_, message("more terms than the ", shapes.size(), " operands"));
        const shape& extents_here = *shapes[i];
        const auto rank = static_cast<index_t>(extents_here.rank());
        index_t named = 0;
        bool has_ellipsis = false;
        read_term(
            term, [&](index_t) { ++named; }, [&] { has_ellipsis = true; });
        if (named > rank || (named < rank && !has_ellipsis))
            refuse_equation(equation_, message("'", term, "' does not fit operand ", i, " of shape ", extents_here));
        index_list labels;
        label_set here = 0;
        const auto add = [&](index_t label) {
            const std::size_t axis = labels.size();
            labels.push_back(label);
            const index_t extent = extents_here[axis];
            index_t& expected = extents[label];
            const bool is_new = (used & set_of(label)) == 0 || expected == 1;
            bool fits = is_new || extent == expected || extent == 1;
            if ((here & set_of(label)) != 0)  // a diagonal: of the same extent here
                for (std::size_t k = 0; k < axis; ++k) fits = fits && (labels[k] != label || extents_here[k] == extent);
            if (!fits)
                throw shape_error(message("einsum '", equation_, "': operand ", operands.size(), " of shape ",
                                          extents_here, " has extent ", extent, " along axis ", axis, ", expected ",
                                          expected));
            if (is_new) expected = extent;
            const bool is_once = (used & set_of(label)) == 0 || label <= last_of_ellipsis;
            once_ = is_once ? once_ | set_of(label) : once_ & ~set_of(label);
            used |= set_of(label);
            here |= set_of(label);
        };
        read_term(term, add, [&] {
            for (index_t k = rank - named; k > 0; --k) add(last_of_ellipsis + 1 - k);
            ellipsis_ = (std::max)(ellipsis_, rank - named);
        });
        operands.push_back(labels);
    }

    void read_result(std::string_view term) {
        label_set seen = 0;
        bool has_ellipsis = false;
        const auto add = [&](index_t label) {
            const char name = label < 34 ? static_cast<char>('A' + (label - 8)) : static_cast<char>('a' + (label - 34));
            if ((seen & set_of(label)) != 0)
                refuse_equation(equation_, message("label '", name, "' is twice in the result"));
            if ((used & set_of(label)) == 0) refuse_equation(equation_, message("label '", name, "' is in no operand"));
            seen |= set_of(label);
            result.push_back(label);
        };
        read_term(term, add, [&] {
            has_ellipsis = true;
            for (index_t k = ellipsis_; k > 0; --k) result.push_back(last_of_ellipsis + 1 - k);
        });
        if (ellipsis_ > 0 && !has_ellipsis) refuse_equation(equation_, "the result drops the axes of '...'");
    }

    std::string_view equation_;
    label_set once_ = 0;
    index_t ellipsis_ = 0;  ///< axes of the longest
};

/// Two arrays that are joined; their product takes the place of the first.
struct einsum_pair {
    std::size_t first;
    std::size_t second;
};

/// The order in which three or more arrays are joined: that of the fewest multiply-adds where they are up to eight, found by
/// way of all their subsets; beyond, the cheapest pair first.
class einsum_order {
public:
    /// @param sets     labels of each array
    /// @param result   labels that are not summed over
    einsum_order(std::span<const label_set> sets, label_set result, const index_t (&extents)[label_count])
        : sets_(sets.begin(), sets.end()), result_(result), extents_(extents) {
        pairs.reserve(sets_.size());
        if (sets_.size() <= most) {
            search();
        } else {
            take_cheapest();
        }
    }

    std::vector<einsum_pair> pairs;

private:
    static constexpr std::size_t most = 8;

    /// Multiply-adds of joining two arrays of these labels. What has more axes than an array can is taken last.
    [[nodiscard]] double cost_of(label_set labels, label_set left) const noexcept {
        double cost = std::popcount(left) > static_cast<int>(max_rank) ? 1e200 : 1;
        for_labels(labels, [&](index_t label) { cost *= static_cast<double>(extents_[label]); });
        return cost;
    }

    void search() {
        const unsigned all = (1U << sets_.size()) - 1;
        label_set left[1U << most];  // labels of the product of a subset
        double cost[1U << most];
        unsigned part[1U << most];
        for (unsigned subset = 1; subset <= all; ++subset) {
            label_set inside = 0;
            label_set outside = result_;
            for (std::size_t i = 0; i < sets_.size(); ++i) ((subset >> i & 1) != 0 ? inside : outside) |= sets_[i];
            left[subset] = inside & outside;
            cost[subset] = 0;
            if ((subset & (subset - 1)) == 0) {
                left[subset] = inside;
                continue;
            }
            cost[subset] = -1;
            const unsigned lowest = subset & (~subset + 1);
            for (unsigned a = (subset - 1) & subset; a != 0; a = (a - 1) & subset) {
                if ((a & lowest) == 0) continue;  // its mirror image comes, too
                const unsigned b = subset & ~a;
                const double c = cost[a] + cost[b] + cost_of(left[a] | left[b], left[subset]);
                if (cost[subset] >= 0 && c >= cost[subset]) continue;
                cost[subset] = c;
                part[subset] = a;
            }
        }
        list(all, part);
    }

    void list(unsigned subset, const unsigned* part) {
        if ((subset & (subset - 1)) == 0) return;
        const unsigned a = part[subset];
        const unsigned b = subset & ~a;
        list(a, part);
        list(b, part);
        pairs.push_back({static_cast<std::size_t>(std::countr_zero(a)), static_cast<std::size_t>(std::countr_zero(b))});
    }

    void take_cheapest() {
        std::vector<bool> is_there(sets_.size(), true);
        for (std::size_t step = 1; step < sets_.size(); ++step) {
            double least = -1;
            einsum_pair best{};
            for (std::size_t i = 0; i < sets_.size(); ++i)
                for (std::size_t j = i + 1; is_there[i] && j < sets_.size(); ++j) {
                    if (!is_there[j]) continue;
                    const double cost = cost_of(sets_[i] | sets_[j], left_of(i, j, is_there));
                    if (least >= 0 && cost >= least) continue;
                    least = cost;
                    best = {i, j};
                }
            sets_[best.first] = left_of(best.first, best.second, is_there);
            is_there[best.second] = false;
            pairs.push_back(best);
        }
    }

    [[nodiscard]] label_set left_of(std::size_t a, std::size_t b, const std::vector<bool>& is_there) const {
        label_set outside = result_;
        for (std::size_t i = 0; i < sets_.size(); ++i)
            if (is_there[i] && i != a && i != b) outside |= sets_[i];
        return (sets_[a] | sets_[b]) & outside;
    }

    std::vector<label_set> sets_;
    label_set result_;
    const index_t (&extents_)[label_count];
};

}  // namespace edge::detail

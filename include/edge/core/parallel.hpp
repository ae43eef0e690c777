// SPDX-License-Identifier: MIT
#pragma once

/// @file Threads: the only place that starts any.
///
///     edge::parallel_for(rows, {.threads = 2}, [&](edge::index_t first, edge::index_t last) { … });
///
/// With OpenMP (`-fopenmp`, target `edge::openmp`) the parts run on its threads, otherwise one after the other; a
/// program that has threads of its own plugs them in with `set_thread_pool`. A call inside a part runs serially.
/// The partition is a function of the count and the number of parts alone, so work that combines partial results in the
/// order of the parts gives the same bits each time.

#include <edge/core/shape.hpp>

#include <atomic>
#include <exception>
#include <utility>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace edge {

/// What the library asks of threads that a program brings.
class thread_pool {
public:
    virtual ~thread_pool() = default;

    /// How many parts can run at the same time, at least 1.
    [[nodiscard]] virtual int size() const noexcept = 0;

    /// Calls `part(context, i)` once for each i in [0, parts), in any order, and returns when all have. `part` does not throw.
    virtual void run(int parts, void (*part)(void* context, int i), void* context) = 0;
};

struct parallel_options {
    int threads = 0;     ///< 0: the process default
    index_t grain = 1;   ///< fewest elements worth a part of their own
    index_t align = 1;   ///< parts begin at multiples of this
};

namespace detail {

inline std::atomic<thread_pool*> user_pool{nullptr};
inline std::atomic<int> process_threads{0};
inline thread_local bool inside_part = false;

}  // namespace detail

/// Threads of `pool` from now on, or the library's own with nullptr. The pool must outlive its use.
inline void set_thread_pool(thread_pool* pool) noexcept { detail::user_pool.store(pool); }

/// Default number of threads of this process; 0 for as many as there are.
/// @throws argument_error  if it is negative
inline void set_threads(int threads) {
    if (threads < 0) throw argument_error(message("threads ", threads, "; expected 0 or more"));
    detail::process_threads.store(threads);
}

/// How many parts a call with no thread count of its own is cut into.
[[nodiscard]] inline int threads() noexcept {
    if (const int n = detail::process_threads.load()) return n;
    if (const thread_pool* pool = detail::user_pool.load()) return pool->size();
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return 1;
#endif
}

/// Part `i` of `parts` of [0, count): the same for the same numbers, parts differ by at most `align`.
[[nodiscard]] constexpr std::pair<index_t, index_t> partition(index_t count, int parts, int i, index_t align = 1) noexcept {
    const index_t blocks = (count + align - 1) / align;
    const index_t each = blocks / parts;
    const index_t extra = blocks % parts;
    const index_t first = each * i + (i < extra ? i : extra);
    const index_t last = first + each + (i < extra ? 1 : 0);
    const auto clamp = [count](index_t v) { return v < count ? v : count; };
    return {clamp(first * align), clamp(last * align)};
}

/// Number of parts that `parallel_for` cuts `count` elements into. O(1).
/// @throws argument_error  if an option is out of its range
[[nodiscard]] inline int parts_for(index_t count, const parallel_options& options = {}) {
    if (options.threads < 0) throw argument_error(message("threads ", options.threads, "; expected 0 or more"));
    if (options.grain < 1 || options.align < 1)
        throw argument_error(message("grain ", options.grain, ", align ", options.align, "; expected 1 or more"));
    if (detail::inside_part) return 1;
    const index_t most = count / options.grain;
    const int wanted = options.threads != 0 ? options.threads : threads();
    return most <= 1 ? 1 : most < wanted ? static_cast<int>(most) : wanted;
}

/// Calls `f(i)` once for each i in [0, parts), on as many threads as there are. Nested calls run serially.
/// The exception of the lowest part that threw is rethrown when all have ended.
template <class F>
void parallel_parts(int parts, F&& f) {
    if (parts <= 1 || detail::inside_part) {
        for (int i = 0; i < parts; ++i) f(i);
        return;
    }
    struct call {
        F& f;
        std::vector<std::exception_ptr> failures;
    } context{f, std::vector<std::exception_ptr>(static_cast<std::size_t>(parts))};
    const auto part = [](void* opaque, int i) {
        auto& c = *static_cast<call*>(opaque);
        detail::inside_part = true;
        try {
            c.f(i);
        } catch (...) {
            c.failures[static_cast<std::size_t>(i)] = std::current_exception();
        }
        detail::inside_part = false;
    };
    if (thread_pool* pool = detail::user_pool.load()) {
        pool->run(parts, part, &context);
    } else {
#if defined(_OPENMP)
#pragma omp parallel for num_threads(parts) schedule(static, 1)
#endif
        for (int i = 0; i < parts; ++i) part(&context, i);
    }
    for (const auto& failure : context.failures)
        if (failure) std::rethrow_exception(failure);
}

/// Calls `f(first, last)` for the parts of [0, count).
template <class F>
void parallel_for(index_t count, const parallel_options& options, F&& f) {
    if (count <= 0) return;
    const int parts = parts_for(count, options);
    parallel_parts(parts, [&](int i) {
        const auto [first, last] = partition(count, parts, i, options.align);
        if (first < last) f(first, last);
    });
}

/// Calls `f(i, part)` once for each i in [0, tasks), each on the next thread that is free: for tasks of different lengths.
/// Which of the `parts_for(tasks, options)` parts takes a task differs from call to call: `part` is for memory that is
/// used again, and a task's result goes to a place of its own.
/// The exception of the lowest task that threw is rethrown when all have ended.
template <class F>
void parallel_tasks(index_t tasks, const parallel_options& options, F&& f) {
    if (tasks <= 0) return;
    const int parts = parts_for(tasks, options);
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(tasks));
    std::atomic<index_t> next{0};
    parallel_parts(parts, [&](int part) {
        for (index_t i = next++; i < tasks; i = next++) {
            try {
                f(i, part);
            } catch (...) {
                failures[static_cast<std::size_t>(i)] = std::current_exception();
            }
        }
    });
    for (const auto& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

}  // namespace edge

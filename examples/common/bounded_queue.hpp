// SPDX-License-Identifier: MIT
#pragma once

/// @file A queue between two threads that holds a few things at most: who is too fast waits.
///
///     bounded_queue<frame> frames(2);
///     std::thread camera([&] { while (more) if (!frames.push(next())) break; frames.close(); });
///     while (auto f = frames.pop()) use(*f);

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

template <class T>
class bounded_queue {
public:
    explicit bounded_queue(std::size_t most) : most_(most) {}

    /// Waits for room. @return  false if the queue was closed, and what was given is lost
    bool push(T value) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return is_closed_ || values_.size() < most_; });
        if (is_closed_) return false;
        values_.push_back(std::move(value));
        something_.notify_one();
        return true;
    }

    /// Waits for something. @return  nothing once the queue is closed and empty
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        something_.wait(lock, [&] { return is_closed_ || !values_.empty(); });
        if (values_.empty()) return std::nullopt;
        std::optional<T> value(std::move(values_.front()));
        values_.pop_front();
        room_.notify_one();
        return value;
    }

    /// Nothing more comes, or is wanted.
    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        room_.notify_all();
        something_.notify_all();
    }

private:
    std::size_t most_;
    std::mutex mutex_;
    std::condition_variable room_, something_;
    std::deque<T> values_;
    bool is_closed_ = false;
};

// SPDX-License-Identifier: MIT
#pragma once

/// @file A queue between one thread (or interrupt) that samples and one that works.
///
///     edge::imu::ring<edge::imu::raw_sample, 1024> queue;
///     queue.push(sample);                    // producer; false and counted where it is full
///     const auto n = queue.pop(batch);       // consumer: oldest first
///
/// No locks, no allocation, no read-modify-write instructions: plain loads and stores, which a Cortex-M0 has. Each side
/// may be one thread only. Lamport 1977, "Proving the correctness of multiprocess programs"; both sides keep a copy of
/// the other's index, so that the cache line travels only when the copy is used up.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace edge::imu {

template <class T, std::size_t Capacity>
class ring {
    static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "the capacity of a ring is a power of two");
    static_assert(std::is_trivially_copyable_v<T>, "a ring holds plain values");

public:
    ring() = default;
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;

    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return Capacity; }

    /// Producer. A full ring keeps what it has: the new value is dropped and counted.
    bool push(const T& value) noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_seen_ == Capacity) {
            head_seen_ = head_.load(std::memory_order_acquire);
            if (tail - head_seen_ == Capacity) {
                overflows_.store(overflows_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
                return false;
            }
        }
        items_[tail & (Capacity - 1)] = value;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    /// Consumer: moves up to `into.size()` values to its front, oldest first. How many.
    std::size_t pop(std::span<T> into) noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (tail_seen_ - head < into.size()) tail_seen_ = tail_.load(std::memory_order_acquire);
        const std::size_t there = tail_seen_ - head;
        const std::size_t count = there < into.size() ? there : into.size();
        for (std::size_t i = 0; i < count; ++i) into[i] = items_[(head + i) & (Capacity - 1)];
        if (count > 0) head_.store(head + count, std::memory_order_release);
        return count;
    }

    /// Consumer: one value. False where there is none.
    bool pop(T& into) noexcept { return pop(std::span<T>(&into, 1)) == 1; }

    /// Values in it; a snapshot.
    [[nodiscard]] std::size_t size() const noexcept {
        const std::size_t head = head_.load(std::memory_order_acquire);
        return tail_.load(std::memory_order_acquire) - head;
    }

    /// Values that found the ring full, since the start.
    [[nodiscard]] std::uint32_t overflows() const noexcept { return overflows_.load(std::memory_order_relaxed); }

private:
    // Indices only grow and wrap with their type; what is apart here is written by different threads.
    alignas(64) std::atomic<std::size_t> tail_{0};
    std::size_t head_seen_ = 0;
    std::atomic<std::uint32_t> overflows_{0};
    alignas(64) std::atomic<std::size_t> head_{0};
    std::size_t tail_seen_ = 0;
    alignas(64) std::array<T, Capacity> items_{};
};

}  // namespace edge::imu

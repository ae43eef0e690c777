// SPDX-License-Identifier: MIT
#pragma once

/// @file 64 bytes asked a question each, the answers as the bits of a word: how text is searched.
///
///     const edge::simd::byte_block<Arch> block(text);          // 64 bytes
///     std::uint64_t commas = block.equal(',');                 // bit i: whether text[i] is one
///
/// xsimd 8.1 has no way from a comparison to bits. Without instructions for it, it takes words of eight bytes.
/// Sources: Intel intrinsics guide (movemask_epi8), Arm intrinsics reference (vpaddq_u8); for words: Mula, "SIMD-friendly
/// algorithms for substring searching", the exact test for zero bytes.

#include <edge/simd/interleave.hpp>

#include <bit>
#include <cstdint>
#include <cstring>

namespace edge::simd {

namespace detail {

/// The high bit of each byte, the lowest byte's first.
[[nodiscard]] constexpr std::uint64_t high_bits_of_word(std::uint64_t x) noexcept {
    return (x >> 7 & 0x0101010101010101U) * 0x0102040810204080U >> 56;
}

/// Bytes that are zero, as a high bit each; exact for every byte.
[[nodiscard]] constexpr std::uint64_t zero_bytes(std::uint64_t x) noexcept {
    constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7FU;
    return ~(((x & low) + low) | x | low);
}

}  // namespace detail

/// Eight bytes, the first one lowest.
[[nodiscard]] inline std::uint64_t load_word(const char* from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    if constexpr (std::endian::native == std::endian::big) {
        word = (word & 0x00000000FFFFFFFFU) << 32 | word >> 32;
        word = (word & 0x0000FFFF0000FFFFU) << 16 | (word >> 16 & 0x0000FFFF0000FFFFU);
        word = (word & 0x00FF00FF00FF00FFU) << 8 | (word >> 8 & 0x00FF00FF00FF00FFU);
    }
    return word;
}

/// 64 bytes in registers, of an architecture that has some for bytes: `byte_arch<Arch>`.
template <class Arch>
class byte_block {
public:
    explicit byte_block(const char* from) noexcept {
        for (int i = 0; i < 8; ++i) words_[i] = load_word(from + 8 * i);
    }

    /// Bit i: whether byte i is `c`.
    [[nodiscard]] std::uint64_t equal(char c) const noexcept {
        const std::uint64_t wanted = 0x0101010101010101U * static_cast<unsigned char>(c);
        std::uint64_t bits = 0;
        for (int i = 0; i < 8; ++i)
            bits |= detail::high_bits_of_word(detail::zero_bytes(words_[i] ^ wanted)) << (8 * i);
        return bits;
    }

    /// Bit i: whether byte i is 128 or more, as in text that is not ASCII.
    [[nodiscard]] std::uint64_t high() const noexcept {
        std::uint64_t bits = 0;
        for (int i = 0; i < 8; ++i) bits |= detail::high_bits_of_word(words_[i]) << (8 * i);
        return bits;
    }

private:
    std::uint64_t words_[8];
};

#if defined(__SSE2__)

template <class Arch>
requires(detail::is_sse2<Arch> && !detail::is_avx2<Arch>) class byte_block<Arch> {
public:
    explicit byte_block(const char* from) noexcept {
        for (int i = 0; i < 4; ++i) bytes_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16 * i));
    }
    [[nodiscard]] std::uint64_t equal(char c) const noexcept {
        std::uint64_t bits = 0;
        for (int i = 0; i < 4; ++i) bits |= bits_of(_mm_cmpeq_epi8(bytes_[i], _mm_set1_epi8(c))) << (16 * i);
        return bits;
    }
    [[nodiscard]] std::uint64_t high() const noexcept {
        std::uint64_t bits = 0;
        for (int i = 0; i < 4; ++i) bits |= bits_of(bytes_[i]) << (16 * i);
        return bits;
    }

private:
    static std::uint64_t bits_of(__m128i x) noexcept { return static_cast<unsigned>(_mm_movemask_epi8(x)); }
    __m128i bytes_[4];
};

#endif
#if defined(__AVX2__)

template <class Arch>
requires detail::is_avx2<Arch>
class byte_block<Arch> {
public:
    explicit byte_block(const char* from) noexcept {
        for (int i = 0; i < 2; ++i) bytes_[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i));
    }
    [[nodiscard]] std::uint64_t equal(char c) const noexcept {
        const __m256i wanted = _mm256_set1_epi8(c);
        return bits_of(_mm256_cmpeq_epi8(bytes_[0], wanted)) | bits_of(_mm256_cmpeq_epi8(bytes_[1], wanted)) << 32;
    }
    [[nodiscard]] std::uint64_t high() const noexcept { return bits_of(bytes_[0]) | bits_of(bytes_[1]) << 32; }

private:
    static std::uint64_t bits_of(__m256i x) noexcept { return static_cast<unsigned>(_mm256_movemask_epi8(x)); }
    __m256i bytes_[2];
};

#endif
#if defined(__AVX512BW__)

template <class Arch>
requires detail::is_avx512bw<Arch>
class byte_block<Arch> {
public:
    explicit byte_block(const char* from) noexcept : bytes_(_mm512_loadu_si512(from)) {}
    [[nodiscard]] std::uint64_t equal(char c) const noexcept {
        return _mm512_cmpeq_epi8_mask(bytes_, _mm512_set1_epi8(c));
    }
    [[nodiscard]] std::uint64_t high() const noexcept { return _mm512_movepi8_mask(bytes_); }

private:
    __m512i bytes_;
};

#endif
#if defined(__aarch64__)

template <class Arch>
requires detail::is_neon64<Arch>
class byte_block<Arch> {
public:
    explicit byte_block(const char* from) noexcept {
        for (int i = 0; i < 4; ++i) bytes_[i] = vld1q_u8(reinterpret_cast<const std::uint8_t*>(from) + 16 * i);
    }
    [[nodiscard]] std::uint64_t equal(char c) const noexcept {
        const uint8x16_t wanted = vdupq_n_u8(static_cast<std::uint8_t>(c));
        return bits_of(vceqq_u8(bytes_[0], wanted), vceqq_u8(bytes_[1], wanted), vceqq_u8(bytes_[2], wanted),
                       vceqq_u8(bytes_[3], wanted));
    }
    [[nodiscard]] std::uint64_t high() const noexcept {
        const uint8x16_t least = vdupq_n_u8(128);
        return bits_of(vcgeq_u8(bytes_[0], least), vcgeq_u8(bytes_[1], least), vcgeq_u8(bytes_[2], least),
                       vcgeq_u8(bytes_[3], least));
    }

private:
    /// Each byte keeps the bit of its place among eight; sums of neighbours, three times, then bring eight together.
    static std::uint64_t bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) noexcept {
        static constexpr std::uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t place = vld1q_u8(places);
        const uint8x16_t ab = vpaddq_u8(vandq_u8(a, place), vandq_u8(b, place));
        const uint8x16_t cd = vpaddq_u8(vandq_u8(c, place), vandq_u8(d, place));
        const uint8x16_t abcd = vpaddq_u8(ab, cd);
        return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(abcd, abcd)), 0);
    }
    uint8x16_t bytes_[4];
};

#endif

/// Bit i: whether an odd number of the bits 0 to i are set, so between a quote and the next, the first included.
[[nodiscard]] constexpr std::uint64_t prefix_xor(std::uint64_t bits) noexcept {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

}  // namespace edge::simd

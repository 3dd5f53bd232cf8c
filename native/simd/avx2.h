#pragma once

#include <immintrin.h>

#include <cstdint>

namespace {

using vec = __m256;
using lanes = __m256;  // result of a comparison: all bits of a lane set or clear
constexpr int64_t kWidth = 8;
constexpr int kRegisters = 16;

struct tail {
  __m256i mask;
};

DEPTHWISE_INLINE tail tail_of(int64_t n) {
  return {_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
}

DEPTHWISE_INLINE vec zero() { return _mm256_setzero_ps(); }
DEPTHWISE_INLINE vec set1(float x) { return _mm256_set1_ps(x); }
DEPTHWISE_INLINE vec load(const float* p) { return _mm256_loadu_ps(p); }
DEPTHWISE_INLINE vec keep(vec x) {
#if defined(__GNUC__)
  __asm__("" : "+x"(x));
#endif
  return x;
}
DEPTHWISE_INLINE vec load_tail(const float* p, tail t) { return _mm256_maskload_ps(p, t.mask); }
DEPTHWISE_INLINE void store(float* p, vec x) { _mm256_storeu_ps(p, x); }
DEPTHWISE_INLINE void prefetch_near(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
DEPTHWISE_INLINE void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1); }
DEPTHWISE_INLINE void store_tail(float* p, vec x, tail t) { _mm256_maskstore_ps(p, t.mask, x); }
// Two stores that overlap: AMD's processors before Zen 5 take a dozen cycles for a masked one.
DEPTHWISE_INLINE void store_but_last(float* p, vec x) {
  const __m128i low = _mm_castps_si128(_mm256_castps256_ps128(x));
  const __m128i high = _mm_castps_si128(_mm256_extractf128_ps(x, 1));
  _mm_storeu_ps(p, _mm_castsi128_ps(low));
  _mm_storeu_ps(p + 3, _mm_castsi128_ps(_mm_alignr_epi8(high, low, 12)));
}

struct part {
  __m256i mask;
};

// The masks of `first` and `end` are windows of this run of bits.
alignas(32) constexpr int32_t kPartBits[3 * kWidth] = {0,  0,  0,  0,  0, 0, 0, 0, -1, -1, -1, -1,
                                                       -1, -1, -1, -1, 0, 0, 0, 0, 0,  0,  0,  0};

DEPTHWISE_INLINE part part_of(int64_t first, int64_t end) {
  const auto bits = [](int64_t i) DEPTHWISE_LAMBDA_INLINE {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kPartBits + i));
  };
  return {_mm256_and_si256(bits(kWidth - first), bits(2 * kWidth - end))};
}
// Only a lane's top bit counts.
DEPTHWISE_INLINE part part_of_bits(uint64_t bits) {
  const __m256i to_top = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
  return {_mm256_sllv_epi32(_mm256_set1_epi32(static_cast<int>(bits)), to_top)};
}
DEPTHWISE_INLINE vec load_part(const float* p, part lanes) { return _mm256_maskload_ps(p, lanes.mask); }
DEPTHWISE_INLINE vec select_part(part lanes, vec yes, vec no) {
  return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(lanes.mask));
}

DEPTHWISE_INLINE vec evens(vec a, vec b) { return _mm256_shuffle_ps(a, b, 0x88); }
DEPTHWISE_INLINE vec odds(vec a, vec b) { return _mm256_shuffle_ps(a, b, 0xdd); }
DEPTHWISE_INLINE vec in_order(vec x) { return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8)); }

DEPTHWISE_INLINE vec add(vec a, vec b) { return _mm256_add_ps(a, b); }
DEPTHWISE_INLINE vec sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
DEPTHWISE_INLINE vec mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
DEPTHWISE_INLINE vec div(vec a, vec b) { return _mm256_div_ps(a, b); }
DEPTHWISE_INLINE vec fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
// Left to choose which operand an fma overwrites, GCC chooses others than the sum, and with sixteen registers spills
// sums into the loop for it.
DEPTHWISE_INLINE void add_product(vec& sum, vec a, vec b) {
#if defined(__GNUC__)
  __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
  sum = fma(a, b, sum);
#endif
}
DEPTHWISE_INLINE vec fma_part(part lanes, vec a, vec b, vec c) { return select_part(lanes, fma(a, b, c), c); }

// Both return their second operand where either is NaN, so x has to come second.
DEPTHWISE_INLINE vec max_nan(vec bound, vec x) { return _mm256_max_ps(bound, x); }
DEPTHWISE_INLINE vec min_nan(vec bound, vec x) { return _mm256_min_ps(bound, x); }
DEPTHWISE_INLINE vec clamp(vec x, vec lo, vec hi) { return min_nan(hi, max_nan(lo, x)); }

DEPTHWISE_INLINE vec abs(vec x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
DEPTHWISE_INLINE vec round(vec x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
DEPTHWISE_INLINE lanes less(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
DEPTHWISE_INLINE vec select(lanes m, vec yes, vec no) { return _mm256_blendv_ps(no, yes, m); }

using indices = __m256i;
DEPTHWISE_INLINE indices load_indices(const int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
DEPTHWISE_INLINE vec spread(const float* p, indices i) {
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), i);
}
DEPTHWISE_INLINE vec spread_part(const float* p, part lanes, indices i) {
  return _mm256_permutevar8x32_ps(_mm256_maskload_ps(p, lanes.mask), i);
}

template <int kCount>
DEPTHWISE_INLINE vec repeat(const float* p) {
  static_assert(kCount == 2 || kCount == 4);
  if (kCount == 4) {
    const __m128 four = _mm_loadu_ps(p);
    return _mm256_insertf128_ps(_mm256_castps128_ps256(four), four, 1);
  }
  const __m128i two = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castsi128_pd(two)));
}

DEPTHWISE_INLINE float sum(vec x) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

DEPTHWISE_INLINE vec permute(vec x, indices i) { return _mm256_permutevar8x32_ps(x, i); }
DEPTHWISE_INLINE vec pick(part lanes, vec x, indices i) { return select_part(lanes, permute(x, i), zero()); }
DEPTHWISE_INLINE vec pick(part lanes, vec a, vec b, indices i) {
  const vec from_b = _mm256_castsi256_ps(_mm256_slli_epi32(i, 28));  // the bit of value kWidth on top
  return select_part(lanes, _mm256_blendv_ps(permute(a, i), permute(b, i), from_b), zero());
}

DEPTHWISE_INLINE void transpose(vec (&x)[kWidth]) {
  vec y[kWidth];
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; i += 2) {
    y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; i += 4) {
    x[i] = _mm256_shuffle_ps(y[i], y[i + 2], 0x44);
    x[i + 1] = _mm256_shuffle_ps(y[i], y[i + 2], 0xee);
    x[i + 2] = _mm256_shuffle_ps(y[i + 1], y[i + 3], 0x44);
    x[i + 3] = _mm256_shuffle_ps(y[i + 1], y[i + 3], 0xee);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < 4; ++i) {
    y[i] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x20);
    y[i + 4] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x31);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) x[i] = y[i];
}

// 2^n for integral n in [-126, 127].
DEPTHWISE_INLINE vec pow2(vec n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

}  // namespace

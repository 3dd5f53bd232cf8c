#pragma once

#include <immintrin.h>

#include <cstdint>

namespace {

using vec = __m512;
using lanes = __mmask16;  // result of a comparison
constexpr int64_t kWidth = 16;
constexpr int kRegisters = 32;

struct tail {
  __mmask16 mask;
};

DEPTHWISE_INLINE tail tail_of(int64_t n) { return {static_cast<__mmask16>((1u << n) - 1u)}; }

DEPTHWISE_INLINE vec zero() { return _mm512_setzero_ps(); }
DEPTHWISE_INLINE vec set1(float x) { return _mm512_set1_ps(x); }
DEPTHWISE_INLINE vec load(const float* p) { return _mm512_loadu_ps(p); }
DEPTHWISE_INLINE vec keep(vec x) {
#if defined(__GNUC__)
  __asm__("" : "+v"(x));
#endif
  return x;
}
DEPTHWISE_INLINE vec load_tail(const float* p, tail t) { return _mm512_maskz_loadu_ps(t.mask, p); }
DEPTHWISE_INLINE void store(float* p, vec x) { _mm512_storeu_ps(p, x); }
DEPTHWISE_INLINE void prefetch_near(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
DEPTHWISE_INLINE void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1); }
DEPTHWISE_INLINE void store_tail(float* p, vec x, tail t) { _mm512_mask_storeu_ps(p, t.mask, x); }
DEPTHWISE_INLINE void store_but_last(float* p, vec x) { store_tail(p, x, {0x7fff}); }

struct part {
  __mmask16 mask;
};

DEPTHWISE_INLINE part part_of(int64_t first, int64_t end) {
  return {static_cast<__mmask16>(((1u << end) - 1u) & ~((1u << first) - 1u))};
}
DEPTHWISE_INLINE part part_of_bits(uint64_t bits) { return {static_cast<__mmask16>(bits)}; }
DEPTHWISE_INLINE vec load_part(const float* p, part lanes) { return _mm512_maskz_loadu_ps(lanes.mask, p); }
DEPTHWISE_INLINE vec select_part(part lanes, vec yes, vec no) { return _mm512_mask_blend_ps(lanes.mask, no, yes); }

DEPTHWISE_INLINE vec evens(vec a, vec b) { return _mm512_shuffle_ps(a, b, 0x88); }
DEPTHWISE_INLINE vec odds(vec a, vec b) { return _mm512_shuffle_ps(a, b, 0xdd); }
DEPTHWISE_INLINE vec in_order(vec x) {
  return _mm512_castpd_ps(_mm512_permutexvar_pd(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_castps_pd(x)));
}

DEPTHWISE_INLINE vec add(vec a, vec b) { return _mm512_add_ps(a, b); }
DEPTHWISE_INLINE vec sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
DEPTHWISE_INLINE vec mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
DEPTHWISE_INLINE vec div(vec a, vec b) { return _mm512_div_ps(a, b); }
DEPTHWISE_INLINE vec fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
DEPTHWISE_INLINE void add_product(vec& sum, vec a, vec b) { sum = fma(a, b, sum); }
DEPTHWISE_INLINE vec fma_part(part lanes, vec a, vec b, vec c) { return _mm512_mask3_fmadd_ps(a, b, c, lanes.mask); }

// Both return their second operand where either is NaN, so x has to come second.
DEPTHWISE_INLINE vec max_nan(vec bound, vec x) { return _mm512_max_ps(bound, x); }
DEPTHWISE_INLINE vec min_nan(vec bound, vec x) { return _mm512_min_ps(bound, x); }
DEPTHWISE_INLINE vec clamp(vec x, vec lo, vec hi) { return min_nan(hi, max_nan(lo, x)); }

DEPTHWISE_INLINE vec abs(vec x) { return _mm512_abs_ps(x); }
DEPTHWISE_INLINE vec round(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
DEPTHWISE_INLINE lanes less(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
DEPTHWISE_INLINE vec select(lanes m, vec yes, vec no) { return _mm512_mask_blend_ps(m, no, yes); }

using indices = __m512i;
DEPTHWISE_INLINE indices load_indices(const int32_t* p) { return _mm512_loadu_si512(p); }
DEPTHWISE_INLINE vec spread(const float* p, indices i) {
  return _mm512_permutexvar_ps(i, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}
DEPTHWISE_INLINE vec spread_part(const float* p, part lanes, indices i) {
  return _mm512_permutexvar_ps(i, _mm512_maskz_loadu_ps(lanes.mask, p));
}

template <int kCount>
DEPTHWISE_INLINE vec repeat(const float* p) {
  static_assert(kCount == 2 || kCount == 4);
  if (kCount == 4) return _mm512_maskz_broadcast_f32x4(0xffff, _mm_loadu_ps(p));
  const __m128i two = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm512_castpd_ps(_mm512_maskz_broadcastsd_pd(0xff, _mm_castsi128_pd(two)));
}

// Extracted with masks of all lanes, see transpose.
DEPTHWISE_INLINE float sum(vec x) {
  const __m256 low = _mm512_castps512_ps256(x);
  const __m256 high = _mm512_maskz_extractf32x8_ps(0xff, x, 1);
  const __m256 eight = _mm256_add_ps(low, high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

// Masks of all lanes: GCC 12 warns that the plain forms read an uninitialised operand.
DEPTHWISE_INLINE vec permute(vec x, indices i) { return _mm512_maskz_permutexvar_ps(0xffff, i, x); }
DEPTHWISE_INLINE vec pick(part lanes, vec x, indices i) { return _mm512_maskz_permutexvar_ps(lanes.mask, i, x); }
DEPTHWISE_INLINE vec pick(part lanes, vec a, vec b, indices i) {
  return _mm512_maskz_permutex2var_ps(lanes.mask, a, i, b);
}

DEPTHWISE_INLINE void transpose(vec (&x)[kWidth]) {
  vec y[kWidth];
  // Pairs of rows, then fours of rows: each 128-bit lane becomes a transposed 4x4 block.
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; i += 2) {
    y[i] = _mm512_maskz_unpacklo_ps(0xffff, x[i], x[i + 1]);
    y[i + 1] = _mm512_maskz_unpackhi_ps(0xffff, x[i], x[i + 1]);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; i += 4) {
    const __m512d a = _mm512_castps_pd(y[i]), b = _mm512_castps_pd(y[i + 2]);
    const __m512d c = _mm512_castps_pd(y[i + 1]), d = _mm512_castps_pd(y[i + 3]);
    x[i] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(0xff, a, b));
    x[i + 1] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(0xff, a, b));
    x[i + 2] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(0xff, c, d));
    x[i + 3] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(0xff, c, d));
  }
  // Then the 4x4 matrix of such lanes is transposed.
  DEPTHWISE_UNROLL
  for (int i = 0; i < 4; ++i) {
    const vec a = _mm512_maskz_shuffle_f32x4(0xffff, x[i], x[i + 4], 0x88),
              b = _mm512_maskz_shuffle_f32x4(0xffff, x[i + 8], x[i + 12], 0x88);
    const vec c = _mm512_maskz_shuffle_f32x4(0xffff, x[i], x[i + 4], 0xdd),
              d = _mm512_maskz_shuffle_f32x4(0xffff, x[i + 8], x[i + 12], 0xdd);
    y[i] = _mm512_maskz_shuffle_f32x4(0xffff, a, b, 0x88);
    y[i + 4] = _mm512_maskz_shuffle_f32x4(0xffff, c, d, 0x88);
    y[i + 8] = _mm512_maskz_shuffle_f32x4(0xffff, a, b, 0xdd);
    y[i + 12] = _mm512_maskz_shuffle_f32x4(0xffff, c, d, 0xdd);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) x[i] = y[i];
}

// 2^n for integral n in [-126, 127].
DEPTHWISE_INLINE vec pow2(vec n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}

}  // namespace

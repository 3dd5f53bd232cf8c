// Part of every AArch64 CPU. Lanes of uneven tails and parts are read and written one by one: Neon has no masks.
#pragma once

// On this architecture GCC schedules instructions before it allocates registers, too: it hoists the loads of the large
// tiles, and then spills sums in their innermost loops. CPUs reorder loads by themselves.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include <arm_neon.h>

#include <cstdint>

namespace {

using vec = float32x4_t;
using lanes = uint32x4_t;  // result of a comparison: all bits of a lane set or clear
constexpr int64_t kWidth = 4;
constexpr int kRegisters = 32;

struct tail {
  int64_t n;
};

DEPTHWISE_INLINE tail tail_of(int64_t n) { return {n}; }

DEPTHWISE_INLINE vec zero() { return vdupq_n_f32(0.0f); }
DEPTHWISE_INLINE vec set1(float x) { return vdupq_n_f32(x); }
DEPTHWISE_INLINE vec load(const float* p) { return vld1q_f32(p); }
DEPTHWISE_INLINE vec keep(vec x) {
  __asm__("" : "+w"(x));
  return x;
}
DEPTHWISE_INLINE vec load_tail(const float* p, tail t) {
  if (t.n == kWidth) return load(p);
  if (t.n >= 2) {
    const vec two = vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
    return t.n == 2 ? two : vld1q_lane_f32(p + 2, two, 2);
  }
  return t.n == 1 ? vld1q_lane_f32(p, zero(), 0) : zero();
}
DEPTHWISE_INLINE void store(float* p, vec x) { vst1q_f32(p, x); }
DEPTHWISE_INLINE void prefetch_near(const float* p) { __builtin_prefetch(p, 0, 3); }
DEPTHWISE_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }
DEPTHWISE_INLINE void store_tail(float* p, vec x, tail t) {
  if (t.n == kWidth) return store(p, x);
  if (t.n >= 2) {
    vst1_f32(p, vget_low_f32(x));
    if (t.n == 3) vst1q_lane_f32(p + 2, x, 2);
  } else if (t.n == 1) {
    vst1q_lane_f32(p, x, 0);
  }
}
DEPTHWISE_INLINE void store_but_last(float* p, vec x) { store_tail(p, x, {kWidth - 1}); }

struct part {
  uint32_t bits;
};

DEPTHWISE_INLINE part part_of(int64_t first, int64_t end) { return {((1u << end) - 1u) & ~((1u << first) - 1u)}; }
DEPTHWISE_INLINE part part_of_bits(uint64_t bits) { return {static_cast<uint32_t>(bits)}; }
DEPTHWISE_INLINE vec load_part(const float* p, part t) {
  if (t.bits == (1u << kWidth) - 1) return load(p);
  vec x = zero();
  if (t.bits & 1) x = vld1q_lane_f32(p, x, 0);
  if (t.bits & 2) x = vld1q_lane_f32(p + 1, x, 1);
  if (t.bits & 4) x = vld1q_lane_f32(p + 2, x, 2);
  if (t.bits & 8) x = vld1q_lane_f32(p + 3, x, 3);
  return x;
}

alignas(16) constexpr uint32_t kBitOfLane[kWidth] = {1, 2, 4, 8};

DEPTHWISE_INLINE vec select_part(part t, vec yes, vec no) {
  return vbslq_f32(vtstq_u32(vdupq_n_u32(t.bits), vld1q_u32(kBitOfLane)), yes, no);
}

DEPTHWISE_INLINE vec evens(vec a, vec b) { return vuzp1q_f32(a, b); }
DEPTHWISE_INLINE vec odds(vec a, vec b) { return vuzp2q_f32(a, b); }
DEPTHWISE_INLINE vec in_order(vec x) { return x; }

DEPTHWISE_INLINE vec add(vec a, vec b) { return vaddq_f32(a, b); }
DEPTHWISE_INLINE vec sub(vec a, vec b) { return vsubq_f32(a, b); }
DEPTHWISE_INLINE vec mul(vec a, vec b) { return vmulq_f32(a, b); }
DEPTHWISE_INLINE vec div(vec a, vec b) { return vdivq_f32(a, b); }
DEPTHWISE_INLINE vec fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
DEPTHWISE_INLINE void add_product(vec& sum, vec a, vec b) { sum = fma(a, b, sum); }
DEPTHWISE_INLINE vec fma_part(part lanes, vec a, vec b, vec c) { return select_part(lanes, fma(a, b, c), c); }

// Both return NaN where either operand is NaN; x is the only one that can be.
DEPTHWISE_INLINE vec max_nan(vec bound, vec x) { return vmaxq_f32(bound, x); }
DEPTHWISE_INLINE vec min_nan(vec bound, vec x) { return vminq_f32(bound, x); }
DEPTHWISE_INLINE vec clamp(vec x, vec lo, vec hi) { return min_nan(hi, max_nan(lo, x)); }

DEPTHWISE_INLINE vec abs(vec x) { return vabsq_f32(x); }
DEPTHWISE_INLINE vec round(vec x) { return vrndnq_f32(x); }
DEPTHWISE_INLINE lanes less(vec a, vec b) { return vcltq_f32(a, b); }
DEPTHWISE_INLINE vec select(lanes m, vec yes, vec no) { return vbslq_f32(m, yes, no); }

// TBL permutes bytes: lane i is the bytes 4 i to 4 i + 3.
using indices = uint8x16_t;
DEPTHWISE_INLINE indices load_indices(const int32_t* p) {
  const uint32x4_t lane = vreinterpretq_u32_s32(vld1q_s32(p));
  return vreinterpretq_u8_u32(vmlaq_u32(vdupq_n_u32(0x03020100), lane, vdupq_n_u32(0x04040404)));
}
DEPTHWISE_INLINE vec permute(vec x, indices i) { return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(x), i)); }
DEPTHWISE_INLINE vec pick(part lanes, vec x, indices i) { return select_part(lanes, permute(x, i), zero()); }
DEPTHWISE_INLINE vec pick(part lanes, vec a, vec b, indices i) {
  const uint8x16x2_t both = {{vreinterpretq_u8_f32(a), vreinterpretq_u8_f32(b)}};
  return select_part(lanes, vreinterpretq_f32_u8(vqtbl2q_u8(both, i)), zero());
}
DEPTHWISE_INLINE vec spread(const float* p, indices i) {
  return permute(vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f)), i);
}
DEPTHWISE_INLINE vec spread_part(const float* p, part lanes, indices i) { return permute(load_part(p, lanes), i); }

template <int kCount>
DEPTHWISE_INLINE vec repeat(const float* p) {
  static_assert(kCount == 2 || kCount == 4);
  if (kCount == 4) return load(p);
  return vcombine_f32(vld1_f32(p), vld1_f32(p));
}

DEPTHWISE_INLINE float sum(vec x) { return vaddvq_f32(x); }

DEPTHWISE_INLINE void transpose(vec (&x)[kWidth]) {
  const vec a = vzip1q_f32(x[0], x[2]), b = vzip2q_f32(x[0], x[2]);
  const vec c = vzip1q_f32(x[1], x[3]), d = vzip2q_f32(x[1], x[3]);
  x[0] = vzip1q_f32(a, c);
  x[1] = vzip2q_f32(a, c);
  x[2] = vzip1q_f32(b, d);
  x[3] = vzip2q_f32(b, d);
}

// 2^n for integral n in [-126, 127].
DEPTHWISE_INLINE vec pow2(vec n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}

}  // namespace

// Four floats a vector, in the compilers' own vector types: SSE2 on any x86-64, Neon on arm64, and
// plain code elsewhere, whatever the target's baseline is.
#pragma once

#include <cstdint>
#include <cstring>

namespace {

constexpr int64_t kWidth = 4;
constexpr int kRegisters = 16;

typedef float vec __attribute__((vector_size(16)));
typedef int32_t lanes __attribute__((vector_size(16)));

struct tail {
  int64_t n;
};

DEPTHWISE_INLINE tail tail_of(int64_t n) { return {n}; }

DEPTHWISE_INLINE vec set1(float x) { return vec{x, x, x, x}; }
DEPTHWISE_INLINE vec zero() { return set1(0.0f); }
DEPTHWISE_INLINE vec load(const float* p) {
  vec x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
DEPTHWISE_INLINE vec keep(vec x) { return x; }
DEPTHWISE_INLINE vec load_tail(const float* p, tail t) {
  vec x = zero();
  for (int64_t i = 0; i < t.n; ++i) x[i] = p[i];
  return x;
}
DEPTHWISE_INLINE void store(float* p, vec x) { __builtin_memcpy(p, &x, sizeof x); }
DEPTHWISE_INLINE void prefetch_near(const float* p) { __builtin_prefetch(p, 0, 3); }
DEPTHWISE_INLINE void prefetch(const float* p) { __builtin_prefetch(p, 0, 2); }
DEPTHWISE_INLINE void store_tail(float* p, vec x, tail t) {
  for (int64_t i = 0; i < t.n; ++i) p[i] = x[i];
}
DEPTHWISE_INLINE void store_but_last(float* p, vec x) { store_tail(p, x, {kWidth - 1}); }

struct part {
  uint64_t bits;
};

DEPTHWISE_INLINE part part_of(int64_t first, int64_t end) {
  return {((uint64_t{1} << end) - 1) & ~((uint64_t{1} << first) - 1)};
}
DEPTHWISE_INLINE part part_of_bits(uint64_t bits) { return {bits}; }
DEPTHWISE_NOINLINE vec load_lanes(const float* p, part t) {
  vec x = zero();
  for (int64_t i = 0; i < kWidth; ++i) {
    if (t.bits >> i & 1) x[i] = p[i];
  }
  return x;
}
DEPTHWISE_INLINE vec load_part(const float* p, part t) {
  return t.bits == (1u << kWidth) - 1 ? load(p) : load_lanes(p, t);
}
DEPTHWISE_INLINE vec select_part(part t, vec yes, vec no) {
  for (int64_t i = 0; i < kWidth; ++i) {
    if (t.bits >> i & 1) no[i] = yes[i];
  }
  return no;
}

DEPTHWISE_INLINE vec evens(vec a, vec b) { return vec{a[0], a[2], b[0], b[2]}; }
DEPTHWISE_INLINE vec odds(vec a, vec b) { return vec{a[1], a[3], b[1], b[3]}; }
DEPTHWISE_INLINE vec in_order(vec x) { return x; }

DEPTHWISE_INLINE vec add(vec a, vec b) { return a + b; }
DEPTHWISE_INLINE vec sub(vec a, vec b) { return a - b; }
DEPTHWISE_INLINE vec mul(vec a, vec b) { return a * b; }
DEPTHWISE_INLINE vec div(vec a, vec b) { return a / b; }
DEPTHWISE_INLINE vec fma(vec a, vec b, vec c) { return a * b + c; }
DEPTHWISE_INLINE void add_product(vec& sum, vec a, vec b) { sum = fma(a, b, sum); }
DEPTHWISE_INLINE vec fma_part(part lanes, vec a, vec b, vec c) { return select_part(lanes, fma(a, b, c), c); }

DEPTHWISE_INLINE lanes less(vec a, vec b) { return a < b; }
DEPTHWISE_INLINE vec select(lanes m, vec yes, vec no) { return (vec)((m & (lanes)yes) | (~m & (lanes)no)); }

// Both return x where either is NaN.
DEPTHWISE_INLINE vec max_nan(vec bound, vec x) { return select(x < bound, bound, x); }
DEPTHWISE_INLINE vec min_nan(vec bound, vec x) { return select(bound < x, bound, x); }
DEPTHWISE_INLINE vec clamp(vec x, vec lo, vec hi) { return min_nan(hi, max_nan(lo, x)); }

DEPTHWISE_INLINE vec abs(vec x) { return (vec)((lanes)x & 0x7fffffff); }
// For |x| < 2^22: adding and taking off 1.5 * 2^23 leaves the nearest integer.
DEPTHWISE_INLINE vec round(vec x) {
  const vec magic = set1(12582912.0f);
  return (x + magic) - magic;
}

struct indices {
  const int32_t* lane;
};
DEPTHWISE_INLINE indices load_indices(const int32_t* p) { return {p}; }
DEPTHWISE_INLINE vec spread(const float* p, indices i) {
  return vec{p[i.lane[0]], p[i.lane[1]], p[i.lane[2]], p[i.lane[3]]};
}
DEPTHWISE_INLINE vec spread_part(const float* p, part lanes, indices i) {
  vec x = zero();
  for (int64_t l = 0; l < kWidth; ++l) {
    if (lanes.bits >> i.lane[l] & 1) x[l] = p[i.lane[l]];
  }
  return x;
}

DEPTHWISE_INLINE float sum(vec x) { return (x[0] + x[2]) + (x[1] + x[3]); }

template <int kCount>
DEPTHWISE_INLINE vec repeat(const float* p) {
  return vec{p[0], p[1], p[2 % kCount], p[3 % kCount]};
}

DEPTHWISE_INLINE vec permute(vec x, indices i) { return vec{x[i.lane[0]], x[i.lane[1]], x[i.lane[2]], x[i.lane[3]]}; }
DEPTHWISE_INLINE vec pick(part lanes, vec x, indices i) { return select_part(lanes, permute(x, i), zero()); }
DEPTHWISE_INLINE vec pick(part lanes, vec a, vec b, indices i) {
  vec x = zero();
  for (int64_t l = 0; l < kWidth; ++l) {
    const int32_t from = i.lane[l];
    if (lanes.bits >> l & 1) x[l] = from < kWidth ? a[from] : b[from - kWidth];
  }
  return x;
}

DEPTHWISE_INLINE void transpose(vec (&x)[kWidth]) {
  const vec a = x[0], b = x[1], c = x[2], d = x[3];
  for (int i = 0; i < 4; ++i) x[i] = vec{a[i], b[i], c[i], d[i]};
}

// 2^n for integral n in [-126, 127].
DEPTHWISE_INLINE vec pow2(vec n) { return (vec)((__builtin_convertvector(n, lanes) + 127) << 23); }

}  // namespace

// One vector type per instruction set, chosen by the flag the object is compiled with. Everything lives
// in an unnamed namespace: the linker must never merge a function compiled for one CPU with another's.
//
// Each <isa>.h provides all of the following, and a primitive that is added here is added to every one of them:
// kernels name no instruction set. portable.h says in plain loops what each has to do, test/native/simd_test.cc holds
// all of them to it, and scripts/test_arm64.sh runs that on Neon.
//
// vec             kWidth floats; kRegisters of them fit into registers
// tail            the first n lanes, 0 <= n <= kWidth: tail_of(n)
// load, store     unaligned; load_tail gives zero in the other lanes and does not read their memory
// store_but_last  all lanes but the last, whose memory is not written
// prefetch        towards the second cache, prefetch_near the first; any address will do
// part            the lanes first <= i < end, 0 <= first, end <= kWidth: part_of(first, end); none where end <= first.
//                 Or any lanes: part_of_bits(bit i for lane i, no bits past kWidth).
//                 load_part is to it as load_tail is to tail; select_part(part, yes, no)
// keep            the same vector, in a register from here on: the compiler can't load it again instead
// spread(p, i)    lane l is p[i[l]], for indices below kWidth / 2: so many floats are read; spread_part only those
//                 of a part, and zero for the others. The indices stay where load_indices found them
// repeat<n>(p)    lane l is p[l % n], n = 2 or 4
// sum(x)          of all lanes
// permute(x, i)   lane l is x[i[l]], for indices below kWidth
// pick(part, x, i), pick(part, a, b, i)
//                 the same in the lanes of a part, zero in the others; of the 2 * kWidth floats of a and b
// transpose(x)    of a square of kWidth vectors: lane l of x[k] becomes lane k of x[l]
// evens, odds     of the 2 * kWidth floats of a and b, in the same odd order that in_order undoes
// add, sub, mul, div; zero(), set1(x) in all lanes
// fma(a, b, c)    a * b + c, one rounding but on portable; fma_part(part, a, b, c) in the lanes of a part, else c
// add_product(sum, a, b)
//                 sum = fma(a, b, sum), with all three in registers, sum in the same before and after
// max_nan(bound, x), min_nan(bound, x), clamp(x, lo, hi)
//                 NaN where x is NaN; the bounds never are
// less, select    select(less(a, b), yes, no); false where either is NaN
// abs(x)
// round(x)        to the nearest integer, to the even one of two; for |x| < 2^22
// pow2(n)         2^n, for integers from -126 to 127
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)
#define DEPTHWISE_INLINE __forceinline
#define DEPTHWISE_NOINLINE __declspec(noinline)
#define DEPTHWISE_LAMBDA_INLINE
#else
#define DEPTHWISE_INLINE inline __attribute__((always_inline))
#define DEPTHWISE_NOINLINE __attribute__((noinline))
#define DEPTHWISE_LAMBDA_INLINE __attribute__((always_inline))
#endif

// Before a loop with a constant count: the arrays that it indexes become registers.
#if defined(__clang__)
#define DEPTHWISE_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define DEPTHWISE_UNROLL _Pragma("GCC unroll 64")
#else
#define DEPTHWISE_UNROLL
#endif

namespace {

// The same value, of which the compiler knows nothing.
DEPTHWISE_INLINE uint32_t opaque(uint32_t x) {
#if defined(__GNUC__)
  __asm__ volatile("" : "+r"(x));
#endif
  return x;
}
template <class T>
DEPTHWISE_INLINE T* opaque(T* p) {
#if defined(__GNUC__)
  __asm__("" : "+r"(p));
#endif
  return p;
}

}  // namespace

// Whether this is the instruction set that every CPU has: kernels have fewer variants there, for the addon's size.
#if defined(DEPTHWISE_ISA_PORTABLE)
constexpr bool kBaseline = true;
#else
constexpr bool kBaseline = false;
#endif

#if defined(DEPTHWISE_ISA_AVX512)
#include "avx512.h"
#define DEPTHWISE_SYMBOL(name) name##_avx512
#elif defined(DEPTHWISE_ISA_AVX2)
#include "avx2.h"
#define DEPTHWISE_SYMBOL(name) name##_avx2
#elif defined(DEPTHWISE_ISA_NEON)
#include "neon.h"
#define DEPTHWISE_SYMBOL(name) name##_neon
#elif defined(DEPTHWISE_ISA_PORTABLE)
#include "portable.h"
#define DEPTHWISE_SYMBOL(name) name##_portable
#else
#error "compile kernels with one DEPTHWISE_ISA_* macro"
#endif

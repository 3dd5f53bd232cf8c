#include "primitives.h"

#include "simd/simd.h"

namespace depthwise {
namespace {

template <vec (*f)(vec)>
void unary(const float* x, float* y) {
  store(y, f(load(x)));
}
template <vec (*f)(vec, vec)>
void binary(const float* a, const float* b, float* y) {
  store(y, f(load(a), load(b)));
}
template <vec (*f)(vec, vec, vec)>
void ternary(const float* a, const float* b, const float* c, float* y) {
  store(y, f(load(a), load(b), load(c)));
}

void load_tail_of(const float* x, int64_t n, float* y) { store(y, load_tail(x, tail_of(n))); }
void store_tail_of(const float* x, int64_t n, float* y) { store_tail(y, load(x), tail_of(n)); }
void load_part_of(const float* x, int64_t first, int64_t end, float* y) { store(y, load_part(x, part_of(first, end))); }
void load_part_of_bits(const float* x, uint64_t bits, float* y) { store(y, load_part(x, part_of_bits(bits))); }
void select_part_of(uint64_t bits, const float* yes, const float* no, float* y) {
  store(y, select_part(part_of_bits(bits), load(yes), load(no)));
}
vec product_added(vec a, vec b, vec c) {
  add_product(c, a, b);
  return c;
}
void fma_part_of(uint64_t bits, const float* a, const float* b, const float* c, float* y) {
  store(y, fma_part(part_of_bits(bits), load(a), load(b), load(c)));
}

vec evens_in_order(vec a, vec b) { return in_order(evens(a, b)); }
void store_but_last_of(const float* x, float* y) { store_but_last(y, load(x)); }
vec odds_in_order(vec a, vec b) { return in_order(odds(a, b)); }
void permute_by(const float* x, const int32_t* i, float* y) { store(y, permute(load(x), load_indices(i))); }
void pick_by(uint64_t bits, const float* x, const int32_t* i, float* y) {
  store(y, pick(part_of_bits(bits), load(x), load_indices(i)));
}
void pick_of_two_by(uint64_t bits, const float* a, const float* b, const int32_t* i, float* y) {
  store(y, pick(part_of_bits(bits), load(a), load(b), load_indices(i)));
}
void spread_by(const float* x, const int32_t* i, float* y) { store(y, spread(x, load_indices(i))); }
void spread_part_by(const float* x, int64_t first, int64_t end, const int32_t* i, float* y) {
  store(y, spread_part(x, part_of(first, end), load_indices(i)));
}
template <int kCount>
void repeat_of(const float* x, float* y) {
  store(y, repeat<kCount>(x));
}
void transpose_square(float* rows) {
  vec x[kWidth];
  for (int64_t i = 0; i < kWidth; ++i) x[i] = load(rows + i * kWidth);
  transpose(x);
  for (int64_t i = 0; i < kWidth; ++i) store(rows + i * kWidth, x[i]);
}
float sum_of(const float* x) { return sum(load(x)); }
void select_less(const float* a, const float* b, const float* yes, const float* no, float* y) {
  store(y, select(less(load(a), load(b)), load(yes), load(no)));
}

#if defined(DEPTHWISE_ISA_PORTABLE)
constexpr bool kFuses = false;
#else
constexpr bool kFuses = true;
#endif

}  // namespace

extern const SimdPrimitives DEPTHWISE_SYMBOL(simd_primitives) = {
    kWidth,
    kFuses,
    load_tail_of,
    store_tail_of,
    load_part_of,
    load_part_of_bits,
    select_part_of,
    fma_part_of,
    store_but_last_of,
    binary<evens_in_order>,
    binary<odds_in_order>,
    permute_by,
    pick_by,
    pick_of_two_by,
    spread_by,
    spread_part_by,
    repeat_of<2>,
    repeat_of<4>,
    transpose_square,
    sum_of,
    binary<add>,
    binary<sub>,
    binary<mul>,
    binary<div>,
    binary<max_nan>,
    binary<min_nan>,
    ternary<fma>,
    ternary<product_added>,
    ternary<clamp>,
    select_less,
    unary<abs>,
    unary<round>,
    unary<pow2>,
};

}  // namespace depthwise

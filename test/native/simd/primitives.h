// The primitives of native/simd/simd.h behind plain arrays, compiled once per instruction set as kernels are. Arrays
// hold a vector where nothing else is said.
#pragma once

#include <cstdint>

namespace depthwise {

struct SimdPrimitives {
  using Unary = void (*)(const float* x, float* y);
  using Binary = void (*)(const float* a, const float* b, float* y);
  using Ternary = void (*)(const float* a, const float* b, const float* c, float* y);

  int64_t width;
  bool fuses;  // whether fma rounds once

  void (*load_tail)(const float* x, int64_t n, float* y);
  void (*store_tail)(const float* x, int64_t n, float* y);
  void (*load_part_of)(const float* x, int64_t first, int64_t end, float* y);
  void (*load_part_of_bits)(const float* x, uint64_t bits, float* y);
  void (*select_part)(uint64_t bits, const float* yes, const float* no, float* y);
  void (*fma_part)(uint64_t bits, const float* a, const float* b, const float* c, float* y);

  void (*store_but_last)(const float* x, float* y);
  Binary evens, odds;  // in order
  void (*permute)(const float* x, const int32_t* i, float* y);
  void (*pick)(uint64_t bits, const float* x, const int32_t* i, float* y);
  void (*pick_of_two)(uint64_t bits, const float* a, const float* b, const int32_t* i, float* y);
  void (*spread)(const float* x, const int32_t* i, float* y);
  void (*spread_part)(const float* x, int64_t first, int64_t end, const int32_t* i, float* y);
  Unary repeat_2, repeat_4;        // of an array of two or four
  void (*transpose)(float* rows);  // a square
  float (*sum)(const float* x);

  Binary add, sub, mul, div, max_nan, min_nan;
  Ternary fma, add_product, clamp;  // add_product: a * b added to c
  void (*select_less)(const float* a, const float* b, const float* yes, const float* no, float* y);
  Unary abs, round, pow2;
};

}  // namespace depthwise

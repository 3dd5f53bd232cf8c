// Between the layouts: planes to pixels and back, in squares of a vector's width.
#pragma once

#include <cstdint>

#include "../simd/simd.h"
#include "phases.h"

namespace depthwise {
namespace {

// One square of transpose_matrix(), at most kWidth each way.
template <bool kFull>
DEPTHWISE_INLINE void transpose_square(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to,
                                       int64_t to_pitch) {
  const tail in = tail_of(columns), out = tail_of(rows);
  vec x[kWidth];
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    x[i] = kFull ? load(from + i * from_pitch) : i < rows ? load_tail(from + i * from_pitch, in) : zero();
  }
  transpose(x);
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    if (kFull) {
      store(to + i * to_pitch, x[i]);
    } else if (i < columns) {
      store_tail(to + i * to_pitch, x[i], out);
    }
  }
}

DEPTHWISE_NOINLINE void transpose_edge(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to,
                                       int64_t to_pitch) {
  transpose_square<false>(from, from_pitch, rows, columns, to, to_pitch);
}

// for (r < rows) for (c < columns) to[c * to_pitch + r] = from[r * from_pitch + c]
//
// The last squares overlap those before them: masks take longer than what is done twice.
DEPTHWISE_NOINLINE void transpose_matrix(const float* from, int64_t from_pitch, int64_t rows, int64_t columns,
                                         float* to, int64_t to_pitch) {
  const int64_t last_row = max(0, rows - kWidth), last_column = max(0, columns - kWidth);
  for (int64_t i = 0; i < rows; i += kWidth) {
    const int64_t r = min(i, last_row);
    for (int64_t j = 0; j < columns; j += kWidth) {
      const int64_t c = min(j, last_column);
      const float* source = from + r * from_pitch + c;
      float* target = to + c * to_pitch + r;
      if (rows >= kWidth && columns >= kWidth) {
        transpose_square<true>(source, from_pitch, kWidth, kWidth, target, to_pitch);
      } else {
        transpose_edge(source, from_pitch, min(rows - r, kWidth), min(columns - c, kWidth), target, to_pitch);
      }
    }
  }
}

}  // namespace
}  // namespace depthwise

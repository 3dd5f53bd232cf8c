// What pointwise_nchw.cc reads in place of planes where a filter has more than one tap and few inputs: the inputs under
// each tap, as rows of a matrix.
//
//   for (input plane i, tap (ky, kx))  k = (i * filter_h + ky) * filter_w + kx
//     for (pixel m < count)  to[k * pitch + m] = input[i][row + ky * dilation][(column + m) * stride + kx * dilation]
//
// with zeros on padding. Each vector is a load at stride 1, and the even ones of two loads' floats at stride 2; it is
// worth its time where it serves many outputs.
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "phases.h"

namespace depthwise {
namespace {

constexpr int64_t kMostGatheredStride = 2;

// kWidth floats of a row from `column` on, zeros where that is not in [0, in_w).
DEPTHWISE_INLINE vec load_columns(const float* row, int64_t column, int64_t in_w) {
  const int64_t first = min(max(-column, 0), kWidth), end = min(max(in_w - column, 0), kWidth);
  return load_part(row + column, part_of(first, end));
}

// The floats of a row under a tap of `count` pixels, the first one's in `column`.
template <int S>
DEPTHWISE_INLINE void gather_tap(const float* row, int64_t column, int64_t in_w, int64_t count, float* to) {
  int64_t m = 0;
  const auto store_from = [&](const auto& load_from) DEPTHWISE_LAMBDA_INLINE {
    const int64_t at = column + m * S;
    if constexpr (S == 1) {
      store(to + m, load_from(at));
    } else {
      store(to + m, in_order(evens(load_from(at), load_from(at + kWidth))));
    }
  };
  const auto bordered = [&](int64_t at) DEPTHWISE_LAMBDA_INLINE { return load_columns(row, at, in_w); };
  for (; m < count && column + m * S < 0; m += kWidth) store_from(bordered);
  for (; m < count && column + (m + kWidth) * S <= in_w; m += kWidth) {
    store_from([&](int64_t at) DEPTHWISE_LAMBDA_INLINE { return load(row + at); });
  }
  for (; m < count; m += kWidth) store_from(bordered);
}

// The inputs of `count` pixels of output row `oy` from column `ox` on, of `planes` input planes; `pitch` is a multiple
// of kWidth, and not less than count.
DEPTHWISE_NOINLINE void gather_taps(const Problem& p, const float* input, int64_t planes, int64_t oy, int64_t ox,
                                    int64_t count, float* to, int64_t pitch) {
  for (int64_t i = 0; i < planes; ++i, input += p.in_h * p.in_w) {
    for (int64_t ky = 0; ky < p.filter_h; ++ky) {
      const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
      const float* row = input + iy * p.in_w;
      for (int64_t kx = 0; kx < p.filter_w; ++kx, to += pitch) {
        const int64_t column = ox * p.stride_w + kx * p.dilation_w - p.pad_left;
        if (iy < 0 || iy >= p.in_h) {
          for (int64_t m = 0; m < count; m += kWidth) store(to + m, zero());
        } else if (p.stride_w == 1) {
          gather_tap<1>(row, column, p.in_w, count, to);
        } else {
          gather_tap<2>(row, column, p.in_w, count, to);
        }
      }
    }
  }
}

}  // namespace
}  // namespace depthwise

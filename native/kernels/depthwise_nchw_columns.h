// The micro-kernel of depthwise_nchw.cc for filters of one row at stride 1, with no padding above or below: a row of
// outputs is a row of the input under one filter.
//
//   for (kVectors vectors of outputs)
//     for (kx)  sum += input[column + kx * dilation - pad_left] * taps[kx]
//
// Vectors some of whose taps lie on padding are computed one by one, their loads masked; zeros in place of columns on
// padding are exact while the weights are finite, which the caller has to know.
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "phases.h"

namespace depthwise {
namespace {

inline bool goes_by_columns(const Problem& p) {
  return p.filter_h == 1 && p.stride_h == 1 && p.stride_w == 1 && p.pad_top == 0 && p.out_h == p.in_h;
}

// kVectors vectors of outputs whose taps all lie in the row; `input` is the first one's first tap.
template <int kVectors>
DEPTHWISE_INLINE void add_columns(const Problem& p, const float* input, const float* taps, vec bias,
                                  const KernelArgs& args, float* output) {
  vec sum[kVectors];
  DEPTHWISE_UNROLL
  for (int i = 0; i < kVectors; ++i) sum[i] = bias;
  for (int64_t kx = 0; kx < p.filter_w; ++kx, input += p.dilation_w) {
    const vec weight = set1(taps[kx]);
    DEPTHWISE_UNROLL
    for (int i = 0; i < kVectors; ++i) sum[i] = fma(load(input + i * kWidth), weight, sum[i]);
  }
  if (args.clamps) {
    const vec lo = set1(args.lo), hi = set1(args.hi);
    DEPTHWISE_UNROLL
    for (int i = 0; i < kVectors; ++i) sum[i] = clamp(sum[i], lo, hi);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < kVectors; ++i) store(output + i * kWidth, sum[i]);
}

// One vector or less, some of whose taps lie on padding.
DEPTHWISE_NOINLINE void add_columns_at_edge(const Problem& p, const float* row, int64_t column, const float* taps,
                                            vec bias, const KernelArgs& args, float* output, int64_t width) {
  vec sum = bias;
  for (int64_t kx = 0; kx < p.filter_w; ++kx, column += p.dilation_w) {
    sum = fma(load_part(row + column, lanes_inside(column, p.in_w)), set1(taps[kx]), sum);
  }
  if (args.clamps) sum = clamp(sum, set1(args.lo), set1(args.hi));
  store_tail(output, sum, tail_of(width));
}

// Rows [first_row, end_row) of a plane of outputs under the filter at `taps`.
void run_by_columns(const KernelArgs& args, const float* input, const float* taps, float bias, float* output,
                    int64_t first_row, int64_t end_row) {
  const Problem& p = *args.problem;
  constexpr int kVectors = 4;
  const vec start = set1(bias);
  const int64_t inner_end = min(p.out_w, p.in_w - (p.filter_w - 1) * p.dilation_w + p.pad_left);
  for (int64_t y = first_row; y < end_row; ++y) {
    const float* const row = input + y * p.in_w;
    float* const out = output + y * p.out_w;
    for (int64_t x = 0; x < p.out_w;) {
      const float* const first = row + x - p.pad_left;
      if (x >= p.pad_left && x + kVectors * kWidth <= inner_end) {
        add_columns<kVectors>(p, first, taps, start, args, out + x);
        x += kVectors * kWidth;
      } else if (x >= p.pad_left && x + kWidth <= inner_end) {
        add_columns<1>(p, first, taps, start, args, out + x);
        x += kWidth;
      } else {
        add_columns_at_edge(p, row, x - p.pad_left, taps, start, args, out + x, min(p.out_w - x, kWidth));
        x += kWidth;
      }
    }
  }
}

}  // namespace
}  // namespace depthwise

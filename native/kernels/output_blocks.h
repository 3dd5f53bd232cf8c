// What grouped_nchw.cc and pointwise_nchw.cc share: the outputs of a group in blocks as equal as possible, weights
// packed by [group][block][input plane][ky][kx][output of the block], and the definition for weights that aren't
// finite.
#pragma once

#include "grouped.h"

namespace depthwise {
namespace {

// The output of a group with which block i of `blocks` begins.
inline int64_t block_begin(const Problem& p, int64_t blocks, int64_t i) { return i * (p.out_c / p.groups) / blocks; }

inline void pack_blocks(const Problem& p, int64_t blocks, const FilterView& filter, float* to) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, taps = p.filter_h * p.filter_w;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = block_begin(p, blocks, block), count = block_begin(p, blocks, block + 1) - first;
      const float* from = filter.data + (g * out_c + first) * filter.stride_o;
      if (filter.stride_o == 1) {
        for (int64_t tap = 0; tap < taps; ++tap) {
          const float* of_tap = from + tap / p.filter_w * filter.stride_h + tap % p.filter_w * filter.stride_w;
          copy_rows(of_tap, filter.stride_i, in_c, count, to + tap * count, taps * count);
        }
      } else {
        transpose_matrix(from, filter.stride_o, count, in_c * taps, to, count);
      }
      to += in_c * taps * count;
    }
  }
}

// The same, with the flag behind them.
inline void pack_blocks_with_flag(const Problem& p, const KernelPlan& plan, int64_t blocks, const FilterView& filter,
                                  float* packed) {
  pack_blocks(p, blocks, filter, packed);
  const int64_t floats = plan.packed_floats - kFlagFloats;
  vec check = zero();
  for (int64_t i = 0; i < floats; i += kWidth) {
    const int64_t left = min(floats - i, kWidth);
    check = fma(left == kWidth ? load(packed + i) : load_tail(packed + i, tail_of(left)), zero(), check);
  }
  store_finite_flag(plan, packed, all_finite(check));
}

// Where a weight isn't finite, it must not meet the zeros that stand for padding: the definition, pixel by pixel.
// weights: of a block of `outputs`; input, output: of the group's first plane and of the block's.
inline void run_carefully(const KernelArgs& args, const float* weights, const float* bias, int64_t outputs,
                          const float* input, float* output, int64_t first, int64_t end) {
  const Problem& p = *args.problem;
  const int64_t in_c = p.in_c / p.groups, taps = p.filter_h * p.filter_w;
  for (int64_t m = first; m < end; ++m) {
    const int64_t oy = m / p.out_w, ox = m % p.out_w;
    for (int64_t o = 0; o < outputs; ++o) {
      float sum = bias[o];
      for (int64_t i = 0; i < in_c; ++i) {
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t iy = oy * p.stride_h + tap / p.filter_w * p.dilation_h - p.pad_top;
          const int64_t ix = ox * p.stride_w + tap % p.filter_w * p.dilation_w - p.pad_left;
          if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
          sum += input[(i * p.in_h + iy) * p.in_w + ix] * weights[(i * taps + tap) * outputs + o];
        }
      }
      const tail one = tail_of(1);
      store_tail(output + o * p.out_h * p.out_w + m, clamp(set1(sum), set1(args.lo), set1(args.hi)), one);
    }
  }
}

}  // namespace
}  // namespace depthwise

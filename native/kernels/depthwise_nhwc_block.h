// The micro-kernel for every filter: P outputs of a row are summed in P registers.
//
//   for (output row)
//     for (filter row, G taps of it at a time)
//       G weights are loaded; each column of the input is loaded once and added to the outputs it reaches
//
// P + G - 1 loads of input and G of weights for P * G multiplications at stride 1. Registers: P sums, G weights, one
// input. Two FMAs a cycle of four cycles each want at least eight sums under way. Blocks inside the picture run without
// checks; at its edges each column is checked, so nothing is copied into a padded buffer and padding is never
// multiplied.
#pragma once

#include "depthwise_nhwc_strip.h"

namespace depthwise {
namespace {

// Adds the taps kx … kx + G - 1 of one filter row; `in` is where tap kx of the first output lies. S is the strip's
// column stride, or 0 for any. kFixed: kx is the same for all rows, and so are the bits of the columns reached.
template <int P, int G, int S, bool kEdge, bool kFixed>
DEPTHWISE_INLINE void add_taps(vec (&sum)[P], const Strip& s, const float* in, const float* weights, int64_t kx) {
  vec weight[G];
  DEPTHWISE_UNROLL
  for (int g = 0; g < G; ++g) weight[g] = keep(load(weights + g * s.weight_step));
  const int64_t begin = s.column_begin - kx, end = s.column_end - kx;
  if constexpr (S == 0) {
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) {
      DEPTHWISE_UNROLL
      for (int g = 0; g < G; ++g) {
        const int64_t column = p * s.column_stride + g;
        if (kEdge && (column < begin || column >= end || p >= s.columns)) continue;
        sum[p] = fma(load(in + column * s.in_column), weight[g], sum[p]);
      }
    }
  } else {
    constexpr int kColumns = (P - 1) * S + G;
    const uint32_t reached = kEdge && kFixed ? bits_inside(kColumns, begin, end) : 0;
    const uint64_t span = static_cast<uint64_t>(max(end - begin, 0));
    DEPTHWISE_UNROLL
    for (int column = 0; column < kColumns; ++column, in += s.in_column) {
      if (kEdge && (kFixed ? !(reached >> column & 1) : static_cast<uint64_t>(column - begin) >= span)) continue;
      const vec x = keep(load(in));
      DEPTHWISE_UNROLL
      for (int g = 0; g < G; ++g) {
        const int p = (column - g) / S;
        if (column >= g && (column - g) % S == 0 && p < P) sum[p] = fma(x, weight[g], sum[p]);
      }
    }
  }
}

// Adds a row of the filter. K is its width, or 0 for any.
template <int P, int K, int S, bool kEdge>
DEPTHWISE_INLINE void add_row(vec (&sum)[P], const Strip& s, const float* in, const float* weights) {
  if constexpr (K > 0 && (K <= 5 || P + K + 1 <= kRegisters)) {
    add_taps<P, K, S, kEdge, true>(sum, s, in, weights, 0);
  } else if constexpr (K > 0) {
    add_taps<P, 4, S, kEdge, true>(sum, s, in, weights, 0);
    add_taps<P, K - 4, S, kEdge, true>(sum, s, in + 4 * s.in_column, weights + 4 * s.weight_step, 4);
  } else {
    int64_t kx = 0;
    for (; kx + 4 <= s.filter_w; kx += 4) {
      add_taps<P, 4, S, kEdge, false>(sum, s, in, weights, kx);
      in += 4 * s.in_column;
      weights += 4 * s.weight_step;
    }
    if (s.filter_w & 2) {
      add_taps<P, 2, S, kEdge, false>(sum, s, in, weights, kx);
      in += 2 * s.in_column;
      weights += 2 * s.weight_step;
      kx += 2;
    }
    if (s.filter_w & 1) add_taps<P, 1, S, kEdge, false>(sum, s, in, weights, kx);
  }
}

// One vector of channels of the block's outputs in one row, of the filter's rows ky_begin <= ky < ky_end.
template <int P, int K, int S, bool kEdge>
DEPTHWISE_INLINE void output_row(const Strip& s, const float* in, float* out, const float* weights, const float* bias,
                                 int64_t ky_begin, int64_t ky_end) {
  vec sum[P];
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p) sum[p] = load(bias);
  in += ky_begin * s.in_row;
  weights += ky_begin * s.filter_w * s.weight_step;
  for (int64_t ky = ky_begin; ky < ky_end; ++ky, in += s.in_row, weights += s.filter_w * s.weight_step) {
    add_row<P, K, S, kEdge>(sum, s, in, weights);
  }
  if (s.clamps) {
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) sum[p] = clamp(sum[p], load(s.lo), load(s.hi));
  }
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p, out += s.out_column) {
    if (kEdge && p >= s.columns) break;
    store(out, sum[p]);
  }
}

// All channels of a block, up to two vectors at a time: so a pixel's cache lines are read one after the other.
template <int P, int K, int S, bool kEdge>
DEPTHWISE_NOINLINE void block(const Strip& strip) {
  Strip s = strip;
  // Columns past the last output's taps would only be added to sums that are not stored.
  if (kEdge) s.column_end = min(s.column_end, (s.columns - 1) * s.column_stride + s.filter_w);
  const int64_t in_step = s.row_stride * s.in_row;
  for (int64_t c = 0; c >= 0;) {
    const int64_t next = kWidth == 16 ? -1 : next_vector(strip, c);
    const int64_t last = next < 0 ? c : next;
    for (int64_t y = 0; y < s.rows; ++y) {
      const int64_t top = y * s.row_stride;
      const int64_t ky_begin = max(s.row_begin - top, 0), ky_end = min(s.row_end - top, s.filter_h);
      fetch_ahead<P>(s, y, c / kFloatsOfLine);
      for (int64_t v = c;; v = last) {
        output_row<P, K, S, kEdge>(s, s.in + y * in_step + v, s.out + y * s.out_row + v, s.weights + v, s.bias + v,
                                   ky_begin, ky_end);
        if (v == last) break;
      }
    }
    c = next_vector(strip, last);
  }
}

// The block widths of this instruction set, the second for the ends of rows and narrow pictures. Where an FMA is two
// instructions their products take registers too.
constexpr int kBlock = kRegisters >= 32 ? 14 : kWidth >= 8 ? 10 : 8;
constexpr int kHalfBlock = 7;
constexpr int64_t kHalfBlockTime = 9;  // its sums are too few, see count_wide

struct BlockKernel {
  const char* name;
  int64_t filter_w, column_stride;  // 0: any
  int64_t columns;                  // of a block
  StripFn inside, edge, half_inside, half_edge;
};

#define DEPTHWISE_BLOCK(name, P, K, S) \
  {name,                               \
   K,                                  \
   S,                                  \
   P,                                  \
   block<P, K, S, false>,              \
   block<P, K, S, true>,               \
   block<kHalfBlock, K, S, false>,     \
   block<kHalfBlock, K, S, true>}

constexpr BlockKernel kBlockKernels[] = {
#if !defined(DEPTHWISE_ISA_PORTABLE)
    DEPTHWISE_BLOCK("depthwise_nhwc_block_3", kBlock, 3, 1),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_3_s2", kBlock, 3, 2),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_5", kBlock, 5, 1),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_5_s2", kBlock, 5, 2),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_7", kBlock, 7, 1),
#endif
    DEPTHWISE_BLOCK("depthwise_nhwc_block", kBlock, 0, 1),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_s2", kBlock, 0, 2),
    // Rare, so of one width only.
    DEPTHWISE_BLOCK("depthwise_nhwc_block_any_stride", kHalfBlock, 0, 0),
};

#undef DEPTHWISE_BLOCK

// The strip in whole blocks, the last one of which may overlap the one before it; a narrower strip is one block. A
// block that reaches over the picture's edge or is not full takes the checked version.
DEPTHWISE_INLINE void run_blocks(const BlockKernel& kernel, const Strip& strip) {
  const int64_t most = kernel.columns;
  const bool is_one = strip.columns > kHalfBlock && strip.columns < most;
  const int64_t wide = is_one ? 1 : count_wide(strip.columns, most, kHalfBlock, kHalfBlockTime);
  for (int64_t i = 0, x = 0; x < strip.columns; ++i) {
    const bool half = i >= wide;
    const int64_t width = half ? kHalfBlock : most;
    const int64_t first = max(min(x, strip.columns - width), 0), end = min(first + width, strip.columns);
    const Strip s = columns_of_strip(strip, first, end);
    const bool inside =
        end - first == width && s.column_begin <= 0 && s.column_end >= (width - 1) * s.column_stride + s.filter_w;
    (inside ? half ? kernel.half_inside : kernel.inside : half ? kernel.half_edge : kernel.edge)(s);
    x += width;
  }
}

}  // namespace
}  // namespace depthwise

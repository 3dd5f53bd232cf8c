// The micro-kernel for every filter: P outputs of a row are summed in P registers.
//
//   for (output row)
//     for (filter row, G taps of it at a time)
//       G weights are loaded; each column of the input is loaded once and added to the outputs it reaches
//
// P + G - 1 loads of input and G of weights for P * G multiplications at stride 1. Registers: P sums, G weights, one
// input. Blocks inside the picture run without checks; at its edges each column is checked, so nothing is copied
// into a padded buffer and padding is never multiplied.
#pragma once

#include "depthwise_nhwc_strip.h"

namespace depthwise {
namespace {

template <bool kMasked>
DEPTHWISE_INLINE vec load_channels(const float* p, tail channels) {
  if constexpr (kMasked) return load_tail(p, channels);
  return load(p);
}

// Adds the taps kx … kx + G - 1 of one filter row; `in` is where tap kx of the first output lies. S is the strip's
// column stride, or 0 for any.
template <int P, int G, int S, bool kEdge, bool kMasked>
DEPTHWISE_INLINE void add_taps(vec (&sum)[P], const Strip& s, const float* in, const float* weights, int64_t kx,
                               tail channels) {
  vec weight[G];
  DEPTHWISE_UNROLL
  for (int g = 0; g < G; ++g) weight[g] = load_channels<kMasked>(weights + g * s.weight_step, channels);
  const int64_t begin = s.column_begin - kx, end = s.column_end - kx;
  if constexpr (S == 0) {
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) {
      DEPTHWISE_UNROLL
      for (int g = 0; g < G; ++g) {
        const int64_t column = p * s.column_stride + g;
        if (kEdge && (column < begin || column >= end || p >= s.columns)) continue;
        sum[p] = fma(load_channels<kMasked>(in + column * s.in_column, channels), weight[g], sum[p]);
      }
    }
  } else {
    DEPTHWISE_UNROLL
    for (int column = 0; column < (P - 1) * S + G; ++column, in += s.in_column) {
      if (kEdge && (column < begin || column >= end)) continue;
      const vec x = load_channels<kMasked>(in, channels);
      DEPTHWISE_UNROLL
      for (int g = 0; g < G; ++g) {
        const int p = (column - g) / S;
        if (column >= g && (column - g) % S == 0 && p < P) sum[p] = fma(x, weight[g], sum[p]);
      }
    }
  }
}

// K is the filter's width, or 0 for any.
template <int P, int K, int S, bool kEdge, bool kMasked>
DEPTHWISE_NOINLINE void block(const Strip& strip) {
  Strip s = strip;
  const tail channels = tail_of(s.channels % kWidth);
  // Columns past the last output's taps would only be added to sums that are not stored.
  if (kEdge) s.column_end = min(s.column_end, (s.columns - 1) * s.column_stride + s.filter_w);
  const int64_t in_tap = s.in_column, weight_tap = s.weight_step;
  for (int64_t y = 0; y < s.rows; ++y) {
    const int64_t top = y * s.row_stride;
    const int64_t ky_begin = max(s.row_begin - top, 0), ky_end = min(s.row_end - top, s.filter_h);
    vec sum[P];
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) sum[p] = load(s.bias);
    for (int64_t ky = ky_begin; ky < ky_end; ++ky) {
      const float* in = s.in + (top + ky) * s.in_row;
      const float* weights = s.weights + ky * s.filter_w * weight_tap;
      if constexpr (K == 3 || K == 5) {
        add_taps<P, K, S, kEdge, kMasked>(sum, s, in, weights, 0, channels);
      } else if constexpr (K == 7 && kRegisters >= 32) {
        add_taps<P, 7, S, kEdge, kMasked>(sum, s, in, weights, 0, channels);
      } else if constexpr (K == 7) {
        add_taps<P, 4, S, kEdge, kMasked>(sum, s, in, weights, 0, channels);
        add_taps<P, 3, S, kEdge, kMasked>(sum, s, in + 4 * in_tap, weights + 4 * weight_tap, 4, channels);
      } else {
        int64_t kx = 0;
        for (; kx + 4 <= s.filter_w; kx += 4) {
          add_taps<P, 4, S, kEdge, kMasked>(sum, s, in + kx * in_tap, weights + kx * weight_tap, kx, channels);
        }
        if (s.filter_w & 2) {
          add_taps<P, 2, S, kEdge, kMasked>(sum, s, in + kx * in_tap, weights + kx * weight_tap, kx, channels);
          kx += 2;
        }
        if (s.filter_w & 1) {
          add_taps<P, 1, S, kEdge, kMasked>(sum, s, in + kx * in_tap, weights + kx * weight_tap, kx, channels);
        }
      }
    }
    float* out = s.out + y * s.out_row;
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p, out += s.out_column) {
      if (kEdge && p >= s.columns) break;
      if (s.clamps) sum[p] = clamp(sum[p], load(s.lo), load(s.hi));
      if constexpr (kMasked) {
        store_tail(out, sum[p], channels);
      } else {
        store(out, sum[p]);
      }
    }
  }
}

// The block widths of this instruction set; the second is for what the first leaves of a row.
constexpr int kBlock = kRegisters >= 32 ? 14 : 8;
constexpr int kHalfBlock = kRegisters >= 32 ? 7 : 4;

struct BlockKernel {
  const char* name;
  int64_t filter_w, column_stride;  // 0: any
  bool masked;
  StripFn inside, edge, half_inside, half_edge;
};

#define DEPTHWISE_BLOCK(name, K, S, masked) \
  {name,                                    \
   K,                                       \
   S,                                       \
   masked,                                  \
   block<kBlock, K, S, false, masked>,      \
   block<kBlock, K, S, true, masked>,       \
   block<kHalfBlock, K, S, false, masked>,  \
   block<kHalfBlock, K, S, true, masked>}

constexpr BlockKernel kBlockKernels[] = {
    DEPTHWISE_BLOCK("depthwise_nhwc_masked", 0, 0, true),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_3", 3, 1, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_3_s2", 3, 2, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_5", 5, 1, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_5_s2", 5, 2, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_7", 7, 1, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_7_s2", 7, 2, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block", 0, 1, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_s2", 0, 2, false),
    DEPTHWISE_BLOCK("depthwise_nhwc_block_any_stride", 0, 0, false),
};

#undef DEPTHWISE_BLOCK

// The strip in blocks. A block that reaches over the picture's edge or is not full takes the checked version.
DEPTHWISE_INLINE void run_blocks(const BlockKernel& kernel, const Strip& strip) {
  Strip s = strip;
  for (int64_t x = 0; x < strip.columns;) {
    const int64_t left = strip.columns - x, width = left > kHalfBlock ? kBlock : kHalfBlock;
    const int64_t first = x * strip.column_stride;
    s.in = strip.in + first * strip.in_column;
    s.out = strip.out + x * strip.out_column;
    s.columns = min(left, width);
    s.column_begin = strip.column_begin - first;
    s.column_end = strip.column_end - first;
    const bool inside =
        left >= width && s.column_begin <= 0 && s.column_end >= (width - 1) * strip.column_stride + strip.filter_w;
    const bool half = width == kHalfBlock;
    (inside ? half ? kernel.half_inside : kernel.inside : half ? kernel.half_edge : kernel.edge)(s);
    x += s.columns;
  }
}

}  // namespace
}  // namespace depthwise

// The micro-kernel for 3x3 filters at stride 1 and 2: the nine weights stay in registers and sums roll along R rows of
// outputs at once.
//
//   for (column of the input)
//     for (each of its rows that the R output rows reach)
//       x is loaded once and added, with up to three taps each way, to the sums it reaches
//     the R sums that are complete are stored, the next ones move up
//
// Loads for R outputs at stride 1: R + 2, where a pixel on its own takes 9. Registers: 9 weights, 3 R sums (2 R at
// stride 2), one input.
#pragma once

#include "depthwise_nhwc_block.h"

namespace depthwise {
namespace {

// Sums that are under way in a row: the next output begins before the last one is complete.
template <int S>
constexpr int kRolling = S == 1 ? 3 : 2;

// The rows of the input that R rows of outputs reach, of which the first kTop and the last kBottom lie on padding.
template <int R, int S, int kTop, int kBottom>
struct RollRows {
  static constexpr int kBegin = kTop, kEnd = (R - 1) * S + 3 - kBottom;

  // Adds one column to sum[a], with the taps kx.
  static DEPTHWISE_INLINE void add(vec (&sum)[R], vec x, int i, const vec (&weight)[9], int kx) {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      const int ky = i - r * S;
      if (ky >= 0 && ky < 3) sum[r] = fma(x, weight[ky * 3 + kx], sum[r]);
    }
  }

  // Adds the S columns that complete the outputs j; `in` is the first of them.
  static DEPTHWISE_INLINE void add_columns(vec (&sum)[kRolling<S>][R], const vec (&weight)[9], const Strip& s,
                                           const float* in) {
    DEPTHWISE_UNROLL
    for (int column = 0; column < S; ++column, in += s.in_column) {
      const float* p = in + kBegin * s.in_row;
      DEPTHWISE_UNROLL
      for (int i = kBegin; i < kEnd; ++i, p += s.in_row) {
        const vec x = load(p);
        DEPTHWISE_UNROLL
        for (int a = 0; a < kRolling<S>; ++a) {
          const int kx = 3 - S + column - a * S;
          if (kx >= 0) add(sum[a], x, i, weight, kx);
        }
      }
    }
  }

  // The same, leaving out columns on padding and outputs that don't exist.
  static DEPTHWISE_INLINE void add_edge_columns(vec (&sum)[kRolling<S>][R], const vec (&weight)[9], const Strip& s,
                                                const float* in, int64_t j) {
    DEPTHWISE_UNROLL
    for (int column = 0; column < S; ++column, in += s.in_column) {
      const int64_t t = j * S + 3 - S + column;
      if (t < s.column_begin || t >= s.column_end) continue;
      DEPTHWISE_UNROLL
      for (int a = 0; a < kRolling<S>; ++a) {
        const int kx = 3 - S + column - a * S;
        if (kx < 0 || j + a < 0 || j + a >= s.columns) continue;
        const float* p = in + kBegin * s.in_row;
        DEPTHWISE_UNROLL
        for (int i = kBegin; i < kEnd; ++i, p += s.in_row) add(sum[a], load(p), i, weight, kx);
      }
    }
  }
};

// One vector of channels of R rows of outputs.
template <int R, int S, int kTop, int kBottom>
DEPTHWISE_INLINE void roll_rows(const vec (&weight)[9], const Strip& s, const float* bias, const float* in,
                                float* out) {
  using Rows = RollRows<R, S, kTop, kBottom>;
  vec sum[kRolling<S>][R];
  DEPTHWISE_UNROLL
  for (int a = 0; a < kRolling<S>; ++a) {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) sum[a][r] = load(bias);
  }
  const auto finish = [&]() DEPTHWISE_LAMBDA_INLINE {
    if (s.clamps) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[0][r] = clamp(sum[0][r], load(s.lo), load(s.hi));
    }
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) store(out + r * s.out_row, sum[0][r]);
    out += s.out_column;
  };
  const auto next = [&]() DEPTHWISE_LAMBDA_INLINE {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      DEPTHWISE_UNROLL
      for (int a = 0; a + 1 < kRolling<S>; ++a) sum[a][r] = sum[a + 1][r];
      sum[kRolling<S> - 1][r] = load(bias);
    }
  };
  // Outputs that take no checks: the columns that complete them and the next outputs exist.
  const int64_t first_inside = ceil_div(max(s.column_begin - (3 - S), 0), S);
  const int64_t end_inside = min(s.columns - kRolling<S> + 1, (s.column_end - 3 + S) / S);
  in += (S * (1 - kRolling<S>)+3 - S) * s.in_column;
  for (int64_t j = 1 - kRolling<S>; j < s.columns; ++j, in += S * s.in_column) {
    if (j == first_inside) {
      for (; j < end_inside; ++j, in += S * s.in_column) {
        Rows::add_columns(sum, weight, s, in);
        finish();
        next();
      }
    }
    Rows::add_edge_columns(sum, weight, s, in, j);
    if (j >= 0) finish();
    next();
  }
}

// The strip is a multiple of R rows high.
template <int R, int S>
DEPTHWISE_NOINLINE void roll(const Strip& strip) {
  const Strip s = strip;
  // Up to two vectors of channels go down the rows together: where two fill a cache line, it is fetched once.
  for (int64_t c = 0; c >= 0;) {
    const int64_t next = kWidth == 16 ? -1 : next_vector(s, c), last = next < 0 ? c : next;
    for (int64_t y = 0; y < s.rows; y += R) {
      const bool top = y * S<s.row_begin, bottom = (y + R - 1) * S + 3> s.row_end;
      for (int64_t v = c;; v = last) {
        vec weight[9];
        DEPTHWISE_UNROLL
        for (int k = 0; k < 9; ++k) weight[k] = load(s.weights + v + k * s.weight_step);
        const float* const in = s.in + v + y * S * s.in_row;
        float* const out = s.out + v + y * s.out_row;
        if (!top && !bottom) {
          roll_rows<R, S, 0, 0>(weight, s, s.bias + v, in, out);
        } else if (!top) {
          roll_rows<R, S, 0, 1>(weight, s, s.bias + v, in, out);
        } else if (!bottom) {
          roll_rows<R, S, 1, 0>(weight, s, s.bias + v, in, out);
        } else {
          roll_rows<R, S, 1, 1>(weight, s, s.bias + v, in, out);
        }
        if (v == last) break;
      }
    }
    c = next_vector(s, last);
  }
}

struct RollKernel {
  const char* name;
  int64_t stride;
  // Of how many rows at once, most first; then none, or the last takes one.
  struct {
    int64_t rows;
    StripFn run;
  } sizes[4];
};

#if defined(DEPTHWISE_ISA_AVX512)
constexpr RollKernel kRollKernels[] = {
    {"depthwise_nhwc_roll_3x3", 1, {{7, roll<7, 1>}, {4, roll<4, 1>}, {2, roll<2, 1>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_s2", 2, {{7, roll<7, 2>}, {4, roll<4, 2>}, {2, roll<2, 2>}, {1, roll<1, 2>}}},
};
#elif defined(DEPTHWISE_ISA_PORTABLE)
constexpr RollKernel kRollKernels[] = {{"", 0, {}}};  // none
#else
constexpr RollKernel kRollKernels[] = {
    {"depthwise_nhwc_roll_3x3", 1, {{2, roll<2, 1>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_s2", 2, {{3, roll<3, 2>}, {2, roll<2, 2>}, {1, roll<1, 2>}}},
};
#endif

// Whether at most the first and the last row of the input that the strip reaches lie on padding.
DEPTHWISE_INLINE bool can_roll(const Strip& s) {
  return s.row_begin <= 1 && (s.rows - 1) * s.row_stride + 2 <= s.row_end;
}

// The strip in runs of as many rows as there is a size of.
DEPTHWISE_INLINE void run_rolls(const RollKernel& kernel, const Strip& strip) {
  const auto* size = kernel.sizes;
  for (int64_t y = 0; y < strip.rows;) {
    const int64_t left = strip.rows - y;
    while (size->rows > left) ++size;
    const int64_t end = y + left / size->rows * size->rows;
    size->run(rows_of_strip(strip, y, end));
    y = end;
  }
}

}  // namespace
}  // namespace depthwise

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
//
// Where vectors are half a cache line and pixels lie so that their lines push each other out of the first cache, both
// vectors of a line roll together: each line is used up, and written, where it is touched. Registers: 6 R sums (4 R),
// one input; the weights are operands in memory.
#pragma once

#include "depthwise_nhwc_block.h"

namespace depthwise {
namespace {

// Sums that are under way in a row: the next output begins before the last one is complete.
template <int S>
constexpr int kRolling = S == 1 ? 3 : 2;

// The V vectors of channels that roll together, from channel c on: where each lies beside the first, and their weights.
// Those of one stay in registers. For those of two there are none left: they are copied from where each tap's may lie a
// multiple of a page from the last one's.
template <int V>
struct Vectors;

template <>
struct Vectors<1> {
  vec weights[9];
  DEPTHWISE_INLINE Vectors(const Strip& s, int64_t c, int64_t) {
    DEPTHWISE_UNROLL
    for (int k = 0; k < 9; ++k) weights[k] = load(s.weights + c + k * s.weight_step);
  }
  static DEPTHWISE_INLINE int64_t offset(int) { return 0; }
  DEPTHWISE_INLINE vec weight(int k, int) const { return weights[k]; }
};

template <>
struct Vectors<2> {
  alignas(64) float weights[9 * 2 * kWidth];
  int64_t second;
  DEPTHWISE_INLINE Vectors(const Strip& s, int64_t c, int64_t other) : second(other - c) {
    DEPTHWISE_UNROLL
    for (int k = 0; k < 9; ++k) {
      store(weights + 2 * k * kWidth, load(s.weights + c + k * s.weight_step));
      store(weights + (2 * k + 1) * kWidth, load(s.weights + other + k * s.weight_step));
    }
  }
  DEPTHWISE_INLINE int64_t offset(int v) const { return v == 0 ? 0 : second; }
  DEPTHWISE_INLINE vec weight(int k, int v) const { return load(weights + (2 * k + v) * kWidth); }
};

// The rows of the input that R rows of outputs reach. The first and the last one may lie on padding, which is compiled
// in where one vector rolls, and tested where two do.
template <int R, int S, int V, bool kTop, bool kBottom>
struct RollRows {
  static constexpr int kRows = (R - 1) * S + 3;
  using Sums = vec[kRolling<S>][R][V];
  bool top, bottom;

  DEPTHWISE_INLINE bool reads(int i) const {
    return V == 1 ? !(kTop && i == 0) && !(kBottom && i == kRows - 1) : !(top && i == 0) && !(bottom && i == kRows - 1);
  }

  // Adds one column to sum[a], with the taps kx.
  static DEPTHWISE_INLINE void add(vec (&sum)[R][V], vec x, int i, const Vectors<V>& vectors, int v, int kx) {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      const int ky = i - r * S;
      if (ky >= 0 && ky < 3) sum[r][v] = fma(x, vectors.weight(ky * 3 + kx, v), sum[r][v]);
    }
  }

  // Adds the S columns that complete the outputs j; `in` is the first of them.
  DEPTHWISE_INLINE void add_columns(Sums& sum, const Vectors<V>& vectors, const Strip& s, const float* in) const {
    DEPTHWISE_UNROLL
    for (int column = 0; column < S; ++column, in += s.in_column) {
      const float* p = in;
      DEPTHWISE_UNROLL
      for (int i = 0; i < kRows; ++i, p += s.in_row) {
        if (!reads(i)) continue;
        DEPTHWISE_UNROLL
        for (int v = 0; v < V; ++v) {
          vec x = load(p + vectors.offset(v));
          if (V > 1) x = keep(x);  // the weights are what is read from memory for every fma
          DEPTHWISE_UNROLL
          for (int a = 0; a < kRolling<S>; ++a) {
            const int kx = 3 - S + column - a * S;
            if (kx >= 0) add(sum[a], x, i, vectors, v, kx);
          }
        }
      }
    }
  }

  // The same, leaving out columns on padding and outputs that don't exist.
  DEPTHWISE_INLINE void add_edge_columns(Sums& sum, const Vectors<V>& vectors, const Strip& s, const float* in,
                                         int64_t j) const {
    DEPTHWISE_UNROLL
    for (int column = 0; column < S; ++column, in += s.in_column) {
      const int64_t t = j * S + 3 - S + column;
      if (t < s.column_begin || t >= s.column_end) continue;
      DEPTHWISE_UNROLL
      for (int a = 0; a < kRolling<S>; ++a) {
        const int kx = 3 - S + column - a * S;
        if (kx < 0 || j + a < 0 || j + a >= s.columns) continue;
        const float* p = in;
        DEPTHWISE_UNROLL
        for (int i = 0; i < kRows; ++i, p += s.in_row) {
          if (!reads(i)) continue;
          DEPTHWISE_UNROLL
          for (int v = 0; v < V; ++v) add(sum[a], load(p + vectors.offset(v)), i, vectors, v, kx);
        }
      }
    }
  }
};

// V vectors of channels of R rows of outputs.
template <int R, int S, int V, class Rows>
DEPTHWISE_INLINE void roll_rows(const Rows& rows, const Vectors<V>& vectors, const Strip& s, const float* bias,
                                const float* in, float* out) {
  typename Rows::Sums sum;
  const auto begin = [&](int a) DEPTHWISE_LAMBDA_INLINE {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sum[a][r][v] = load(bias + vectors.offset(v));
    }
  };
  DEPTHWISE_UNROLL
  for (int a = 0; a < kRolling<S>; ++a) begin(a);
  const auto finish = [&]() DEPTHWISE_LAMBDA_INLINE {
    if (s.clamps) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) {
        DEPTHWISE_UNROLL
        for (int v = 0; v < V; ++v) sum[0][r][v] = clamp(sum[0][r][v], load(s.lo), load(s.hi));
      }
    }
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) store(out + r * s.out_row + vectors.offset(v), sum[0][r][v]);
    }
    out += s.out_column;
  };
  const auto next = [&]() DEPTHWISE_LAMBDA_INLINE {
    DEPTHWISE_UNROLL
    for (int a = 0; a + 1 < kRolling<S>; ++a) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) {
        DEPTHWISE_UNROLL
        for (int v = 0; v < V; ++v) sum[a][r][v] = sum[a + 1][r][v];
      }
    }
    begin(kRolling<S> - 1);
  };
  // Outputs that take no checks: the columns that complete them and the next outputs exist.
  const int64_t first_inside = ceil_div(max(s.column_begin - (3 - S), 0), S);
  const int64_t end_inside = min(s.columns - kRolling<S> + 1, (s.column_end - 3 + S) / S);
  in += (S * (1 - kRolling<S>)+3 - S) * s.in_column;
  for (int64_t j = 1 - kRolling<S>; j < s.columns; ++j, in += S * s.in_column) {
    if (j == first_inside) {
      for (; j < end_inside; ++j, in += S * s.in_column) {
        rows.add_columns(sum, vectors, s, in);
        finish();
        next();
      }
    }
    rows.add_edge_columns(sum, vectors, s, in, j);
    if (j >= 0) finish();
    next();
  }
}

// V vectors, at channels c and `other`, of R rows from row y on.
template <int R, int S, int V>
DEPTHWISE_INLINE void roll_vectors(const Strip& s, int64_t y, int64_t c, int64_t other) {
  const bool top = y * S<s.row_begin, bottom = (y + R - 1) * S + 3> s.row_end;
  const Vectors<V> vectors(s, c, other);
  const float* const bias = s.bias + c;
  const float* const in = s.in + c + y * S * s.in_row;
  float* const out = s.out + c + y * s.out_row;
  const auto run = [&](auto rows) DEPTHWISE_LAMBDA_INLINE { roll_rows<R, S, V>(rows, vectors, s, bias, in, out); };
  if (V == 2 || (!top && !bottom)) {
    run(RollRows<R, S, V, false, false>{top, bottom});
  } else if (!top) {
    run(RollRows<R, S, V, false, true>{top, bottom});
  } else if (!bottom) {
    run(RollRows<R, S, V, true, false>{top, bottom});
  } else {
    run(RollRows<R, S, V, true, true>{top, bottom});
  }
}

// The strip is a multiple of R rows high. Where V is two a vector without a second is computed twice.
template <int R, int S, int V = 1>
DEPTHWISE_NOINLINE void roll(const Strip& strip) {
  const Strip s = strip;
  // Up to two vectors of channels go down the rows together: where two fill a cache line, it is fetched once.
  for (int64_t c = 0; c >= 0;) {
    const int64_t next = kWidth == 16 ? -1 : next_vector(s, c), last = next < 0 ? c : next;
    for (int64_t y = 0; y < s.rows; y += R) {
      for (int64_t v = c;; v = last) {
        roll_vectors<R, S, V>(s, y, v, last);
        if (V == 2 || v == last) break;
      }
    }
    c = next_vector(s, last);
  }
}

#if defined(DEPTHWISE_ISA_AVX2)
constexpr bool kRollsByLines = true;
#else
constexpr bool kRollsByLines = false;
#endif

struct RollKernel {
  const char* name;
  int64_t stride;
  bool by_lines;  // both vectors of a line together
  // Of how many rows at once, most first; then none, or the last takes one.
  struct {
    int64_t rows;
    StripFn run;
  } sizes[4];
};

constexpr RollKernel kRollKernels[] = {
#if defined(DEPTHWISE_ISA_AVX512)
    {"depthwise_nhwc_roll_3x3", 1, false, {{7, roll<7, 1>}, {4, roll<4, 1>}, {2, roll<2, 1>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_s2", 2, false, {{7, roll<7, 2>}, {4, roll<4, 2>}, {2, roll<2, 2>}, {1, roll<1, 2>}}},
#elif defined(DEPTHWISE_ISA_PORTABLE)
    {"", 0, false, {}},  // none
#elif defined(DEPTHWISE_ISA_AVX2)
    {"depthwise_nhwc_roll_3x3", 1, false, {{2, roll<2, 1>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_s2", 2, false, {{2, roll<2, 2>}, {1, roll<1, 2>}}},
    {"depthwise_nhwc_roll_3x3_lines", 1, true, {{2, roll<2, 1, 2>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_lines_s2", 2, true, {{2, roll<2, 2, 2>}, {1, roll<1, 2>}}},
#else
    {"depthwise_nhwc_roll_3x3", 1, false, {{2, roll<2, 1>}, {1, roll<1, 1>}}},
    {"depthwise_nhwc_roll_3x3_s2", 2, false, {{3, roll<3, 2>}, {2, roll<2, 2>}, {1, roll<1, 2>}}},
#endif
};

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

// The micro-kernel for 3x3 filters at stride 1 and 2 where pixels lie a multiple of 1 KiB apart, so that their lines
// share a few sets of the first cache, or come from memory: R rows of P outputs at once, and the channels as the
// innermost loop.
//
//   for (line of channels)
//     load the nine weights
//     for (row and column of the input that the R x P outputs reach, if it doesn't lie on padding)
//       x = load(input)                                   once, for up to nine FMAs
//       for (the outputs that it reaches)  sum += x * weight
//     store the R x P outputs
//
// Nothing is expected to stay in the first cache but what one turn of the loop reads: each line is used up where it is
// touched first. In AVX-512 lines are taken from both ends of the channels in turn: in order, what the processor
// fetches ahead of so many pixels would fall into the next few sets and push each other out before they are read.
// Vectors of half a line read what was fetched soon enough.
#pragma once

#include "depthwise_nhwc_strip.h"

namespace depthwise {
namespace {

// The inputs that one tile reaches: bit i for the row or column i, unless it lies on padding.
struct Reached {
  uint32_t rows, columns;
};

// One vector of channels; the strip is one tile, its pointers are at this vector.
template <int R, int P, int S>
DEPTHWISE_INLINE void tile_vector(const Strip& s, const Reached& reached, const float* in, float* out,
                                  const float* weights, const float* bias) {
  vec weight[9];
  DEPTHWISE_UNROLL
  for (int k = 0; k < 9; ++k) weight[k] = load(weights + k * s.weight_step);
  vec sum[R][P];
  DEPTHWISE_UNROLL
  for (int r = 0; r < R; ++r) {
    DEPTHWISE_UNROLL
    for (int q = 0; q < P; ++q) sum[r][q] = load(bias);
  }
  DEPTHWISE_UNROLL
  for (int i = 0; i < (R - 1) * S + 3; ++i, in += s.in_row) {
    if (!(reached.rows >> i & 1)) continue;
    // Left alone, GCC computes the addresses of all inputs first, for which there are no registers.
    const float* p = opaque(in);
    DEPTHWISE_UNROLL
    for (int j = 0; j < (P - 1) * S + 3; ++j, p += s.in_column) {
      if (!(reached.columns >> j & 1)) continue;
      const vec x = keep(load(p));
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) {
        const int ky = i - r * S;
        DEPTHWISE_UNROLL
        for (int q = 0; q < P; ++q) {
          const int kx = j - q * S;
          if (ky >= 0 && ky < 3 && kx >= 0 && kx < 3) sum[r][q] = fma(x, weight[ky * 3 + kx], sum[r][q]);
        }
      }
    }
  }
  if (s.clamps) {
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      DEPTHWISE_UNROLL
      for (int q = 0; q < P; ++q) sum[r][q] = clamp(sum[r][q], load(s.lo), load(s.hi));
    }
  }
  DEPTHWISE_UNROLL
  for (int r = 0; r < R; ++r) {
    DEPTHWISE_UNROLL
    for (int q = 0; q < P; ++q) {
      store(out, sum[r][q]);
      out = opaque(out + (q + 1 < P ? s.out_column : s.out_row - (P - 1) * s.out_column));
    }
  }
}

template <int R, int P, int S>
DEPTHWISE_NOINLINE void tile(const Strip& strip, const Reached& reached) {
  const Strip s = strip;
  // Lines as memory has them; the first and the last may belong to other channels, too.
  const int64_t before = static_cast<int64_t>(reinterpret_cast<uintptr_t>(s.in) / sizeof(float)) & (kFloatsOfLine - 1);
  const int64_t lines = ceil_div(s.channels + before, kFloatsOfLine);
  for (int64_t i = 0, done = -1; i < lines; ++i) {
    const int64_t from_ends = i % 2 == 0 ? i / 2 : lines - 1 - i / 2;
    const int64_t line = (kWidth == kFloatsOfLine ? from_ends : i) * kFloatsOfLine - before;
    DEPTHWISE_UNROLL
    for (int64_t y = 0; y < R; ++y) fetch_ahead<P>(s, y, i);
    for (int64_t v = 0; v < kFloatsOfLine; v += kWidth) {
      // Vectors that would leave the channels overlap their neighbours: the same operations give the same bits twice.
      const int64_t c = min(max(line + v, 0), s.channels - kWidth);
      if (c == done) continue;
      done = c;
      tile_vector<R, P, S>(s, reached, s.in + c, s.out + c, s.weights + c, s.bias + c);
    }
  }
}

// The strip is a multiple of R rows high and at least L <= P columns wide: tiles of P columns, then of L, of which the
// last one may overlap the one before it.
template <int R, int P, int L, int S>
void tiles(const Strip& strip) {
  const int64_t wide = count_wide(strip.columns, P, L, L + 1);
  for (int64_t y = 0; y < strip.rows; y += R) {
    const Strip rows = rows_of_strip(strip, y, y + R);
    const uint32_t reached_rows = bits_inside((R - 1) * S + 3, rows.row_begin, rows.row_end);
    for (int64_t i = 0, x = 0; x < strip.columns; ++i) {
      const bool is_wide = i < wide;
      const int64_t columns = is_wide ? P : L, first = min(x, strip.columns - columns);
      const Strip s = columns_of_strip(rows, first, first + columns);
      const Reached reached = {reached_rows, bits_inside((columns - 1) * S + 3, s.column_begin, s.column_end)};
      (is_wide ? tile<R, P, S> : tile<R, L, S>)(s, reached);
      x += columns;
    }
  }
}

struct TileKernel {
  const char* name;
  int64_t stride, rows, least_columns;
  StripFn run, run_row;  // whole tiles; a last row on its own
};

#define DEPTHWISE_TILE(name, R, P, L, S) {name, S, R, L, tiles<R, P, L, S>, tiles<1, P, L, S>}
constexpr TileKernel kTileKernels[] = {
#if defined(DEPTHWISE_ISA_PORTABLE)
    {"", 0, 0, 0, nullptr, nullptr},  // none
#else
#if defined(DEPTHWISE_ISA_AVX2)  // whose registers are too few for two rows
    DEPTHWISE_TILE("depthwise_nhwc_tile_3x3", 1, 6, 4, 1),
#else
    DEPTHWISE_TILE("depthwise_nhwc_tile_3x3", 2, 7, 4, 1),
#endif
    DEPTHWISE_TILE("depthwise_nhwc_tile_3x3_s2", 2, 2, 2, 2),
#endif
};
#undef DEPTHWISE_TILE

DEPTHWISE_INLINE bool can_tile(const TileKernel& kernel, const Strip& s) { return s.columns >= kernel.least_columns; }

DEPTHWISE_INLINE void run_tiles(const TileKernel& kernel, const Strip& strip) {
  const int64_t whole = strip.rows / kernel.rows * kernel.rows;
  kernel.run(rows_of_strip(strip, 0, whole));
  if (whole < strip.rows) kernel.run_row(rows_of_strip(strip, whole, strip.rows));
}

}  // namespace
}  // namespace depthwise

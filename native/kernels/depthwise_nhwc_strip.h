// What both micro-kernels of depthwise_nhwc.cc compute: a strip, `columns` outputs wide and `rows` outputs high, of
// one phase (see phases.h).
//
//   for (output row y, column x; channel)
//     sum = bias
//     for (ky < filter_h with row_begin <= y * row_stride + ky < row_end)
//       for (kx < filter_w with column_begin <= x * column_stride + kx < column_end)
//         sum += in[(y * row_stride + ky) * in_row + (x * column_stride + kx) * in_column]
//                * weights[(ky * filter_w + kx) * weight_step]
//     out[y * out_row + x * out_column] = min(hi, max(lo, sum))
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "fetch_ahead.h"
#include "phases.h"

namespace depthwise {
namespace {

struct Strip {
  const float* in;  // tap (0, 0) of output (0, 0), which may lie on padding, outside of the array
  float* out;
  const float* weights;
  const float* bias;
  int64_t rows, columns;
  int64_t filter_h, filter_w, weight_step;
  int64_t row_stride, column_stride;
  int64_t row_begin, row_end, column_begin, column_end;  // where taps fall on the input
  int64_t in_row, in_column, out_row, out_column;        // floats
  const float *lo, *hi;  // vectors, in memory: loaded beside a branch on `clamps` they cost the others no registers
  bool clamps;
  int64_t channels;
  bool fetches;   // asks for memory, see fetch_ahead
  int64_t shift;  // the second vector of channels begins here, at a multiple of its size in memory; 0: at kWidth
};

// The channel at which the vector after that at c begins, -1 after the last. Where the channels don't fill their last
// vector it overlaps its neighbour: the same operations in the same order give the same bits twice.
DEPTHWISE_INLINE int64_t next_vector(const Strip& s, int64_t c) {
  if (c + kWidth >= s.channels) return -1;
  return min(c == 0 && s.shift > 0 ? s.shift : c + kWidth, s.channels - kWidth);
}

// Outputs [begin, end) of each row of the strip.
DEPTHWISE_INLINE Strip columns_of_strip(const Strip& strip, int64_t begin, int64_t end) {
  const int64_t first = begin * strip.column_stride;
  Strip s = strip;
  s.in += first * s.in_column;
  s.out += begin * s.out_column;
  s.columns = end - begin;
  s.column_begin -= first;
  s.column_end -= first;
  return s;
}

// Rows [begin, end) of outputs of the strip.
DEPTHWISE_INLINE Strip rows_of_strip(const Strip& strip, int64_t begin, int64_t end) {
  const int64_t first = begin * strip.row_stride;
  Strip s = strip;
  s.in += first * s.in_row;
  s.out += begin * s.out_row;
  s.rows = end - begin;
  s.row_begin -= first;
  s.row_end -= first;
  return s;
}

// The same outputs of a strip with a filter of one column, whose weights have one order either way.
inline Strip with_axes_swapped(const Strip& strip) {
  Strip s = strip;
  s.rows = strip.columns, s.columns = strip.rows;
  s.filter_h = strip.filter_w, s.filter_w = strip.filter_h;
  s.row_stride = strip.column_stride, s.column_stride = strip.row_stride;
  s.row_begin = strip.column_begin, s.column_begin = strip.row_begin;
  s.row_end = strip.column_end, s.column_end = strip.row_end;
  s.in_row = strip.in_column, s.in_column = strip.in_row;
  s.out_row = strip.out_column, s.out_column = strip.out_row;
  return s;
}

// The bits i < count <= 32 with begin <= i < end.
DEPTHWISE_INLINE uint32_t bits_inside(int64_t count, int64_t begin, int64_t end) {
  const int64_t from = max(begin, 0), to = min(end, count);
  return from < to ? static_cast<uint32_t>((uint64_t{1} << to) - (uint64_t{1} << from)) : 0;
}

// How a row is cut into blocks of `most` columns, where it has as many, and then of `least`: returns how many of the
// former take the least time. A wide block takes as long as its columns and one more, for the inputs beside them.
DEPTHWISE_INLINE int64_t count_wide(int64_t columns, int64_t most, int64_t least, int64_t least_time) {
  if (columns < most) return 0;
  int64_t best = ceil_div(columns, most), best_time = best * (most + 1);
  for (int64_t wide = best - 1; wide >= 0; --wide) {
    const int64_t time = wide * (most + 1) + ceil_div(columns - wide * most, least) * least_time;
    if (time < best_time) best = wide, best_time = time;
  }
  return best;
}

// Asks for memory while a step computes one line of channels of P neighbouring outputs in row y. The strip has all
// channels of its pixels, so the steps of P outputs together read and write one stretch of each row, and so will those
// of the next P. Step i asks for the i-th run of P lines of such a stretch, of the rows that no outputs above have
// read.
template <int P>
DEPTHWISE_INLINE void fetch_ahead(const Strip& s, int64_t y, int64_t step) {
  if (!kFetchesAhead || !s.fetches) return;
  const int64_t floats = P * kFloatsOfLine;
  const float* in = s.in + ((y - 1) * s.row_stride + s.filter_h) * s.in_row + (s.filter_w - 1) * s.in_column +
                    kFloatsAhead + step * s.column_stride * floats;
  for (int64_t row = 0; row < s.row_stride; ++row, in += s.in_row) {
    for (int64_t i = 0; i < s.column_stride; ++i) fetch_lines<P>(in + i * floats);
  }
  fetch_lines<P>(s.out + y * s.out_row + kFloatsAhead + step * floats);
}

using StripFn = void (*)(const Strip& strip);

}  // namespace
}  // namespace depthwise

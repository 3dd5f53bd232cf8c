// The micro-kernel of depthwise_nchw.cc for filters of one row, or of one column, at stride 1 and with no padding
// beside that row or column. A line of outputs is a line of the input under one filter: each row of a plane, or the
// whole plane, whose rows lie one behind the other, for a filter of one column.
//
//   for (kVectors vectors of outputs)
//     for (tap)  sum += input[i + tap * step - pad] * taps[tap]
//
// Vectors some of whose taps lie on padding are computed one by one, their loads masked; zeros in place of padding are
// exact while the weights are finite, which the caller has to know.
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "depthwise_nchw_choice.h"

namespace depthwise {
namespace {

struct Line {
  int64_t in, out, pad;  // floats of the input and of the outputs, and of padding before the input
  int64_t taps, step;    // floats between neighbouring taps
};

// kVectors vectors of outputs whose taps all lie in the line; `input` is the first one's first tap.
template <int kVectors>
DEPTHWISE_INLINE void add_taps_of_line(const Line& line, const float* input, const float* taps, vec bias,
                                       const KernelArgs& args, float* output) {
  vec sum[kVectors];
  DEPTHWISE_UNROLL
  for (int i = 0; i < kVectors; ++i) sum[i] = bias;
  for (int64_t tap = 0; tap < line.taps; ++tap, input += line.step) {
    const vec weight = set1(taps[tap]);
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

// One vector or less, some of whose taps lie on padding; `first` is where in the line the first one's first tap lies.
DEPTHWISE_NOINLINE void add_taps_at_edge(const Line& line, const float* input, int64_t first, const float* taps,
                                         vec bias, const KernelArgs& args, float* output, int64_t width) {
  vec sum = bias;
  for (int64_t tap = 0; tap < line.taps; ++tap, first += line.step) {
    if (first <= -kWidth || first >= line.in) continue;
    const bool inside = first >= 0 && first + kWidth <= line.in;
    const vec x = inside ? load(input + first) : load_part(input + first, lanes_inside(first, line.in));
    sum = fma(x, set1(taps[tap]), sum);
  }
  if (args.clamps) sum = clamp(sum, set1(args.lo), set1(args.hi));
  if (width == kWidth) {
    store(output, sum);
  } else {
    store_tail(output, sum, tail_of(width));
  }
}

// The last vector ends with the line, over outputs that were already written.
DEPTHWISE_NOINLINE void run_line(const Line& line, const float* input, const float* taps, vec bias,
                                 const KernelArgs& args, float* output) {
  constexpr int kVectors = 4;
  const int64_t inner_end = min(line.out, line.in - (line.taps - 1) * line.step + line.pad);
  for (int64_t i = 0, width; i < line.out; i += width) {
    i = max(0, min(i, line.out - kWidth));
    width = min(line.out - i, kWidth);
    const bool inside = i >= line.pad && i + kWidth <= inner_end;
    if (inside && i + kVectors * kWidth <= inner_end) {
      add_taps_of_line<kVectors>(line, input + i - line.pad, taps, bias, args, output + i);
      width = kVectors * kWidth;
    } else if (inside) {
      add_taps_of_line<1>(line, input + i - line.pad, taps, bias, args, output + i);
    } else {
      add_taps_at_edge(line, input, i - line.pad, taps, bias, args, output + i, width);
    }
  }
}

// Of a filter of one column, rows that the same taps reach are one line, without the taps on padding.
DEPTHWISE_INLINE void run_column(const KernelArgs& args, const float* input, const float* taps, vec bias, float* output,
                                 int64_t first_row, int64_t end_row) {
  const Problem& p = *args.problem;
  // Taps [first, end) of row y lie on the input; both become fewer from row to row, without divisions.
  int64_t first = p.filter_h, end = p.filter_h;
  const auto skip_padding = [&](int64_t y) {
    const int64_t top = y - p.pad_top;
    while (first > 0 && top + (first - 1) * p.dilation_h >= 0) --first;
    while (end > 0 && top + (end - 1) * p.dilation_h >= p.in_h) --end;
  };
  skip_padding(first_row);
  for (int64_t y = first_row; y < end_row;) {
    const int64_t of_line = first, end_of_line = end, begin = y;
    while (++y < end_row) {
      skip_padding(y);
      if (first != of_line || end != end_of_line) break;
    }
    Line line;
    line.out = (y - begin) * p.out_w;
    line.taps = max(end_of_line - of_line, 0);
    line.step = p.dilation_h * p.in_w;
    line.in = line.out + max(line.taps - 1, 0) * line.step;
    line.pad = 0;
    run_line(line, input + (begin - p.pad_top + of_line * p.dilation_h) * p.in_w, taps + of_line, bias, args,
             output + begin * p.out_w);
  }
}

// Rows [first_row, end_row) of a plane of outputs under the filter at `taps`.
void run_by_lines(const KernelArgs& args, const float* input, const float* taps, float bias, float* output,
                  int64_t first_row, int64_t end_row) {
  const Problem& p = *args.problem;
  if (is_one_column(p) && p.out_w >= kLeastLine) {
    return run_column(args, input, taps, set1(bias), output, first_row, end_row);
  }
  if (is_one_column(p)) {
    // Shorter rows on padding are part of the line: each for itself, their loops' ends would be mispredicted.
    const int64_t pad = (p.pad_top - first_row) * p.in_w;
    const Line line = {p.in_h * p.in_w, (end_row - first_row) * p.out_w, pad, p.filter_h, p.dilation_h * p.in_w};
    return run_line(line, input, taps, set1(bias), args, output + first_row * p.out_w);
  }
  const Line line = {p.in_w, p.out_w, p.pad_left, p.filter_w, p.dilation_w};
  for (int64_t y = first_row; y < end_row; ++y) {
    run_line(line, input + y * p.in_w, taps, set1(bias), args, output + y * p.out_w);
  }
}

}  // namespace
}  // namespace depthwise

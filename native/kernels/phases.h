// Strides with dilations, taken apart: along one axis,
//
//   for (output x < out) for (tap k) reads input[x * stride + k * dilation - pad]
//
// With g = gcd(stride, dilation) the outputs x = first + j * out_step of one phase, out_step = dilation / g, read
//
//   input[origin + t * dilation],  t = j * (stride / g) + k,  origin = first * stride - pad
//
// that is, neighbouring outputs of a phase share inputs as those of a convolution without dilation do, and one loop
// serves every stride with every dilation. Taps fall on the input where begin <= t < end.
#pragma once

#include "../simd/simd.h"

namespace depthwise {
namespace {

struct Axis {
  int64_t in, out, stride, dilation, pad;
};

struct Phase {
  int64_t first, out_step, count;       // outputs
  int64_t origin, in_step, begin, end;  // inputs
  int64_t stride;                       // of t
};

constexpr int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t gcd(int64_t a, int64_t b) { return b == 0 ? a : gcd(b, a % b); }

// Phases 0 … count_phases - 1 have outputs; phase 0 has the most.
inline int64_t count_phases(const Axis& axis) { return min(axis.out, axis.dilation / gcd(axis.stride, axis.dilation)); }

inline Phase phase_of(const Axis& axis, int64_t index) {
  const int64_t g = gcd(axis.stride, axis.dilation);
  Phase phase;
  phase.first = index;
  phase.out_step = axis.dilation / g;
  phase.count = ceil_div(axis.out - index, phase.out_step);
  phase.origin = index * axis.stride - axis.pad;
  phase.in_step = axis.dilation;
  phase.begin = phase.origin < 0 ? ceil_div(-phase.origin, phase.in_step) : 0;
  phase.end = phase.origin < axis.in ? ceil_div(axis.in - phase.origin, phase.in_step) : 0;
  phase.stride = axis.stride / g;
  return phase;
}

inline Axis rows_of(const Problem& p) { return {p.in_h, p.out_h, p.stride_h, p.dilation_h, p.pad_top}; }
inline Axis columns_of(const Problem& p) { return {p.in_w, p.out_w, p.stride_w, p.dilation_w, p.pad_left}; }

// Of a vector of neighbouring columns, the lanes from `column` on that lie on an input `in_w` wide.
inline part lanes_inside(int64_t column, int64_t in_w) {
  return part_of(min(max(-column, 0), kWidth), min(max(in_w - column, 0), kWidth));
}

}  // namespace
}  // namespace depthwise

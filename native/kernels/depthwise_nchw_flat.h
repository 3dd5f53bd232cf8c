// The micro-kernel of depthwise_nchw.cc for 3x3 filters at stride 1 whose outputs are as large as the input, of any
// dilation d: a plane as one long row, so that no lane is empty whatever the plane's width.
//
//   for (i < plane)
//     sum = bias
//     for (ky, kx, unless that row of taps or that column lies on padding)
//       sum += input[i + (ky - 1) * d * width + (kx - 1) * d] * taps[kx * 3 + ky]
//
// Outputs are computed in order of memory, one vector after the other. Rows that the same rows of taps reach are a run:
// those on top, in the middle and at the bottom. In all vectors of a run the columns on padding are masked when they
// are loaded, by a table of as many masks as there are columns that a vector can begin at; the last vector ends with
// the run, over outputs that were already written. Registers: nine weights, one sum, one input, two masks.
//
// Zeros on padding are exact while the weights are finite, which the caller has to know.
#pragma once

#include "depthwise_nchw_rows.h"

namespace depthwise {
namespace {

// The lanes of a vector of outputs whose first and last column of taps don't lie on padding.
struct FlatMasks {
  part first, last;
};

// What all planes of a tile have in common.
struct Flat {
  int64_t in_h, in_w, dilation;
  int64_t plane, in_plane;  // floats of a plane; from one of the input to the next
  int64_t period;           // after so many vectors the masks repeat
  FlatMasks masks[kMaxFlatWidth], end;
  bool clamps;
  float lo, hi;
};

FlatMasks flat_masks(const Problem& p, int64_t column) {
  uint64_t first = 0, last = 0;
  for (int64_t lane = 0, x = column; lane < kWidth; ++lane, x = x + 1 == p.in_w ? 0 : x + 1) {
    first |= static_cast<uint64_t>(x >= p.dilation_w) << lane;
    last |= static_cast<uint64_t>(x < p.in_w - p.dilation_w) << lane;
  }
  return {part_of_bits(first), part_of_bits(last)};
}

Flat flat_of(const KernelArgs& args) {
  const Problem& p = *args.problem;
  Flat s;
  s.clamps = args.clamps;
  s.lo = args.lo;
  s.hi = args.hi;
  s.in_h = p.in_h;
  s.in_w = p.in_w;
  s.dilation = p.dilation_h;
  s.plane = p.in_h * p.in_w;
  s.in_plane = p.out_c == p.in_c ? s.plane : 0;
  s.period = p.in_w / gcd(p.in_w, kWidth);
  for (int64_t i = 0; i < s.period; ++i) s.masks[i] = flat_masks(p, i * kWidth % p.in_w);
  s.end = flat_masks(p, (p.in_w - 1) * kWidth % p.in_w);
  return s;
}

// A run of whole rows, at least a vector, that rows [kFirst, kEnd) of taps reach.
template <int kFirst, int kEnd>
DEPTHWISE_INLINE void flat_run(const Flat& s, const float* input, const vec (&weight)[3][3], vec bias, float* output,
                               int64_t floats) {
  const FlatMasks* masks = s.masks;
  for (int64_t i = 0; i < floats; i += kWidth) {
    // The last vector ends with the run.
    const bool ends = i + kWidth >= floats;
    const int64_t at = ends ? floats - kWidth : i;
    const FlatMasks& here = ends ? s.end : *masks;
    if (++masks == s.masks + s.period) masks = s.masks;
    vec sum = bias;
    const int64_t row = s.dilation * s.in_w;
    DEPTHWISE_UNROLL
    for (int ky = kFirst; ky < kEnd; ++ky) {
      const float* const from = input + at + (ky - 1) * row;
      sum = fma(load_part(from - s.dilation, here.first), weight[0][ky], sum);
      sum = fma(load(from), weight[1][ky], sum);
      sum = fma(load_part(from + s.dilation, here.last), weight[2][ky], sum);
    }
    if (s.clamps) sum = clamp(sum, set1(s.lo), set1(s.hi));
    store(output + at, sum);
  }
}

void run_flat(const Flat& s, const float* input, const float* taps, const float* bias, float* output, int64_t planes) {
  for (int64_t n = 0; n < planes; ++n, input += s.in_plane, output += s.plane, taps += 9, ++bias) {
    vec weight[3][3];
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < 3; ++kx) load_weights(weight[kx], taps + 3 * kx);
    const vec start = set1(*bias);
    const auto run = [&](auto first, auto end, int64_t from, int64_t to) DEPTHWISE_LAMBDA_INLINE {
      const int64_t at = from * s.in_w;
      if (from < to) {
        flat_run<decltype(first)::value, decltype(end)::value>(s, input + at, weight, start, output + at,
                                                               (to - from) * s.in_w);
      }
    };
    run(Int<1>{}, Int<3>{}, 0, s.dilation);
    run(Int<0>{}, Int<3>{}, s.dilation, s.in_h - s.dilation);
    run(Int<0>{}, Int<2>{}, s.in_h - s.dilation, s.in_h);
  }
}

}  // namespace
}  // namespace depthwise

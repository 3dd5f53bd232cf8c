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
  int64_t outputs;          // of a vector
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

Flat flat_of(const Problem& p) {
  Flat s;
  s.in_h = p.in_h;
  s.in_w = p.in_w;
  s.dilation = p.dilation_h;
  s.plane = p.in_h * p.in_w;
  s.in_plane = p.out_c == p.in_c ? s.plane : 0;
  s.outputs = flat_shifts(s.dilation) ? kWidth - 2 * s.dilation : kWidth;
  s.period = p.in_w / gcd(p.in_w, s.outputs);
  for (int64_t i = 0; i < s.period; ++i) s.masks[i] = flat_masks(p, i * s.outputs % p.in_w);
  s.end = flat_masks(p, (p.in_w * kWidth - s.outputs) % p.in_w);
  return s;
}

// Rows [kFirst, kEnd) of taps reach the plane.
template <int kFirst, int kEnd, bool kShifts>
struct FlatRun {
  // One vector. Shifted columns come from one that begins d columns before it: where the run begins or ends (kEdge),
  // only from the lanes `inside`.
  template <bool kEdge>
  static DEPTHWISE_INLINE void add_vector(const Flat& s, const float* input, const vec (&weight)[3][3], vec bias,
                                          const FlatMasks& masks, part inside, indices second, indices third,
                                          tail stored, float* output) {
    vec sum = bias;
    const int64_t row = s.dilation * s.in_w;
    DEPTHWISE_UNROLL
    for (int ky = kFirst; ky < kEnd; ++ky) {
      const float* const from = input + (ky - 1) * row;
      if constexpr (kShifts) {
        const vec x = keep(kEdge ? load_part(from - s.dilation, inside) : load(from - s.dilation));
        sum = fma_part(masks.first, x, weight[0][ky], sum);
        sum = fma(permute(x, second), weight[1][ky], sum);
        sum = fma_part(masks.last, permute(x, third), weight[2][ky], sum);
      } else {
        sum = fma(load_part(from - s.dilation, masks.first), weight[0][ky], sum);
        sum = fma(load(from), weight[1][ky], sum);
        sum = fma(load_part(from + s.dilation, masks.last), weight[2][ky], sum);
      }
    }
    if (s.clamps) sum = clamp(sum, set1(s.lo), set1(s.hi));
    if constexpr (kShifts) {
      store_tail(output, sum, stored);
    } else {
      store(output, sum);
    }
  }

  // A run of whole rows.
  static DEPTHWISE_INLINE void run(const Flat& s, const float* input, const vec (&weight)[3][3], vec bias,
                                   float* output, int64_t floats) {
    const int64_t outputs = kShifts ? s.outputs : kWidth, d = kShifts ? s.dilation : 0, count = min(outputs, floats);
    const indices second = load_indices(kShifted.of_column[d]), third = load_indices(kShifted.of_column[2 * d]);
    const tail stored = tail_of(count);
    const auto add = [&](auto edge, int64_t at, const FlatMasks& masks) DEPTHWISE_LAMBDA_INLINE {
      const part inside = part_of(at == 0 ? d : 0, at + count == floats ? d + count : kWidth);
      add_vector<decltype(edge)::value != 0>(s, input + at, weight, bias, masks, inside, second, third, stored,
                                             output + at);
    };
    // The last vector ends with the run.
    if constexpr (kShifts) {
      add(Int<1>{}, 0, s.masks[0]);
      int64_t i = outputs;
      for (int64_t v = 1; i + outputs < floats; i += outputs) {
        if (v == s.period) v = 0;
        add(Int<0>{}, i, s.masks[v++]);
      }
      if (i < floats) add(Int<1>{}, floats - count, s.end);
    } else {
      const FlatMasks* masks = s.masks;
      for (int64_t i = 0; i < floats; i += outputs) {
        const bool ends = i + outputs >= floats;
        add(Int<0>{}, ends ? floats - count : i, ends && i > 0 ? s.end : *masks);
        if (++masks == s.masks + s.period) masks = s.masks;
      }
    }
  }
};

template <bool kShifts>
void run_flat_planes(const Flat& s, const float* input, const float* taps, const float* bias, float* output,
                     int64_t planes) {
  for (int64_t n = 0; n < planes; ++n, input += s.in_plane, output += s.plane, taps += 9, ++bias) {
    vec weight[3][3];
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < 3; ++kx) load_weights(weight[kx], taps + 3 * kx);
    const vec start = set1(*bias);
    const auto run = [&](auto first, auto end, int64_t from, int64_t to) DEPTHWISE_LAMBDA_INLINE {
      const int64_t at = from * s.in_w;
      if (from < to) {
        FlatRun<decltype(first)::value, decltype(end)::value, kShifts>::run(s, input + at, weight, start, output + at,
                                                                            (to - from) * s.in_w);
      }
    };
    run(Int<1>{}, Int<3>{}, 0, s.dilation);
    run(Int<0>{}, Int<3>{}, s.dilation, s.in_h - s.dilation);
    run(Int<0>{}, Int<2>{}, s.in_h - s.dilation, s.in_h);
  }
}

void run_flat(const Flat& s, const float* input, const float* taps, const float* bias, float* output, int64_t planes) {
  if constexpr (kMasksAreFree) {
    if (flat_shifts(s.dilation)) return run_flat_planes<true>(s, input, taps, bias, output, planes);
  }
  run_flat_planes<false>(s, input, taps, bias, output, planes);
}

}  // namespace
}  // namespace depthwise

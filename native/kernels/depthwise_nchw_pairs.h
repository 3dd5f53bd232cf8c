// The micro-kernel of depthwise_nchw.cc for planes of at most kWidth / 2 columns of outputs, of which a vector holds
// two rows: T x T filters at stride S = 1 and 2, planes of at most 2 P rows of outputs and S * kWidth / 2 columns of
// input.
//
//   for (pair p < P of rows 2p and 2p + 1, lane of row 2p + r and column x)
//     sum[p] = bias
//     for (kx < T) for (ky < T)
//       sum[p] += input[(2p + r) * S + ky][x * S + kx] * taps[kx * T + ky]
//
// The input stays in registers: at stride 1 two neighbouring rows in each, at stride 2 one. At stride 1 what a column
// of taps adds up to is moved to the lanes of the outputs as a whole, one permutation for T fmas. At stride 2 a
// permutation of two rows gives the inputs of a row of taps for one column of them, which leaves no lane empty. Both
// put zeros where the column lies on padding. Registers: 2 (P - 1) S + T of input, and two more at stride 2, 2 P sums
// and T weights; at most 32 for P = 4.
//
// Zeros on padding are exact while the weights are finite, which the caller has to know.
#pragma once

#include "depthwise_nchw_rows.h"

namespace depthwise {
namespace {

constexpr int64_t kMaxPairs = 4;
constexpr int64_t kMaxRowsOfPairs = 2 * (kMaxPairs - 1) * 2 + kMaxTaps + 2;

// What all planes of a tile have in common.
struct Pairs {
  int64_t in_w, out_w;
  part row[kMaxRowsOfPairs];         // the lanes of what is loaded at a row of the input that don't lie on padding
  int32_t source[kMaxTaps][kWidth];  // the lane that a lane is taken from for a column of taps
  part inside[kMaxTaps];             // the lanes for which that column doesn't lie on padding
  tail stored[kMaxPairs];            // the lanes of a pair that the plane has
  bool clamps;
  float lo, hi;
};

Pairs pairs_of(const Problem& p) {
  Pairs s;
  s.in_w = p.in_w;
  s.out_w = p.out_w;
  const bool paired = p.stride_w == 1;
  for (int64_t i = 0; i < kMaxRowsOfPairs; ++i) {
    const auto inside = [&](int64_t row) { return row >= 0 && row < p.in_h; };
    const int64_t row = i - p.pad_top;
    const bool second = paired && inside(row + 1);
    s.row[i] = inside(row) ? part_of(0, second ? 2 * p.in_w : p.in_w) : part_of(p.in_w, second ? 2 * p.in_w : 0);
  }
  for (int64_t kx = 0; kx < p.filter_w; ++kx) {
    uint64_t inside = 0;
    for (int64_t lane = 0; lane < kWidth; ++lane) {
      const int64_t row = lane / p.out_w, column = lane % p.out_w * p.stride_w + kx * p.dilation_w - p.pad_left;
      const bool reads = row < 2 && column >= 0 && column < p.in_w;
      s.source[kx][lane] = reads ? static_cast<int32_t>(row * (paired ? p.in_w : kWidth) + column) : 0;
      inside |= static_cast<uint64_t>(reads) << lane;
    }
    s.inside[kx] = part_of_bits(inside);
  }
  for (int64_t pair = 0; pair < kMaxPairs; ++pair) {
    s.stored[pair] = tail_of(min(max(p.out_h - 2 * pair, 0), 2) * p.out_w);
  }
  return s;
}

template <int S, int T, int P>
struct RunPairs {
  static constexpr int kStarts = 2 * (P - 1) * S + T, kRows = S == 1 ? kStarts : kStarts + S;

  // One column of taps into two sets of sums: fmas of even rows of taps and of odd ones, at stride 1 of all rows in the
  // second, which are then moved into the first.
  static DEPTHWISE_INLINE void add_column(vec (&sum)[P], vec (&other)[P], const Pairs& s, const vec (&row)[kRows],
                                          const float* taps, int kx) {
    vec weight[T];
    load_weights(weight, taps + kx * T);
    const indices source = load_indices(s.source[kx]);
    const part inside = s.inside[kx];
    DEPTHWISE_UNROLL
    for (int i = 0; i < kStarts; ++i) {
      const vec x = S == 1 ? row[i] : pick(inside, row[i], row[i + kRows - kStarts], source);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) {
        const int ky = i - 2 * S * p;
        if (ky < 0 || ky >= T) continue;
        if constexpr (S == 1) {
          other[p] = ky == 0 ? mul(x, weight[ky]) : fma(x, weight[ky], other[p]);
        } else {
          sum[p] = fma(x, weight[ky], sum[p]);
        }
      }
    }
    if constexpr (S == 1) {
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) sum[p] = add(sum[p], pick(inside, other[p], source));
    }
  }

  // The taps are [kx][ky]; `input` is the plane's first float less its padding rows.
  static void run(const Pairs& s, const float* input, const float* taps, float bias, float* output) {
    DEPTHWISE_UNROLL
    for (int i = 0; i < P * S * S; ++i) prefetch_near(input + kAhead + i * kWidth);
    vec row[kRows], even[P], odd[P];
    DEPTHWISE_UNROLL
    for (int i = 0; i < kRows; ++i) row[i] = keep(load_part(input + i * s.in_w, s.row[i]));
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) even[p] = set1(bias), odd[p] = zero();
    if constexpr (S == 1) {
      for (int kx = 0; kx < T; ++kx) add_column(even, odd, s, row, taps, kx);
    } else {
      // Even and odd columns of taps have sums of their own: P chains of fmas are too few to keep the processor busy.
      for (int kx = 0; kx + 1 < T; kx += 2) {
        add_column(even, odd, s, row, taps, kx);
        add_column(odd, even, s, row, taps, kx + 1);
      }
      add_column(even, odd, s, row, taps, T - 1);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) even[p] = add(even[p], odd[p]);
    }
    if (s.clamps) {
      const vec lo = set1(s.lo), hi = set1(s.hi);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) even[p] = clamp(even[p], lo, hi);
    }
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) store_tail(output + 2 * p * s.out_w, even[p], s.stored[p]);
  }
};

using PairsFn = void (*)(const Pairs& pairs, const float* input, const float* taps, float bias, float* output);

// The micro-kernel for a problem; null where there is none.
PairsFn find_pairs(const Problem& p) {
  if constexpr (kMasksAreFree) {
    if (p.out_w > kWidth / 2 || p.in_w > p.stride_w * kWidth / 2 || p.out_h > 2 * kMaxPairs) return nullptr;
    if (p.filter_h != p.filter_w || p.stride_h != p.stride_w || p.dilation_h != 1) return nullptr;
    const auto of_pairs = [&](auto s, auto t) -> PairsFn {
      constexpr int S = decltype(s)::value, T = decltype(t)::value;
      return p.out_h <= 4 ? RunPairs<S, T, 2>::run : RunPairs<S, T, 4>::run;
    };
    const int64_t stride = p.stride_w, taps = p.filter_w;
    if (stride == 1 && taps == 3) return of_pairs(Int<1>{}, Int<3>{});
    if (stride == 1 && taps == 5) return of_pairs(Int<1>{}, Int<5>{});
    if (stride == 2 && taps == 3) return of_pairs(Int<2>{}, Int<3>{});
  }
  return nullptr;
}

}  // namespace
}  // namespace depthwise

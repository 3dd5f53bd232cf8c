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
//
// Outputs of 7 x 7, which most networks end with, have instances of their own: there the compiler knows which rows lie
// on padding, leaves fmas of theirs out, and loads without masks what has none of them. At stride 2 they take even
// and odd columns of the input apart once, and move sums, as at stride 1, for the columns of taps that are a lane
// further.
#pragma once

#include "depthwise_nchw_rows.h"

namespace depthwise {
namespace {

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

// Planes that lie one behind the other in memory, as their filters do.
struct Planes {
  int64_t count;
  const float* input;  // of the first plane, less its padding rows
  int64_t in_plane;    // floats from one to the next
  const float* taps;   // [kx][ky]
  const float* bias;
  float* output;
  int64_t out_plane;
};

// Of two rows of 7 outputs: the even and the odd columns of two rows of input, and the lanes before and behind.
struct SevenBySeven {
  int32_t alternate[2][kWidth], before[kWidth], behind[kWidth];
};
constexpr SevenBySeven make_seven_by_seven() {
  SevenBySeven made{};
  for (int32_t l = 0; l < kWidth; ++l) {
    for (int32_t odd = 0; odd < 2; ++odd)
      made.alternate[odd][l] = l < 14 ? l / 7 * static_cast<int32_t>(kWidth) + l % 7 * 2 + odd : 0;
    made.before[l] = l > 0 ? l - 1 : 0;
    made.behind[l] = l + 1 < kWidth ? l + 1 : 0;
  }
  return made;
}
constexpr SevenBySeven kSevenBySeven = make_seven_by_seven();

// kPlane: the rows and columns of outputs, kPad: the rows of padding above, where they are known; or 0.
template <int S, int T, int P, int kPlane, int kPad>
struct RunPairs {
  static constexpr int kStarts = 2 * (P - 1) * S + T, kRows = S == 1 ? kStarts : kStarts + S;
  static constexpr int kRowsLoaded = S == 1 ? 2 : 1;

  // Of what is loaded at row i: whether none of it is of the plane; whether all is, and so is the row behind it, which
  // a vector reaches.
  static constexpr bool is_padding(int i) {
    return kPlane > 0 && (i - kPad + kRowsLoaded <= 0 || i - kPad >= S * kPlane);
  }
  static constexpr bool is_inside(int i) { return kPlane > 0 && i - kPad >= 0 && i - kPad + kRowsLoaded < S * kPlane; }

  // One column of taps into two sets of sums: fmas of even rows of taps and of odd ones, at stride 1 of all rows in the
  // second, which are then moved into the first.
  static DEPTHWISE_INLINE void add_column(vec (&sum)[P], vec (&other)[P], const vec (&row)[kRows], const float* taps,
                                          int kx, indices source, part inside) {
    vec weight[T];
    load_weights(weight, taps + kx * T);
    DEPTHWISE_UNROLL
    for (int i = 0; i < kStarts; ++i) {
      if (is_padding(i) && (S == 1 || is_padding(i + S))) continue;
      const vec x = S == 1 ? row[i] : pick(inside, row[i], row[i + kRows - kStarts], source);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) {
        const int ky = i - 2 * S * p;
        if (ky < 0 || ky >= T) continue;
        if constexpr (S == 1) {
          const bool is_first = ky == 0 || is_padding(i - 1);
          other[p] = is_first ? mul(x, weight[ky]) : fma(x, weight[ky], other[p]);
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

  static DEPTHWISE_INLINE void add_column(vec (&sum)[P], vec (&other)[P], const Pairs& s, const vec (&row)[kRows],
                                          const float* taps, int kx) {
    add_column(sum, other, row, taps, kx, load_indices(s.source[kx]), s.inside[kx]);
  }

  // All columns of taps at stride 2 from planes of 2 kPlane columns. The even columns of two rows are picked once, and
  // so are the odd ones; a column of taps that is a lane beside them takes what it adds up to from there. Only padding
  // is beside the first lane and the last.
  static DEPTHWISE_INLINE void add_alternating(vec (&sum)[P], vec (&other)[P], const vec (&row)[kRows],
                                               const float* taps) {
    const part all = part_of(0, kWidth);
    const indices before = load_indices(kSevenBySeven.before), behind = load_indices(kSevenBySeven.behind);
    vec columns[2][kStarts];
    DEPTHWISE_UNROLL
    for (int i = 0; i < kStarts; ++i) {
      if (is_padding(i) && is_padding(i + S)) continue;
      DEPTHWISE_UNROLL
      for (int odd = 0; odd < 2; ++odd) {
        columns[odd][i] = keep(pick(all, row[i], row[i + S], load_indices(kSevenBySeven.alternate[odd])));
      }
    }
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < T; ++kx) {
      const int from = kx - kPad, odd = from & 1, lane = (from - odd) / 2;
      vec weight[T], moved[P];
      load_weights(weight, taps + kx * T);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) {
        moved[p] = zero();
        DEPTHWISE_UNROLL
        for (int ky = 0; ky < T; ++ky) {
          const int i = 2 * S * p + ky;
          if (is_padding(i) && is_padding(i + S)) continue;
          vec& to = lane != 0 ? moved[p] : ky % 2 == 0 ? sum[p] : other[p];
          to = fma(columns[odd][i], weight[ky], to);
        }
        if (lane < 0) other[p] = add(other[p], pick(part_of_bits(0x3f7e), moved[p], before));
        if (lane > 0) other[p] = add(other[p], pick(part_of_bits(0x1fbf), moved[p], behind));
      }
    }
  }

  static DEPTHWISE_INLINE void run_plane(const Pairs& s, const indices (&source)[3], const part (&inside)[3],
                                         const float* input, const float* taps, float bias, float* output) {
    DEPTHWISE_UNROLL
    for (int i = 0; i < P * S * S; ++i) prefetch_near(input + kAhead + i * kWidth);
    const int64_t in_w = kPlane > 0 ? S * kPlane : s.in_w, out_w = kPlane > 0 ? kPlane : s.out_w;
    vec row[kRows], even[P], odd[P];
    DEPTHWISE_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const float* from = input + i * in_w;
      row[i] = is_padding(i) ? zero() : keep(is_inside(i) ? load(from) : load_part(from, s.row[i]));
    }
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) even[p] = set1(bias), odd[p] = zero();
    if constexpr (S == 1 && T == 3) {
      DEPTHWISE_UNROLL
      for (int kx = 0; kx < 3; ++kx) add_column(even, odd, row, taps, kx, source[kx], inside[kx]);
    } else if constexpr (S == 1) {
      for (int kx = 0; kx < T; ++kx) add_column(even, odd, s, row, taps, kx);
    } else if constexpr (kPlane == 7) {
      add_alternating(even, odd, row, taps);
    } else {
      // Even and odd columns of taps have sums of their own: P chains of fmas are too few to keep the processor busy.
      for (int kx = 0; kx + 1 < T; kx += 2) {
        add_column(even, odd, s, row, taps, kx);
        add_column(odd, even, s, row, taps, kx + 1);
      }
      add_column(even, odd, s, row, taps, T - 1);
    }
    DEPTHWISE_UNROLL
    for (int p = 0; S == 2 && p < P; ++p) even[p] = add(even[p], odd[p]);
    if (s.clamps) {
      const vec lo = set1(s.lo), hi = set1(s.hi);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) even[p] = clamp(even[p], lo, hi);
    }
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) {
      float* to = output + 2 * p * out_w;
      // What a whole vector writes past the pair is the next one's.
      if (kPlane > 0 && p + 1 < P) {
        store(to, even[p]);
      } else {
        store_tail(to, even[p], s.stored[p]);
      }
    }
  }

  static void run(const Pairs& s, const Planes& planes) {
    const float *input = planes.input, *taps = planes.taps, *bias = planes.bias;
    float* output = planes.output;
    indices source[3];
    part inside[3];
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < 3; ++kx) source[kx] = load_indices(s.source[kx]), inside[kx] = s.inside[kx];
    for (int64_t n = 0; n < planes.count; ++n) {
      run_plane(s, source, inside, input, taps, *bias++, output);
      input += planes.in_plane;
      taps += T * T;
      output += planes.out_plane;
    }
  }
};

using PairsFn = void (*)(const Pairs& pairs, const Planes& planes);

// The micro-kernel for a problem; null where there is none.
PairsFn find_pairs(const Problem& p) {
  if constexpr (kMasksAreFree) {
    if (!goes_by_pairs(p)) return nullptr;
    const auto of_taps = [&](auto s, auto t) -> PairsFn {
      constexpr int S = decltype(s)::value, T = decltype(t)::value, kPad = T / 2, kLess = S == 2 ? kPad - 1 : kPad;
      if (has_seven_rows(p)) {
        return p.pad_top == kPad ? RunPairs<S, T, kMaxPairs, 7, kPad>::run : RunPairs<S, T, kMaxPairs, 7, kLess>::run;
      }
      if constexpr (S == 2 && T == 5) return nullptr;
      return p.out_h <= 4 ? RunPairs<S, T, 2, 0, 0>::run : RunPairs<S, T, kMaxPairs, 0, 0>::run;
    };
    if (p.stride_w == 1) return p.filter_w == 3 ? of_taps(Int<1>{}, Int<3>{}) : of_taps(Int<1>{}, Int<5>{});
    return p.filter_w == 3 ? of_taps(Int<2>{}, Int<3>{}) : of_taps(Int<2>{}, Int<5>{});
  }
  return nullptr;
}

}  // namespace
}  // namespace depthwise

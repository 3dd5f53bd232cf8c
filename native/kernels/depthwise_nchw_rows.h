// The micro-kernel of depthwise_nchw.cc for T x T filters at stride S = 1 and 2: R rows of outputs across a plane, in
// strips of kWidth columns.
//
//   for (strip) for (row r < R, lane)
//     sum[r] = bias
//     for (kx < T) for (ky < T, unless row r * S + ky lies on padding)
//       sum[r] += input[(r * S + ky) * row_step + lane * S + kx * tap_step] * taps[kx * T + ky]
//
// Each row of the input is loaded once for each kx and serves up to T outputs: 3 (R + 2) loads for 9 R fmas at 3x3 and
// stride 1. Registers: R sums, T weights (in AVX-512 all nine of 3x3), one input; at stride 2 two columns of taps at
// once, 2 T weights and 4 inputs. In AVX-512, where any lanes of two vectors are one permutation, 3x3 at stride 1
// shifts one load of each row for all columns of taps (strips are 2 tap_step columns narrower), and three columns of
// taps are picked from the same two loads at stride 2, 3 T weights and 2 R sums (strips are T / 2 columns narrower).
//
// Which rows lie on padding is compiled in, kTop first ones and kBottom last ones. Columns on padding are masked: in
// AVX-512 the fmas are, which costs nothing, so that what lies beside a row is read, too, and has to be the input's; in
// AVX2 the loads are, and the zeros in their place are exact while the weights are finite, which the caller has to
// know.
#pragma once

#include <type_traits>

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "depthwise_nchw_choice.h"
#include "fetch_ahead.h"

namespace depthwise {
namespace {

constexpr int64_t kMaskedStrips = kMasksAreFree ? 128 : 16;  // of a row, that a table of masks is made for

constexpr int64_t kMaxTaps = 7;

// The rows of a block are too many streams for the processor's own prefetching: what is that far ahead, in floats, is
// fetched as many lines at a time as a block takes.
constexpr int64_t kAhead = 256;

// The lanes of a strip that don't lie on padding for each column of taps: where masks are free, its outputs' (low);
// otherwise those of what is loaded, and at stride 2 of the second half of it (high).
struct StripMasks {
  part low[kMaxTaps], high[kMaxTaps];
};

// Whether a strip of 3x3 at stride 1 shifts one vector of each row for all columns of taps, in place of loading one for
// each: loads that cross lines and the stores are more than the fmas. Its outputs are 2 tap_step fewer, which has to
// leave as many strips as without.
inline bool shifts_columns(int64_t stride, int64_t taps, int64_t tap_step, int64_t out_w) {
  if (!kMasksAreFree || stride != 1 || taps != 3 || tap_step > 2) return false;
  const int64_t width = kWidth - 2 * tap_step;
  return ceil_div(out_w, width) == ceil_div(out_w, kWidth);
}

// Outputs of a row that a strip has.
inline int64_t strip_width(int64_t stride, int64_t taps, int64_t tap_step, int64_t out_w) {
  if (shifts_columns(stride, taps, tap_step, out_w)) return kWidth - 2 * tap_step;
  return kMasksAreFree && stride == 2 ? kWidth - taps / 2 : kWidth;
}

// Where the lanes of a column of the input are in what is loaded: lane l at stride S is S * l + column.
struct Lanes {
  int32_t of_column[kMaxTaps][kWidth];
};
constexpr Lanes make_lanes(int32_t S) {
  Lanes made{};
  for (int column = 0; column < kMaxTaps; ++column) {
    for (int l = 0; l < kWidth; ++l) made.of_column[column][l] = (S * l + column) % (S * static_cast<int32_t>(kWidth));
  }
  return made;
}
constexpr Lanes kShifted = make_lanes(1), kAlternating = make_lanes(2);

// What all rows of all planes have in common.
struct Rows {
  int64_t row_step, tap_step;  // floats between the input's rows, and columns, of taps
  int64_t pad_left, in_w, out_w, out_row_step;
  int64_t strip_width;
  int64_t in_plane, out_plane;  // floats from one plane to the next
  bool spills;                  // rows of less than a vector, two of which are more, may: the next row is stored later
  bool fetches;                 // what is ahead from memory, at stride 1
  bool clamps;
  float lo, hi;
  const StripMasks* masks;  // of all strips, if there are at most kMaskedStrips
};

// N rows that are `step` floats apart. Every fourth one has a pointer: given one for each, the compiler moves them in
// and out of vector registers.
template <class Float, int N>
struct EvenRows {
  Float* fourth[(N + 3) / 4];
  int64_t step, three_steps;
  DEPTHWISE_INLINE EvenRows(Float* first, int64_t step_) : step(step_), three_steps(3 * step_) {
    DEPTHWISE_UNROLL
    for (int i = 0; i < N; i += 4) fourth[i / 4] = opaque(first + i * step);
  }
  DEPTHWISE_INLINE Float* operator[](int i) const { return fourth[i / 4] + (i % 4 == 3 ? three_steps : i % 4 * step); }
  DEPTHWISE_INLINE void advance(int64_t floats) {
    DEPTHWISE_UNROLL
    for (int i = 0; i < N; i += 4) fourth[i / 4] += floats;
  }
};

template <int S, int T, int R>
DEPTHWISE_INLINE void add_row(vec (&sum)[R], vec x, const vec (&weight)[T], int i, part inside) {
  DEPTHWISE_UNROLL
  for (int ky = 0; ky < T; ++ky) {
    const int row = i - ky;
    if (row < 0 || row % S != 0 || row / S >= R) continue;
    vec& to = sum[row / S];
    to = kMasksAreFree ? fma_part(inside, x, weight[ky], to) : fma(x, weight[ky], to);
  }
}

template <int T>
DEPTHWISE_INLINE void load_weights(vec (&weight)[T], const float* column) {
  DEPTHWISE_UNROLL
  for (int ky = 0; ky < T; ++ky) weight[ky] = set1(column[ky]);
}

// Of T columns of taps at stride S.
template <int T>
DEPTHWISE_INLINE StripMasks masks_of_strip(const Rows& s, int64_t S, int64_t first_column) {
  StripMasks masks;
  // Neighbouring outputs are S = 1 or 2 columns apart, neighbouring floats one; shifted, since divisions would show.
  const int64_t skips = kMasksAreFree ? S - 1 : 0;
  const auto inside = [&](int64_t first) DEPTHWISE_LAMBDA_INLINE {
    return part_of(min((max(-first, 0) + skips) >> skips, kWidth),
                   min((max(s.in_w - first, 0) + skips) >> skips, kWidth));
  };
  DEPTHWISE_UNROLL
  for (int kx = 0; kx < T; ++kx) {
    const int64_t column = first_column + kx * s.tap_step;
    masks.low[kx] = inside(column);
    if (!kMasksAreFree) masks.high[kx] = inside(column + (S - 1) * kWidth);
  }
  return masks;
}

// Whether a block goes on with the next planes: a call for each would show. Where masks are free only those that are
// all of a plane do, the loop would cost the others registers.
constexpr bool goes_on(int64_t top, int64_t bottom) { return !kMasksAreFree || (top > 0 && bottom > 0); }

template <int S, int T, int R, int kTop, int kBottom, bool kShifts>
struct RowOfStrips {
  static constexpr int kRows = (R - 1) * S + T, kEnd = kRows - kBottom;
  // Stride 2 has no code of its own for strips inside: masked loads cost it little.
  static constexpr bool kAlwaysMasks = S == 2 && kWidth >= 8;
  static constexpr bool kHoists = kRegisters >= 32 && S == 1 && T == 3;
  using Input = EvenRows<const float, kEnd>;

  template <bool kMasked>
  static DEPTHWISE_INLINE vec load_some(const float* p, part lanes) {
    if constexpr (kMasked && !kMasksAreFree) return load_part(p, lanes);
    return load(p);
  }

  template <bool kMasked>
  static DEPTHWISE_INLINE void add_one(vec (&sum)[R], const Input& rows, const vec (&weight)[T],
                                       const StripMasks& masks, int kx) {
    DEPTHWISE_UNROLL
    for (int i = kTop; i < kEnd; ++i) {
      vec x = load_some<kMasked>(rows[i], masks.low[kx]);
      if (S == 2) x = evens(x, load_some<kMasked>(rows[i] + kWidth, masks.high[kx]));
      add_row<S, T, R>(sum, keep(x), weight, i, masks.low[kx]);
    }
  }

  // Stride 1 where any lanes can be picked: all columns of taps of one vector.
  static DEPTHWISE_INLINE void add_shifted(vec (&sum)[R], const Input& rows, const vec (&weight)[3][3],
                                           const StripMasks& masks, int64_t tap_step) {
    const indices second = load_indices(kShifted.of_column[tap_step]);
    const indices third = load_indices(kShifted.of_column[2 * tap_step]);
    DEPTHWISE_UNROLL
    for (int i = kTop; i < kEnd; ++i) {
      const vec x = keep(load(rows[i]));
      add_row<S, T, R>(sum, x, weight[0], i, masks.low[0]);
      add_row<S, T, R>(sum, keep(permute(x, second)), weight[1], i, masks.low[1]);
      add_row<S, T, R>(sum, keep(permute(x, third)), weight[2], i, masks.low[2]);
    }
  }

  // Stride 2: what lies between the lanes of one tap are those of the next.
  template <bool kMasked>
  static DEPTHWISE_INLINE void add_two(vec (&sum)[R], const Input& rows, const float* taps, const StripMasks& masks,
                                       int kx) {
    vec first[T], second[T];
    load_weights(first, taps);
    load_weights(second, taps + T);
    DEPTHWISE_UNROLL
    for (int i = kTop; i < kEnd; ++i) {
      const vec a = load_some<kMasked>(rows[i], masks.low[kx]);
      const vec b = load_some<kMasked>(rows[i] + kWidth, masks.high[kx]);
      add_row<S, T, R>(sum, keep(evens(a, b)), first, i, masks.low[kx]);
      add_row<S, T, R>(sum, keep(odds(a, b)), second, i, masks.low[kx + 1]);
    }
  }

  // Stride 2 where any lanes of two vectors can be picked: kCount columns of taps from kx on, into two sets of sums,
  // which the fmas of one output need to overlap.
  template <int kCount>
  static DEPTHWISE_INLINE void add_picked(vec (&sum)[R], vec (&other)[R], const Input& rows, const float* taps,
                                          const StripMasks& masks, int kx) {
    vec weight[kCount][T];
    indices columns[kCount];
    DEPTHWISE_UNROLL
    for (int c = 0; c < kCount; ++c) {
      load_weights(weight[c], taps + (kx + c) * T);
      columns[c] = load_indices(kAlternating.of_column[kx + c]);
    }
    DEPTHWISE_UNROLL
    for (int i = kTop; i < kEnd; ++i) {
      const vec a = keep(load(rows[i])), b = keep(load(rows[i] + kWidth));
      DEPTHWISE_UNROLL
      for (int c = 0; c < kCount; ++c) {
        const vec x = keep(pick(part_of(0, kWidth), a, b, columns[c]));
        add_row<S, T, R>((kx + c) % 2 == 0 ? sum : other, x, weight[c], i, masks.low[kx + c]);
      }
    }
  }

  template <bool kMasked>
  static DEPTHWISE_INLINE void strip(const Rows& s, const float* input, const float* taps, const vec (&hoisted)[3][3],
                                     vec bias, float* output, const StripMasks& masks, int64_t width, bool more) {
    vec sum[R];
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) sum[r] = bias;
    Input rows(input, s.row_step);
    if constexpr (kShifts) {
      add_shifted(sum, rows, hoisted, masks, s.tap_step);
    } else if constexpr (kHoists) {
      DEPTHWISE_UNROLL
      for (int kx = 0; kx < 3; ++kx) {
        add_one<kMasked>(sum, rows, hoisted[kx], masks, kx);
        rows.advance(s.tap_step);
      }
    } else if constexpr (S == 1) {
      for (int kx = 0; kx < T; ++kx) {
        vec weight[T];
        load_weights(weight, taps + kx * T);
        add_one<kMasked>(sum, rows, weight, masks, kx);
        rows.advance(s.tap_step);
      }
    } else if constexpr (kMasksAreFree) {
      vec other[R];
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) other[r] = zero();
      add_picked<3>(sum, other, rows, taps, masks, 0);
      if constexpr (T == 5) add_picked<2>(sum, other, rows, taps, masks, 3);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = add(sum[r], other[r]);
    } else {
      for (int kx = 0; kx + 1 < T; kx += 2) {
        add_two<kMasked>(sum, rows, taps + kx * T, masks, kx);
        rows.advance(2);
      }
      vec weight[T];
      load_weights(weight, taps + (T - 1) * T);
      add_one<kMasked>(sum, rows, weight, masks, T - 1);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = in_order(sum[r]);
    }
    if (s.clamps) {
      const vec lo = set1(s.lo), hi = set1(s.hi);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = clamp(sum[r], lo, hi);
    }
    const EvenRows<float, R> out(output, s.out_row_step);
    if (kMasksAreFree) {
      const tail lanes = tail_of(width);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) store_tail(out[r], sum[r], lanes);
    } else if (width == kWidth) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) store(out[r], sum[r]);
    } else if (s.spills) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R - 1; ++r) store(out[r], sum[r]);
      // What the last row of a plane writes past it is written later, by the next plane.
      if (more && R * s.out_w == s.out_plane) {
        store(out[R - 1], sum[R - 1]);
      } else if (width == kWidth - 1) {
        store_but_last(out[R - 1], sum[R - 1]);
      } else {
        store_tail(out[R - 1], sum[R - 1], tail_of(width));
      }
    } else {
      const tail lanes = tail_of(width);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) store_tail(out[r], sum[r], lanes);
    }
  }

  // `input` is the first output's tap (0, 0); taps are [kx][ky]. So many planes, if goes_on says so.
  static DEPTHWISE_NOINLINE void run(const Rows& rows, const float* input, const float* taps, const float* bias,
                                     float* output, int64_t planes) {
    if constexpr (!kMasksAreFree) {
      for (int64_t x = 0; x < rows.out_w; x += kWidth) run_strips(rows, x, input, taps, bias, output, planes);
    } else if constexpr (goes_on(kTop, kBottom)) {
      for (int64_t n = 0; n < planes; ++n) {
        run_plane(rows, input, taps, *bias++, output);
        input += rows.in_plane;
        taps += T * T;
        output += rows.out_plane;
      }
    } else {
      run_plane(rows, input, taps, *bias, output);
    }
  }

  // All strips of a plane, where masks are free: the caller sees to it that there is a table.
  static DEPTHWISE_INLINE void run_plane(const Rows& s, const float* input, const float* taps, float bias,
                                         float* output) {
    vec weights[3][3];
    if constexpr (kHoists) load_hoisted(weights, taps);
    const vec bias_vector = set1(bias);
    const StripMasks* masks = s.masks;
    const float* ahead = input + kAhead;
    const int64_t outputs = s.strip_width;
    for (int64_t x = 0; x < s.out_w; x += outputs, ++masks) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R * S; ++r) prefetch_near(ahead + r * kWidth);
      ahead += R * S * kWidth;
      strip<true>(s, input + x * S, taps, weights, bias_vector, output + x, *masks, min(s.out_w - x, outputs), false);
    }
  }

  // The strip at column x of several planes, between which nothing changes but where they are.
  static DEPTHWISE_INLINE void run_strips(const Rows& s, int64_t x, const float* input, const float* taps,
                                          const float* bias, float* output, int64_t planes) {
    constexpr int64_t kLines = (R * kWidth + kFloatsOfLine - 1) / kFloatsOfLine;
    constexpr int64_t kSpan = kWidth * S;  // of what is loaded for one column of taps
    // The last strip ends with the row, over outputs that were already written.
    const int64_t at = s.out_w < kWidth ? x : min(x, s.out_w - kWidth);
    const int64_t column = at * S - s.pad_left, width = min(s.out_w - at, kWidth);
    const float* ahead = input + R * S * s.in_w + x / kWidth * (R * S * kWidth * S);
    if (kFetchesAhead && S == 1 && s.fetches) {
      const float* const ahead_out = output + R * s.out_w + x * R + kFloatsAhead;
      for (int64_t n = 0; n < planes; ++n) {
        fetch_lines<kLines>(ahead + n * s.in_plane + kFloatsAhead);
        fetch_lines<kLines>(ahead_out + n * s.out_plane);
      }
    }
    input += at * S;
    output += at;
    const auto run_all = [&](auto masked, const StripMasks& masks) DEPTHWISE_LAMBDA_INLINE {
      for (int64_t n = planes; n > 0; --n) {
        DEPTHWISE_UNROLL
        for (int r = 0; S == 2 && r < R * S; r += 16 / kWidth / S) prefetch_near(ahead + r * kWidth * S);
        vec weights[3][3];
        if constexpr (kHoists) load_hoisted(weights, taps);
        strip<masked.value>(s, input, taps, weights, set1(*bias++), output, masks, width, n > 1);
        ahead += s.in_plane;
        input += s.in_plane;
        taps += T * T;
        output += s.out_plane;
      }
    };
    if (!kAlwaysMasks && column >= 0 && column + (T - 1) * s.tap_step + kSpan <= s.in_w) {
      run_all(std::false_type(), StripMasks{});
    } else {
      StripMasks made;
      if (!s.masks) made = masks_of_strip<T>(s, S, column);
      run_all(std::true_type(), s.masks ? s.masks[x / kWidth] : made);
    }
  }

  static DEPTHWISE_INLINE void load_hoisted(vec (&weights)[3][3], const float* taps) {
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < 3; ++kx) load_weights(weights[kx], taps + 3 * kx);
  }
};

using RowOfStripsFn = void (*)(const Rows& rows, const float* input, const float* taps, const float* bias,
                               float* output, int64_t planes);

// Rows on padding that a block may have at its top and at its bottom: none, half the filter, and at stride 2 one less.
// At both, which is for planes of one block, not where that is much code, or where two rows share a vector.
template <int S, int T, int R, bool kShifts = false>
struct BlocksOfRows {
  static constexpr int kFull = T / 2, kLess = S == 2 ? T / 2 - 1 : 0;
  template <int kTop>
  static RowOfStripsFn with_top(int64_t bottom) {
    if constexpr (S == 2 && kTop > 0 && (kMasksAreFree || T == 5)) {
      return bottom == 0 ? RowOfStrips<S, T, R, kTop, 0, kShifts>::run : nullptr;
    }
    return bottom == 0       ? RowOfStrips<S, T, R, kTop, 0, kShifts>::run
           : bottom == kFull ? RowOfStrips<S, T, R, kTop, kFull, kShifts>::run
           : bottom == kLess ? RowOfStrips<S, T, R, kTop, kLess, kShifts>::run
                             : nullptr;
  }
  static RowOfStripsFn find(int64_t top, int64_t bottom) {
    return top == 0       ? with_top<0>(bottom)
           : top == kFull ? with_top<kFull>(bottom)
           : top == kLess ? with_top<kLess>(bottom)
                          : nullptr;
  }
};

// Vectors of four gain little from seven rows at stride 2.
constexpr bool kHasSevenAtTwo = kMasksAreFree || kWidth >= 8;

template <int N>
struct Int {
  static constexpr int value = N;
};

// Rows of input of the largest block: 14 rows of outputs of 3x3.
constexpr int64_t kMaxInputRowsOfBlock = 14 - 1 + 3;

// The fewest rows that blocks are cut from. Fewer than four are what a large dilation leaves of a plane, which 3x3
// filters have.
constexpr int64_t least_rows(int64_t stride, int64_t taps) { return stride == 1 && taps == 3 ? 1 : 4; }

// The micro-kernel of 3x3 at stride 1 for a block of all rows of a plane, or of a dilation's phase, with one on padding
// at either side: where columns are shifted, of some numbers above 7, too. Null where there is none.
RowOfStripsFn find_whole_block(bool shifts, int64_t rows, int64_t top, int64_t bottom) {
  if (kBaseline || top != 1 || bottom != 1) return nullptr;
  if constexpr (kMasksAreFree) {
    if (shifts && rows == 9) return RowOfStrips<1, 3, 9, 1, 1, true>::run;
    if (shifts && rows == 10) return RowOfStrips<1, 3, 10, 1, 1, true>::run;
    if (shifts && rows == 12) return RowOfStrips<1, 3, 12, 1, 1, true>::run;
    if (shifts && rows == 14) return RowOfStrips<1, 3, 14, 1, 1, true>::run;
  } else {
    if (rows == 9) return RowOfStrips<1, 3, 9, 1, 1, false>::run;
    if (rows == 10) return RowOfStrips<1, 3, 10, 1, 1, false>::run;
  }
  return rows == 3 ? RowOfStrips<1, 3, 3, 1, 1, false>::run : nullptr;
}

// The micro-kernel for blocks of R rows of which so many lie on padding; null where there is none.
RowOfStripsFn find_row_of_strips(int64_t stride, int64_t taps, bool shifts, int64_t rows, int64_t top, int64_t bottom) {
  if constexpr (kBaseline) return nullptr;
  if (stride == 1 && taps == 3) {
    if (const RowOfStripsFn whole = find_whole_block(shifts, rows, top, bottom)) return whole;
  }
  if constexpr (kMasksAreFree) {
    if (shifts && rows == 7) return BlocksOfRows<1, 3, 7, true>::find(top, bottom);
    if (shifts && rows == 4) return BlocksOfRows<1, 3, 4, true>::find(top, bottom);
  }
  if constexpr (kHasSevenAtTwo) {
    if (stride == 2 && taps == 3 && rows == 7) return BlocksOfRows<2, 3, 7>::find(top, bottom);
  }
  const auto of_taps = [&](auto t) -> RowOfStripsFn {
    constexpr int T = decltype(t)::value;
    return rows == 7   ? BlocksOfRows<1, T, 7>::find(top, bottom)
           : rows == 4 ? BlocksOfRows<1, T, 4>::find(top, bottom)
                       : nullptr;
  };
  if (stride == 1 && taps == 3 && rows == 1) return BlocksOfRows<1, 3, 1>::find(top, bottom);
  if (stride == 1 && taps == 3 && rows == 2) return BlocksOfRows<1, 3, 2>::find(top, bottom);
  if (stride == 1 && taps == 3) return of_taps(Int<3>{});
  if (stride == 1 && taps == 5) return of_taps(Int<5>{});
  if (stride == 1 && taps == 7) return of_taps(Int<7>{});
  if (stride == 2 && taps == 3 && rows == 4) return BlocksOfRows<2, 3, 4>::find(top, bottom);
  if constexpr (kHasFiveAtTwo) {
    if (stride == 2 && taps == 5 && rows == 4) return BlocksOfRows<2, 5, 4>::find(top, bottom);
  }
  return nullptr;
}

// How `rows` output rows are cut into such blocks, from the first one on: the large ones, then the small ones. The last
// one ends with the last row, over rows that the one before it has computed already.
struct Blocks {
  int64_t large, small;        // how high
  int64_t large_count, count;  // of large ones, and of both
  int64_t height(int64_t i) const { return i < large_count ? large : small; }
  int64_t end_of_inner() const {  // the rows of all but the last one
    const int64_t inner = count - 1, inner_large = min(inner, large_count);
    return inner_large * large + (inner - inner_large) * small;
  }
};

// Of 7 and 4 rows; where there are fewer, of 2 and 1. At stride 2 registers are too few for 7 of 5x5. A block costs
// about as much as its rows and two more: the input rows that 3x3 taps reach beyond them.
Blocks blocks_of(int64_t rows, int64_t stride, int64_t taps) {
  if (rows < 4) return {2, 1, max(rows - 1, 0), max(rows - 1, min(rows, 1))};
  Blocks best{7, 4, 0, ceil_div(rows, 4)};
  if (rows < 7 || (stride == 2 && (taps == 5 || !kHasSevenAtTwo))) return best;
  int64_t least = best.count * 6;
  for (int64_t small = 0; small <= 2; ++small) {
    const int64_t large = ceil_div(max(rows - small * 4, 0), 7), cost = large * 9 + small * 6;
    if (cost <= least) best = {7, 4, large, large + small}, least = cost;
  }
  return best;
}

}  // namespace
}  // namespace depthwise

// What pointwise_nchw.cc reads in place of planes where a filter has more than one tap and few inputs: input rows with
// their padding, taken apart by the phases of the stride, so that what a tap meets in neighbouring outputs lies side by
// side.
//
//   for (input row iy, plane i, phase q < stride, n)
//     rows[iy % slots][i][q][n] = input[i][iy][(first output's column) * stride - padding + q + n * stride]
//
// with zeros for the padding. Tap kx of output m is element m + kx * dilation / stride of phase kx * dilation % stride.
// As many rows are kept as a filter reaches over; each is split once for all of its taps and outputs.
#pragma once

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int64_t kMostSplitStride = 2;

// kWidth floats of a row from `column` on, zeros where that is not in [0, in_w).
DEPTHWISE_INLINE vec load_columns(const float* row, int64_t column, int64_t in_w) {
  return load_part(row + column, lanes_inside(column, in_w));
}

// The phases of a row from `column` on, `pitch` floats each, a multiple of kWidth.
template <int S>
DEPTHWISE_INLINE void split_row(const float* row, int64_t column, int64_t in_w, int64_t pitch, float* to) {
  for (int64_t n = 0; n < pitch; n += kWidth, column += S * kWidth) {
    const bool inside = column >= 0 && column + S * kWidth <= in_w;
    vec x[S];
    DEPTHWISE_UNROLL
    for (int s = 0; s < S; ++s) {
      const int64_t at = column + s * kWidth;
      x[s] = inside ? load(row + at) : load_columns(row, at, in_w);
    }
    store(to + n, S == 1 ? x[0] : in_order(evens(x[0], x[S - 1])));
    if (S == 2) store(to + pitch + n, in_order(odds(x[0], x[S - 1])));
  }
}

// Scratch memory for the rows of `planes` planes that `pixels` neighbouring outputs read, in floats from its start.
struct SplitRows {
  int64_t planes, slots, pitch;
  int64_t zeros, tags, bases, shifts, pointers, end;

  SplitRows(const Problem& p, int64_t planes, int64_t pixels, int64_t ahead)
      : planes(planes), slots((p.filter_h - 1) * p.dilation_h + 1) {
    constexpr int64_t kWordFloats = sizeof(int64_t) / sizeof(float);
    pitch = round_up(round_up(pixels, kWidth) + (p.filter_w - 1) * p.dilation_w / p.stride_w, kWidth);
    zeros = slots * planes * p.stride_w * pitch;
    tags = zeros + p.stride_w * pitch;
    bases = tags + slots * kWordFloats;
    shifts = bases + p.filter_h * kWordFloats;
    pointers = shifts + p.filter_w * kWordFloats;
    end = pointers + (planes * p.filter_h * p.filter_w + ahead) * kWordFloats;
  }
};

// The pointers to the inputs of each tap, [plane][ky][kx], of the outputs of row `oy` from column `ox` on.
class TapRows {
 public:
  TapRows(const Problem& p, const SplitRows& room, int64_t ahead, const float* input, float* scratch)
      : p_(p), room_(room), input_(input), rows_(scratch), zeros_(scratch + room.zeros) {
    tags_ = reinterpret_cast<int64_t*>(scratch + room.tags);
    bases_ = reinterpret_cast<const float**>(scratch + room.bases);
    shifts_ = reinterpret_cast<int64_t*>(scratch + room.shifts);
    pointers_ = reinterpret_cast<const float**>(scratch + room.pointers);
    for (int64_t i = room.zeros; i < room.tags; ++i) scratch[i] = 0.0f;
    for (int64_t kx = 0; kx < p.filter_w; ++kx) {
      const int64_t column = kx * p.dilation_w;
      shifts_[kx] = column % p.stride_w * room.pitch + column / p.stride_w;
    }
    const int64_t taps = room.planes * p.filter_h * p.filter_w;
    for (int64_t i = 0; i < ahead; ++i) pointers_[taps + i] = zeros_;
  }

  // Before the first row of outputs from another column on.
  void forget() {
    for (int64_t slot = 0; slot < room_.slots; ++slot) tags_[slot] = -1;
  }

  const float* const* of(int64_t oy, int64_t ox) {
    for (int64_t ky = 0; ky < p_.filter_h; ++ky) {
      const int64_t iy = oy * p_.stride_h + ky * p_.dilation_h - p_.pad_top;
      bases_[ky] = iy >= 0 && iy < p_.in_h ? split(iy, ox) : nullptr;
    }
    const int64_t filter_h = p_.filter_h, filter_w = p_.filter_w, plane = p_.stride_w * room_.pitch;
    const float** to = pointers_;
    for (int64_t i = 0; i < room_.planes; ++i) {
      for (int64_t ky = 0; ky < filter_h; ++ky, to += filter_w) {
        const float* base = bases_[ky] ? bases_[ky] + i * plane : zeros_;
        for (int64_t kx = 0; kx < filter_w; ++kx) to[kx] = base + shifts_[kx];
      }
    }
    return pointers_;
  }

 private:
  const float* split(int64_t iy, int64_t ox) {
    const int64_t slot = iy % room_.slots, row_floats = p_.stride_w * room_.pitch;
    float* const rows = rows_ + slot * room_.planes * row_floats;
    if (tags_[slot] == iy) return rows;
    tags_[slot] = iy;
    const int64_t column = ox * p_.stride_w - p_.pad_left;
    for (int64_t i = 0; i < room_.planes; ++i) {
      const float* row = input_ + (i * p_.in_h + iy) * p_.in_w;
      if (p_.stride_w == 1) {
        split_row<1>(row, column, p_.in_w, room_.pitch, rows + i * row_floats);
      } else {
        split_row<2>(row, column, p_.in_w, room_.pitch, rows + i * row_floats);
      }
    }
    return rows;
  }

  const Problem& p_;
  const SplitRows& room_;
  const float* input_;  // the first of the planes
  float* rows_;
  const float* zeros_;   // the phases of a row of padding
  int64_t* tags_;        // the input row in each slot
  const float** bases_;  // of each filter row; none where it lies on padding
  int64_t* shifts_;      // of each tap of a filter row, from its first plane's first phase on
  const float** pointers_;
};

}  // namespace
}  // namespace depthwise

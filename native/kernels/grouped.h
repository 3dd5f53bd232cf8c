// What the families of grouped convolution share: transposes between the layouts, packing, and weights that aren't
// finite. Both layouts run the same micro-kernels, which read pixels: in NCHW a tile first transposes the input planes
// that it needs to pixels in scratch memory, and at its end the outputs to planes.
#pragma once

#include <cstdint>

#include "../core/kernel.h"
#include "../simd/simd.h"
#include "phases.h"
#include "transpose.h"

namespace depthwise {
namespace {

inline int64_t round_up(int64_t n, int64_t unit) { return ceil_div(n, unit) * unit; }

// Of two or three rows, as pictures have channels: lane l of vector v is float v * kWidth + l of the result, which
// comes from a lane of one of the first two rows, or of the third.
struct InterleavedLanes {
  int32_t of_two[3][kWidth], of_third[3][kWidth];
  part two[3], third[3];
  explicit InterleavedLanes(int64_t rows) {
    for (int64_t v = 0; v < rows; ++v) {
      uint64_t from_two = 0;
      for (int64_t l = 0; l < kWidth; ++l) {
        const int64_t row = (v * kWidth + l) % rows, column = (v * kWidth + l) / rows;
        of_two[v][l] = static_cast<int32_t>(row < 2 ? row * kWidth + column : 0);
        of_third[v][l] = static_cast<int32_t>(row < 2 ? 0 : column);
        from_two |= static_cast<uint64_t>(row < 2) << l;
      }
      two[v] = part_of_bits(from_two);
      third[v] = part_of_bits(~from_two & ((uint64_t{1} << kWidth) - 1));
    }
  }
};

DEPTHWISE_NOINLINE void interleave_few(const float* from, int64_t from_pitch, int64_t rows, int64_t columns,
                                       float* to) {
  const InterleavedLanes lanes(rows);
  for (int64_t c = 0; c < columns; c += kWidth, to += rows * kWidth) {
    const int64_t count = min(columns - c, kWidth);
    const tail in = tail_of(count);
    const vec a = load_tail(from + c, in), b = load_tail(from + from_pitch + c, in);
    const vec third = rows == 3 ? load_tail(from + 2 * from_pitch + c, in) : zero();
    for (int64_t v = 0; v * kWidth < count * rows; ++v) {
      vec x = pick(lanes.two[v], a, b, load_indices(lanes.of_two[v]));
      if (rows == 3) x = select_part(lanes.third[v], permute(third, load_indices(lanes.of_third[v])), x);
      store(to + v * kWidth, x);
    }
  }
}

// transpose_matrix() for fewer than kWidth rows and to_pitch = rows, which writes whole vectors: each one's end is
// overwritten by the next, and kWidth floats behind the last may be too.
DEPTHWISE_NOINLINE void interleave(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to) {
  if (rows == 2 || rows == 3) return interleave_few(from, from_pitch, rows, columns, to);
  for (int64_t c = 0; c < columns; c += kWidth) {
    const int64_t count = min(columns - c, kWidth);
    const tail in = tail_of(count);
    vec x[kWidth];
    DEPTHWISE_UNROLL
    for (int i = 0; i < kWidth; ++i) x[i] = i < rows ? load_tail(from + i * from_pitch + c, in) : zero();
    transpose(x);
    float* target = to + c * rows;
    DEPTHWISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      if (i < count) store(target + i * rows, x[i]);
    }
  }
}

// for (r < rows) for (c < columns) to[r * to_pitch + c] = from[r * from_pitch + c]
DEPTHWISE_NOINLINE void copy_rows(const float* from, int64_t from_pitch, int64_t rows, int64_t columns, float* to,
                                  int64_t to_pitch) {
  const int64_t whole = columns / kWidth * kWidth;
  const tail rest = tail_of(columns - whole);
  for (int64_t r = 0; r < rows; ++r, from += from_pitch, to += to_pitch) {
    for (int64_t c = 0; c < whole; c += kWidth) store(to + c, load(from + c));
    if (whole < columns) store_tail(to + whole, load_tail(from + whole, rest), rest);
  }
}

// Fetches rows that will be written.
inline void prefetch_rows(const float* from, int64_t from_pitch, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r, from += from_pitch) {
    for (int64_t c = 0; c < columns; c += 16) prefetch(from + c);
  }
}

// Input pixels as the micro-kernels read them: NHWC as it is, or what a tile has transposed.
struct Pixels {
  const float* data;  // of input row `first_row`, column 0
  int64_t first_row, row_pitch, pixel_pitch;
};

// The input rows that output rows [row, row + rows) can reach.
struct InputRows {
  int64_t first, count;
};

inline InputRows input_rows_of(const Problem& p, int64_t row, int64_t rows) {
  const int64_t top = row * p.stride_h - p.pad_top;
  const int64_t bottom = (row + rows - 1) * p.stride_h - p.pad_top + (p.filter_h - 1) * p.dilation_h + 1;
  const int64_t first = max(0, min(top, p.in_h));
  return {first, max(first, min(bottom, p.in_h)) - first};
}

// Whether inputs so many floats apart fall into so few sets of the first cache that those of a micro-kernel don't stay.
constexpr bool collides(int64_t pitch) { return pitch % 256 == 0; }

// How far apart a tile's own pixels lie.
constexpr int64_t scratch_pitch(int64_t channels) { return collides(channels) ? channels + 16 : channels; }

// Those rows of `channels` channels of an image, as pixels in `to`, behind which kWidth floats are free.
inline Pixels own_pixels(const Problem& p, const float* image, int64_t channel, int64_t channels, int64_t row,
                         int64_t rows, float* to) {
  const InputRows in = input_rows_of(p, row, rows);
  const int64_t pixels = in.count * p.in_w, pitch = scratch_pitch(channels);
  if (p.layout == Layout::nhwc) {
    copy_rows(image + in.first * p.in_w * p.in_c + channel, p.in_c, pixels, channels, to, pitch);
  } else {
    const int64_t plane = p.in_h * p.in_w;
    const float* from = image + channel * plane + in.first * p.in_w;
    if (channels < kWidth) {
      interleave(from, plane, channels, pixels, to);
    } else {
      transpose_matrix(from, plane, channels, pixels, to, pitch);
    }
  }
  return {to, in.first, p.in_w * pitch, pitch};
}

// for (i < count) to[i] = first + i * step, in so many at once that compilers make vectors of them: as many less one
// are written behind the last, too.
constexpr int64_t kStepsAtOnce = 8;

template <class T>
inline void fill_steps(T* to, int64_t count, T first, int64_t step) {
  for (int64_t i = 0; i < count; i += kStepsAtOnce, first += kStepsAtOnce * step) {
    for (int64_t j = 0; j < kStepsAtOnce; ++j) to[i + j] = static_cast<T>(first + j * step);
  }
}

// Zeros in place of padding are exact as long as every weight is finite. pack leaves the answer behind the packed
// weights, in kFlagFloats floats of their own; where it is no, run takes the padding out tap by tap.
constexpr int64_t kFlagFloats = 16;
inline bool weights_are_finite(const KernelArgs& args) {
  return args.weights[args.plan->packed_floats - kFlagFloats] != 0.0f;
}

// Copies filter elements as vectors over `count` neighbouring outputs from `first` on:
//
//   for (ky) for (kx) for (i) for (o < count) target(ky, kx, i)[o] = element (first + o, i, ky, kx)
//
// with zeros up to `width`. Returns a vector with a NaN in some lane if an element is not finite.
template <typename Target>
vec pack_vectors(const Problem& p, const FilterView& filter, int64_t first, int64_t count, int64_t width,
                 Target target) {
  const int64_t in_c = p.in_c / p.groups, taps = p.filter_h * p.filter_w;
  const float* from = filter.data + first * filter.stride_o;
  vec check = zero();
  if (filter.stride_o == 1) {
    for (int64_t ky = 0; ky < p.filter_h; ++ky) {
      for (int64_t kx = 0; kx < p.filter_w; ++kx) {
        for (int64_t i = 0; i < in_c; ++i) {
          const float* source = from + ky * filter.stride_h + kx * filter.stride_w + i * filter.stride_i;
          float* to = target(ky, kx, i);
          for (int64_t o = 0; o < width; o += kWidth) {
            const int64_t left = max(0, min(count - o, kWidth));
            const vec x = left == kWidth ? load(source + o) : load_tail(source + o, tail_of(left));
            check = fma(x, zero(), check);
            store(to + o, x);
          }
        }
      }
    }
    return check;
  }
  // OIHW: the elements of an output lie one after the other, [input][ky][kx], and squares of them are transposed.
  const int64_t elements = in_c * taps;
  for (int64_t o = 0; o < width; o += kWidth) {
    const int64_t rows = max(0, min(count - o, kWidth));
    for (int64_t j = 0; j < elements; j += kWidth) {
      const int64_t columns = min(elements - j, kWidth);
      vec x[kWidth];
      const tail in = tail_of(columns);
      DEPTHWISE_UNROLL
      for (int i = 0; i < kWidth; ++i) {
        x[i] = i < rows ? load_tail(from + (o + i) * filter.stride_o + j, in) : zero();
        check = fma(x[i], zero(), check);
      }
      transpose(x);
      float square[kWidth * kWidth];
      DEPTHWISE_UNROLL
      for (int i = 0; i < kWidth; ++i) store(square + i * kWidth, x[i]);
      int64_t input = j / taps, tap = j % taps;
      for (int64_t i = 0; i < columns; ++i) {
        store(target(tap / p.filter_w, tap % p.filter_w, input) + o, load(square + i * kWidth));
        if (++tap == taps) tap = 0, ++input;
      }
    }
  }
  return check;
}

inline bool all_finite(vec check) {
  float lanes_of_check[kWidth];
  store(lanes_of_check, check);
  bool finite = true;
  for (int64_t i = 0; i < kWidth; ++i) finite &= lanes_of_check[i] == 0.0f;
  return finite;
}

inline void store_finite_flag(const KernelPlan& plan, float* packed, bool finite) {
  float* flag = packed + plan.packed_floats - kFlagFloats;
  for (int64_t i = 0; i < kFlagFloats; ++i) flag[i] = finite ? 1.0f : 0.0f;
}

}  // namespace
}  // namespace depthwise

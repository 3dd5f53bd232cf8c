// Depthwise convolution in NHWC, for any multiplier M = out_c / in_c, over rows taken as flat runs of floats.
//
//   for (output row oy) for (float f of the row: f = x * out_c + channel)
//     sum = bias[f % out_c]
//     for (each tap (ky, kx) that doesn't fall on padding)
//       sum += input[oy + ky * dilation - pad][f / M + (kx * dilation - pad) * in_c] * filter[ky][kx][f % out_c]
//     output[oy][f] = clamp(sum)
//
// because (x * out_c + channel) / M = x * in_c + channel / M: at stride 1 a tap is a shift of the flat row, and
// vectors needn't begin where a pixel does. The weights of the vector at f depend on f % out_c alone.
//
// Unit: the pixels after which that repeats; its vectors are its phases. Flat: lcm(out_c, kWidth) floats, all lanes
// used, and the weights are packed vector by vector. By pixels, where that takes too much room or where out_c is a
// multiple of kWidth: one pixel, its last vector overlapping the one before, and an HWIO filter is read in place.
//
// Columns: a stride along the row is taken away first. The tile's input rows are split into one row for each
// remainder of the input column by the stride, in scratch memory, and a tap is a shift of one of those.
// Rows: with g = gcd(stride, dilation), s = stride / g and d = dilation / g, output row d * j + q reads, with tap k,
// input row g * (d * (s * j + k) + s * q) - pad. So the output rows of one q share the input rows of the taps k of
// one remainder by s: the kernel holds up to kMostRows such output rows and up to Expand::kMostTaps such taps at a
// time, and loads each input row once for all of them. More taps than that are further passes over sums kept in the
// output.
#pragma once

#include <cstdint>

#include "../core/kernel.h"
#include "../simd/simd.h"

namespace depthwise {
namespace {

constexpr int kMostRows = kBaseline ? 4 : 8;

int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
int64_t floor_div(int64_t a, int64_t b) { return -ceil_div(-a, b); }
int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t clip(int64_t x, int64_t lo, int64_t hi) { return max_of(lo, min_of(x, hi)); }
int64_t gcd(int64_t a, int64_t b) { return b == 0 ? a : gcd(b, a % b); }

// A column of the filter over a run of outputs.
struct Tap {
  int64_t input;        // where float 0 of the output row reads its input, in floats from the input row
  int64_t first, last;  // the floats of the output row, first <= f < last, for which that isn't padding
  int64_t weights;      // in floats from the filter's column 0
};

// How an input becomes a vector over output channels. Each has the vector for the outputs whose first one reads *p,
// and the same for the outputs of `lanes` only, which are first <= i < end. kMostTaps: of a column of the filter, how
// many weight vectors the kernel holds beside its sums and an input.
struct Identity {
  static constexpr int kMostTaps = kBaseline ? 3 : 7;
  static constexpr bool kTakesFour = false;
  static constexpr int64_t kReads = kWidth;
  DEPTHWISE_INLINE explicit Identity(const int32_t*) {}
  DEPTHWISE_INLINE vec all(const float* p) const { return load(p); }
  DEPTHWISE_INLINE vec some(const float* p, int64_t first, int64_t end) const {
    return load_part(p, part_of(first, end));
  }
};

// index[i]: the input of output i, in floats from p.
struct Spread {
  static constexpr int kMostTaps = kBaseline ? 3 : 5;
  static constexpr bool kTakesFour = kWidth >= 16;
  static constexpr int64_t kReads = kWidth / 2;
  DEPTHWISE_INLINE explicit Spread(const int32_t* index) : index(index), lanes(load_indices(index)) {}
  DEPTHWISE_INLINE vec all(const float* p) const { return spread(p, lanes); }
  DEPTHWISE_INLINE vec some(const float* p, int64_t first, int64_t end) const {
    return spread_part(p, part_of(index[first], index[end - 1] + 1), lanes);
  }
  const int32_t* index;
  indices lanes;
};

struct Broadcast {
  static constexpr int kMostTaps = kBaseline ? 3 : 5;
  static constexpr bool kTakesFour = false;
  static constexpr int64_t kReads = 1;
  DEPTHWISE_INLINE explicit Broadcast(const int32_t*) {}
  DEPTHWISE_INLINE vec all(const float* p) const { return set1(*p); }
  DEPTHWISE_INLINE vec some(const float* p, int64_t, int64_t) const { return set1(*p); }
};

// One phase of a block of rows: what run_vectors repeats for unit after unit.
struct Pass {
  const float* input;    // of unit 0, in the first input row
  float* output;         // of unit 0, in the first output row
  const float* weights;  // of the first row of taps
  const float* bias;
  const int32_t* index;  // see Spread
  const Tap* taps;
  int64_t tap_count;
  int64_t input_row, output_row, weight_row;  // floats to the next
  int64_t input_unit, output_unit;
  int64_t rows;         // outputs rows to write, at most the kernel's
  uint32_t input_rows;  // bit t: input row t isn't padding
  int64_t position;     // of unit 0's outputs in their row
  int64_t row_floats;   // of an output row
  float lo, hi;
  bool begins, ends;  // the sums start from the bias, or from the output; they are clamped
};

// Units [from, to) of a pass, vectors of X units and R rows at a time. Registers: R * X sums, `count` weights, one
// input. kEdge: some lanes of some taps fall on padding, or past the end of the row.
template <typename Expand, int R, int X, int count, bool kEdge>
void run_vectors(const Pass& pass, int64_t from, int64_t to) {
  const Expand expand(pass.index);
  const vec bias = load(pass.bias);
  const vec lo = set1(pass.lo), hi = set1(pass.hi);
  const uint32_t input_rows = pass.input_rows;
  for (int64_t unit = from; unit < to; unit += X) {
    const float* input = pass.input + unit * pass.input_unit;
    float* output = pass.output + unit * pass.output_unit;
    const int64_t position = pass.position + unit * pass.output_unit;
    const tail lanes = tail_of(kEdge ? min_of(kWidth, pass.row_floats - position) : kWidth);

    vec sums[R][X];
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      DEPTHWISE_UNROLL
      for (int x = 0; x < X; ++x) {
        const float* sum = output + r * pass.output_row + x * pass.output_unit;
        sums[r][x] = pass.begins || r >= pass.rows ? bias : kEdge ? load_tail(sum, lanes) : load(sum);
      }
    }

    for (const Tap* tap = pass.taps; tap < pass.taps + pass.tap_count; ++tap) {
      const int64_t first = kEdge ? clip(tap->first - position, 0, kWidth) : 0;
      const int64_t end = kEdge ? clip(tap->last - position, 0, kWidth) : kWidth;
      if (kEdge && first >= end) continue;
      const part inside = part_of(first, end);

      vec weights[count];
      DEPTHWISE_UNROLL
      for (int k = 0; k < count; ++k) weights[k] = load(pass.weights + tap->weights + k * pass.weight_row);
      const float* row = input + tap->input;
      DEPTHWISE_UNROLL
      for (int t = 0; t < R + count - 1; ++t, row += pass.input_row) {
        if (!(input_rows >> t & 1)) continue;
        DEPTHWISE_UNROLL
        for (int x = 0; x < X; ++x) {
          const float* p = row + x * pass.input_unit;
          const vec in = kEdge ? expand.some(p, first, end) : expand.all(p);
          DEPTHWISE_UNROLL
          for (int k = 0; k < count; ++k) {
            const int r = t - k;
            if (r < 0 || r >= R) continue;
            const vec sum = fma(in, weights[k], sums[r][x]);
            sums[r][x] = kEdge ? select_part(inside, sum, sums[r][x]) : sum;
          }
        }
      }
    }

    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      if (r >= pass.rows) break;
      DEPTHWISE_UNROLL
      for (int x = 0; x < X; ++x) {
        float* sum = output + r * pass.output_row + x * pass.output_unit;
        const vec value = pass.ends ? clamp(sums[r][x], lo, hi) : sums[r][x];
        if (kEdge) {
          store_tail(sum, value, lanes);
        } else {
          store(sum, value);
        }
      }
    }
  }
}

using RunVectors = void (*)(const Pass& pass, int64_t from, int64_t to);

// For R rows: of a whole number of kMostRows / R units, of any number of units, and at the edges; by the number of
// taps, of which only those of taps_of_pass are there.
template <int kMostTaps>
struct Kernels {
  RunVectors wide[kMostTaps + 1], single[kMostTaps + 1], edge[kMostTaps + 1];
};

// How many of so many taps one pass of R rows takes. Four, which columns of seven leave at stride 2, only where it is
// worth its code.
template <typename Expand>
constexpr int64_t taps_of_pass(int64_t taps, int64_t rows) {
  if (taps >= Expand::kMostTaps) return Expand::kMostTaps;
  if (taps == 4 && !(Expand::kTakesFour && rows == kMostRows)) return 2;
  return taps == 6 ? 3 : taps;
}

// The kernels for up to `count` taps.
template <typename Expand, int R, int X, bool kEdge, int count = Expand::kMostTaps>
constexpr void list_kernels(RunVectors* kernels) {
  if constexpr (count > 0) {
    list_kernels<Expand, R, X, kEdge, count - 1>(kernels);
    if constexpr (taps_of_pass<Expand>(count, R) == count) kernels[count] = run_vectors<Expand, R, X, count, kEdge>;
  }
}

template <typename Expand, int R>
constexpr auto kernels_of_rows() {
  Kernels<Expand::kMostTaps> kernels{};
  list_kernels<Expand, R, kMostRows / R, false>(kernels.wide);
  list_kernels<Expand, R, 1, false>(kernels.single);
  list_kernels<Expand, R, 1, true>(kernels.edge);
  return kernels;
}

template <typename Expand>
constexpr Kernels<Expand::kMostTaps> kKernels[] = {kernels_of_rows<Expand, kMostRows>(), kernels_of_rows<Expand, 4>(),
                                                   kernels_of_rows<Expand, 1>()};

// One axis, reduced as the head of this file says.
struct Axis {
  int64_t common;            // g
  int64_t stride, dilation;  // s and d
};

Axis reduce(int64_t stride, int64_t dilation) {
  const int64_t g = gcd(stride, dilation);
  return {g, stride / g, dilation / g};
}

// What plan decides and run needs: fills KernelPlan::param.
struct Split {
  int64_t by_pixels;  // see Unit above
  int64_t unit_pixels, phases;
  int64_t row_phases;             // the q of the rows
  int64_t tile_rows, row_blocks;  // of one row phase
  int64_t tile_units, unit_blocks;
  int64_t columns;        // rows into which an input row is split; 0: the input is read in place
  int64_t column_pixels;  // the room for each
};

constexpr int64_t kSplitPad = 2 * kWidth;  // kernels may load, not use, so many floats past the end of a split row
int64_t split_row_floats(const Problem& p, const Split& split) { return split.column_pixels * p.in_c + kSplitPad; }
int64_t unit_floats(const Problem& p, const Split& split) { return split.unit_pixels * p.out_c; }
int64_t units(const Problem& p, const Split& split) { return ceil_div(p.out_w, split.unit_pixels); }

// Phase `phase` of a unit begins at this float of it.
int64_t phase_position(const Problem& p, const Split& split, int64_t phase) {
  return split.by_pixels ? min_of(phase * kWidth, p.out_c - kWidth) : phase * kWidth;
}

// Scratch: taps, bias by phase, indices by phase, split rows. All offsets are in floats.
struct Scratch {
  int64_t bias, index, rows, floats;
};

Scratch scratch_of(const Problem& p, const Split& split, int64_t input_rows) {
  const auto align = [](int64_t floats) { return ceil_div(floats, 16) * 16; };
  Scratch scratch;
  scratch.bias = align(p.filter_w * static_cast<int64_t>(sizeof(Tap) / sizeof(float)));
  scratch.index = scratch.bias + align(split.phases * kWidth);
  scratch.rows = scratch.index + align(split.phases * kWidth);
  scratch.floats = scratch.rows + input_rows * split.columns * split_row_floats(p, split);
  return scratch;
}

// Rows that a tile reads of one row phase, were none of them padding.
int64_t tile_input_rows(const Problem& p, const Split& split) {
  return reduce(p.stride_h, p.dilation_h).stride * (split.tile_rows - 1) + p.filter_h;
}

void set_units(const Problem& p, Split& split) {
  const int64_t unit = p.out_c / gcd(p.out_c, kWidth) * kWidth;
  const int64_t pixel_vectors = ceil_div(p.out_c, kWidth);
  // By pixels at least where 9 of 10 lanes are used anyway, or where the packed weights would take half the L1 cache.
  split.by_pixels =
      p.out_c >= kWidth && (p.out_c * 10 >= pixel_vectors * kWidth * 9 || unit * p.filter_h * p.filter_w > 4096);
  split.unit_pixels = split.by_pixels ? 1 : unit / p.out_c;
  split.phases = split.by_pixels ? pixel_vectors : unit / kWidth;
}

void set_tiles(const Problem& p, Split& split) {
  const int64_t row_floats = p.out_w * p.out_c;
  const double flops_per_row = 2.0 * static_cast<double>(row_floats * p.filter_h) * static_cast<double>(p.filter_w);
  const double total = flops_per_row * static_cast<double>(p.batch * p.out_h);
  // 3 to 40 us each; 16 of them if the problem is large enough.
  const double target = total < 16 * 3e5 ? 3e5 : total > 16 * 4e6 ? 4e6 : total / 16;
  const int64_t rows = ceil_div(p.out_h, split.row_phases);

  split.tile_rows = min_of(rows, kMostRows);
  // Columns are split where 8 rows are too much work, or so many input rows wouldn't stay in half of the L2 cache.
  const auto blocks_of = [](double size, double limit) { return size > limit ? size / limit : 1.0; };
  const double work = blocks_of(flops_per_row * static_cast<double>(split.tile_rows), 2 * target);
  const double room =
      blocks_of(4.0 * static_cast<double>(tile_input_rows(p, split)) * static_cast<double>(p.in_w * p.in_c), 512e3);
  const int64_t least_units = ceil_div(256, unit_floats(p, split));
  const double blocks = work > room ? work : room;
  split.tile_units = max_of(static_cast<int64_t>(static_cast<double>(units(p, split)) / blocks), least_units);
  split.tile_units = min_of(split.tile_units, units(p, split));
  split.unit_blocks = ceil_div(units(p, split), split.tile_units);
  if (split.columns == 0) {
    const double more =
        target / (flops_per_row * static_cast<double>(split.tile_rows)) * static_cast<double>(split.unit_blocks);
    if (more > 2) split.tile_rows = min_of(rows, kMostRows * static_cast<int64_t>(more > 1e6 ? 1e6 : more));
  }
  split.row_blocks = ceil_div(rows, split.tile_rows);
}

void plan_flat_rows(const Problem& p, KernelPlan& plan) {
  Split split{};
  set_units(p, split);
  split.row_phases = min_of(reduce(p.stride_h, p.dilation_h).dilation, p.out_h);
  split.columns = p.stride_w == 1 ? 0 : min_of(reduce(p.stride_w, p.dilation_w).stride, p.filter_w);
  set_tiles(p, split);
  const int64_t shifts =
      floor_div((p.filter_w - 1) * p.dilation_w - p.pad_left, p.stride_w) - floor_div(-p.pad_left, p.stride_w);
  split.column_pixels = min_of(split.tile_units * split.unit_pixels + shifts, ceil_div(p.in_w, p.stride_w));

  const int64_t taps = p.filter_h * p.filter_w;
  const bool in_place = split.by_pixels && p.filter_layout == FilterLayout::hwio;
  plan.tiles = p.batch * split.row_phases * split.row_blocks * split.unit_blocks;
  plan.packed_floats = in_place ? 0 : taps * (split.by_pixels ? p.out_c : split.phases * kWidth);
  plan.packing = split.by_pixels;
  plan.scratch_floats = scratch_of(p, split, split.columns ? tile_input_rows(p, split) : 0).floats;
  static_assert(sizeof(Split) <= sizeof plan.param);
  __builtin_memcpy(plan.param, &split, sizeof split);
}

Split split_of(const KernelPlan& plan) {
  Split split;
  __builtin_memcpy(&split, plan.param, sizeof split);
  return split;
}

// Packed: flat, [phase][ky][kx][kWidth]; by pixels, [ky][kx][out_c].
void pack_flat_rows(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const Split split = split_of(plan);
  const int64_t phases = split.by_pixels ? 1 : split.phases;
  const int64_t floats = split.by_pixels ? p.out_c : kWidth;
  for (int64_t phase = 0; phase < phases; ++phase) {
    for (int64_t ky = 0; ky < p.filter_h; ++ky) {
      for (int64_t kx = 0; kx < p.filter_w; ++kx) {
        const float* tap = filter.data + ky * filter.stride_h + kx * filter.stride_w;
        int64_t channel = phase * kWidth % p.out_c;
        for (int64_t i = 0; i < floats; ++i) {
          *packed++ = tap[channel * filter.stride_o];
          channel = channel + 1 == p.out_c ? 0 : channel + 1;
        }
      }
    }
  }
}

// Pixels of `channels` floats, `stride` pixels apart, side by side. `available`: floats that may be read; so many as a
// vector has may be written behind the last.
void gather_pixels(const float* from, int64_t available, int64_t stride, int64_t channels, int64_t pixels, float* to) {
  const int64_t step = stride * channels;
  int64_t x = 0;
  if (channels <= kWidth) {
    // As many as one vector has room for and two reach.
    const int64_t at_once = min_of(kWidth / channels, (2 * kWidth - channels) / step + 1);
    int32_t index[kWidth] = {};
    for (int64_t i = 0; i < at_once * channels; ++i) {
      index[i] = static_cast<int32_t>(i / channels * step + i % channels);
    }
    const indices lanes = load_indices(index);
    const part inside = part_of(0, at_once * channels);
    for (; x + at_once <= pixels && x * step + 2 * kWidth <= available; x += at_once) {
      const float* pixel = from + x * step;
      store(to + x * channels, pick(inside, load(pixel), load(pixel + kWidth), lanes));
    }
  }
  for (; x < pixels; ++x) {
    for (int64_t c = 0; c < channels; ++c) to[x * channels + c] = from[x * step + c];
  }
}

// One tile at work. Output rows are numbered within the row phase: j of the head of this file.
template <typename Expand>
struct Tile {
  const KernelArgs& args;
  const Problem& p;
  const Split split;
  const Axis rows;
  const int64_t row_phase, first_row, last_row, first_unit, last_unit;
  const float* image;
  float* output;
  float* scratch;
  Scratch at;
  int64_t tap_count, interior_first, interior_last, most_input;

  int64_t input_row_of(int64_t j, int64_t k) const {
    return rows.common * (rows.dilation * (rows.stride * j + k) + rows.stride * row_phase) - p.pad_top;
  }
  const Tap* taps() const { return reinterpret_cast<const Tap*>(scratch); }

  // First pixel of the split rows: column x * stride + remainder is pixel x - this.
  int64_t first_split_pixel() const {
    return max_of(first_unit * split.unit_pixels + floor_div(-p.pad_left, p.stride_w), 0);
  }

  void make_taps() {
    const int64_t weights_of_tap = split.by_pixels ? p.out_c : kWidth;
    Tap* tap = reinterpret_cast<Tap*>(scratch);
    tap_count = 0;
    interior_first = 0, interior_last = p.out_w * p.out_c, most_input = 0;
    for (int64_t kx = 0; kx < p.filter_w; ++kx) {
      const int64_t column = kx * p.dilation_w - p.pad_left;  // that pixel 0 reads
      const int64_t first = clip(ceil_div(-column, p.stride_w), 0, p.out_w);
      const int64_t last = clip(ceil_div(p.in_w - column, p.stride_w), 0, p.out_w);
      if (first >= last) continue;
      int64_t at_input = column * p.in_c;
      if (split.columns) {
        const int64_t shift = floor_div(column, p.stride_w) - first_split_pixel();
        at_input = kx % split.columns * split_row_floats(p, split) + shift * p.in_c;
      }
      tap[tap_count++] = {at_input, first * p.out_c, last * p.out_c, kx * weights_of_tap};
      interior_first = max_of(interior_first, first * p.out_c);
      interior_last = min_of(interior_last, last * p.out_c);
      most_input = max_of(most_input, at_input);
    }
  }

  void make_phases() {
    float* bias = scratch + at.bias;
    int32_t* index = reinterpret_cast<int32_t*>(scratch + at.index);
    const int64_t multiplier = p.out_c / p.in_c;
    for (int64_t phase = 0; phase < split.phases; ++phase) {
      const int64_t position = phase_position(p, split, phase);
      int64_t channel = position % p.out_c, remainder = position % multiplier;
      int32_t input = 0;
      for (int64_t i = 0; i < kWidth; ++i) {
        *bias++ = args.bias[channel];
        *index++ = input;
        channel = channel + 1 == p.out_c ? 0 : channel + 1;
        if (++remainder == multiplier) remainder = 0, ++input;
      }
    }
  }

  void split_input() {
    const int64_t floats = split_row_floats(p, split);
    float* to = scratch + at.rows;
    const int64_t from_pixel = first_split_pixel();
    for (int64_t row = 0; row < rows.stride * (last_row - first_row - 1) + p.filter_h; ++row) {
      const int64_t iy = input_row_of(first_row, row);
      for (int64_t column = 0; column < split.columns; ++column, to += floats) {
        if (iy < 0 || iy >= p.in_h) continue;
        const int64_t start = column * p.dilation_w - p.pad_left;
        const int64_t remainder = start - floor_div(start, p.stride_w) * p.stride_w;
        const int64_t pixels = min_of(split.column_pixels, ceil_div(p.in_w - remainder, p.stride_w) - from_pixel);
        const int64_t from_column = from_pixel * p.stride_w + remainder;
        const float* from = image + (iy * p.in_w + from_column) * p.in_c;
        gather_pixels(from, (p.in_w - from_column) * p.in_c, p.stride_w, p.in_c, pixels, to);
      }
    }
  }

  // Of unit 0, for `count` taps from k on at stride s, into output rows j …
  Pass pass_of(int64_t j, int64_t most_rows, int64_t k, int64_t count) const {
    Pass pass{};
    const int64_t iy = input_row_of(j, k), step = rows.common * rows.dilation * rows.stride;
    const int64_t in_row = p.in_w * p.in_c, out_row = p.out_w * p.out_c;
    if (split.columns) {
      const int64_t row = split.columns * split_row_floats(p, split);
      pass.input = scratch + at.rows + (rows.stride * (j - first_row) + k) * row;
      pass.input_row = rows.stride * row;
    } else {
      pass.input = image + iy * in_row;
      pass.input_row = step * in_row;
    }
    pass.output = output + (rows.dilation * j + row_phase) * out_row;
    pass.output_row = rows.dilation * out_row;
    const int64_t weights_of_tap = split.by_pixels ? p.out_c : kWidth;
    pass.weights = args.weights + k * p.filter_w * weights_of_tap;
    pass.weight_row = rows.stride * p.filter_w * weights_of_tap;
    pass.rows = min_of(most_rows, last_row - j);
    pass.input_rows = 0;
    for (int64_t t = 0; t < pass.rows + count - 1; ++t) {
      pass.input_rows |= static_cast<uint32_t>(iy + t * step >= 0 && iy + t * step < p.in_h) << t;
    }
    pass.taps = taps();
    pass.tap_count = tap_count;
    pass.input_unit = split.unit_pixels * p.in_c;
    pass.output_unit = unit_floats(p, split);
    pass.row_floats = out_row;
    pass.lo = args.lo, pass.hi = args.hi;
    return pass;
  }

  void run_units(const Kernels<Expand::kMostTaps>& kernels, int64_t lanes_of_units, int64_t count, Pass pass,
                 int64_t phase, int64_t from, int64_t to) const {
    const int64_t position = phase_position(p, split, phase);
    const int64_t input = position / (p.out_c / p.in_c);
    pass.position = position;
    pass.input += input;
    pass.output += position;
    pass.weights += split.by_pixels ? position : phase * p.filter_h * p.filter_w * kWidth;
    pass.bias = scratch + at.bias + phase * kWidth;
    pass.index = reinterpret_cast<const int32_t*>(scratch + at.index) + phase * kWidth;

    // Units whose vectors have no lane on padding, and whose loads stay in the row.
    to = min_of(to, ceil_div(pass.row_floats - position, pass.output_unit));
    int64_t inside = ceil_div(interior_first - position, pass.output_unit);
    int64_t outside = floor_div(interior_last - kWidth - position, pass.output_unit) + 1;
    if (!split.columns) {
      outside = min_of(outside, floor_div(p.in_w * p.in_c - most_input - Expand::kReads - input, pass.input_unit) + 1);
    }
    inside = clip(inside, from, to);
    outside = clip(outside, inside, to);
    const int64_t wide = inside + (outside - inside) / lanes_of_units * lanes_of_units;
    kernels.edge[count](pass, from, inside);
    kernels.wide[count](pass, inside, wide);
    kernels.single[count](pass, wide, outside);
    kernels.edge[count](pass, outside, to);
  }

  // All taps, phase by phase, over units few enough for the sums to stay in the L1 cache. Where one pass makes the
  // sums, only the cache lines that it writes half have to stay, for the next phase: then units enough to be worth a
  // call.
  void run_rows(const Kernels<Expand::kMostTaps>& kernels, int64_t most_rows, int64_t j) const {
    const bool one_pass = rows.stride == 1 && taps_of_pass<Expand>(p.filter_h, most_rows) == p.filter_h;
    const int64_t least = one_pass ? (kWidth >= 16 ? 16 : 6) : 1;
    const int64_t segment = max_of(4096 / most_rows / unit_floats(p, split), least * kMostRows / most_rows);
    const int64_t remainders = min_of(rows.stride, p.filter_h);
    for (int64_t unit = first_unit; unit < last_unit; unit += segment) {
      const int64_t end = min_of(unit + segment, last_unit);
      for (int64_t phase = 0; phase < split.phases; ++phase) {
        for (int64_t remainder = 0; remainder < remainders; ++remainder) {
          const int64_t taps = ceil_div(p.filter_h - remainder, rows.stride);
          for (int64_t k = 0, count; k < taps; k += count) {
            count = taps_of_pass<Expand>(taps - k, most_rows);
            Pass pass = pass_of(j, most_rows, remainder + k * rows.stride, count);
            pass.begins = remainder == 0 && k == 0;
            pass.ends = remainder + 1 == remainders && k + count == taps;
            run_units(kernels, kMostRows / most_rows, count, pass, phase, unit, end);
          }
        }
      }
    }
  }

  void activate(int64_t from, int64_t to) const {
    const int64_t first = first_unit * split.unit_pixels, last = min_of(last_unit * split.unit_pixels, p.out_w);
    for (int64_t j = from; j < to; ++j) {
      float* row = output + ((rows.dilation * j + row_phase) * p.out_w + first) * p.out_c;
      if (args.activation.kind == ActivationKind::prelu) {
        args.activate(args, row, last - first, p.out_c, p.out_c, 0);
      } else {
        args.activate(args, row, 1, 0, (last - first) * p.out_c, 0);
      }
    }
  }

  void run() {
    make_taps();
    make_phases();
    if (split.columns) split_input();
    for (int64_t j = first_row; j < last_row;) {
      // Of kMostRows, 4 and 1 rows the most, or one step more where rows too many are cheaper than another block.
      const int64_t left = last_row - j;
      const int size = left >= kMostRows - 1 ? 0 : left >= 2 ? 1 : 2;
      const int64_t rows_at_once = size == 0 ? kMostRows : size == 1 ? 4 : 1;
      run_rows(kKernels<Expand>[size], rows_at_once, j);
      const int64_t next = min_of(j + rows_at_once, last_row);
      if (args.activate) activate(j, next);
      j = next;
    }
  }
};

template <typename Expand>
void run_flat_rows(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = split_of(*args.plan);
  const int64_t unit_block = tile % split.unit_blocks;
  const int64_t row_block = tile / split.unit_blocks % split.row_blocks;
  const int64_t row_phase = tile / split.unit_blocks / split.row_blocks % split.row_phases;
  const int64_t image = tile / split.unit_blocks / split.row_blocks / split.row_phases;
  const Axis rows = reduce(p.stride_h, p.dilation_h);
  const int64_t rows_of_phase = ceil_div(p.out_h - row_phase, rows.dilation);
  const int64_t first_row = row_block * split.tile_rows, first_unit = unit_block * split.tile_units;
  if (first_row >= rows_of_phase) return;
  Tile<Expand>{args,
               p,
               split,
               rows,
               row_phase,
               first_row,
               min_of(first_row + split.tile_rows, rows_of_phase),
               first_unit,
               min_of(first_unit + split.tile_units, units(p, split)),
               input + image * p.in_h * p.in_w * p.in_c,
               output + image * p.out_h * p.out_w * p.out_c,
               scratch,
               scratch_of(p, split, 0),
               0,
               0,
               0,
               0}
      .run();
}

// Of whole rows that follow one another.
inline OutputRuns outputs_of_flat_rows(const KernelArgs& args, const float*, int64_t tile) {
  const Problem& p = *args.problem;
  const Split split = split_of(*args.plan);
  if (split.unit_blocks > 1 || split.row_phases > 1) return {};
  const int64_t image = tile / split.row_blocks, first = tile % split.row_blocks * split.tile_rows;
  const int64_t rows = min_of(split.tile_rows, p.out_h - first), row_floats = p.out_w * p.out_c;
  if (rows <= 0) return {};
  return {(image * p.out_h + first) * row_floats, 1, rows * row_floats, 0};
}

}  // namespace
}  // namespace depthwise

// Grouped convolution with very few outputs a group and many inputs, in either layout: vectors along the inputs.
//
//   for (each image, output pixel, group g, output o of the group)
//     sum = bias[o]
//     for (each tap (ky, kx) that doesn't fall on padding)
//       sum += dot product of input[pixel's input under the tap][g] and filter[ky][kx][g][o]
//     output[pixel][o] = clamp(sum)
//
// The micro-kernel keeps a vector of partial sums for each of P pixels and O outputs, and adds up its lanes at the end:
//
//   for (tap) for (i, kWidth at a time)  w[o] = O weight vectors;  for (p) { x = input[p][i];  sum[p][o] += x * w[o] }
//
// Registers: P * O sums, O weights, one input. Strips that reach over padding are computed pixel by pixel, without the
// taps on it.
// Packed: [group][ky][kx][i, kWidth at a time][o][kWidth], zeros past the last input.
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kMostOutputs = kWidth / 4;
constexpr int most_pixels(int outputs) { return kRegisters >= 32 || outputs <= 2 ? 4 : 2; }
constexpr int kMostPixels = 4;

struct Strip {
  const float* input;                              // at tap (0, 0) of the first pixel, which may lie on padding
  int64_t row_step, tap_step, pixel_step;          // floats between filter rows, taps of a row, and pixels
  int64_t first_row, end_row, first_tap, end_tap;  // the taps that are not on padding
  int64_t filter_w, in_c;
  const float* weights;
  const float* bias;
  float* output;
  int64_t output_step, channel_step;  // floats between pixels, and between outputs
  float lo, hi;
};

template <int O, int P>
void run_strip(const Strip& s) {
  vec sums[P][O];
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p) {
    DEPTHWISE_UNROLL
    for (int o = 0; o < O; ++o) sums[p][o] = zero();
  }

  const int64_t tap_weights = round_up(s.in_c, kWidth) * O;
  const tail rest = tail_of(s.in_c % kWidth);
  for (int64_t ky = s.first_row; ky < s.end_row; ++ky) {
    for (int64_t kx = s.first_tap; kx < s.end_tap; ++kx) {
      const float* weights = s.weights + (ky * s.filter_w + kx) * tap_weights;
      const float* input = s.input + ky * s.row_step + kx * s.tap_step;
      for (int64_t i = 0; i < s.in_c; i += kWidth, weights += O * kWidth) {
        const bool whole = i + kWidth <= s.in_c;
        vec w[O];
        DEPTHWISE_UNROLL
        for (int o = 0; o < O; ++o) w[o] = load(weights + o * kWidth);
        DEPTHWISE_UNROLL
        for (int p = 0; p < P; ++p) {
          const float* from = input + p * s.pixel_step + i;
          const vec x = whole ? load(from) : load_tail(from, rest);
          DEPTHWISE_UNROLL
          for (int o = 0; o < O; ++o) sums[p][o] = fma(x, w[o], sums[p][o]);
        }
      }
    }
  }

  // The clamp takes vectors: the sums of the strip in an array of their own.
  float totals[P * O + kWidth];
  for (int p = 0; p < P; ++p) {
    for (int o = 0; o < O; ++o) totals[p * O + o] = s.bias[o] + sum(sums[p][o]);
  }
  const vec lo = set1(s.lo), hi = set1(s.hi);
  for (int i = 0; i < P * O; i += kWidth) store(totals + i, clamp(load(totals + i), lo, hi));
  for (int p = 0; p < P; ++p) {
    for (int o = 0; o < O; ++o) s.output[p * s.output_step + o * s.channel_step] = totals[p * O + o];
  }
}

using RunStrip = void (*)(const Strip&);

struct StripKernels {
  RunStrip strip[kMostOutputs + 1], pixel[kMostOutputs + 1];
};

template <int O>
constexpr void list_strip_kernels(StripKernels& kernels) {
  if constexpr (O > 0) {
    list_strip_kernels<O - 1>(kernels);
    kernels.strip[O] = run_strip<O, most_pixels(O)>;
    kernels.pixel[O] = run_strip<O, 1>;
  }
}

constexpr StripKernels make_strip_kernels() {
  StripKernels kernels{};
  list_strip_kernels<kMostOutputs>(kernels);
  return kernels;
}

constexpr StripKernels kStripKernels = make_strip_kernels();

// A tile is about this many multiplications of floats, in whole output rows.
constexpr int64_t kTileWork = 1 << 19;

bool plan(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  if (out_c > kMostOutputs || in_c < kWidth) return false;
  const int64_t taps = p.filter_h * p.filter_w;
  const int64_t wanted = max(1, min(p.out_h, kTileWork / (p.out_w * taps * in_c * p.out_c)));
  const int64_t rows = ceil_div(p.out_h, ceil_div(p.out_h, wanted));
  const int64_t in_rows = min(p.in_h, (rows - 1) * p.stride_h + (p.filter_h - 1) * p.dilation_h + 1);
  plan.kernel = "grouped_dot";
  plan.tiles = p.batch * ceil_div(p.out_h, rows);
  plan.packed_floats = p.out_c * taps * round_up(in_c, kWidth);
  if (p.layout == Layout::nchw) plan.scratch_floats = in_rows * p.in_w * scratch_pitch(p.in_c) + kWidth;
  plan.param[0] = rows;
  return true;
}

void pack(const Problem& p, const KernelPlan&, const FilterView& filter, float* packed) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t ky = 0; ky < p.filter_h; ++ky) {
      for (int64_t kx = 0; kx < p.filter_w; ++kx) {
        const float* tap = filter.data + g * out_c * filter.stride_o + ky * filter.stride_h + kx * filter.stride_w;
        for (int64_t first = 0; first < in_c; first += kWidth) {
          for (int64_t o = 0; o < out_c; ++o) {
            for (int64_t i = first; i < first + kWidth; ++i) {
              *packed++ = i < in_c ? tap[o * filter.stride_o + i * filter.stride_i] : 0.0f;
            }
          }
        }
      }
    }
  }
}

// The taps first <= k < end for which origin + k * dilation lies in [0, in).
struct Taps {
  int64_t first, end;
};

Taps taps_inside(int64_t origin, int64_t taps, int64_t dilation, int64_t in) {
  const int64_t first = origin < 0 ? min(taps, ceil_div(-origin, dilation)) : 0;
  return {first, origin < in ? max(first, min(taps, ceil_div(in - origin, dilation))) : first};
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const bool planes = p.layout == Layout::nchw;
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t tile_rows = args.plan->param[0], image_tiles = ceil_div(p.out_h, tile_rows);
  const int64_t image = tile / image_tiles, first_row = tile % image_tiles * tile_rows;
  const int64_t rows = min(tile_rows, p.out_h - first_row), plane = p.out_h * p.out_w;
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * plane * p.out_c + first_row * p.out_w * (planes ? 1 : p.out_c);
  const Pixels in =
      planes ? own_pixels(p, input, 0, p.in_c, first_row, rows, scratch) : Pixels{input, 0, p.in_w * p.in_c, p.in_c};

  Strip s;
  s.row_step = p.dilation_h * in.row_pitch;
  s.tap_step = p.dilation_w * in.pixel_pitch;
  s.pixel_step = p.stride_w * in.pixel_pitch;
  s.filter_w = p.filter_w;
  s.in_c = in_c;
  s.output_step = planes ? 1 : p.out_c;
  s.channel_step = planes ? plane : 1;
  s.lo = args.lo, s.hi = args.hi;
  const int64_t group_weights = out_c * p.filter_h * p.filter_w * round_up(in_c, kWidth);
  const int64_t most = most_pixels(static_cast<int>(out_c));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t top = (first_row + row) * p.stride_h - p.pad_top;
    const Taps down = taps_inside(top, p.filter_h, p.dilation_h, p.in_h);
    s.first_row = down.first, s.end_row = down.end;
    for (int64_t g = 0; g < p.groups; ++g) {
      s.weights = args.weights + g * group_weights;
      s.bias = args.bias + g * out_c;
      for (int64_t x = 0; x < p.out_w;) {
        const int64_t left = x * p.stride_w - p.pad_left;
        const Taps across = taps_inside(left, p.filter_w, p.dilation_w, p.in_w);
        const int64_t right = left + (most - 1) * p.stride_w + (p.filter_w - 1) * p.dilation_w;
        const bool strip = x + most <= p.out_w && left >= 0 && right < p.in_w;
        s.first_tap = across.first, s.end_tap = across.end;
        s.input = in.data + (top - in.first_row) * in.row_pitch + left * in.pixel_pitch + g * in_c;
        s.output = output + (row * p.out_w + x) * s.output_step + g * out_c * s.channel_step;
        (strip ? kStripKernels.strip : kStripKernels.pixel)[out_c](s);
        x += strip ? most : 1;
      }
    }
  }
  if (!args.activate) return;
  if (planes) {
    args.activate(args, output, p.out_c, plane, rows * p.out_w, 0);
  } else {
    args.activate(args, output, rows * p.out_w, p.out_c, p.out_c, 0);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(grouped_dot) = {"grouped_dot", plan, pack, run};

}  // namespace depthwise

// Depthwise convolution by a filter as large as its input, without padding: one output a channel, in either layout.
//
//   for (each image, channel c)
//     output[c] = clamp(bias[c] + sum over the taps t of input[t][c] * filter[t][c])
//
// NHWC: a vector holds channels, and the micro-kernel computes V vectors of them, since a single sum would wait for
// itself: sum[v] += input[t][v] * filter[t][v] for all t. An HWIO filter is read where it lies.
// NCHW: a plane and its filter lie in a row each. A vector holds neighbouring taps, kWidth planes have a vector of sums
// each, and a transpose brings those of a plane into the same lane, where adding them up gives kWidth outputs.
// Packed: NHWC [tap][channel], NCHW [channel][tap], a multiple of kWidth taps, zeros behind the last.
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kVectors = 4;
// A tile is about this many multiplications of floats: some 10 us.
constexpr int64_t kTileWork = 1 << 18;

int64_t taps_of(const Problem& p) { return p.filter_h * p.filter_w; }

// Channels of a tile, whole micro-kernels of them; the last tile has the rest, too.
int64_t tile_channels(const Problem& p) {
  constexpr int64_t kUnit = kVectors * kWidth;
  return min(p.in_c, max(kUnit, kTileWork / taps_of(p) / kUnit * kUnit));
}
int64_t tiles_of_image(const Problem& p) { return p.in_c / tile_channels(p); }

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.groups != p.in_c || p.out_c != p.in_c || p.in_c < kWidth || taps_of(p) < 2) return false;
  if (p.filter_h != p.in_h || p.filter_w != p.in_w || p.out_h != 1 || p.out_w != 1) return false;
  if (p.pad_top != 0 || p.pad_left != 0 || p.dilation_h != 1 || p.dilation_w != 1) return false;
  const bool planes = p.layout == Layout::nchw;
  plan.kernel = "depthwise_whole";
  plan.tiles = p.batch * tiles_of_image(p);
  plan.packed_floats = planes                                  ? round_up(taps_of(p), kWidth) * p.in_c
                       : p.filter_layout == FilterLayout::hwio ? 0
                                                               : taps_of(p) * p.in_c;
  plan.packing = planes;
  return true;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const bool planes = p.layout == Layout::nchw;
  const int64_t tap_step = planes ? 1 : p.in_c, channel_step = planes ? round_up(taps_of(p), kWidth) : 1;
  if (planes) {
    for (int64_t i = 0; i < plan.packed_floats; ++i) packed[i] = 0.0f;
  }
  for (int64_t y = 0; y < p.filter_h; ++y) {
    for (int64_t x = 0; x < p.filter_w; ++x) {
      float* to = packed + (y * p.filter_w + x) * tap_step;
      const float* tap = filter.data + y * filter.stride_h + x * filter.stride_w;
      for (int64_t c = 0; c < p.in_c; ++c) to[c * channel_step] = tap[c * filter.stride_o];
    }
  }
}

// V vectors of channels, `in_c` floats from one tap to the next.
template <int V>
DEPTHWISE_INLINE void run_pixels(const KernelArgs& args, const float* input, int64_t channel, float* output) {
  const int64_t in_c = args.problem->in_c, taps = taps_of(*args.problem);
  vec sum[V];
  DEPTHWISE_UNROLL
  for (int v = 0; v < V; ++v) sum[v] = load(args.bias + channel + v * kWidth);
  const float *in = input + channel, *weights = args.weights + channel;
  for (int64_t t = 0; t < taps; ++t, in += in_c, weights += in_c) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) sum[v] = fma(load(in + v * kWidth), load(weights + v * kWidth), sum[v]);
  }
  const vec lo = set1(args.lo), hi = set1(args.hi);
  DEPTHWISE_UNROLL
  for (int v = 0; v < V; ++v) store(output + channel + v * kWidth, clamp(sum[v], lo, hi));
}

// The channels [first, end), end - first >= kWidth: what doesn't fill a vector overlaps the one before.
void run_all_pixels(const KernelArgs& args, const float* input, int64_t first, int64_t end, float* output) {
  int64_t c = first;
  for (; c + kVectors * kWidth <= end; c += kVectors * kWidth) run_pixels<kVectors>(args, input, c, output);
  for (; c + kWidth <= end; c += kWidth) run_pixels<1>(args, input, c, output);
  if (c < end) run_pixels<1>(args, input, end - kWidth, output);
}

// Adds kWidth taps, or those of a tail, to the sums of `count` planes; the last plane stands in for those that aren't
// there.
template <class Load>
DEPTHWISE_INLINE void add_taps(vec (&sums)[kWidth], const float* in, int64_t taps, const float* weights, int64_t count,
                               const Load& load_some) {
  const int64_t pitch = round_up(taps, kWidth);
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    sums[i] = fma(load_some(in), load(weights), sums[i]);
    if (i + 1 < count) in += taps, weights += pitch;
  }
}

// `count` planes, at most kWidth.
void run_planes(const KernelArgs& args, const float* input, int64_t channel, int64_t count, float* output) {
  const int64_t taps = taps_of(*args.problem), whole = taps / kWidth * kWidth;
  const tail rest = tail_of(taps - whole);
  const float* in = input + channel * taps;
  const float* weights = args.weights + channel * round_up(taps, kWidth);
  vec sums[kWidth];
  DEPTHWISE_UNROLL
  for (int i = 0; i < kWidth; ++i) sums[i] = zero();
  for (int64_t t = 0; t < whole; t += kWidth) {
    add_taps(sums, in + t, taps, weights + t, count, [](const float* x) DEPTHWISE_LAMBDA_INLINE { return load(x); });
  }
  if (whole < taps) {
    add_taps(sums, in + whole, taps, weights + whole, count,
             [rest](const float* x) DEPTHWISE_LAMBDA_INLINE { return load_tail(x, rest); });
  }
  transpose(sums);
  // In a tree, which is no less exact than a chain, and not as slow.
  DEPTHWISE_UNROLL
  for (int step = 1; step < kWidth; step *= 2) {
    DEPTHWISE_UNROLL
    for (int i = 0; i + step < kWidth; i += 2 * step) sums[i] = add(sums[i], sums[i + step]);
  }
  const vec sum = clamp(add(load(args.bias + channel), sums[0]), set1(args.lo), set1(args.hi));
  store_tail(output + channel, sum, tail_of(count));
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float*) {
  const Problem& p = *args.problem;
  const int64_t channels = tile_channels(p), tiles = tiles_of_image(p), image = tile / tiles, in_image = tile % tiles;
  const int64_t first = in_image * channels, end = in_image + 1 == tiles ? p.in_c : first + channels;
  input += image * taps_of(p) * p.in_c;
  output += image * p.out_c;
  if (p.layout == Layout::nhwc) {
    run_all_pixels(args, input, first, end, output);
    if (args.activate) args.activate(args, output + first, 1, p.out_c, end - first, first);
    return;
  }
  for (int64_t c = first; c < end; c += kWidth) run_planes(args, input, c, min(end - c, kWidth), output);
  if (args.activate) args.activate(args, output + first, end - first, 1, 1, first);
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(depthwise_whole) = {"depthwise_whole", plan, pack, run};

}  // namespace depthwise

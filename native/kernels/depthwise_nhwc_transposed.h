// Planes (NCHW) by the micro-kernels for pixels: a tile transposes kWidth input planes, or some rows of them, to pixels
// in scratch memory, convolves those, and transposes the outputs back. A transpose costs two to three cycles a vector
// each way, so this is for the planes of which depthwise_nchw.cc fills its vectors ill, and for its general
// micro-kernel.
#pragma once

#include "../core/kernel.h"
#include "depthwise_nchw_choice.h"
#include "depthwise_nhwc_strip.h"
#include "transpose.h"

namespace depthwise {
namespace {

// What a tile transposes to pixels, in floats: the second cache holds it.
constexpr int64_t kTransposedFloats = 32 << 10;

// How planes are cut into tiles.
struct TransposedTiles {
  int64_t rows, row_tiles;      // of outputs
  int64_t blocks, block_tiles;  // of kWidth planes
};

inline int64_t blocks_of_planes(const Problem& p) { return ceil_div(p.out_c, kWidth); }

// Rows of the input from an output's first row of taps to past its last.
inline int64_t reach_of(const Problem& p) { return (p.filter_h - 1) * p.dilation_h + 1; }

// The rows of the input that output rows [first, end) reach.
struct InputRows {
  int64_t first, count;
};

inline InputRows input_rows(const Problem& p, int64_t first, int64_t end) {
  const int64_t from = first * p.stride_h - p.pad_top;
  const int64_t to = (end - 1) * p.stride_h - p.pad_top + reach_of(p);
  return {max(from, 0), min(to, p.in_h) - max(from, 0)};
}

inline int64_t most_input_rows_of(const Problem& p, int64_t rows) {
  return min((rows - 1) * p.stride_h + reach_of(p), p.in_h);
}

inline int64_t transposed_floats(const Problem& p, int64_t rows) {
  return (most_input_rows_of(p, rows) * p.in_w + rows * p.out_w) * kWidth;
}

// As many output rows as their input rows overlap with the next ones': the same rows are transposed twice at most.
inline int64_t least_transposed_rows(const Problem& p) {
  return min(p.out_h, max(1, ceil_div(reach_of(p) - 1, p.stride_h)));
}

// Whether tiles of pixels take the problem: they can, and it pays.
bool transposes(const Problem& p) {
  if (p.layout != Layout::nchw || p.groups != p.in_c || p.out_c != p.in_c || p.out_c < kWidth) return false;
  // Every output row reaches the input, and a few of them with what they reach are no more than the cache holds.
  const int64_t reach = reach_of(p);
  if (p.pad_top >= reach || (p.out_h - 1) * p.stride_h - p.pad_top >= p.in_h) return false;
  if (p.in_w > kTransposedFloats || p.out_w > kTransposedFloats || reach > kTransposedFloats) return false;
  if (transposed_floats(p, least_transposed_rows(p)) > 4 * kTransposedFloats) return false;
  return transposing_pays(p);
}

TransposedTiles transposed_tiles(const Problem& p) {
  TransposedTiles tiles;
  int64_t rows = p.out_h;
  const int64_t least = least_transposed_rows(p);
  while (rows > least && transposed_floats(p, rows) > kTransposedFloats) rows = max(least, rows / 2);
  tiles.row_tiles = ceil_div(p.out_h, rows);
  tiles.rows = ceil_div(p.out_h, tiles.row_tiles);
  const int64_t work = tiles.rows * p.out_w * p.filter_h * p.filter_w * kWidth;
  tiles.blocks = min(blocks_of_planes(p), max(1, 200'000 / work));
  tiles.block_tiles = ceil_div(blocks_of_planes(p), tiles.blocks);
  return tiles;
}

void plan_transposed(const Problem& p, KernelPlan& plan) {
  const TransposedTiles tiles = transposed_tiles(p);
  plan.kernel = "depthwise_nchw_transposed";
  plan.packed_floats = blocks_of_planes(p) * kWidth * p.filter_h * p.filter_w;
  plan.tiles = p.batch * tiles.row_tiles * tiles.block_tiles;
  plan.scratch_floats = transposed_floats(p, tiles.rows);
}

// Packed: [block of kWidth planes][tap][kWidth], zeros beyond the last plane.
void pack_transposed(const Problem& p, const FilterView& filter, float* packed) {
  for (int64_t block = 0; block < p.out_c; block += kWidth) {
    for (int64_t y = 0; y < p.filter_h; ++y) {
      for (int64_t x = 0; x < p.filter_w; ++x) {
        const float* tap = filter.data + y * filter.stride_h + x * filter.stride_w;
        for (int64_t c = block; c < block + kWidth; ++c) *packed++ = c < p.out_c ? tap[c * filter.stride_o] : 0.0f;
      }
    }
  }
}

// The rows of a tile, and its blocks of planes.
struct TransposedArea {
  int64_t image, first_row, end_row, first_block, end_block;
};

TransposedArea transposed_area(const Problem& p, const TransposedTiles& tiles, int64_t tile) {
  const int64_t row_tile = tile % tiles.row_tiles, block_tile = tile / tiles.row_tiles % tiles.block_tiles;
  return {tile / tiles.row_tiles / tiles.block_tiles, row_tile * tiles.rows, min((row_tile + 1) * tiles.rows, p.out_h),
          block_tile * tiles.blocks, min((block_tile + 1) * tiles.blocks, blocks_of_planes(p))};
}

OutputRuns transposed_outputs(const Problem& p, int64_t tile) {
  const TransposedArea area = transposed_area(p, transposed_tiles(p), tile);
  if (area.first_row >= area.end_row) return {};
  const int64_t first = area.first_block * kWidth, planes = min(area.end_block * kWidth, p.out_c) - first;
  return {((area.image * p.out_c + first) * p.out_h + area.first_row) * p.out_w, planes,
          (area.end_row - area.first_row) * p.out_w, p.out_h * p.out_w};
}

// One tile. `convolve(picture, strip)` computes all outputs of a picture of kWidth channels, to which strip has the
// pointers; `bounds` is where the others begin from.
template <class Convolve>
void run_transposed(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch,
                    const Strip& bounds, const Convolve& convolve) {
  const Problem& p = *args.problem;
  const TransposedTiles tiles = transposed_tiles(p);
  const TransposedArea area = transposed_area(p, tiles, tile);
  const int64_t image = area.image, first = area.first_row, end = area.end_row;
  if (first >= end) return;
  const InputRows rows = input_rows(p, first, end);
  const int64_t in_plane = p.in_h * p.in_w, out_plane = p.out_h * p.out_w;

  Problem picture = p;
  picture.batch = 1;
  picture.in_c = picture.out_c = picture.groups = kWidth;
  picture.in_h = rows.count;
  picture.out_h = end - first;
  picture.pad_top = rows.first - (first * p.stride_h - p.pad_top);

  float* const pixels = scratch;
  float* const results = scratch + most_input_rows_of(p, tiles.rows) * p.in_w * kWidth;
  const int64_t taps = p.filter_h * p.filter_w;
  for (int64_t block = area.first_block; block < area.end_block; ++block) {
    const int64_t channel = block * kWidth, channels = min(kWidth, p.out_c - channel);
    alignas(64) float bias[kWidth] = {};
    for (int64_t c = 0; c < channels; ++c) bias[c] = args.bias[channel + c];
    const float* planes = input + (image * p.in_c + channel) * in_plane + rows.first * p.in_w;
    transpose_matrix(planes, in_plane, channels, rows.count * p.in_w, pixels, kWidth);
    Strip strip = bounds;
    strip.channels = kWidth;
    strip.shift = 0;
    strip.in = pixels;
    strip.out = results;
    strip.weights = args.weights + block * kWidth * taps;
    strip.bias = bias;
    convolve(picture, strip);
    float* to = output + (image * p.out_c + channel) * out_plane + first * p.out_w;
    transpose_matrix(results, kWidth, (end - first) * p.out_w, channels, to, out_plane);
    if (args.activate) args.activate(args, to, channels, out_plane, (end - first) * p.out_w, channel);
  }
}

}  // namespace
}  // namespace depthwise

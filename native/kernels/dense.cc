// Grouped convolution with many outputs a group, groups = 1 and 1x1 among them; any problem, in either layout.
//
//   for (each image, output pixel, group g, output o of the group)
//     sum = bias[o]
//     for (each tap (ky, kx) that doesn't fall on padding, input channel i of the group)
//       sum += input[pixel's input under the tap][i] * filter[ky][kx][i][o]
//     output[pixel][o] = clamp(sum)
//
// The micro-kernel computes P pixels by V vectors of outputs in registers. For each tap it is given P pointers, one to
// each pixel's input, so that stride, dilation and rows of any width are alike to it; the pointers are shared by all
// groups. Each step loads V weight vectors and broadcasts P inputs:
//
//   for (tap) for (i)  w[v] = next V vectors;  for (p) { x = broadcast(pixel[tap][p][i]);  sum[p][v] += x * w[v] }
//
// Registers: P * V sums, V weights, one input. AVX-512: 14 x 2 or 9 x 3; with 16 registers: 6 x 2 or 4 x 3.
// Packed: [group][block of V vectors of outputs][ky][kx][i][V * kWidth], zeros past the group's last output.
//
// Pointers to padding are to zeros, which are multiplied only beside pixels that are not on padding; where a weight
// isn't finite, pixels are computed one by one, and never. With few input channels and one group, the taps of a filter
// row are neighbouring floats and become one tap of filter_w * in_c inputs; pixels that lie partly on padding are
// copied.
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kMostVectors = 3;
constexpr int most_pixels(int vectors) {
  return (kRegisters - vectors - 1) / vectors > 14 ? 14 : (kRegisters - vectors - 1) / vectors;
}
constexpr int kMostPixels = most_pixels(1);

struct Tile {
  const float* const* pixels;   // [taps][pitch], at the first pixel
  const float* zeros;           // what pointers to padding are
  int64_t pitch, taps, length;  // length: inputs of a tap
  int64_t channel;              // the first of them, in floats from the pointers
  const float* weights;
  const float* bias;
  float* output;
  int64_t output_pitch;  // floats between pixels
  int64_t outputs;       // to write, more than (V - 1) * kWidth, at most V * kWidth
  float lo, hi;
};

// Adds one tap's inputs [first, end) to the sums of the pixels [kFirst, kEnd).
template <int kFirst, int kEnd, int P, int V>
DEPTHWISE_INLINE void add_tap(const float* const (&x)[P], int64_t first, int64_t end, const float* weights,
                              vec (&sums)[P][V]) {
  for (int64_t i = first; i < end; ++i, weights += V * kWidth) {
    vec w[V];
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) w[v] = load(weights + v * kWidth);
    DEPTHWISE_UNROLL
    for (int p = kFirst; p < kEnd; ++p) {
      const vec in = set1(x[p][i]);
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[p][v] = fma(in, w[v], sums[p][v]);
    }
  }
}

// A tap that falls on padding for all pixels is left out, and so are the first or the last pixel where it does for
// them; a single pixel is thus computed without padding.
template <int P, int V>
void run_tile(const Tile& t) {
  vec sums[P][V];
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) sums[p][v] = load(t.bias + v * kWidth);
  }

  const float* weights = t.weights;
  const float* const* pixels = t.pixels;
  const int64_t first = t.channel, end = first + t.length;
  for (int64_t tap = 0; tap < t.taps; ++tap, pixels += t.pitch, weights += t.length * V * kWidth) {
    const float* x[P];
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) x[p] = pixels[p];
    if (x[0] != t.zeros && x[P - 1] != t.zeros) {
      add_tap<0, P>(x, first, end, weights, sums);
    } else if (P > 1 && x[P - 1] != t.zeros) {
      add_tap<1, P>(x, first, end, weights, sums);
    } else if (P > 1 && x[0] != t.zeros) {
      add_tap<0, P - 1>(x, first, end, weights, sums);
    } else {
      bool padding = true;
      for (int p = 0; p < P; ++p) padding = padding && pixels[p] == t.zeros;
      if (!padding) add_tap<0, P>(x, first, end, weights, sums);
    }
  }

  const vec lo = set1(t.lo), hi = set1(t.hi);
  const int64_t last = t.outputs - (V - 1) * kWidth;
  const tail lanes = tail_of(last);
  float* output = t.output;
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p, output += t.output_pitch) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V - 1; ++v) store(output + v * kWidth, clamp(sums[p][v], lo, hi));
    const vec x = clamp(sums[p][V - 1], lo, hi);
    if (last == kWidth) {
      store(output + (V - 1) * kWidth, x);
    } else {
      store_tail(output + (V - 1) * kWidth, x, lanes);
    }
  }
}

using RunTile = void (*)(const Tile&);

struct TileKernels {
  RunTile by_pixels[kMostVectors][kMostPixels + 1];
};

template <int P, int V>
constexpr void list_tile_kernels(TileKernels& kernels) {
  if constexpr (P > 0) {
    list_tile_kernels<P - 1, V>(kernels);
    kernels.by_pixels[V - 1][P] = run_tile<P, V>;
  }
}

constexpr TileKernels make_tile_kernels() {
  TileKernels kernels{};
  list_tile_kernels<most_pixels(1), 1>(kernels);
  list_tile_kernels<most_pixels(2), 2>(kernels);
  list_tile_kernels<most_pixels(3), 3>(kernels);
  return kernels;
}

constexpr TileKernels kTileKernels = make_tile_kernels();
constexpr int kPixelsByVectors[] = {0, most_pixels(1), most_pixels(2), most_pixels(3)};

// Blocks of outputs of a group: two vectors each, the last one of three or, where there is no other, of one.
struct Blocks {
  int64_t vectors, count;
};

Blocks blocks_of(const Problem& p) {
  const int64_t vectors = ceil_div(p.out_c / p.groups, kWidth);
  return {vectors, max(1, vectors / 2)};
}

int64_t vectors_of_block(const Blocks& blocks, int64_t block) {
  return block + 1 < blocks.count ? 2 : blocks.vectors - 2 * block;
}

// What plan decides, as it lies in KernelPlan::param. A tile is a run of output pixels of an image by a run of blocks
// of outputs, of one group or of several.
struct Split {
  int64_t pixels, pixel_tiles;  // of a tile; of an image
  int64_t blocks, block_tiles;
  int64_t pixels_first;  // whether successive tiles share weights rather than inputs
  int64_t joined;        // the taps of a filter row may become one
  int64_t by_rows;       // no micro-kernel's pixels lie in two rows, so that they share their padding
  int64_t copied;        // NHWC inputs are copied to scratch memory
};

void store_split(const Split& split, KernelPlan& plan) {
  const int64_t values[] = {split.pixels,       split.pixel_tiles, split.blocks,  split.block_tiles,
                            split.pixels_first, split.joined,      split.by_rows, split.copied};
  for (int i = 0; i < 8; ++i) plan.param[i] = values[i];
}

Split load_split(const KernelPlan& plan) {
  const int64_t* values = plan.param;
  return {values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7]};
}

// The scratch memory of a tile, in floats from its start.
struct Scratch {
  int64_t pointers, zeros, patches, input, output, end;
};

// The most rows of an image that a run of `pixels` touches.
int64_t most_rows(const Problem& p, int64_t pixels) { return min(p.out_h, (pixels + p.out_w - 2) / p.out_w + 1); }

int64_t most_input_rows(const Problem& p, int64_t pixels) {
  return min(p.in_h, (most_rows(p, pixels) - 1) * p.stride_h + (p.filter_h - 1) * p.dilation_h + 1);
}

// Pixels of a row some of whose taps fall on padding to the left or right.
int64_t border_pixels(const Problem& p) {
  const int64_t left = min(p.out_w, ceil_div(p.pad_left, p.stride_w));
  const int64_t inner = p.in_w + p.pad_left - (p.filter_w - 1) * p.dilation_w - 1;
  const int64_t right = inner < 0 ? p.out_w : p.out_w - min(p.out_w, inner / p.stride_w + 1);
  return min(p.out_w, left + right);
}

// Groups that `blocks` successive blocks may belong to.
int64_t most_groups(const Problem& p, int64_t blocks) {
  const int64_t per_group = blocks_of(p).count;
  return min(p.groups, per_group == 1 ? blocks : (blocks + per_group - 2) / per_group + 1);
}

Scratch scratch_of(const Problem& p, const Split& split) {
  const bool planes = p.layout == Layout::nchw;
  const int64_t groups = most_groups(p, split.blocks);
  const bool own_input = planes || split.copied;
  const int64_t channels = own_input ? groups * (p.in_c / p.groups) : p.in_c;
  constexpr int64_t kPointerFloats = sizeof(void*) / 4;
  Scratch s;
  s.pointers = 0;
  s.zeros = round_up(p.filter_h * p.filter_w * split.pixels * kPointerFloats, 16);
  s.patches = s.zeros + round_up(max(channels, p.filter_w * p.in_c * split.joined), 16);
  const int64_t patches = min(split.pixels, border_pixels(p) * most_rows(p, split.pixels)) * p.filter_h;
  s.input = s.patches + round_up(split.joined ? patches * p.filter_w * p.in_c : 0, 16);
  s.output = s.input +
             round_up(own_input ? most_input_rows(p, split.pixels) * p.in_w * scratch_pitch(channels) + kWidth : 0, 16);
  s.end = s.output + round_up(planes ? split.pixels * groups * (p.out_c / p.groups) : 0, 16);
  return s;
}

// A tile is about this many multiplications of floats: some 40 us.
constexpr int64_t kTileWork = 5 << 19;
// Weights that stay in the second cache beside a tile's inputs and outputs.
constexpr int64_t kCachedWeights = 1 << 17;

bool plan(const Problem& p, KernelPlan& plan) {
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t depth = p.filter_h * p.filter_w * in_c;
  const int64_t pixels = p.out_h * p.out_w, all_blocks = p.groups * blocks.count;
  const int64_t per_block = ceil_div(out_c, blocks.count);

  // First the pixels, enough for a block's weights to be worth their way to the first cache, then the blocks.
  Split split{};
  const int64_t most = kPixelsByVectors[min(blocks.vectors, 2)];
  const bool pads =
      p.pad_top > 0 || p.pad_left > 0 || (p.out_w - 1) * p.stride_w + 1 > p.in_w - (p.filter_w - 1) * p.dilation_w;
  split.by_rows = pads && p.out_w / ceil_div(p.out_w, most) >= 4;
  const int64_t unit = split.by_rows || p.layout == Layout::nchw ? p.out_w : most;
  const int64_t wanted = max(4 * most, min(16 * most, kTileWork / (depth * per_block)));
  split.pixels = min(pixels, round_up(ceil_div(pixels, ceil_div(pixels, wanted)), unit));
  split.pixel_tiles = ceil_div(pixels, split.pixels);
  const int64_t wanted_blocks = max(1, min(all_blocks, kTileWork / (split.pixels * depth * per_block)));
  split.blocks = ceil_div(all_blocks, ceil_div(all_blocks, wanted_blocks));
  split.block_tiles = ceil_div(all_blocks, split.blocks);
  split.pixels_first = p.out_c * depth > kCachedWeights;
  split.joined = p.groups == 1 && p.dilation_w == 1 && p.filter_w > 1 && p.in_c < 16;
  split.copied =
      p.layout == Layout::nhwc && collides(p.stride_w * p.in_c) && depth / in_c * split.blocks * per_block >= 128;

  plan.kernel = "dense";
  plan.tiles = p.batch * split.pixel_tiles * split.block_tiles;
  plan.packed_floats = p.groups * blocks.vectors * kWidth * depth + kFlagFloats;
  plan.scratch_floats = scratch_of(p, split).end;
  store_split(split, plan);
  return true;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, depth = p.filter_h * p.filter_w * in_c;
  float* to = packed;
  vec check = zero();
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t b = 0; b < blocks.count; ++b) {
      const int64_t first = 2 * b * kWidth, width = vectors_of_block(blocks, b) * kWidth;
      const vec found = pack_vectors(p, filter, g * out_c + first, min(out_c - first, width), width,
                                     [&p, to, in_c, width](int64_t ky, int64_t kx, int64_t i) {
                                       return to + ((ky * p.filter_w + kx) * in_c + i) * width;
                                     });
      check = add(check, found);
      to += depth * width;
    }
  }
  store_finite_flag(plan, packed, all_finite(check));
}

// Writes pointers[tap * pitch + m] for the taps and `count` output pixels from `first` on.
struct PointerTable {
  const Problem& p;
  const Pixels& in;
  const float** pointers;
  int64_t pitch;
  const float* padding;  // what pointers to padding are
  float* patches;        // see joined

  void fill(int64_t first, int64_t count, bool joined) {
    for (int64_t m = 0; m < count;) {
      const int64_t oy = (first + m) / p.out_w, ox = (first + m) % p.out_w;
      const int64_t run = min(count - m, p.out_w - ox);
      for (int64_t ky = 0; ky < p.filter_h; ++ky) {
        const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
        const bool inside = iy >= 0 && iy < p.in_h;
        const float* row = inside ? in.data + (iy - in.first_row) * in.row_pitch : nullptr;
        if (joined) {
          fill_joined(row, pointers + ky * pitch + m, ox, run);
          continue;
        }
        for (int64_t kx = 0; kx < p.filter_w; ++kx) {
          fill_row(row, kx, pointers + (ky * p.filter_w + kx) * pitch + m, ox, run);
        }
      }
      m += run;
    }
  }

  void fill_row(const float* row, int64_t kx, const float** to, int64_t ox, int64_t run) {
    int64_t ix = ox * p.stride_w + kx * p.dilation_w - p.pad_left;
    int64_t i = 0;
    if (!row) {
      for (; i < run; ++i) to[i] = padding;
      return;
    }
    for (; i < run && ix < 0; ++i, ix += p.stride_w) to[i] = padding;
    const int64_t inside = ix < p.in_w ? min(run, i + ceil_div(p.in_w - ix, p.stride_w)) : i;
    const float* pixel = row + ix * in.pixel_pitch;
    const int64_t step = p.stride_w * in.pixel_pitch;
    for (; i < inside; ++i, pixel += step) to[i] = pixel;
    for (; i < run; ++i) to[i] = padding;
  }

  void fill_joined(const float* row, const float** to, int64_t ox, int64_t run) {
    // The pixels whose taps of this row all lie on it, and around them those that need a copy.
    const int64_t begin = row ? min(p.out_w, ceil_div(p.pad_left, p.stride_w)) : p.out_w;
    const int64_t last = p.in_w - p.filter_w + p.pad_left;
    const int64_t end = last < 0 ? 0 : last / p.stride_w + 1;
    for (int64_t i = 0; i < run; ++i) {
      if (ox + i >= begin && ox + i < end) {
        const float* pixel = row + ((ox + i) * p.stride_w - p.pad_left) * p.in_c;
        const int64_t step = p.stride_w * p.in_c, inside = min(run, end - ox);
        for (; i < inside; ++i, pixel += step) to[i] = pixel;
        if (i == run) return;
      }
      const int64_t ix = (ox + i) * p.stride_w - p.pad_left;
      if (!row || ix <= -p.filter_w || ix >= p.in_w) {
        to[i] = padding;
        continue;
      }
      to[i] = patches;
      for (int64_t f = ix * p.in_c; f < (ix + p.filter_w) * p.in_c; ++f) {
        *patches++ = f >= 0 && f < p.in_w * p.in_c ? row[f] : 0.0f;
      }
    }
  }
};

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const Blocks blocks = blocks_of(p);
  const Scratch room = scratch_of(p, split);
  const bool planes = p.layout == Layout::nchw, finite = weights_are_finite(args);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t image_tiles = split.pixel_tiles * split.block_tiles;
  const int64_t image = tile / image_tiles, in_image = tile % image_tiles;
  const int64_t pixel_tile = split.pixels_first ? in_image % split.pixel_tiles : in_image / split.block_tiles;
  const int64_t block_tile = split.pixels_first ? in_image / split.pixel_tiles : in_image % split.block_tiles;
  const int64_t first_pixel = pixel_tile * split.pixels;
  const int64_t pixels = min(split.pixels, p.out_h * p.out_w - first_pixel);
  const int64_t first_block = block_tile * split.blocks;
  const int64_t end_block = min(first_block + split.blocks, p.groups * blocks.count);
  const int64_t first_group = first_block / blocks.count, end_group = (end_block - 1) / blocks.count + 1;
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * p.out_h * p.out_w * p.out_c;

  Pixels in{input, 0, p.in_w * p.in_c, p.in_c};
  float* out = output + first_pixel * p.out_c;
  int64_t output_pitch = p.out_c, first_channel = 0;
  if (planes || split.copied) {
    const int64_t row = first_pixel / p.out_w, rows = (first_pixel + pixels - 1) / p.out_w + 1 - row;
    in = own_pixels(p, input, first_group * in_c, (end_group - first_group) * in_c, row, rows, scratch + room.input);
    first_channel = first_group * in_c;
  }
  if (planes) {
    output_pitch = (end_group - first_group) * out_c;
    out = scratch + room.output - first_group * out_c;
  }

  const bool joined = split.joined && finite;
  float* zeros = scratch + room.zeros;
  for (int64_t i = 0; i < room.patches - room.zeros; ++i) zeros[i] = 0.0f;
  const float** pointers = reinterpret_cast<const float**>(scratch + room.pointers);
  PointerTable table{p, in, pointers, pixels, zeros, scratch + room.patches};
  table.fill(first_pixel, pixels, joined);

  Tile t;
  t.zeros = zeros;
  t.pitch = pixels;
  t.taps = joined ? p.filter_h : p.filter_h * p.filter_w;
  t.length = joined ? p.filter_w * in_c : in_c;
  t.output_pitch = output_pitch;
  t.lo = args.lo, t.hi = args.hi;
  const int64_t depth = t.taps * t.length;
  for (int64_t block = first_block; block < end_block; ++block) {
    const int64_t group = block / blocks.count, index = block % blocks.count;
    const int64_t vectors = vectors_of_block(blocks, index);
    const int64_t output_channel = group * out_c + 2 * index * kWidth;
    t.channel = group * in_c - first_channel;
    t.weights = args.weights + (group * blocks.vectors + 2 * index) * kWidth * depth;
    t.bias = args.bias + output_channel;
    t.outputs = min(vectors * kWidth, out_c - 2 * index * kWidth);
    // As few micro-kernels as possible, as equal as possible.
    const int64_t most = finite ? kPixelsByVectors[vectors] : 1;
    for (int64_t m = 0; m < pixels;) {
      const int64_t row_left = p.out_w - (first_pixel + m) % p.out_w;
      const int64_t left = split.by_rows ? min(row_left, pixels - m) : pixels - m;
      const int64_t count = ceil_div(left, ceil_div(left, most));
      t.pixels = pointers + m;
      t.output = out + m * output_pitch + output_channel;
      kTileKernels.by_pixels[vectors - 1][count](t);
      m += count;
    }
  }

  const int64_t first_output = first_group * out_c + 2 * (first_block % blocks.count) * kWidth;
  const int64_t last_index = (end_block - 1) % blocks.count;
  const int64_t end_output =
      last_index + 1 == blocks.count ? end_group * out_c : (end_group - 1) * out_c + 2 * (last_index + 1) * kWidth;
  const int64_t outputs = end_output - first_output;
  if (!planes) {
    if (args.activate) args.activate(args, out + first_output, pixels, p.out_c, outputs, first_output);
    return;
  }
  const int64_t plane = p.out_h * p.out_w;
  float* to = output + first_output * plane + first_pixel;
  transpose_matrix(out + first_output, output_pitch, pixels, outputs, to, plane);
  if (args.activate) args.activate(args, to, outputs, plane, pixels, first_output);
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(dense) = {"dense", plan, pack, run};

}  // namespace depthwise

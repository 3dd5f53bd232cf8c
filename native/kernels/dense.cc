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
// Registers: P * V sums, V weights, one input. AVX-512: 14 x 2 or 9 x 3; with 16 registers: 6 x 2 or 4 x 3; 10 x 1.
// Packed: [group][block of V vectors of outputs][ky][kx][i][V * kWidth], zeros past the group's last output. Where that
// leaves half or three quarters of the last vector empty, it holds two or four inputs at once, which are broadcast
// together, and their lanes are added at the end.
//
// Pointers to padding are to zeros, which are multiplied only beside pixels that are not on padding; where a weight
// isn't finite, pixels are computed one by one, and never. With few input channels and one group, the taps of a filter
// row are neighbouring floats and become one tap of filter_w * in_c inputs; pixels that lie partly on padding are
// copied.
#include "../core/cpu_features.h"
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kMostVectors = 3;
// Of the pointers to the pixels' inputs, so many have a register of their own.
constexpr int kInRegisters = 10;
// Where an input is broadcast for a single product, loads are what takes time, and no pointer may cost another.
constexpr int64_t most_pixels(int64_t vectors, int64_t fold) {
  const int64_t whole = fold > 1 ? vectors - 1 : vectors, most = kBaseline ? 4 : whole == 1 ? kInRegisters : 14;
  return min(most, (kRegisters - vectors - 1) / vectors);
}
constexpr int64_t kMostPixels = max(most_pixels(1, 1), most_pixels(2, 1));

struct Tile {
  int64_t count;                // of runs of P pixels, one behind the other
  const float* const* pixels;   // [taps][pitch], at the first pixel
  const float* zeros;           // what pointers to padding are
  int64_t pitch, taps, length;  // length: inputs of a tap
  int64_t channel;              // the first of them, in floats from the pointers
  const float* weights;
  const float* bias;
  float* output;
  int64_t output_pitch;  // floats between neighbouring pixels
  int64_t outputs;       // to write, more than (V - 1) * kWidth, at most V * kWidth
  float lo, hi;
  bool clamps;
};

// Weights that come from memory are late: the processor's own prefetching ends with a page and starts anew in the next,
// a large part of which is gone before it is ahead.
constexpr int64_t kWeightsAhead = 512, kLine = 16;

// Pointers to the pixels' inputs of a tap. Those that registers don't suffice for are read from memory each time, which
// costs less than being kept in halves of vectors, where compilers would put them.
template <int P>
struct Inputs {
  const float* near[P < kInRegisters ? P : kInRegisters];
  const float* const* all;

  DEPTHWISE_INLINE explicit Inputs(const float* const* all) : all(all) {
    DEPTHWISE_UNROLL
    for (int p = 0; p < P && p < kInRegisters; ++p) near[p] = all[p];
  }
  DEPTHWISE_INLINE const float* operator[](int p) const { return p < kInRegisters ? near[p] : all[p]; }
  DEPTHWISE_INLINE void reload() {
    if (P > kInRegisters) all = opaque(all);
  }
};

// Adds input i of one tap to the sums of the pixels [kFirst, kEnd), of the first V vectors of outputs.
template <int kFirst, int kEnd, int V, int P, int kAllVectors>
DEPTHWISE_INLINE void add_input(Inputs<P>& x, int64_t i, const float* weights, vec (&sums)[P][kAllVectors]) {
  x.reload();
  vec w[V];
  DEPTHWISE_UNROLL
  for (int v = 0; v < V; ++v) {
    w[v] = load(weights + v * kWidth);
    if (V > 1 && v * kWidth % kLine == 0) prefetch_near(weights + v * kWidth + kWeightsAhead);
  }
  DEPTHWISE_UNROLL
  for (int p = kFirst; p < kEnd; ++p) {
    const vec in = set1(x[p][i]);
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) add_product(sums[p][v], in, w[v]);
  }
}

// Inputs of a turn of the loop over a tap's: with few registers, 16 turns are so short that their end is mispredicted.
constexpr int kInputsAtOnce = kRegisters < 32 ? 4 : 1;

// The same for the inputs [first, end).
template <int kFirst, int kEnd, int P, int V>
DEPTHWISE_INLINE void add_tap(Inputs<P>& x, int64_t first, int64_t end, const float* weights, vec (&sums)[P][V]) {
  int64_t i = first;
  for (; i + kInputsAtOnce <= end; i += kInputsAtOnce, weights += kInputsAtOnce * V * kWidth) {
    DEPTHWISE_UNROLL
    for (int j = 0; j < kInputsAtOnce; ++j) {
      add_input<kFirst, kEnd, V>(x, i + j, weights + j * V * kWidth, sums);
    }
  }
  if (kInputsAtOnce == 1) return;
  for (; i < end; ++i, weights += V * kWidth) add_input<kFirst, kEnd, V>(x, i, weights, sums);
}

// The same with F inputs in one vector of weights, the last: lane o * F + f has output o's weight of input i + f.
template <int F, int P, int V>
DEPTHWISE_INLINE void add_folded_tap(Inputs<P>& x, int64_t first, int64_t end, const float* weights,
                                     vec (&sums)[P][V]) {
  for (int64_t i = first; i < end; i += F, weights += kWidth) {
    DEPTHWISE_UNROLL
    for (int f = 0; f < F; ++f, weights += (V - 1) * kWidth) add_input<0, P, V - 1>(x, i + f, weights, sums);
    const vec w = load(weights);
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) add_product(sums[p][V - 1], repeat<F>(x[p] + i), w);
  }
}

// Lanes of folded vectors: the bias of output o in lane o * F, zeros beside it; and the sums of F lanes as lane o.
constexpr int32_t kFoldLanes = 16;
struct FoldLanes {
  int32_t outputs[kFoldLanes], first[kFoldLanes], other[2][kFoldLanes];
};
constexpr FoldLanes make_fold_lanes(int fold) {
  FoldLanes made{};
  for (int l = 0; l < kWidth; ++l) {
    made.outputs[l] = l / fold;
    made.first[l] = l * fold % kWidth;
    made.other[0][l] = l ^ 1;
    made.other[1][l] = l ^ 2;
  }
  return made;
}
constexpr FoldLanes kFoldedTwice = make_fold_lanes(2), kFoldedFourTimes = make_fold_lanes(4);

template <int F>
DEPTHWISE_INLINE vec fold_bias(vec bias) {
  const FoldLanes& lanes = F == 2 ? kFoldedTwice : kFoldedFourTimes;
  const uint64_t firsts = (F == 2 ? 0x5555 : 0x1111) & ((1u << kWidth) - 1);
  return select_part(part_of_bits(firsts), permute(bias, load_indices(lanes.outputs)), zero());
}

template <int F>
DEPTHWISE_INLINE vec unfold(vec x) {
  const FoldLanes& lanes = F == 2 ? kFoldedTwice : kFoldedFourTimes;
  x = add(x, permute(x, load_indices(lanes.other[0])));
  if (F == 4) x = add(x, permute(x, load_indices(lanes.other[1])));
  return permute(x, load_indices(lanes.first));
}

// A tap that falls on padding for all pixels is left out, and so are the first or the last pixel where it does for
// them; a single pixel is thus computed without padding.
template <int P, int V, int F>
DEPTHWISE_INLINE void run_pixels(const Tile& t, int64_t first_pixel) {
  const float* const* pixels = t.pixels + first_pixel;
  vec sums[P][V];
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      const vec bias = load(t.bias + v * kWidth);
      sums[p][v] = F > 1 && v == V - 1 ? fold_bias<F>(bias) : bias;
    }
  }

  constexpr int64_t step = F > 1 ? (V - 1) * kWidth + kWidth / F : V * kWidth;
  const float* weights = t.weights;
  const int64_t first = t.channel, end = first + t.length;
  for (int64_t tap = 0; tap < t.taps; ++tap, pixels += t.pitch, weights += t.length * step) {
    Inputs<P> x(pixels);
    if constexpr (F > 1) {
      bool padding = true;
      for (int p = 0; p < P; ++p) padding = padding && pixels[p] == t.zeros;
      if (!padding) add_folded_tap<F>(x, first, end, weights, sums);
    } else if (x[0] != t.zeros && x[P - 1] != t.zeros) {
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

  if constexpr (F > 1) {
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) sums[p][V - 1] = unfold<F>(sums[p][V - 1]);
  }
  if (t.clamps) {
    const vec lo = set1(t.lo), hi = set1(t.hi);
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) {
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[p][v] = clamp(sums[p][v], lo, hi);
    }
  }
  const int64_t last = t.outputs - (V - 1) * kWidth;
  const tail lanes = tail_of(last);
  float* output = t.output + first_pixel * t.output_pitch;
  DEPTHWISE_UNROLL
  for (int p = 0; p < P; ++p, output += t.output_pitch) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V - 1; ++v) store(output + v * kWidth, sums[p][v]);
    if (last == kWidth) {
      store(output + (V - 1) * kWidth, sums[p][V - 1]);
    } else {
      store_tail(output + (V - 1) * kWidth, sums[p][V - 1], lanes);
    }
  }
}

template <int P, int V, int F>
void run_tile(const Tile& t) {
  for (int64_t m = 0; m < t.count; ++m) run_pixels<P, V, F>(t, m * P);
}

using RunTile = void (*)(const Tile&);

struct TileKernels {
  RunTile by_size[3][kMostVectors][kMostPixels + 1];  // [whole, folded twice, four times][V - 1][P]
};

template <int64_t P, int V, int F>
constexpr void list_tile_kernels(TileKernels& kernels) {
  if constexpr (P > 0) {
    list_tile_kernels<P - 1, V, F>(kernels);
    kernels.by_size[F / 2][V - 1][P] = run_tile<P, V, F>;
  }
}

constexpr TileKernels make_tile_kernels() {
  TileKernels kernels{};
  list_tile_kernels<most_pixels(1, 1), 1, 1>(kernels);
  list_tile_kernels<most_pixels(2, 1), 2, 1>(kernels);
  list_tile_kernels<most_pixels(3, 1), 3, 1>(kernels);
  if constexpr (!kBaseline) {
    list_tile_kernels<most_pixels(2, 2), 2, 2>(kernels);
    list_tile_kernels<most_pixels(3, 2), 3, 2>(kernels);
    list_tile_kernels<most_pixels(2, 4), 2, 4>(kernels);
  }
  return kernels;
}

constexpr TileKernels kTileKernels = make_tile_kernels();

// Blocks of outputs of a group: two vectors each, the last one of three or, where there is no other, of one.
// A group's last vector, if it would be a half or a quarter full, is folded: it holds that many outputs for two or four
// inputs at once.
struct Blocks {
  int64_t vectors, count;
  int64_t fold;     // of the last vector: 1, 2 or 4
  int64_t weights;  // floats of a group, for an input of a tap
};

Blocks blocks_of(const Problem& p) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, rest = out_c % kWidth;
  const int64_t vectors = ceil_div(out_c, kWidth);
  int64_t fold = 1;
  if (!kBaseline && vectors > 1 && rest == kWidth / 2 && in_c % 2 == 0) fold = 2;
  // Blocks of three vectors have no micro-kernels that fold four times: rare, and large.
  if (!kBaseline && vectors % 2 == 0 && rest == kWidth / 4 && in_c % 4 == 0) fold = 4;
  return {vectors, max(1, vectors / 2), fold, (vectors - 1) * kWidth + kWidth / fold};
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
  int64_t together;      // so many pixels of all blocks are computed before the next; of planes, all of the tile's
};

void store_split(const Split& split, KernelPlan& plan) {
  const int64_t values[] = {split.pixels, split.pixel_tiles, split.blocks, split.block_tiles, split.pixels_first,
                            split.joined, split.by_rows,     split.copied, split.together};
  for (int i = 0; i < 9; ++i) plan.param[i] = values[i];
}

Split load_split(const KernelPlan& plan) {
  const int64_t* values = plan.param;
  return {values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8]};
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

// Pointers of a tap, with room behind them for fill_steps().
int64_t table_pitch(int64_t pixels) { return round_up(pixels, kStepsAtOnce) + kStepsAtOnce; }

Scratch scratch_of(const Problem& p, const Split& split) {
  const bool planes = p.layout == Layout::nchw;
  const int64_t groups = most_groups(p, split.blocks);
  const bool own_input = planes || split.copied;
  const int64_t channels = own_input ? groups * (p.in_c / p.groups) : p.in_c;
  constexpr int64_t kPointerFloats = sizeof(void*) / 4;
  Scratch s;
  s.pointers = 0;
  s.zeros = round_up(p.filter_h * p.filter_w * table_pitch(split.pixels) * kPointerFloats, 16);
  s.patches = s.zeros + round_up(max(channels, p.filter_w * p.in_c * split.joined), 16);
  const int64_t patches = min(split.pixels, border_pixels(p) * most_rows(p, split.pixels)) * p.filter_h;
  s.input = s.patches + round_up(split.joined ? patches * p.filter_w * p.in_c : 0, 16);
  s.output = s.input +
             round_up(own_input ? most_input_rows(p, split.pixels) * p.in_w * scratch_pitch(channels) + kWidth : 0, 16);
  s.end = s.output + (planes ? split.pixels * kMostVectors * kWidth : 0);
  return s;
}

// A tile is about this many multiplications of floats: some 40 us; and some 10 us where those are so few that
// threads would wait for each other.
constexpr int64_t kTileWork = 5 << 19, kLeastTileWork = 5 << 17, kFewTiles = 8;
// Weights that stay in the second cache beside a tile's inputs and outputs.
constexpr int64_t kCachedWeights = 1 << 17;

// Weights that stay in the first: so many runs of pixels at a time take all of them, so that outputs are written in the
// order of their addresses. Few pixels are a run with 16 registers, and change blocks too often.
constexpr int64_t kNearWeights = 1 << 13, kTogetherRuns = kRegisters < 32 ? 16 : 4;

// Fewer pixels of a row than that are not worth a micro-kernel without those of the next.
constexpr int64_t kLeastOfRow = kRegisters < 32 ? 5 : 4;

// The first cache has a line of each set in so many floats, and at least so many of each beside what else passes.
constexpr int64_t kSetsFloats = 1024, kMostOfSet = 7;

// What tiles of planes cost beside the multiplications, in multiplications (32 or 16 a cycle): each float transposed,
// each block of a pixel's outputs; each weight for every run of pixels of a micro-kernel, as its loop fills the units
// less and is entered; and each weight for every tile's pixels, where all of them don't fit the second cache.
constexpr double kTransposeCost = kWidth < 16 ? 7 : 11, kOutputCost = 64, kRunCost = 0.4, kFarWeightCost = 2;

// The tiles of planes: of those that are small enough, the ones that cost the least. Each tile transposes all inputs
// that its rows need, so that rows of its own serve few outputs ill, and few rows share less of their inputs. `most`
// pixels are a run.
void split_planes(const Problem& p, const Blocks& blocks, int64_t most, Split& split) {
  const int64_t in_c = p.in_c / p.groups, depth = p.filter_h * p.filter_w * in_c;
  const int64_t per_block = ceil_div(p.out_c / p.groups, blocks.count);
  // Work and costs are products that 64 bits need not hold.
  const double all_work = static_cast<double>(p.out_h * p.out_w * p.out_c) * static_cast<double>(depth);
  const double most_work = all_work / 16 > kTileWork ? all_work / 16 : kTileWork;
  const double taps = static_cast<double>(p.filter_h * p.filter_w);
  const double weights = static_cast<double>(p.out_c / p.groups) * static_cast<double>(depth);
  const double far_weights = p.out_c * depth > kCachedWeights ? kFarWeightCost * weights : 0;
  double least = 0;
  for (int64_t rows = p.out_h; rows > 0; rows -= ceil_div(rows, 5)) {
    const int64_t pixels = rows * p.out_w;
    const int64_t input = most_input_rows(p, pixels) * p.in_w * in_c;
    const int64_t runs = split.by_rows ? rows * ceil_div(p.out_w, most) : ceil_div(pixels, most);
    for (int64_t parts = 1; parts <= blocks.count; ++parts) {
      const int64_t some = ceil_div(blocks.count, parts);
      const double work = static_cast<double>(pixels * per_block * some) * static_cast<double>(depth);
      if (work > most_work && (rows > 1 || some > 1)) continue;
      const int64_t fitting = work < kTileWork ? static_cast<int64_t>(kTileWork / work) : 1;
      const int64_t groups = some < blocks.count ? 1 : min(p.groups, fitting);
      const double of_part = kTransposeCost * static_cast<double>(input) +
                             kOutputCost * static_cast<double>(pixels) * taps / static_cast<double>(groups);
      const double of_rows = kRunCost * static_cast<double>(runs) * weights + far_weights;
      const double cost = static_cast<double>(ceil_div(p.out_h, rows)) *
                          (static_cast<double>(ceil_div(blocks.count, some)) * of_part + of_rows);
      if (least > 0 && cost >= least) continue;
      least = cost;
      split.pixels = pixels;
      split.blocks = some * groups;
    }
  }
}

bool plan(const Problem& p, KernelPlan& plan) {
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t depth = p.filter_h * p.filter_w * in_c;
  const int64_t pixels = p.out_h * p.out_w, all_blocks = p.groups * blocks.count;
  const int64_t per_block = ceil_div(out_c, blocks.count);

  Split split{};
  const int64_t most = most_pixels(min(blocks.vectors, 2), blocks.vectors == 2 ? blocks.fold : 1);
  const bool pads =
      p.pad_top > 0 || p.pad_left > 0 || (p.out_w - 1) * p.stride_w + 1 > p.in_w - (p.filter_w - 1) * p.dilation_w;
  split.joined = p.groups == 1 && p.dilation_w == 1 && p.filter_w > 1 && p.in_c < 16;
  // Equal parts of a short row leave many registers without a pixel, which costs more than zeros beside other pixels.
  split.by_rows = pads && p.out_w / ceil_div(p.out_w, most) >= kLeastOfRow;
  const int64_t unit = split.by_rows ? p.out_w : most;
  if (p.layout == Layout::nchw) {
    split_planes(p, blocks, most, split);
  } else {
    // First the pixels, enough for a block's weights to be worth their way to the first cache, then the blocks. Those
    // of a single block aren't read again by others, so that only threads want many tiles.
    const int64_t many = all_blocks == 1 ? max(16 * most, min(64 * most, pixels / 32)) : 16 * most;
    const int64_t wanted = max(4 * most, min(many, kTileWork / (depth * per_block)));
    split.pixels = min(pixels, round_up(ceil_div(pixels, ceil_div(pixels, wanted)), unit));
    const double work = static_cast<double>(split.pixels) * static_cast<double>(depth * per_block);
    const auto fitting = [&](int64_t tile_work) {
      return work < tile_work ? static_cast<int64_t>(tile_work / work) : 1;
    };
    const bool few = ceil_div(pixels, split.pixels) * ceil_div(all_blocks, fitting(kTileWork)) < kFewTiles;
    const int64_t wanted_blocks = min(all_blocks, fitting(few ? kLeastTileWork : kTileWork));
    split.blocks = ceil_div(all_blocks, ceil_div(all_blocks, wanted_blocks));
  }
  // Pointers and transposed inputs that no memory holds, and that 64 bits may not count.
  if (static_cast<double>(split.pixels) * static_cast<double>(depth) > 1e15) return false;
  split.pixel_tiles = ceil_div(pixels, split.pixels);
  split.block_tiles = ceil_div(all_blocks, split.blocks);
  split.pixels_first = p.out_c * depth > kCachedWeights;
  // Of the pixels that a micro-kernel reads at once, so many lie in the same set of the first cache.
  const int64_t at_once = split.by_rows ? ceil_div(p.out_w, ceil_div(p.out_w, most)) : most;
  const int64_t of_set = ceil_div(at_once * gcd(p.stride_w * p.in_c, kSetsFloats), kSetsFloats);
  split.copied = cpu_caches().few_ways_thrash && p.layout == Layout::nhwc && of_set > kMostOfSet &&
                 depth / in_c * split.blocks * per_block >= 128;
  const bool near = p.layout == Layout::nhwc && split.blocks > 1 && split.blocks * per_block * depth <= kNearWeights;
  split.together = near ? kTogetherRuns * unit : split.pixels;

  plan.kernel = "dense";
  plan.tiles = p.batch * split.pixel_tiles * split.block_tiles;
  plan.packed_floats = round_up(p.groups * blocks.weights * depth, kFlagFloats) + kFlagFloats;
  plan.scratch_floats = scratch_of(p, split).end;
  store_split(split, plan);
  return true;
}

// The folded vectors of group g, behind `whole` floats for each input of a tap. Returns a NaN if one isn't finite.
float pack_folded(const Problem& p, const FilterView& filter, int64_t g, int64_t whole, int64_t fold, float* to) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, rest = out_c % kWidth;
  float check = 0;
  for (int64_t ky = 0; ky < p.filter_h; ++ky) {
    for (int64_t kx = 0; kx < p.filter_w; ++kx) {
      const float* tap =
          filter.data + (g * out_c + out_c - rest) * filter.stride_o + ky * filter.stride_h + kx * filter.stride_w;
      for (int64_t first = 0; first < in_c; first += fold) {
        to += fold * whole;
        for (int64_t o = 0; o < rest; ++o) {
          for (int64_t i = first; i < first + fold; ++i) {
            *to = tap[o * filter.stride_o + i * filter.stride_i];
            check += *to++ * 0.0f;
          }
        }
      }
    }
  }
  return check;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, depth = p.filter_h * p.filter_w * in_c;
  float* to = packed;
  vec check = zero();
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t b = 0; b < blocks.count; ++b) {
      const int64_t first = 2 * b * kWidth, fold = b + 1 < blocks.count ? 1 : blocks.fold;
      const int64_t width = (vectors_of_block(blocks, b) - (fold > 1)) * kWidth;
      const vec found = pack_vectors(p, filter, g * out_c + first, min(out_c - first, width), width,
                                     [&p, to, in_c, width, fold](int64_t ky, int64_t kx, int64_t i) {
                                       const int64_t input = (ky * p.filter_w + kx) * in_c + i;
                                       return to + input * width + (fold > 1 ? input / fold * kWidth : 0);
                                     });
      check = add(check, found);
      if (fold > 1) check = add(check, set1(pack_folded(p, filter, g, width, fold, to)));
      to += depth * width + (fold > 1 ? depth / fold * kWidth : 0);
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
    for (int64_t m = 0, run; m < count; m += run) {
      const int64_t oy = (first + m) / p.out_w, ox = (first + m) % p.out_w;
      run = min(p.out_w - ox, count - m);
      const auto row_of = [&](int64_t ky) -> const float* {
        const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
        return iy >= 0 && iy < p.in_h ? in.data + (iy - in.first_row) * in.row_pitch : nullptr;
      };
      if (joined) {
        for (int64_t ky = 0; ky < p.filter_h; ++ky) fill_joined(row_of(ky), pointers + ky * pitch + m, ox, run);
      } else {
        for (int64_t kx = 0; kx < p.filter_w; ++kx) fill_column(row_of, kx, ox, run, m);
      }
    }
  }

  // The taps (ky, kx) of a run.
  template <typename RowOf>
  void fill_column(RowOf row_of, int64_t kx, int64_t ox, int64_t run, int64_t m) {
    const int64_t first = ox * p.stride_w + kx * p.dilation_w - p.pad_left;
    const int64_t left = first < 0 ? min(run, ceil_div(-first, p.stride_w)) : 0;
    const int64_t end = first < p.in_w ? max(left, min(run, (p.in_w - 1 - first) / p.stride_w + 1)) : left;
    for (int64_t ky = 0; ky < p.filter_h; ++ky) {
      const float** to = pointers + (ky * p.filter_w + kx) * pitch + m;
      const float* row = row_of(ky);
      const int64_t inside = row ? end : left;
      for (int64_t i = 0; i < left; ++i) to[i] = padding;
      if (left < inside) {
        const float* pixel = row + (first + left * p.stride_w) * in.pixel_pitch;
        fill_steps(to + left, inside - left, pixel, p.stride_w * in.pixel_pitch);
      }
      for (int64_t i = inside; i < run; ++i) to[i] = padding;
    }
  }

  void fill_joined(const float* row, const float** to, int64_t ox, int64_t run) {
    // The pixels whose taps of this row all lie on it, and around them those that need a copy.
    const int64_t begin = row ? min(p.out_w, ceil_div(p.pad_left, p.stride_w)) : p.out_w;
    const int64_t last = p.in_w - p.filter_w + p.pad_left;
    const int64_t end = last < 0 ? 0 : last / p.stride_w + 1;
    for (int64_t i = 0; i < run; ++i) {
      if (ox + i >= begin && ox + i < end) {
        const float* pixel = row + ((ox + i) * p.stride_w - p.pad_left) * p.in_c;
        const int64_t inside = min(run, end - ox);
        fill_steps(to + i, inside - i, pixel, p.stride_w * p.in_c);
        i = inside;
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
  const int64_t first_group = first_block / blocks.count, first_index = first_block % blocks.count;
  const int64_t end_group = (end_block - 1) / blocks.count + 1;
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * p.out_h * p.out_w * p.out_c;

  Pixels in{input, 0, p.in_w * p.in_c, p.in_c};
  int64_t first_channel = 0;
  if (planes || split.copied) {
    const int64_t row = first_pixel / p.out_w, rows = (first_pixel + pixels - 1) / p.out_w + 1 - row;
    in = own_pixels(p, input, first_group * in_c, (end_group - first_group) * in_c, row, rows, scratch + room.input);
    first_channel = first_group * in_c;
  }

  const bool joined = split.joined && finite;
  float* zeros = scratch + room.zeros;
  for (int64_t i = 0; i < room.patches - room.zeros; ++i) zeros[i] = 0.0f;
  const float** pointers = reinterpret_cast<const float**>(scratch + room.pointers);
  PointerTable table{p, in, pointers, table_pitch(pixels), zeros, scratch + room.patches};
  table.fill(first_pixel, pixels, joined);

  Tile t;
  t.zeros = zeros;
  t.pitch = table.pitch;
  t.taps = joined ? p.filter_h : p.filter_h * p.filter_w;
  t.length = joined ? p.filter_w * in_c : in_c;
  t.lo = args.lo, t.hi = args.hi, t.clamps = args.clamps;
  const int64_t depth = t.taps * t.length, out_plane = p.out_h * p.out_w;
  // The pixels [begin, end) of a block, the first of them in `column`, by as few micro-kernels as possible, as equal as
  // possible.
  const auto run_block = [&](int64_t group, int64_t index, int64_t begin, int64_t end, int64_t column) {
    const int64_t vectors = vectors_of_block(blocks, index);
    const int64_t output_channel = group * out_c + 2 * index * kWidth;
    const int64_t outputs = min(vectors * kWidth, out_c - 2 * index * kWidth);
    float* plane = output + output_channel * out_plane + first_pixel;
    t.channel = group * in_c - first_channel;
    t.weights = args.weights + (group * blocks.weights + 2 * index * kWidth) * depth;
    t.bias = args.bias + output_channel;
    float* block_output = planes ? scratch + room.output : output + first_pixel * p.out_c + output_channel;
    t.output = block_output;
    t.output_pitch = planes ? vectors * kWidth : p.out_c;
    t.outputs = planes ? t.output_pitch : outputs;
    if (planes) prefetch_rows(plane, out_plane, outputs, pixels);
    const int64_t fold = index + 1 < blocks.count ? 1 : blocks.fold;
    const RunTile* kernels = kTileKernels.by_size[fold / 2][vectors - 1];
    const int64_t most = finite ? most_pixels(vectors, fold) : 1;
    for (int64_t m = begin; m < end; column = 0) {
      const int64_t left = split.by_rows ? min(p.out_w - column, end - m) : end - m;
      const int64_t parts = left <= most ? 1 : ceil_div(left, most), least = left / parts, larger = left % parts;
      const auto run_parts = [&](int64_t count, int64_t size) {
        if (count == 0) return;
        t.pixels = pointers + m;
        t.output = block_output + m * t.output_pitch;
        t.count = count;
        kernels[size](t);
        m += count * size;
      };
      run_parts(larger, least + 1);
      run_parts(parts - larger, least);
    }
    if (!planes) return;
    // Few planes at a time, so that each is written in one go.
    for (int64_t o = 0; o < outputs; o += kWidth) {
      transpose_matrix(block_output + o, t.output_pitch, pixels, min(kWidth, outputs - o), plane + o * out_plane,
                       out_plane);
    }
  };
  for (int64_t begin = 0; begin < pixels; begin += split.together) {
    const int64_t end = min(begin + split.together, pixels), column = (first_pixel + begin) % p.out_w;
    int64_t group = first_group, index = first_index;
    for (int64_t block = first_block; block < end_block; ++block) {
      run_block(group, index, begin, end, column);
      if (++index == blocks.count) index = 0, ++group;
    }
  }

  if (!args.activate) return;
  const int64_t first_output = first_group * out_c + 2 * first_index * kWidth;
  const int64_t last_index = (end_block - 1) % blocks.count;
  const int64_t end_output =
      last_index + 1 == blocks.count ? end_group * out_c : (end_group - 1) * out_c + 2 * (last_index + 1) * kWidth;
  const int64_t outputs = end_output - first_output;
  if (planes) {
    args.activate(args, output + first_output * out_plane + first_pixel, outputs, out_plane, pixels, first_output);
  } else {
    args.activate(args, output + first_pixel * p.out_c + first_output, pixels, p.out_c, outputs, first_output);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(dense) = {"dense", plan, pack, run};

}  // namespace depthwise

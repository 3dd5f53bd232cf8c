// Grouped convolution of planes (NCHW) with few outputs a group, at stride 1, read and written where they lie.
//
//   for (each image, group g, output plane o of the group, output pixel m, counted through all rows)
//     sum = bias[o]
//     for (input plane i of the group) for (each tap (ky, kx) that doesn't fall on padding)
//       sum += weight[o][i][ky][kx] * input[i][pixel's input under the tap]
//     output[o][m] = clamp(sum)
//
// Input and output rows are equally long and the stride is 1, so that a tap is a distance: pixel m reads
// input[m + offset]. A vector holds kWidth neighbouring pixels, of whichever rows; lanes whose input would be padding
// are not loaded but zero. The micro-kernel computes V vectors of pixels, a chunk, in O planes, a block:
//
//   for (i) for (tap)  x[v] = V vectors of input[i] at offset[tap];  for (o) { w = broadcast; sum[o][v] += x[v] * w }
//
// Registers: O * V sums, the fewer of V inputs and O weights, and one of the others: 14 x 2, 9 x 3 … 4 x 6 with
// AVX-512; 6 x 2, 4 x 3, 3 x 4 with 16 registers.
// Packed: [group][block][i][ky][kx][output of the block], blocks as equal as possible.
#include "output_blocks.h"

namespace depthwise {
namespace {

constexpr int64_t kMostGroupOutputs = 16;
constexpr int kMostVectors = 6;
constexpr int kMostOutputs = (kRegisters - 3) / 2;

constexpr int most_vectors(int outputs) {
  int most = 0;
  for (int v = 1; v <= kMostVectors && outputs * v + (v < outputs ? v : outputs) + 1 <= kRegisters; ++v) most = v;
  return most;
}

struct Tap {
  int64_t offset;  // from the inputs of the chunk's plane to this tap's
  int64_t index;   // ky * filter_w + kx
  part* lanes;     // of each vector: those that are to be loaded
};

struct Chunk {
  const float* input;  // the first plane, at the chunk's first pixel
  int64_t in_c, in_plane;
  const Tap* taps;
  const Tap* first_masked;  // from here to the end, not all lanes are loaded
  const Tap* end;
  int64_t plane_weights;  // of the block, for an input plane
  const float* weights;
  const float* bias;
  float* output;
  int64_t out_plane;
  int64_t last;  // lanes of the last vector
  float lo, hi;
};

template <int O, int V, bool kMasked>
DEPTHWISE_INLINE void add_tap(const float* input, const float* weights, const Tap& tap, vec (&sums)[O][V]) {
  input += tap.offset;
  weights += tap.index * O;
  const auto load_input = [input, &tap](int v) DEPTHWISE_LAMBDA_INLINE {
    return keep(kMasked ? load_part(input + v * kWidth, tap.lanes[v]) : load(input + v * kWidth));
  };
  if constexpr (V <= O) {
    vec x[V];
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) x[v] = load_input(v);
    DEPTHWISE_UNROLL
    for (int o = 0; o < O; ++o) {
      const vec w = set1(weights[o]);
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[o][v] = fma(x[v], w, sums[o][v]);
    }
  } else {
    vec w[O];
    DEPTHWISE_UNROLL
    for (int o = 0; o < O; ++o) w[o] = set1(weights[o]);
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      const vec x = load_input(v);
      DEPTHWISE_UNROLL
      for (int o = 0; o < O; ++o) sums[o][v] = fma(x, w[o], sums[o][v]);
    }
  }
}

template <int O, int V>
void run_chunk(const Chunk& c) {
  vec sums[O][V];
  DEPTHWISE_UNROLL
  for (int o = 0; o < O; ++o) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) sums[o][v] = set1(c.bias[o]);
  }

  const float* input = c.input;
  const float* weights = c.weights;
  const Tap *const taps = c.taps, *const first_masked = c.first_masked, *const end = c.end;
  for (int64_t i = 0; i < c.in_c; ++i, input += c.in_plane, weights += c.plane_weights) {
    const Tap* tap = taps;
    for (; tap != first_masked; ++tap) add_tap<O, V, false>(input, weights, *tap, sums);
    for (; tap != end; ++tap) add_tap<O, V, true>(input, weights, *tap, sums);
  }

  const vec lo = set1(c.lo), hi = set1(c.hi);
  const tail lanes = tail_of(c.last);
  float* output = c.output;
  DEPTHWISE_UNROLL
  for (int o = 0; o < O; ++o, output += c.out_plane) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      const vec x = clamp(sums[o][v], lo, hi);
      if (v == V - 1 && c.last < kWidth) {
        store_tail(output + v * kWidth, x, lanes);
      } else {
        store(output + v * kWidth, x);
      }
    }
  }
}

using RunChunk = void (*)(const Chunk&);

struct ChunkKernels {
  RunChunk by_size[kMostOutputs + 1][kMostVectors + 1];  // [O][V]
};

template <int O, int V>
constexpr void list_chunk_kernels(ChunkKernels& kernels) {
  if constexpr (V > 0) {
    list_chunk_kernels<O, V - 1>(kernels);
    kernels.by_size[O][V] = run_chunk<O, V>;
  } else if constexpr (O > 1) {
    list_chunk_kernels<O - 1, most_vectors(O - 1)>(kernels);
  }
}

constexpr ChunkKernels make_chunk_kernels() {
  ChunkKernels kernels{};
  list_chunk_kernels<kMostOutputs, most_vectors(kMostOutputs)>(kernels);
  return kernels;
}

constexpr ChunkKernels kChunkKernels = make_chunk_kernels();

bool has_padding(const Problem& p) {
  return p.pad_top > 0 || p.pad_left > 0 ||
         (p.out_w - 1) * p.stride_w + (p.filter_w - 1) * p.dilation_w - p.pad_left >= p.in_w ||
         (p.out_h - 1) * p.stride_h + (p.filter_h - 1) * p.dilation_h - p.pad_top >= p.in_h;
}

struct ChunkTaps {
  const Tap *first, *first_masked, *end;
};

// What plan decides, as it lies in KernelPlan::param. A tile is a run of chunks of an image by a run of blocks, of one
// group or of several.
struct Split {
  int64_t chunks, blocks;            // of an image; of a group
  int64_t tile_chunks, chunk_tiles;  // of a tile; of an image
  int64_t tile_blocks, block_tiles;  // of a tile; of all groups
};

Split load_split(const KernelPlan& plan) {
  const int64_t* values = plan.param;
  return {values[0], values[1], values[2], values[3], values[4], values[5]};
}

int64_t vectors_of(const Problem& p) { return ceil_div(p.out_h * p.out_w, kWidth); }

// Chunk number i begins here.
int64_t chunk_begin(const Problem& p, const Split& split, int64_t i) {
  return min(p.out_h * p.out_w, i * vectors_of(p) / split.chunks * kWidth);
}

// The number of chunks and blocks that take the least time, in half cycles: two fmas or two loads fit a cycle, and an
// fma's sum is ready after four. Loads that cross a line count twice, those of most taps need lanes beside.
void choose_sizes(const Problem& p, Split& split) {
  const int64_t vectors = vectors_of(p), out_c = p.out_c / p.groups;
  int64_t least = 0;
  for (int outputs = 1; outputs <= kMostOutputs; ++outputs) {
    for (int most = 1; most <= most_vectors(outputs); ++most) {
      const int64_t chunks = ceil_div(vectors, most), blocks = ceil_div(out_c, outputs);
      const int64_t v = ceil_div(vectors, chunks), o = ceil_div(out_c, blocks);
      const int64_t loads = (kWidth * 4 == 64 ? 10 * v : 9 * v) / 4 + o;
      const int64_t cost = chunks * blocks * (max(8, max(o * v, loads)) + 3);
      if (least == 0 || cost <= least) {
        least = cost;
        split.chunks = chunks, split.blocks = blocks;
      }
    }
  }
}

// The scratch memory of a tile, in floats from its start.
struct Scratch {
  int64_t taps, lanes, ends, end;
};

Scratch scratch_of(const Problem& p, const Split& split) {
  const int64_t taps = split.tile_chunks * p.filter_h * p.filter_w;
  Scratch s;
  s.taps = 0;
  s.lanes = round_up(taps * sizeof(Tap) / 4, 16);
  s.ends = s.lanes + round_up(taps * kMostVectors * sizeof(part) / 4 + 1, 16);
  s.end = s.ends + round_up(split.tile_chunks * sizeof(ChunkTaps) / 4, 16);
  return s;
}

// A tile is about this many multiplications of floats: some 10 us.
constexpr int64_t kTileWork = 1 << 20;

bool plan(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  if (p.layout != Layout::nchw || p.stride_h != 1 || p.stride_w != 1 || p.out_w != p.in_w) return false;
  // Many outputs a group make up for a transpose, and so do some where lanes lie behind the plane's end, unless their
  // own vector leaves more of its lanes empty.
  if (out_c > kMostGroupOutputs) return false;
  const int64_t pixels = p.out_h * p.out_w, lanes = round_up(pixels, kWidth);
  const bool wasteful = 20 * pixels < 19 * lanes && 20 * pixels * max(out_c, kWidth) < 21 * lanes * out_c;
  if (wasteful && 2 * out_c > kWidth) return false;

  Split split{};
  choose_sizes(p, split);
  const int64_t depth = p.filter_h * p.filter_w * in_c, all_blocks = p.groups * split.blocks;
  const int64_t chunk_work = ceil_div(vectors_of(p), split.chunks) * kWidth * ceil_div(out_c, split.blocks) * depth;
  const int64_t wanted_blocks = max(1, min(all_blocks, kTileWork / chunk_work));
  split.tile_blocks = ceil_div(all_blocks, ceil_div(all_blocks, wanted_blocks));
  split.block_tiles = ceil_div(all_blocks, split.tile_blocks);
  const int64_t wanted_chunks = max(1, min(split.chunks, kTileWork / (chunk_work * split.tile_blocks)));
  split.tile_chunks = ceil_div(split.chunks, ceil_div(split.chunks, wanted_chunks));
  split.chunk_tiles = ceil_div(split.chunks, split.tile_chunks);

  plan.kernel = "grouped_nchw";
  plan.tiles = p.batch * split.chunk_tiles * split.block_tiles;
  plan.packed_floats = p.out_c * depth + kFlagFloats;
  plan.packing = split.blocks;
  plan.scratch_floats = scratch_of(p, split).end;
  const int64_t values[] = {split.chunks,      split.blocks,      split.tile_chunks,
                            split.chunk_tiles, split.tile_blocks, split.block_tiles};
  for (int i = 0; i < 6; ++i) plan.param[i] = values[i];
  return true;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  pack_blocks_with_flag(p, plan, load_split(plan).blocks, filter, packed);
}

// Bits of the lanes j of `count` for which a <= (x + j) % width < b.
uint32_t lanes_of_columns(int64_t x, int64_t count, int64_t width, int64_t a, int64_t b) {
  uint32_t bits = 0;
  for (int64_t row = -x; row < count; row += width) {
    const int64_t first = max(0, row + a), end = min(count, row + b);
    if (first < end) bits |= (uint32_t{1} << end) - (uint32_t{1} << first);
  }
  return bits;
}

// Writes the taps of a chunk to `tap` and their lanes to `lanes`, but those that fall on padding for all its pixels.
ChunkTaps fill_taps(const Problem& p, int64_t first, int64_t count, Tap* tap, part* lanes) {
  const int64_t vectors = ceil_div(count, kWidth);
  ChunkTaps found{tap, tap, tap};
  for (int masked = 0; masked < 2; ++masked) {
    found.first_masked = tap;
    for (int64_t kx = 0; kx < p.filter_w; ++kx) {
      const int64_t right = kx * p.dilation_w - p.pad_left;
      uint32_t columns[kMostVectors];
      for (int64_t v = 0; v < vectors; ++v) {
        const int64_t m = first + v * kWidth;
        columns[v] = lanes_of_columns(m % p.out_w, min(first + count - m, kWidth), p.out_w, max(0, -right),
                                      min(p.out_w, p.in_w - right));
      }
      for (int64_t ky = 0; ky < p.filter_h; ++ky) {
        const int64_t down = ky * p.dilation_h - p.pad_top;
        const int64_t begin = -down * p.out_w - first, end = (p.in_h - down) * p.out_w - first;
        uint32_t bits[kMostVectors], any = 0;
        bool all = true;
        for (int64_t v = 0; v < vectors; ++v) {
          const int64_t a = max(0, min(kWidth, begin - v * kWidth)), b = max(a, min(kWidth, end - v * kWidth));
          bits[v] = columns[v] & ((uint32_t{1} << b) - (uint32_t{1} << a));
          any |= bits[v];
          all &= bits[v] == (uint32_t{1} << kWidth) - 1;
        }
        if (!any || all == (masked == 1)) continue;
        for (int64_t v = 0; v < vectors; ++v) lanes[v] = part_of_bits(bits[v]);
        *tap++ = {down * p.in_w + right, ky * p.filter_w + kx, lanes};
        lanes += vectors;
      }
    }
  }
  found.end = tap;
  return found;
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const Scratch room = scratch_of(p, split);
  const bool careful = has_padding(p) && !weights_are_finite(args);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, taps = p.filter_h * p.filter_w;
  const int64_t in_plane = p.in_h * p.in_w, out_plane = p.out_h * p.out_w;
  const int64_t image_tiles = split.chunk_tiles * split.block_tiles;
  const int64_t image = tile / image_tiles, in_image = tile % image_tiles;
  const int64_t first_chunk = in_image / split.block_tiles * split.tile_chunks;
  const int64_t end_chunk = min(split.chunks, first_chunk + split.tile_chunks);
  const int64_t first_block = in_image % split.block_tiles * split.tile_blocks;
  const int64_t end_block = min(p.groups * split.blocks, first_block + split.tile_blocks);
  const int64_t first_pixel = chunk_begin(p, split, first_chunk), end_pixel = chunk_begin(p, split, end_chunk);
  input += image * p.in_c * in_plane;
  output += image * p.out_c * out_plane;

  Tap* tap = reinterpret_cast<Tap*>(scratch + room.taps);
  part* lanes = reinterpret_cast<part*>(scratch + room.lanes);
  ChunkTaps* chunk_taps = reinterpret_cast<ChunkTaps*>(scratch + room.ends);
  for (int64_t chunk = first_chunk; chunk < end_chunk; ++chunk, tap += taps, lanes += taps * kMostVectors) {
    const int64_t first = chunk_begin(p, split, chunk), count = chunk_begin(p, split, chunk + 1) - first;
    chunk_taps[chunk - first_chunk] = fill_taps(p, first, count, tap, lanes);
  }

  Chunk c;
  c.in_c = in_c;
  c.in_plane = in_plane;
  c.out_plane = out_plane;
  c.lo = args.lo, c.hi = args.hi;
  for (int64_t block = first_block; block < end_block; ++block) {
    const int64_t group = block / split.blocks, index = block % split.blocks;
    const int64_t first_output = block_begin(p, split.blocks, index);
    const int64_t outputs = block_begin(p, split.blocks, index + 1) - first_output;
    const int64_t channel = group * out_c + first_output;
    const float* planes = input + group * in_c * in_plane;
    float* to = output + channel * out_plane;
    c.weights = args.weights + channel * in_c * taps;
    c.plane_weights = taps * outputs;
    c.bias = args.bias + channel;
    if (careful) {
      run_carefully(args, c.weights, c.bias, outputs, planes, to, first_pixel, end_pixel);
      continue;
    }
    for (int64_t chunk = first_chunk; chunk < end_chunk; ++chunk) {
      const int64_t first = chunk_begin(p, split, chunk), count = chunk_begin(p, split, chunk + 1) - first;
      const int64_t vectors = ceil_div(count, kWidth);
      const ChunkTaps& of_chunk = chunk_taps[chunk - first_chunk];
      c.last = count - (vectors - 1) * kWidth;
      c.taps = of_chunk.first, c.first_masked = of_chunk.first_masked, c.end = of_chunk.end;
      c.input = planes + first;
      c.output = to + first;
      kChunkKernels.by_size[outputs][vectors](c);
    }
  }

  if (args.activate) {
    const int64_t begin = first_block / split.blocks * out_c + block_begin(p, split.blocks, first_block % split.blocks);
    const int64_t last = end_block - 1;
    const int64_t end = last / split.blocks * out_c + block_begin(p, split.blocks, last % split.blocks + 1);
    args.activate(args, output + begin * out_plane + first_pixel, end - begin, out_plane, end_pixel - first_pixel,
                  begin);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(grouped_nchw) = {"grouped_nchw", plan, pack, run};

}  // namespace depthwise

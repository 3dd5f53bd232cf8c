// 1x1 convolution of planes (NCHW) without stride and padding: for each image and group, a product of matrices.
//
//   for (each image, group g, output plane o of the group, pixel m)
//     sum = bias[o]
//     for (input plane i of the group)  sum += weight[o][i] * input[i][m]
//     output[o][m] = clamp(sum)
//
// A vector holds kWidth neighbouring pixels, rows being as good as one, and the micro-kernel computes V of them in O
// planes; planes are read and written where they lie:
//
//   for (i)  x[v] = V vectors of input[i];  for (o) { w = broadcast(weight[i][o]);  sum[o][v] += x[v] * w }
//
// Registers: O * V sums, V inputs, one weight: 14 x 2 with AVX-512, 6 x 2 with 16 registers.
// Packed: [group][block of outputs][i][output of the block], blocks as equal as possible.
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kVectors = 2;
constexpr int kMostOutputs = (kRegisters - kVectors - 1) / kVectors;

struct Panel {
  const float* input;
  int64_t in_c, in_plane;
  const float* weights;
  const float* bias;
  float* output;
  int64_t out_plane;
  int64_t last;  // lanes of the last vector
  float lo, hi;
};

template <int O, int V, bool kTail>
void run_panel(const Panel& p) {
  vec sums[O][V];
  DEPTHWISE_UNROLL
  for (int o = 0; o < O; ++o) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) sums[o][v] = set1(p.bias[o]);
  }

  const tail lanes = tail_of(p.last);
  const float* input = p.input;
  const float* weights = p.weights;
  for (int64_t i = 0; i < p.in_c; ++i, input += p.in_plane, weights += O) {
    vec x[V];
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      x[v] = kTail && v == V - 1 ? load_tail(input + v * kWidth, lanes) : load(input + v * kWidth);
    }
    DEPTHWISE_UNROLL
    for (int o = 0; o < O; ++o) {
      const vec w = set1(weights[o]);
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[o][v] = fma(x[v], w, sums[o][v]);
    }
  }

  const vec lo = set1(p.lo), hi = set1(p.hi);
  float* output = p.output;
  DEPTHWISE_UNROLL
  for (int o = 0; o < O; ++o, output += p.out_plane) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      const vec x = clamp(sums[o][v], lo, hi);
      if (kTail && v == V - 1) {
        store_tail(output + v * kWidth, x, lanes);
      } else {
        store(output + v * kWidth, x);
      }
    }
  }
}

using RunPanel = void (*)(const Panel&);

struct PanelKernels {
  RunPanel by_outputs[kVectors][2][kMostOutputs + 1];  // [V - 1][kTail][O]
};

template <int O, int V>
constexpr void list_panel_kernels(PanelKernels& kernels) {
  if constexpr (O > 0) {
    list_panel_kernels<O - 1, V>(kernels);
    kernels.by_outputs[V - 1][0][O] = run_panel<O, V, false>;
    kernels.by_outputs[V - 1][1][O] = run_panel<O, V, true>;
  }
}

constexpr PanelKernels make_panel_kernels() {
  PanelKernels kernels{};
  list_panel_kernels<kMostOutputs, 1>(kernels);
  list_panel_kernels<kMostOutputs, 2>(kernels);
  return kernels;
}

constexpr PanelKernels kPanelKernels = make_panel_kernels();

// The outputs of a group, in blocks: block b of `count` begins at output b * out_c / count.
int64_t block_count(const Problem& p) { return ceil_div(p.out_c / p.groups, kMostOutputs); }
int64_t block_begin(const Problem& p, int64_t block) { return block * (p.out_c / p.groups) / block_count(p); }

// A tile is a run of pixels of an image by a run of blocks of one group.
struct Split {
  int64_t pixels, pixel_tiles;
  int64_t blocks, block_tiles;  // of a tile; of a group
};

Split load_split(const KernelPlan& plan) { return {plan.param[0], plan.param[1], plan.param[2], plan.param[3]}; }

// A tile is about this many multiplications of floats: some 20 us.
constexpr int64_t kTileWork = 5 << 18;
// Inputs that stay in the second cache while all blocks read them.
constexpr int64_t kCachedInputs = 1 << 16;

bool plan(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, pixels = p.out_h * p.out_w;
  if (p.layout != Layout::nchw || p.filter_h != 1 || p.filter_w != 1 || p.stride_h != 1 || p.stride_w != 1 ||
      p.pad_top != 0 || p.pad_left != 0 || p.out_h != p.in_h || p.out_w != p.in_w) {
    return false;
  }
  // Small planes fill their last vector badly; many outputs make up for a transpose.
  const int64_t lanes = round_up(pixels, kWidth);
  if (5 * pixels < 4 * lanes && out_c > 2 * kWidth) return false;

  constexpr int64_t kUnit = kVectors * kWidth;
  Split split{};
  const int64_t wanted = max(
      kUnit, min(round_up(pixels, kUnit), min(kTileWork / (in_c * min(out_c, kMostOutputs)), kCachedInputs / in_c)));
  split.pixels = min(pixels, round_up(ceil_div(pixels, ceil_div(pixels, wanted)), kUnit));
  split.pixel_tiles = ceil_div(pixels, split.pixels);
  const int64_t blocks = block_count(p);
  const int64_t wanted_blocks = max(1, min(blocks, kTileWork / (split.pixels * in_c * ceil_div(out_c, blocks))));
  split.blocks = ceil_div(blocks, ceil_div(blocks, wanted_blocks));
  split.block_tiles = ceil_div(blocks, split.blocks);

  plan.kernel = "pointwise_nchw";
  plan.tiles = p.batch * p.groups * split.pixel_tiles * split.block_tiles;
  plan.packed_floats = p.out_c * in_c;
  plan.param[0] = split.pixels, plan.param[1] = split.pixel_tiles;
  plan.param[2] = split.blocks, plan.param[3] = split.block_tiles;
  return true;
}

void pack(const Problem& p, const KernelPlan&, const FilterView& filter, float* packed) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, blocks = block_count(p);
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t first = block_begin(p, block), count = block_begin(p, block + 1) - first;
      const float* from = filter.data + (g * out_c + first) * filter.stride_o;
      if (filter.stride_o == 1) {
        copy_rows(from, filter.stride_i, in_c, count, packed, count);
      } else {
        transpose_matrix(from, filter.stride_o, count, in_c, packed, count);
      }
      packed += in_c * count;
    }
  }
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float*) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, plane = p.in_h * p.in_w;
  const int64_t block_tile = tile % split.block_tiles, pixel_tile = tile / split.block_tiles % split.pixel_tiles;
  const int64_t matrix = tile / (split.block_tiles * split.pixel_tiles), group = matrix % p.groups;
  const int64_t first_block = block_tile * split.blocks, end_block = min(first_block + split.blocks, block_count(p));
  const int64_t first_pixel = pixel_tile * split.pixels, pixels = min(split.pixels, plane - first_pixel);
  input += matrix * in_c * plane + first_pixel;
  output += matrix * out_c * plane + first_pixel;

  Panel panel;
  panel.in_c = in_c;
  panel.in_plane = panel.out_plane = plane;
  panel.lo = args.lo, panel.hi = args.hi;
  for (int64_t m = 0; m < pixels; m += kVectors * kWidth) {
    const int64_t count = min(pixels - m, kVectors * kWidth), vectors = ceil_div(count, kWidth);
    panel.input = input + m;
    panel.last = count - (vectors - 1) * kWidth;
    for (int64_t block = first_block; block < end_block; ++block) {
      const int64_t first = block_begin(p, block), outputs = block_begin(p, block + 1) - first;
      panel.weights = args.weights + (group * out_c + first) * in_c;
      panel.bias = args.bias + group * out_c + first;
      panel.output = output + first * plane + m;
      kPanelKernels.by_outputs[vectors - 1][panel.last < kWidth][outputs](panel);
    }
  }
  if (args.activate) {
    const int64_t first = block_begin(p, first_block), outputs = block_begin(p, end_block) - first;
    args.activate(args, output + first * plane, outputs, plane, pixels, group * out_c + first);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(pointwise_nchw) = {"pointwise_nchw", plan, pack, run};

}  // namespace depthwise

// Convolution of planes (NCHW) as a product of matrices, for each image and group: 1x1 without stride and padding, of
// which the planes are a matrix as they lie; and filters on few planes for many outputs, as a network's first layer has
// them, where what a tap meets is a row of the matrix (split_rows.h).
//
//   for (each image, group g, output plane o of the group, pixel m)
//     sum = bias[o]
//     for (row i of the matrix: input plane of the group, or tap of one)  sum += weight[o][i] * input[i][m]
//     output[o][m] = clamp(sum)
//
// A vector holds kWidth neighbouring pixels, and the micro-kernel computes V of them in O planes. It reaches the rows
// of the matrix by pointers; planes are read and written where they lie:
//
//   for (i)  x[v] = V vectors of row[i];  for (o) { w = broadcast(weight[i][o]);  sum[o][v] += x[v] * w }
//
// Registers: O * V sums, V inputs, one weight: 14 x 2, 8 x 3 for few products, with AVX-512; 6 x 2 with 16 registers.
// There 31 instructions for 12 fmas keep the fmas waiting: inputs that many blocks of outputs read are copied first,
// panel by panel, for which neither pointers nor prefetches are needed, and the rows of taps aren't prefetched.
// Packed: [group][block of outputs][i][output of the block], blocks as equal as possible. Where one isn't finite, zeros
// in place of padding would not do: such a filter takes run_carefully.
#include "output_blocks.h"
#include "split_rows.h"

namespace depthwise {
namespace {

constexpr int kVectors = 2;
constexpr int kMostOutputs = (kRegisters - kVectors - 1) / kVectors;
// Sums of few products are stored so often that fewer outputs at a time, and no last vector on its own, are worth more
// loads.
constexpr int kMostVectors = kRegisters >= 32 ? 3 : kVectors;
constexpr int kMostGatheredOutputs = kRegisters >= 32 ? 8 : kMostOutputs;
// More than kWidth outputs in blocks as equal as possible leave none with fewer.
constexpr int kLeastGatheredOutputs = (kMostGatheredOutputs + 1) / 2 + (kWidth >= 16);

// How a panel's inputs are reached: planes where they lie, with what is ahead of them prefetched; rows of taps, which
// are in the first cache; or a copy of the panel, row behind row.
enum class Inputs { planes, taps, copied };

constexpr bool kCopies = kRegisters < 32 && !kBaseline;  // where not, one kernel reads all as planes

struct Panel {
  const float* const* rows;  // of the matrix, and kRowsAhead more pointers, which are not read by
  int64_t row_count;
  int64_t column;       // of the rows
  const float* copied;  // in place of rows
  const float* weights;
  const float* bias;
  float* output;
  int64_t out_plane;
  int64_t last;   // lanes of the last vector
  int64_t count;  // of panels of taps, one behind the other
  float lo, hi;
};

// Each row is another page, or lies farther from the last than the processor expects.
constexpr int64_t kRowsAhead = 8;

template <int O, int V, bool kTail, Inputs kInputs>
DEPTHWISE_INLINE void run_one(const Panel& p, int64_t column, float* output) {
  vec sums[O][V];
  DEPTHWISE_UNROLL
  for (int o = 0; o < O; ++o) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) sums[o][v] = set1(p.bias[o]);
  }

  const tail lanes = tail_of(p.last);
  const float* weights = p.weights;
  for (int64_t i = 0; i < p.row_count; ++i, weights += O) {
    const float* input = kInputs == Inputs::copied ? p.copied + i * (V * kWidth) : p.rows[i] + column;
    vec x[V];
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      const bool is_tail = kTail && v == V - 1 && kInputs != Inputs::copied;
      x[v] = is_tail ? load_tail(input + v * kWidth, lanes) : load(input + v * kWidth);
      if (kInputs == Inputs::planes) prefetch_near(p.rows[i + kRowsAhead] + column + v * kWidth);
    }
    DEPTHWISE_UNROLL
    for (int o = 0; o < O; ++o) {
      const vec w = set1(weights[o]);
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[o][v] = fma(x[v], w, sums[o][v]);
    }
  }

  const vec lo = set1(p.lo), hi = set1(p.hi);
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

template <int O, int V, bool kTail, Inputs kInputs>
void run_panel(const Panel& p) {
  constexpr int64_t kPixels = V * kWidth;
  for (int64_t n = 0; n < (kInputs == Inputs::taps ? p.count : 1); ++n) {
    run_one<O, V, kTail, kInputs>(p, p.column + n * kPixels, p.output + n * kPixels);
  }
}

using RunPanel = void (*)(const Panel&);

struct PanelKernels {
  RunPanel by_outputs[kCopies ? 3 : 1][kMostVectors][2][kMostOutputs + 1];  // [Inputs][V - 1][kTail][O]
};

template <Inputs kInputs, int V, int O, int kLeast>
constexpr void list_panel_kernels(PanelKernels& kernels) {
  if constexpr (O >= kLeast) {
    list_panel_kernels<kInputs, V, O - 1, kLeast>(kernels);
    auto& by_outputs = kernels.by_outputs[static_cast<int>(kInputs)][V - 1];
    by_outputs[0][O] = run_panel<O, V, false, kInputs>;
    by_outputs[1][O] = run_panel<O, V, true, kInputs>;
  }
}

constexpr PanelKernels make_panel_kernels() {
  PanelKernels kernels{};
  list_panel_kernels<Inputs::planes, 1, kMostOutputs, 1>(kernels);
  list_panel_kernels<Inputs::planes, 2, kMostOutputs, 1>(kernels);
  if constexpr (kMostVectors > 2) {
    list_panel_kernels<Inputs::planes, 3, kMostGatheredOutputs, kLeastGatheredOutputs>(kernels);
  }
  if constexpr (kCopies) {
    list_panel_kernels<Inputs::copied, 1, kMostOutputs, kMostOutputs - 1>(kernels);
    list_panel_kernels<Inputs::copied, 2, kMostOutputs, kMostOutputs - 1>(kernels);
    // More than kWidth outputs in blocks, of at least so many. A row's last vector is not worth code of its own.
    list_panel_kernels<Inputs::taps, 2, kMostOutputs, kMostOutputs - 2>(kernels);
    constexpr int kPlanes = static_cast<int>(Inputs::planes), kTaps = static_cast<int>(Inputs::taps);
    for (int tail = 0; tail < 2; ++tail) {
      for (int o = 1; o <= kMostOutputs; ++o) {
        kernels.by_outputs[kTaps][0][tail][o] = kernels.by_outputs[kPlanes][0][tail][o];
      }
    }
  }
  return kernels;
}

constexpr PanelKernels kPanelKernels = make_panel_kernels();

int64_t block_count(const Problem& p, bool gathered) {
  return ceil_div(p.out_c / p.groups, gathered ? kMostGatheredOutputs : kMostOutputs);
}

// A copied panel pays where so many blocks read it. They leave none with fewer than kMostOutputs - 1 outputs.
constexpr int64_t kLeastCopyBlocks = 16;

bool copies_panels(const Problem& p) { return kCopies && block_count(p, false) >= kLeastCopyBlocks; }

// Vectors of a panel, of those that are left of a row of the matrix.
int64_t panel_vectors(int64_t left, bool gathered) {
  return gathered && kMostVectors > 2 && left > 2 && left != 4 ? 3 : min(left, kVectors);
}

// A tile is a run of pixels of an image by a run of blocks of one group. Where taps are gathered, it is some rows of
// outputs and all blocks, and `pixels` is how many of a row are gathered at once. Successive tiles share their pixels,
// or where panels are copied their blocks.
struct Split {
  int64_t pixels, pixel_tiles;
  int64_t blocks, block_tiles;  // of a tile; of a group
  int64_t gathered_rows;        // of outputs of a tile; 0: planes are read where they lie
};

Split load_split(const KernelPlan& plan) {
  return {plan.param[0], plan.param[1], plan.param[2], plan.param[3], plan.param[4]};
}

void store_split(const Split& split, KernelPlan& plan) {
  plan.param[0] = split.pixels, plan.param[1] = split.pixel_tiles;
  plan.param[2] = split.blocks, plan.param[3] = split.block_tiles;
  plan.param[4] = split.gathered_rows;
}

// A tile is about this many multiplications of floats: some 20 us.
constexpr int64_t kTileWork = 5 << 18;
// Inputs that stay in the second cache while all blocks read them, or weights while all pixels do.
constexpr int64_t kCachedFloats = 1 << 16;

// Split rows that stay in the first cache while all blocks read them, and the most rows of the matrix whose weights
// pass through it at less than their products' price.
constexpr int64_t kSplitFloats = 6 << 10, kMostTapRows = 256;
// Many outputs pay for a split row, and a transpose serves more inputs.
constexpr int64_t kMostSplitPlanes = 4;

bool plan_gathered(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  if (in_c > kMostSplitPlanes || out_c <= kWidth || p.filter_h > kMostTapRows || p.filter_w > kMostTapRows)
    return false;
  const int64_t rows = in_c * p.filter_h * p.filter_w;
  if (rows > kMostTapRows || p.stride_w > kMostSplitStride || 4 * p.out_w < 3 * round_up(p.out_w, kWidth)) return false;
  // Filters that reach over more than there is room for, by numbers whose products 64 bits may not hold.
  if ((p.filter_h - 1) * p.dilation_h >= kSplitFloats || (p.filter_w - 1) * p.dilation_w >= kSplitFloats) return false;
  constexpr int64_t kUnit = kVectors * kWidth;
  Split split{};
  split.pixels = min(round_up(p.out_w, kUnit), kSplitFloats);
  while (split.pixels > kUnit && SplitRows(p, in_c, split.pixels, 0).zeros > kSplitFloats) split.pixels -= kUnit;
  if (SplitRows(p, in_c, split.pixels, 0).zeros > kSplitFloats) return false;
  split.blocks = block_count(p, true);
  split.block_tiles = 1;
  const int64_t row_work = p.out_w * rows * out_c;
  const int64_t tiles = ceil_div(p.out_h, max(1, kTileWork / row_work));
  split.gathered_rows = ceil_div(p.out_h, tiles);
  split.pixel_tiles = ceil_div(p.out_h, split.gathered_rows);
  plan.kernel = "gathered_nchw";
  plan.tiles = p.batch * p.groups * split.pixel_tiles;
  plan.packed_floats = p.out_c * rows + kFlagFloats;
  plan.packing = 1;
  plan.scratch_floats = SplitRows(p, in_c, split.pixels, kRowsAhead).end;
  store_split(split, plan);
  return true;
}

bool plan(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, pixels = p.out_h * p.out_w;
  if (p.layout != Layout::nchw) return false;
  if (p.filter_h != 1 || p.filter_w != 1 || p.stride_h != 1 || p.stride_w != 1 || p.pad_top != 0 || p.pad_left != 0 ||
      p.out_h != p.in_h || p.out_w != p.in_w) {
    return plan_gathered(p, plan);
  }
  // Where lanes behind a plane's end take longer than transposes, at some 11 multiplications a float, or 7 of shorter
  // vectors.
  const int64_t empty = round_up(pixels, kWidth) - pixels;
  const double fmas = static_cast<double>(empty * in_c) * static_cast<double>(out_c);
  const double floats = static_cast<double>(in_c + out_c) * static_cast<double>(pixels);
  if (fmas > (kWidth < 16 ? 7 : 11) * floats && out_c > 2 * kWidth) return false;

  constexpr int64_t kUnit = kVectors * kWidth;
  const int64_t blocks = block_count(p, false), outputs = ceil_div(out_c, blocks);
  const bool copies = copies_panels(p);
  // Copies: enough blocks for each, whose weights stay in the cache; else first the pixels.
  const int64_t fitting_blocks = copies ? max(kLeastCopyBlocks, kCachedFloats / (in_c * outputs)) : 1;
  const int64_t some_blocks = ceil_div(blocks, ceil_div(blocks, fitting_blocks));
  const int64_t fitting_pixels = copies ? kTileWork / (in_c * outputs * some_blocks)
                                        : min(kTileWork / (in_c * min(out_c, kMostOutputs)), kCachedFloats / in_c);
  Split split{};
  const int64_t wanted = max(kUnit, min(round_up(pixels, kUnit), fitting_pixels));
  split.pixels = min(pixels, round_up(ceil_div(pixels, ceil_div(pixels, wanted)), kUnit));
  split.pixel_tiles = ceil_div(pixels, split.pixels);
  const int64_t wanted_blocks = max(1, min(blocks, kTileWork / (split.pixels * in_c * outputs)));
  split.blocks = copies ? some_blocks : ceil_div(blocks, ceil_div(blocks, wanted_blocks));
  split.block_tiles = ceil_div(blocks, split.blocks);

  plan.kernel = "pointwise_nchw";
  plan.tiles = p.batch * p.groups * split.pixel_tiles * split.block_tiles;
  plan.packed_floats = p.out_c * in_c;
  plan.scratch_floats =
      copies ? in_c * kUnit : (in_c + kRowsAhead + kStepsAtOnce) * static_cast<int64_t>(sizeof(void*) / sizeof(float));
  store_split(split, plan);
  return true;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  if (load_split(plan).gathered_rows > 0) return pack_blocks_with_flag(p, plan, block_count(p, true), filter, packed);
  pack_blocks(p, block_count(p, false), filter, packed);
}

// A matrix of inputs by a run of blocks of a group: `output` is of the group's first plane, both at the first pixel.
struct Product {
  const float* const* rows;  // with copied panels there is but the first, and out_plane to the next
  int64_t row_count;
  float* output;
  int64_t out_plane, pixels;
  int64_t group, blocks, first_block, end_block;  // blocks: of the group
  Inputs inputs;
  float* copied = nullptr;  // room for a panel
};

// for (i < rows) for (c < V * kWidth) to[i][c] = from[i][c], or 0 behind `last` lanes of the last vector.
template <int V, bool kTail>
void copy_panel(const float* from, int64_t pitch, int64_t rows, int64_t last, float* to) {
  const tail lanes = tail_of(last);
  for (int64_t i = 0; i < rows; ++i, from += pitch, to += V * kWidth) {
    DEPTHWISE_UNROLL
    for (int v = 0; v < V; ++v) {
      prefetch_near(from + kRowsAhead * pitch + v * kWidth);
      store(to + v * kWidth, kTail && v == V - 1 ? load_tail(from + v * kWidth, lanes) : load(from + v * kWidth));
    }
  }
}

void run_product(const KernelArgs& args, const Product& product) {
  const Problem& p = *args.problem;
  const int64_t out_c = p.out_c / p.groups, blocks = product.blocks;
  Panel panel;
  panel.rows = product.rows, panel.row_count = product.row_count, panel.out_plane = product.out_plane;
  panel.copied = product.copied, panel.lo = args.lo, panel.hi = args.hi;
  const auto& kernels = kPanelKernels.by_outputs[kCopies ? static_cast<int>(product.inputs) : 0];
  const auto run_panel_at = [&](int64_t m, int64_t vectors, int64_t first, int64_t outputs, int64_t count) {
    panel.column = m;
    panel.count = count;
    panel.last = min(product.pixels - m - (vectors - 1) * kWidth, kWidth);
    panel.weights = args.weights + (product.group * out_c + first) * product.row_count;
    panel.bias = args.bias + product.group * out_c + first;
    panel.output = product.output + first * product.out_plane + m;
    kernels[vectors - 1][panel.last < kWidth][outputs](panel);
  };
  // A matrix that stays in the first cache is gone through once for each block, so that neighbouring lines of few
  // planes are written; another one once.
  if (product.inputs == Inputs::taps) {
    for (int64_t block = product.first_block, first = block_begin(p, blocks, block), end; block < product.end_block;
         ++block, first = end) {
      end = (block + 1) * out_c / blocks;
      for (int64_t m = 0, vectors, count; m < product.pixels; m += count * vectors * kWidth) {
        vectors = panel_vectors(ceil_div(product.pixels - m, kWidth), true);
        count = kCopies ? max(1, (product.pixels - m) / (vectors * kWidth)) : 1;
        run_panel_at(m, vectors, first, end - first, count);
      }
    }
    return;
  }
  for (int64_t m = 0, vectors; m < product.pixels; m += vectors * kWidth) {
    vectors = panel_vectors(ceil_div(product.pixels - m, kWidth), false);
    if (product.inputs == Inputs::copied) {
      const int64_t last = min(product.pixels - m - (vectors - 1) * kWidth, kWidth);
      const auto copy = vectors == 1 ? copy_panel<1, true> : last < kWidth ? copy_panel<2, true> : copy_panel<2, false>;
      copy(product.rows[0] + m, product.out_plane, product.row_count, last, product.copied);
    }
    for (int64_t block = product.first_block, first = block_begin(p, blocks, block), end; block < product.end_block;
         ++block, first = end) {
      end = (block + 1) * out_c / blocks;
      run_panel_at(m, vectors, first, end - first, 1);
    }
  }
}

void run_gathered(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, rows = in_c * p.filter_h * p.filter_w;
  const int64_t matrix = tile / split.pixel_tiles, group = matrix % p.groups, plane = p.out_h * p.out_w;
  const int64_t first_row = tile % split.pixel_tiles * split.gathered_rows;
  const int64_t end_row = min(first_row + split.gathered_rows, p.out_h);
  input += matrix * in_c * p.in_h * p.in_w;
  output += matrix * out_c * plane;
  if (weights_are_finite(args)) {
    const SplitRows room(p, in_c, split.pixels, kRowsAhead);
    TapRows taps(p, room, kRowsAhead, input, scratch);
    Product product{nullptr, rows, nullptr, plane, 0, group, split.blocks, 0, split.blocks, Inputs::taps};
    for (int64_t ox = 0; ox < p.out_w; ox += split.pixels) {
      taps.forget();
      for (int64_t oy = first_row; oy < end_row; ++oy) {
        product.rows = taps.of(oy, ox);
        product.pixels = min(split.pixels, p.out_w - ox);
        product.output = output + oy * p.out_w + ox;
        run_product(args, product);
      }
    }
  } else {
    for (int64_t block = 0; block < split.blocks; ++block) {
      const int64_t first = block_begin(p, split.blocks, block);
      const int64_t outputs = block_begin(p, split.blocks, block + 1) - first, channel = group * out_c + first;
      run_carefully(args, args.weights + channel * rows, args.bias + channel, outputs, input, output + first * plane,
                    first_row * p.out_w, end_row * p.out_w);
    }
  }
  if (args.activate) {
    args.activate(args, output + first_row * p.out_w, out_c, plane, (end_row - first_row) * p.out_w, group * out_c);
  }
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  if (split.gathered_rows > 0) return run_gathered(args, input, output, tile, scratch);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups, plane = p.in_h * p.in_w;
  const int64_t blocks = block_count(p, false), tiles = split.block_tiles * split.pixel_tiles;
  const bool copies = copies_panels(p);
  const int64_t block_tile = copies ? tile % tiles / split.pixel_tiles : tile % split.block_tiles;
  const int64_t pixel_tile = copies ? tile % split.pixel_tiles : tile % tiles / split.block_tiles;
  const int64_t matrix = tile / tiles, group = matrix % p.groups;
  const int64_t first_block = block_tile * split.blocks, end_block = min(first_block + split.blocks, blocks);
  const int64_t first_pixel = pixel_tile * split.pixels, pixels = min(split.pixels, plane - first_pixel);
  input += matrix * in_c * plane + first_pixel;
  output += matrix * out_c * plane + first_pixel;
  const float** rows = reinterpret_cast<const float**>(scratch);
  if (!copies) fill_steps(rows, in_c + kRowsAhead, input, plane);
  const Product product{.rows = copies ? &input : rows,
                        .row_count = in_c,
                        .output = output,
                        .out_plane = plane,
                        .pixels = pixels,
                        .group = group,
                        .blocks = blocks,
                        .first_block = first_block,
                        .end_block = end_block,
                        .inputs = copies ? Inputs::copied : Inputs::planes,
                        .copied = scratch};
  run_product(args, product);
  if (args.activate) {
    const int64_t first = block_begin(p, blocks, first_block), outputs = block_begin(p, blocks, end_block) - first;
    args.activate(args, output + first * plane, outputs, plane, pixels, group * out_c + first);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(pointwise_nchw) = {"pointwise_nchw", plan, pack, run};

}  // namespace depthwise

// Depthwise convolution with one output per channel, NHWC: any filter, stride, dilation and padding.
//
//   for (image, output row oy, output column ox, channel c)
//     sum = bias[c]
//     for (each tap (ky, kx) that doesn't fall on padding)
//       sum += input[oy * stride + ky * dilation - pad …][c] * filter[ky][kx][c]
//     output[oy][ox][c] = clamp(sum)
//
// A vector holds neighbouring channels. A tile is some rows of one phase (phases.h) and some channels of an image, or
// some columns of all channels; a micro-kernel walks over it one vector of channels at a time. An HWIO filter is read
// where it lies; OIHW is packed into the same order, [tap][channel].
#include "../core/cpu_features.h"
#include "../core/problem_check.h"
#include "depthwise_nhwc_block.h"
#include "depthwise_nhwc_roll.h"
#include "depthwise_nhwc_tile.h"
#include "depthwise_nhwc_transposed.h"

namespace depthwise {
namespace {

// Enough work that claiming a tile doesn't show, little enough that many threads find some.
constexpr double kFlopsPerTile = 1e6;
constexpr int64_t kRowsPerTile = 14;
// Where the channels are staged: scratch memory that the caches hold.
constexpr int64_t kStagedRowsPerTile = 8;
// Rows wider than this roll in parts, so that the rows below find in the L1 cache what these have read.
constexpr int64_t kRollColumns = 56;
// The same where the second cache doesn't hold the arrays: what comes from behind it must come in the order of its
// addresses, of few pages at a time, or the processor doesn't fetch ahead. And of pixels that large, few rows at once.
constexpr int64_t kRollColumnsStreamed = 14;
constexpr int64_t kChannelsStreamed = 192, kRowsStreamed = 2, kRollRowsPerTileStreamed = 8;
// Most channels of pixels, and taps, for which what comes from memory is fetched ahead.
constexpr int64_t kChannelsFetched = 1024, kTapsFetched = 25;
// Boundaries of tiles are multiples of a cache line, and no tile is narrower than this.
constexpr int64_t kChannelStep = 32;

// KernelPlan::param
enum Param {
  kPhases,
  kRowTiles,
  kTileRows,
  kChannelTiles,
  kColumnTiles,
  kBlockKernel,
  kSwapsAxes,  // blocks are of neighbouring rows
  kRollKernel,
  kRollRows,
  kRollWidth,
  kTileKernel,
  kFetches,  // see Strip
  kStagedChannels
};

const BlockKernel* choose_block(const Axis& axis, int64_t filter) {
  const int64_t stride = phase_of(axis, 0).stride;
  for (const BlockKernel& kernel : kBlockKernels) {
    if ((kernel.filter_w == 0 || kernel.filter_w == filter) &&
        (kernel.column_stride == 0 || kernel.column_stride == stride)) {
      return &kernel;
    }
  }
  return nullptr;
}

// Whether pixels that a filter reaches together share a few sets of the L1 cache, where that costs much.
bool pixels_collide(const Problem& p) { return p.in_c * p.stride_w % 256 == 0 && cpu_caches().few_ways_thrash; }

// Whether the order of addresses matters, in which pixels come from behind the second cache. AMD's processors without
// AVX-512 (Zen 3 was measured) are fastest by whole rows, whatever the order, where rows share what they read.
bool minds_order() { return kWidth != 8 || !cpu_caches().few_ways_thrash; }

// Whether the arrays come from memory, and in an order in which they can be fetched ahead: all of the input, of pixels
// of few pages, and for filters whose products don't take longer.
bool fetches_ahead(const Problem& p) {
  const bool in_order = p.dilation_h == 1 && p.dilation_w == 1 && p.stride_h <= p.filter_h &&
                        p.stride_w <= p.filter_w && p.in_c <= kChannelsFetched;
  return in_order && p.filter_h * p.filter_w <= kTapsFetched && comes_from_memory(p);
}

bool streams_pixels(const Problem& p) {
  if (fetches_ahead(p)) return true;
  return p.in_c >= kChannelsStreamed && arrays_exceed(p, cpu_caches().l2_bytes) && (minds_order() || p.filter_h == 1);
}

// Tiles take pixels that collide; those that are fetched ahead; and those that stream, where they have the registers
// for two rows at once. Where there are kernels that roll by lines, those take what collides but at stride 2, up to
// half a page.
const TileKernel* choose_tile(const Problem& p, const Phase& rows, const Phase& columns) {
  if (p.filter_h != 3 || p.filter_w != 3) return nullptr;
  const bool streams = kRegisters >= 32 && cpu_caches().few_ways_thrash && streams_pixels(p) && p.stride_w == 1 &&
                       p.dilation_h == 1 && p.dilation_w == 1;
  const bool by_lines = kRollsByLines && (p.stride_w == 1 || p.in_c * p.stride_w >= 1024);
  if (!fetches_ahead(p) && !streams && (by_lines || !pixels_collide(p))) return nullptr;
  for (const TileKernel& kernel : kTileKernels) {
    if (rows.stride == kernel.stride && columns.stride == kernel.stride && columns.count >= kernel.least_columns) {
      return &kernel;
    }
  }
  return nullptr;
}

// Whether vectors of half a line that roll one after the other would find little of what they share in the L1 cache:
// its sets hold less than half of the lines that two rows of outputs reach.
bool lines_thrash(const Problem& p, const Phase& columns) {
  constexpr int64_t kSets = 64, kWays = 8;
  const int64_t step = p.in_c * columns.in_step;
  if (step % kFloatsOfLine != 0 || !cpu_caches().few_ways_thrash) return false;
  const int64_t sets = kSets / gcd(step / kFloatsOfLine, kSets);
  // Of inputs and outputs, as wide as a row of outputs, that two rows of outputs make.
  const int64_t rows = columns.stride == 1 ? 4 + 2 : 2 * 5 + 2;
  return rows * min(columns.count, kRollColumns) > 2 * kWays * sets;
}

const RollKernel* choose_roll(const Problem& p, const Phase& rows, const Phase& columns) {
  if (p.filter_h != 3 || p.filter_w != 3) return nullptr;
  const bool by_lines = kRollsByLines && lines_thrash(p, columns);
  for (const RollKernel& kernel : kRollKernels) {
    if (rows.stride == kernel.stride && columns.stride == kernel.stride && kernel.by_lines == by_lines) return &kernel;
  }
  return nullptr;
}

// How many channels to copy into scratch memory before they are convolved, 0 for none. Where pixels collide their lines
// push each other out, outputs those that were only half written; two copies, of several cache lines a pixel, cost
// less. With the largest filters the copies cost next to nothing, and bring weights and inputs together that are read
// many times.
int64_t channels_to_stage(const Problem& p) {
  const int64_t taps = p.filter_h * p.filter_w;
  if (taps >= 100) return min(p.in_c, kWidth);
  if (taps <= 9 || p.filter_h == 1 || taps * p.out_h * p.out_w < 2 * p.in_h * p.in_w) return 0;
  if (p.in_c % 256 != 0 || !cpu_caches().few_ways_thrash) return 0;
  if (p.stride_h == 1) return 64;
  return kWidth < 16 || p.in_c % 512 == 0 ? 32 : 0;
}

// So few rows that all channels of their pixels come one after the other, if two rows are that few.
int64_t rows_of_tiles(const Problem& p) {
  const int64_t flops_per_row = 2 * p.filter_h * p.filter_w * p.out_w * p.in_c;
  return max(static_cast<int64_t>(kFlopsPerTile / 2) / flops_per_row / 2 * 2, 2);
}

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.groups != p.in_c || p.out_c != p.in_c || p.in_c < kWidth) return false;
  // Outputs below each other share what a filter of one column reads. Those that stream have few rows at once.
  const bool swaps = p.filter_w == 1 && p.filter_h > 1 && (p.layout == Layout::nchw || !streams_pixels(p));
  const BlockKernel* const block_kernel =
      swaps ? choose_block(rows_of(p), p.filter_h) : choose_block(columns_of(p), p.filter_w);
  const Phase rows = phase_of(rows_of(p), 0), columns = phase_of(columns_of(p), 0);
  const RollKernel* const roll_kernel = choose_roll(p, rows, columns);
  plan.param[kBlockKernel] = block_kernel - kBlockKernels;
  plan.param[kSwapsAxes] = swaps;
  plan.param[kRollKernel] = roll_kernel ? roll_kernel - kRollKernels : -1;
  plan.param[kTileKernel] = -1;
  plan.param[kRollRows] = p.out_h;
  plan.param[kRollWidth] = kRollColumns;
  if (p.layout == Layout::nchw) {
    if (!transposes(p)) return false;
    plan_transposed(p, plan);
    return true;
  }
  const int64_t phases = count_phases(rows_of(p));
  const bool fetches = fetches_ahead(p);
  const int64_t staged = fetches ? 0 : channels_to_stage(p);
  const TileKernel* const tile_kernel = choose_tile(p, rows, columns);
  const bool streams = staged == 0 && !tile_kernel && streams_pixels(p);
  const bool rolls_high = roll_kernel && !tile_kernel && !streams && roll_kernel->sizes[0].rows > 3;
  const int64_t rows_wanted = tile_kernel       ? rows_of_tiles(p)
                              : streams         ? (roll_kernel ? kRollRowsPerTileStreamed : kRowsStreamed)
                              : rolls_high      ? roll_kernel->sizes[0].rows
                              : staged > kWidth ? kStagedRowsPerTile
                                                : kRowsPerTile;
  const int64_t row_tiles = ceil_div(rows.count, rows_wanted);
  // About equally high, or as the highest of the micro-kernels is.
  const int64_t tile_rows = rolls_high || tile_kernel ? min(rows.count, rows_wanted) : ceil_div(rows.count, row_tiles);
  const double flops_per_channel = 2.0 * static_cast<double>(tile_rows * p.out_w * p.filter_h) * p.filter_w;
  const int64_t steps = max(p.in_c / kChannelStep, 1);
  const double steps_wanted = kFlopsPerTile / (flops_per_channel * kChannelStep);
  const int64_t tile_steps = steps_wanted < 1 ? 1 : steps_wanted < steps ? static_cast<int64_t>(steps_wanted) : steps;
  // In the order of memory, all channels of a pixel come one after the other. Of larger filters, the weights of all
  // channels would not stay in the first cache, and the products take longer than the memory.
  const bool by_columns = fetches || (streams && p.filter_h * p.filter_w <= 9 && count_phases(columns_of(p)) == 1);
  const int64_t parts = steps / tile_steps, channel_tiles = by_columns ? 1 : parts;
  const int64_t column_tiles = by_columns ? max(min(parts, p.out_w / kRollColumnsStreamed), 1) : 1;

  if (tile_kernel) plan.param[kTileKernel] = tile_kernel - kTileKernels;
  plan.kernel = tile_kernel ? tile_kernel->name : roll_kernel ? roll_kernel->name : block_kernel->name;
  plan.packed_floats = p.filter_layout == FilterLayout::hwio ? 0 : p.filter_h * p.filter_w * p.in_c;
  plan.tiles = p.batch * phases * row_tiles * channel_tiles * column_tiles;
  plan.param[kPhases] = phases;
  plan.param[kRowTiles] = row_tiles;
  plan.param[kTileRows] = tile_rows;
  if (streams) plan.param[kRollRows] = kRowsStreamed;
  if (arrays_exceed(p, cpu_caches().l2_bytes / 2) && minds_order()) plan.param[kRollWidth] = kRollColumnsStreamed;
  plan.param[kChannelTiles] = channel_tiles;
  plan.param[kColumnTiles] = column_tiles;
  plan.param[kStagedChannels] = staged;
  plan.param[kFetches] = fetches;
  const int64_t in_rows = min((tile_rows - 1) * rows.stride + p.filter_h, p.in_h);
  plan.scratch_floats = (in_rows * p.in_w + tile_rows * p.out_w + p.filter_h * p.filter_w) * staged;
  return true;
}

void pack(const Problem& p, const KernelPlan&, const FilterView& filter, float* packed) {
  if (p.layout == Layout::nchw) return pack_transposed(p, filter, packed);
  for (int64_t y = 0; y < p.filter_h; ++y) {
    for (int64_t x = 0; x < p.filter_w; ++x) {
      const float* tap = filter.data + y * filter.stride_h + x * filter.stride_w;
      for (int64_t c = 0; c < p.in_c; ++c) *packed++ = tap[c * filter.stride_o];
    }
  }
}

DEPTHWISE_INLINE void run_strip(const KernelPlan& plan, const Strip& strip) {
  if (plan.param[kTileKernel] >= 0 && can_tile(kTileKernels[plan.param[kTileKernel]], strip)) {
    return run_tiles(kTileKernels[plan.param[kTileKernel]], strip);
  }
  const BlockKernel& block_kernel = kBlockKernels[plan.param[kBlockKernel]];
  if (plan.param[kRollKernel] >= 0 && can_roll(strip)) {
    const RollKernel& roll_kernel = kRollKernels[plan.param[kRollKernel]];
    const int64_t parts = ceil_div(strip.columns, plan.param[kRollWidth]);
    for (int64_t y = 0; y < strip.rows; y += plan.param[kRollRows]) {
      const Strip rows = rows_of_strip(strip, y, min(y + plan.param[kRollRows], strip.rows));
      for (int64_t i = 0; i < parts; ++i) {
        run_rolls(roll_kernel, columns_of_strip(rows, i * rows.columns / parts, (i + 1) * rows.columns / parts));
      }
    }
    return;
  }
  run_blocks(block_kernel, plan.param[kSwapsAxes] ? with_axes_swapped(strip) : strip);
}

// Copies `channels` floats of each pixel, a multiple of kWidth or the last vector overlaps.
DEPTHWISE_NOINLINE void copy_pixels(float* to, int64_t to_row, int64_t to_column, const float* from, int64_t from_row,
                                    int64_t from_column, int64_t rows, int64_t columns, int64_t channels) {
  for (int64_t y = 0; y < rows; ++y) {
    float* t = to + y * to_row;
    const float* f = from + y * from_row;
    for (int64_t x = 0; x < columns; ++x, t += to_column, f += from_column) {
      for (int64_t c = 0; c < channels; c += kWidth) {
        const int64_t at = min(c, channels - kWidth);
        store(t + at, load(f + at));
      }
    }
  }
}

// The strip by way of scratch memory, `width` channels at a time.
void run_staged(const KernelPlan& plan, const Strip& strip, int64_t width, float* scratch) {
  Strip s = strip;
  // The part of the input that the strip reaches.
  const int64_t top = max(strip.row_begin, 0), left = max(strip.column_begin, 0);
  const int64_t bottom = min(strip.row_end, (strip.rows - 1) * strip.row_stride + strip.filter_h);
  const int64_t right = min(strip.column_end, (strip.columns - 1) * strip.column_stride + strip.filter_w);
  const int64_t in_rows = max(bottom - top, 0), in_columns = max(right - left, 0);
  s.in_column = s.out_column = s.weight_step = s.channels = width;
  s.in_row = in_columns * width;
  s.out_row = strip.columns * width;
  s.shift = 0;
  float* const weights = scratch;
  float* const in = weights + s.filter_h * s.filter_w * width;
  s.weights = weights;
  s.in = in - top * s.in_row - left * s.in_column;
  s.out = in + in_rows * s.in_row;
  for (int64_t c = 0; c < strip.channels; c += width) {
    const int64_t at = min(c, strip.channels - width);
    copy_pixels(weights, 0, width, strip.weights + at, 0, strip.weight_step, 1, s.filter_h * s.filter_w, width);
    copy_pixels(in, s.in_row, width, strip.in + at + top * strip.in_row + left * strip.in_column, strip.in_row,
                strip.in_column, in_rows, in_columns, width);
    s.bias = strip.bias + at;
    run_strip(plan, s);
    copy_pixels(strip.out + at, strip.out_row, strip.out_column, s.out, s.out_row, width, s.rows, s.columns, width);
  }
}

// The bounds of the activation, where strips read them.
struct Bounds {
  alignas(64) float lo[kWidth], hi[kWidth];
  bool clamps;
  explicit Bounds(const KernelArgs& args) : clamps(args.clamps) {
    store(lo, set1(args.lo));
    store(hi, set1(args.hi));
  }
  Strip strip() const {
    Strip s;
    s.lo = lo, s.hi = hi, s.clamps = clamps;
    s.fetches = false;
    return s;
  }
};

// The strips of output rows [first_row, end_row) of a row phase, one for each column phase; `all` has the rest, its
// pointers at the first pixel of the picture.
template <class Run>
void for_each_strip(const Problem& p, const Phase& rows, int64_t first_row, int64_t end_row, const Strip& all,
                    const Run& run) {
  Strip strip = all;
  const int64_t in_row = p.in_w * p.in_c, out_row = p.out_w * p.out_c;
  strip.rows = end_row - first_row;
  strip.filter_h = p.filter_h;
  strip.filter_w = p.filter_w;
  strip.weight_step = p.in_c;
  strip.row_stride = rows.stride;
  strip.row_begin = rows.begin - first_row * rows.stride;
  strip.row_end = rows.end - first_row * rows.stride;
  strip.in_row = rows.in_step * in_row;
  strip.out_row = rows.out_step * out_row;
  const float* const in = all.in + (rows.origin + first_row * rows.stride * rows.in_step) * in_row;
  float* const out = all.out + (rows.first + first_row * rows.out_step) * out_row;
  const Axis column_axis = columns_of(p);
  const int64_t column_phases = count_phases(column_axis);
  for (int64_t index = 0; index < column_phases; ++index) {
    const Phase columns = phase_of(column_axis, index);
    strip.in = in + columns.origin * p.in_c;
    strip.out = out + columns.first * p.out_c;
    strip.columns = columns.count;
    strip.column_stride = columns.stride;
    strip.column_begin = columns.begin;
    strip.column_end = columns.end;
    strip.in_column = columns.in_step * p.in_c;
    strip.out_column = columns.out_step * p.out_c;
    run(strip);
  }
}

// What a tile computes, of NHWC.
struct Area {
  Phase rows;
  int64_t image, first_row, end_row, first_column, end_column, first_channel, end_channel;
  int64_t shift;  // where the second vector of the image's channels begins, see Strip
};

Area area_of(const KernelArgs& args, const float* input, int64_t tile) {
  const Problem& p = *args.problem;
  const int64_t(&param)[16] = args.plan->param;
  const int64_t channel_tile = tile % param[kChannelTiles];
  tile /= param[kChannelTiles];
  const int64_t column_tile = tile % param[kColumnTiles];
  tile /= param[kColumnTiles];
  const int64_t row_tile = tile % param[kRowTiles];
  tile /= param[kRowTiles];
  Area area;
  area.rows = phase_of(rows_of(p), tile % param[kPhases]);
  area.image = tile / param[kPhases];
  area.first_row = row_tile * param[kTileRows];
  area.end_row = min(area.first_row + param[kTileRows], area.rows.count);

  // Vectors at multiples of their size don't cross cache lines: worth another vector where there are several.
  int64_t shift = 0;
  if (p.in_c % kWidth == 0 && p.in_c >= 5 * kWidth) {
    shift = -static_cast<int64_t>(reinterpret_cast<uintptr_t>(input) / sizeof(float)) & (kWidth - 1);
  }
  const auto boundary = [&](int64_t index) {
    const int64_t step = index * max(p.in_c / kChannelStep, 1) / param[kChannelTiles];
    return index == 0 ? 0 : index == param[kChannelTiles] ? p.in_c : step * kChannelStep + shift;
  };
  area.first_channel = boundary(channel_tile);
  area.end_channel = boundary(channel_tile + 1);
  area.shift = channel_tile == 0 ? shift : 0;

  // Whole blocks of columns, but for the last tile.
  const auto column = [&](int64_t index) {
    const int64_t blocks = p.out_w / kRollColumnsStreamed;
    return index == param[kColumnTiles] ? p.out_w : index * blocks / param[kColumnTiles] * kRollColumnsStreamed;
  };
  area.first_column = column(column_tile);
  area.end_column = column(column_tile + 1);
  return area;
}

OutputRuns outputs(const KernelArgs& args, const float* input, int64_t tile) {
  const Problem& p = *args.problem;
  if (p.layout == Layout::nchw) return transposed_outputs(p, tile);
  if (count_phases(rows_of(p)) > 1 || count_phases(columns_of(p)) > 1) return {};
  const Area area = area_of(args, input, tile);
  const int64_t rows = area.end_row - area.first_row, channels = area.end_channel - area.first_channel;
  const int64_t columns = area.end_column - area.first_column, pixels = rows * columns;
  if (pixels <= 0) return {};
  const int64_t pixel = (area.image * p.out_h + area.first_row) * p.out_w + area.first_column;
  const int64_t first = pixel * p.out_c + area.first_channel;
  if (columns < p.out_w) return {first, rows, columns * p.out_c, p.out_w * p.out_c};
  return channels < p.out_c ? OutputRuns{first, pixels, channels, p.out_c} : OutputRuns{first, 1, pixels * p.out_c, 0};
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const int64_t(&param)[16] = args.plan->param;
  if (p.layout == Layout::nchw) {
    const Bounds bounds(args);
    run_transposed(args, input, output, tile, scratch, bounds.strip(), [&](const Problem& picture, const Strip& strip) {
      for (int64_t phase = 0; phase < count_phases(rows_of(picture)); ++phase) {
        const Phase rows = phase_of(rows_of(picture), phase);
        for_each_strip(picture, rows, 0, rows.count, strip, [&](const Strip& s) { run_strip(*args.plan, s); });
      }
    });
    return;
  }
  const Area area = area_of(args, input, tile);
  const int64_t first_row = area.first_row, end_row = area.end_row;
  const int64_t first_channel = area.first_channel, end_channel = area.end_channel;
  const int64_t first_column = area.first_column, end_column = area.end_column;
  if (first_row >= end_row) return;
  const int64_t out_row = p.out_w * p.out_c;
  input += area.image * p.in_h * p.in_w * p.in_c;
  output += area.image * p.out_h * out_row;

  const Bounds bounds(args);
  Strip strip = bounds.strip();
  strip.in = input + first_channel;
  strip.out = output + first_channel;
  strip.weights = args.weights + first_channel;
  strip.bias = args.bias + first_channel;
  strip.channels = end_channel - first_channel;
  strip.shift = area.shift;
  strip.fetches = param[kFetches] != 0;
  const int64_t staged = min(param[kStagedChannels], strip.channels);
  for_each_strip(p, area.rows, first_row, end_row, strip, [&](const Strip& s) {
    if (staged > 0) {
      run_staged(*args.plan, s, staged, scratch);
    } else if (param[kColumnTiles] == 1) {
      run_strip(*args.plan, s);
    } else {
      run_strip(*args.plan, columns_of_strip(s, first_column, end_column));
    }
  });
  if (!args.activate) return;
  for (int64_t y = first_row; y < end_row; ++y) {
    float* row = output + (area.rows.first + y * area.rows.out_step) * out_row + first_column * p.out_c + first_channel;
    args.activate(args, row, end_column - first_column, p.out_c, end_channel - first_channel, first_channel);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(depthwise_nhwc) = {"depthwise_nhwc", plan, pack, run, outputs};

}  // namespace depthwise

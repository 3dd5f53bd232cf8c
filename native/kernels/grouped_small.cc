// Grouped convolution with few outputs a group, in either layout: a vector holds the outputs of one group or of
// several whole ones, a block.
//
//   for (each image, output pixel, block, lane: output o of group g)
//     sum = bias[o]
//     for (each tap (ky, kx) that doesn't fall on padding, input channel i of the group)
//       sum += input[pixel's input under the tap][g][i] * filter[ky][kx][i][o]
//     output[pixel][o] = clamp(sum)
//
// The inputs of a block's groups are neighbours too: one vector, from which lanes take theirs by a permutation for
// each i; where the block is a single group, the input is broadcast instead. The micro-kernel computes R output pixels
// of a row that are neighbours in the sense of phases.h, so that T taps of a row of the filter share all but T - 1 of
// their inputs, and each input is expanded once for them:
//
//   for (ky) for (chunk of T taps) for (i)
//     for (column j of R + T - 1)  x = expand(input[ky][j], i)
//       for (t < T) if (0 <= j - t < R)  sum[j - t] += x * weight[ky][chunk][i][t]
//
// Registers: R sums, T weights, one input, and the permutation; or twice as many of the former two, for blocks of a
// single group two by two, see plan. Inputs are reached through a table of pointers, one for each column, which all
// blocks share. Those to padding are to zeros, which the first and the last column skip; where a weight isn't finite, R
// is 1 and all do. Packed: [block][ky][chunk][i][T * kWidth]; a chunk's taps are stride / gcd(stride, dilation) apart.
#include "../core/cpu_features.h"
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kMostPixels = kRegisters >= 32 ? 14 : kBaseline ? 4 : 10;
constexpr int kMostTaps = 3;
// Of two blocks side by side, where registers suffice; equal strips of four and more have no fewer than four.
constexpr int kMostPairedPixels = kRegisters >= 32 ? 7 : 0, kLeastPairedPixels = 4;

struct Strip {
  const float* const* columns;  // [filter rows][chunks][R + T - 1]
  int64_t row_columns;          // pointers of a filter row
  int64_t next_row, new_rows;   // floats to the inputs of the next output row, and how many rows are new then
  int64_t filter_rows, chunks;
  const int32_t* chunk_taps;  // T of each
  const float* weights;       // of the first of these filter rows
  int64_t block_weights;      // floats between the weights of blocks
  int64_t in_c;               // of a group
  int64_t channel;            // of the block's first group, in floats from the pointers
  int64_t inputs;             // of the block
  const int32_t* lanes;       // [i][kWidth], which of them a lane takes
  const float* zeros;         // what pointers to padding are
  const float* bias;
  float* output;
  int64_t output_step;  // floats between pixels
  int64_t outputs;      // of the block
  float lo, hi;
};

// The vector of input i, for all lanes.
struct Permute {
  static constexpr bool kBroadcasts = false;
  indices lanes;
  DEPTHWISE_INLINE Permute(const Strip& s, int64_t i) : lanes(load_indices(s.lanes + i * kWidth)) {}
  DEPTHWISE_INLINE vec operator()(const float* x) const { return permute(load(x), lanes); }
};

// The same where a full vector could reach past the end of the input.
struct PermuteTail {
  static constexpr bool kBroadcasts = false;
  indices lanes;
  tail inputs;
  DEPTHWISE_INLINE PermuteTail(const Strip& s, int64_t i)
      : lanes(load_indices(s.lanes + i * kWidth)), inputs(tail_of(s.inputs)) {}
  DEPTHWISE_INLINE vec operator()(const float* x) const { return permute(load_tail(x, inputs), lanes); }
};

struct Broadcast {
  static constexpr bool kBroadcasts = true;
  int64_t i;
  DEPTHWISE_INLINE Broadcast(const Strip&, int64_t i) : i(i) {}
  DEPTHWISE_INLINE vec operator()(const float* x) const { return set1(x[i]); }
};

template <class Expand, int R, int T, int B>
DEPTHWISE_INLINE void add_taps(const Strip& s, const float* const* columns, const float* weights, vec (&sums)[B][R]) {
  for (int64_t i = 0; i < s.in_c; ++i, weights += T * kWidth) {
    // More pointers than registers: read from memory each time they cost less than kept in halves of vectors.
    if (Expand::kBroadcasts && B == 1 && T == 3) columns = opaque(columns);
    const Expand expand(s, i);
    vec w[B][T];
    DEPTHWISE_UNROLL
    for (int b = 0; b < B; ++b) {
      DEPTHWISE_UNROLL
      for (int t = 0; t < T; ++t) w[b][t] = load(weights + b * s.block_weights + t * kWidth);
    }
    DEPTHWISE_UNROLL
    for (int j = 0; j < R + T - 1; ++j) {
      // Padding is only where a row of the input ends; a single pixel is computed without any.
      if ((R == 1 || j == 0 || j == R + T - 2) && columns[j] == s.zeros) continue;
      DEPTHWISE_UNROLL
      for (int b = 0; b < B; ++b) {
        const vec x = expand(columns[j] + s.channel + b * s.in_c);
        DEPTHWISE_UNROLL
        for (int t = 0; t < T; ++t) {
          if (j - t >= 0 && j - t < R) sums[b][j - t] = fma(x, w[b][t], sums[b][j - t]);
        }
      }
    }
  }
}

// B blocks side by side: of two, each a single group.
template <class Expand, int R, int B>
void run_strip(const Strip& s) {
  vec sums[B][R];
  DEPTHWISE_UNROLL
  for (int b = 0; b < B; ++b) {
    const vec bias = load(s.bias + b * s.outputs);
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) sums[b][r] = bias;
  }

  const float* const* columns = s.columns;
  const float* weights = s.weights;
  // The lines that the next output row will be the first to read: too far apart for the processor to see a pattern.
  for (int64_t row = 0; row < s.new_rows; ++row) {
    const float* const* new_columns = columns + (s.filter_rows - row) * s.row_columns - R;
    DEPTHWISE_UNROLL
    for (int r = 0; r < R; ++r) {
      const float* next = new_columns[r] + s.channel + s.next_row;
      prefetch(next);
      if (B > 1) prefetch(next + s.in_c);
    }
  }
  for (int64_t ky = 0; ky < s.filter_rows; ++ky) {
    for (int64_t chunk = 0; chunk < s.chunks; ++chunk) {
      const int32_t taps = s.chunk_taps[chunk];
      if (taps == 3) {
        add_taps<Expand, R, 3, B>(s, columns, weights, sums);
      } else if (taps == 2) {
        add_taps<Expand, R, 2, B>(s, columns, weights, sums);
      } else {
        add_taps<Expand, R, 1, B>(s, columns, weights, sums);
      }
      columns += R + taps - 1;
      weights += taps * s.in_c * kWidth;
    }
  }

  const vec lo = set1(s.lo), hi = set1(s.hi);
  const tail lanes = tail_of(s.outputs);
  float* output = s.output;
  DEPTHWISE_UNROLL
  for (int r = 0; r < R; ++r, output += s.output_step) {
    DEPTHWISE_UNROLL
    for (int b = 0; b < B; ++b) {
      const vec x = clamp(sums[b][r], lo, hi);
      if (s.outputs == kWidth) {
        store(output + b * kWidth, x);
      } else {
        store_tail(output + b * s.outputs, x, lanes);
      }
    }
  }
}

using RunStrip = void (*)(const Strip&);

struct StripKernels {
  RunStrip by_pixels[kMostPixels + 1];
};

template <class Expand, int kLeast, int R, int B>
constexpr void list_strip_kernels(StripKernels& kernels) {
  if constexpr (R >= kLeast) {
    list_strip_kernels<Expand, kLeast, R - 1, B>(kernels);
    kernels.by_pixels[R] = run_strip<Expand, R, B>;
  }
}

template <class Expand, int kLeast, int kMost, int B>
constexpr StripKernels make_strip_kernels() {
  StripKernels kernels{};
  list_strip_kernels<Expand, kLeast, kMost, B>(kernels);
  return kernels;
}

constexpr StripKernels kPermute = make_strip_kernels<Permute, 1, kMostPixels, 1>();
constexpr StripKernels kPermuteTail = make_strip_kernels<PermuteTail, 1, kMostPixels, 1>();
constexpr StripKernels kBroadcast = make_strip_kernels<Broadcast, 1, kMostPixels, 1>();
constexpr StripKernels kPairs = make_strip_kernels<Broadcast, kLeastPairedPixels, kMostPairedPixels, 2>();

int64_t groups_of_block(const Problem& p) {
  return min(p.groups, max(1, kWidth / max(p.in_c / p.groups, p.out_c / p.groups)));
}

// How far apart in the filter the taps are whose columns neighbouring pixels share.
int64_t tap_distance(const Problem& p) { return p.stride_w / gcd(p.stride_w, p.dilation_w); }

// The taps of a filter row in the order in which they are packed: calls visit(first tap, taps) per chunk.
template <class Visit>
void for_each_chunk(const Problem& p, Visit visit) {
  const int64_t distance = tap_distance(p);
  for (int64_t first = 0; first < min(distance, p.filter_w); ++first) {
    for (int64_t tap = first; tap < p.filter_w; tap += kMostTaps * distance) {
      visit(tap, min(kMostTaps, ceil_div(p.filter_w - tap, distance)));
    }
  }
}

// Where tap kx of a filter row is in that order.
struct PackedTap {
  int64_t before, taps, index;  // taps before its chunk, taps of its chunk, its place among them
};

PackedTap packed_tap(const Problem& p, int64_t kx) {
  const int64_t distance = tap_distance(p);
  const int64_t first = kx % distance, in_first = kx / distance;
  const int64_t chunk = in_first / kMostTaps * kMostTaps;
  const int64_t before = p.filter_w / distance * first + min(p.filter_w % distance, first);
  return {before + chunk, min(kMostTaps, ceil_div(p.filter_w - first, distance) - chunk), in_first - chunk};
}

int64_t count_chunks(const Problem& p) {
  int64_t chunks = 0;
  for_each_chunk(p, [&](int64_t, int64_t) { ++chunks; });
  return chunks;
}

// Calls visit(phase, first, count) for the strips of an output row: as few as possible for the outputs of each phase,
// as equal as possible.
template <class Visit>
void for_each_strip(const Axis& axis, int64_t most_pixels, Visit visit) {
  for (int64_t q = 0; q < count_phases(axis); ++q) {
    const Phase phase = phase_of(axis, q);
    const int64_t strips = ceil_div(phase.count, most_pixels);
    for (int64_t strip = 0, first = 0; strip < strips; ++strip) {
      const int64_t count = (phase.count - first) / (strips - strip);
      visit(phase, first, count);
      first += count;
    }
  }
}

// What plan decides, as it lies in KernelPlan::param. A tile is a run of output rows of an image by a run of blocks.
struct Split {
  int64_t rows, row_tiles;  // of a tile; of an image
  int64_t blocks, block_tiles;
  int64_t copied;  // NHWC inputs are copied to scratch memory
  int64_t paired;  // blocks are computed two by two
  int64_t set;     // so many blocks' inputs are in scratch memory at once, if they are
};

Split load_split(const KernelPlan& plan) {
  return {plan.param[0], plan.param[1], plan.param[2], plan.param[3], plan.param[4], plan.param[5], plan.param[6]};
}

// Pointers of an output row's columns: strips of one pixel need the most.
int64_t row_pointers(const Problem& p) { return p.out_w * p.filter_h * count_chunks(p) * kMostTaps; }

// Rows whose pointers a tile keeps: all of them, where more than one set of blocks reads by them.
int64_t kept_rows(const Split& split) { return split.set < split.blocks ? split.rows : 1; }

// The scratch memory of a tile, in floats from its start.
struct Scratch {
  int64_t pointers, lanes, chunks, spans, zeros, input, output, end;
};

// The outputs of a strip: the first of them, in pixels of its row, and how many.
struct Span {
  int32_t first, count;
};

Scratch scratch_of(const Problem& p, const Split& split) {
  constexpr int64_t kPointerFloats = sizeof(void*) / 4;
  const bool planes = p.layout == Layout::nchw;
  const bool own_input = planes || split.copied;
  const int64_t in_c = p.in_c / p.groups, groups = split.set * groups_of_block(p);
  const int64_t channels = own_input ? groups * in_c : p.in_c;
  const int64_t chunks = count_chunks(p);
  const int64_t pointers = kept_rows(split) * row_pointers(p) + kStepsAtOnce;
  const int64_t in_rows = min(p.in_h, (split.rows - 1) * p.stride_h + (p.filter_h - 1) * p.dilation_h + 1);
  Scratch s;
  s.pointers = 0;
  s.lanes = round_up(pointers * kPointerFloats, 16);
  s.chunks = s.lanes + round_up(in_c * kWidth, 16);
  s.spans = s.chunks + round_up(2 * chunks, 16);
  s.zeros = s.spans + round_up(p.out_w * static_cast<int64_t>(sizeof(Span) / sizeof(float)), 16);
  s.input = s.zeros + round_up(channels + kWidth, 16);
  s.output = s.input + round_up(own_input ? in_rows * p.in_w * scratch_pitch(channels) + kWidth : 0, 16);
  s.end = s.output + round_up(planes ? split.rows * p.out_w * groups * (p.out_c / p.groups) : 0, 16);
  return s;
}

// A tile is about this many multiplications of floats: some 30 us.
constexpr int64_t kTileWork = 3 << 19;
// The inputs that a tile of planes transposes.
constexpr int64_t kTilePlanes = 1 << 14;

// Columns a multiple of so many floats apart all want the same place in the first cache.
constexpr int64_t kSameLine = 1024;

bool plan(const Problem& p, KernelPlan& plan) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  if (out_c > kWidth || (p.filter_h * p.filter_w == 1 && groups_of_block(p) == 1)) return false;
  const int64_t block_groups = groups_of_block(p), blocks = ceil_div(p.groups, block_groups);
  const int64_t depth = p.filter_h * p.filter_w * in_c;
  const int64_t row_work = p.out_w * depth * kWidth;

  Split split{};
  // Strips of few pixels need two blocks for the sums that hide the latency of the fmas. They also have registers for
  // all their pointers, which taps that share few columns need, and their columns don't push each other out of the
  // first cache where all want the same place.
  const bool same_line =
      cpu_caches().few_ways_thrash && p.layout == Layout::nhwc && p.stride_w * p.in_c % kSameLine == 0;
  const Axis axis = columns_of(p);
  const int64_t pixels = phase_of(axis, 0).count, least_pixels = p.out_w / phase_of(axis, 0).out_step;
  split.paired = kMostPairedPixels > 0 && block_groups == 1 && blocks > 1 && least_pixels >= kLeastPairedPixels &&
                 (pixels <= kMostPairedPixels || same_line || tap_distance(p) > 1);
  split.copied = same_line && !split.paired && in_c >= 4;
  if (p.layout == Layout::nhwc && !split.copied) {
    // All blocks, unless a row of them is too much.
    const int64_t wanted = max(1 + split.paired, min(blocks, kTileWork / row_work));
    split.block_tiles = ceil_div(blocks, wanted);
    split.blocks = round_up(ceil_div(blocks, split.block_tiles), 1 + split.paired);
    split.set = split.blocks;
    split.rows = max(1, min(p.out_h, kTileWork / (row_work * split.blocks)));
  } else {
    // Many rows, because their own input rows are shared by output rows; and few blocks at a time, whose inputs stay in
    // the first cache.
    split.set = min(blocks, 1 + split.paired);
    const int64_t row_floats = p.stride_h * p.in_w * block_groups * in_c * split.set;
    split.rows = max(1, min(p.out_h, min(kTileWork / row_work, kTilePlanes / row_floats)));
    const int64_t wanted = max(split.set, min(blocks, kTileWork / (row_work * split.rows)));
    split.block_tiles = ceil_div(blocks, wanted);
    split.blocks = round_up(ceil_div(blocks, split.block_tiles), split.set);
  }
  split.block_tiles = ceil_div(blocks, split.blocks);
  split.row_tiles = ceil_div(p.out_h, split.rows);
  split.rows = ceil_div(p.out_h, split.row_tiles);
  split.row_tiles = ceil_div(p.out_h, split.rows);

  plan.kernel = block_groups > 1 ? "grouped_small permute" : "grouped_small broadcast";
  plan.tiles = p.batch * split.row_tiles * split.block_tiles;
  plan.packed_floats = blocks * depth * kWidth + kFlagFloats;
  plan.scratch_floats = scratch_of(p, split).end;
  plan.param[0] = split.rows, plan.param[1] = split.row_tiles;
  plan.param[2] = split.blocks, plan.param[3] = split.block_tiles, plan.param[4] = split.copied;
  plan.param[5] = split.paired, plan.param[6] = split.set;
  return true;
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t block_groups = groups_of_block(p), weight_row = p.filter_w * in_c * kWidth;
  float* block = packed;
  vec check = zero();
  for (int64_t first = 0; first < p.groups; first += block_groups, block += p.filter_h * weight_row) {
    // The lanes of a block are neighbouring outputs, of whichever group.
    const int64_t output = first * out_c, outputs = min(block_groups, p.groups - first) * out_c;
    const vec found = pack_vectors(p, filter, output, outputs, kWidth, [&](int64_t ky, int64_t kx, int64_t i) {
      const PackedTap tap = packed_tap(p, kx);
      return block + ky * weight_row + (tap.before * in_c + i * tap.taps + tap.index) * kWidth;
    });
    check = add(check, found);
  }
  store_finite_flag(plan, packed, all_finite(check));
}

// The strips of an output row and the pointers of their columns.
struct RowTable {
  const Problem& p;
  const Pixels& in;
  const float* padding;  // what pointers to padding are
  const int32_t *chunk_firsts, *chunk_taps;
  int64_t chunks, distance;

  // For the filter rows [first_ky, end_ky), which lie on the input.
  const float** fill(const Phase& phase, int64_t first, int64_t count, int64_t oy, int64_t first_ky, int64_t end_ky,
                     const float** to) const {
    const int64_t step = phase.in_step * in.pixel_pitch;
    for (int64_t ky = first_ky; ky < end_ky; ++ky) {
      const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
      const float* row = in.data + (iy - in.first_row) * in.row_pitch + phase.origin * in.pixel_pitch;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        const float** end = to + count + chunk_taps[chunk] - 1;
        int64_t t = first * distance + chunk_firsts[chunk];
        for (; to < end && t < phase.begin; t += distance) *to++ = padding;
        if (to < end && t < phase.end) {
          const int64_t inside = min(end - to, (phase.end - 1 - t) / distance + 1);
          fill_steps(to, inside, row + t * step, distance * step);
          to += inside;
        }
        while (to < end) *to++ = padding;
      }
    }
    return to;
  }
};

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const Scratch room = scratch_of(p, split);
  const bool planes = p.layout == Layout::nchw, own_input = planes || split.copied, finite = weights_are_finite(args);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t block_groups = groups_of_block(p), blocks = ceil_div(p.groups, block_groups);
  const int64_t image_tiles = split.row_tiles * split.block_tiles;
  const int64_t image = tile / image_tiles, in_image = tile % image_tiles;
  const int64_t first_row = in_image / split.block_tiles * split.rows, rows = min(split.rows, p.out_h - first_row);
  const int64_t first_block = in_image % split.block_tiles * split.blocks;
  const int64_t end_block = min(first_block + split.blocks, blocks);
  const int64_t pixels = rows * p.out_w, plane = p.out_h * p.out_w;
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * plane * p.out_c;

  float* zeros = scratch + room.zeros;
  for (int64_t i = 0; i < room.input - room.zeros; ++i) zeros[i] = 0.0f;
  int32_t* lanes = reinterpret_cast<int32_t*>(scratch + room.lanes);
  for (int64_t lane = 0; lane < kWidth && block_groups > 1; ++lane) {
    const int64_t first = min(lane / out_c, block_groups - 1) * in_c;
    for (int64_t i = 0; i < in_c; ++i) lanes[i * kWidth + lane] = static_cast<int32_t>(first + i);
  }
  int32_t* chunk_taps = reinterpret_cast<int32_t*>(scratch + room.chunks);
  int32_t* chunk_firsts = chunk_taps + count_chunks(p);
  int64_t chunks = 0;
  for_each_chunk(p, [&](int64_t first, int64_t taps) {
    chunk_firsts[chunks] = static_cast<int32_t>(first);
    chunk_taps[chunks++] = static_cast<int32_t>(taps);
  });

  Strip s;
  s.chunks = chunks;
  s.chunk_taps = chunk_taps;
  s.in_c = in_c;
  s.lanes = lanes;
  s.zeros = zeros;
  s.lo = args.lo, s.hi = args.hi;
  s.block_weights = p.filter_h * p.filter_w * in_c * kWidth;
  const Axis axis = columns_of(p);
  const int64_t weight_row = p.filter_w * in_c * kWidth;
  const int64_t most_pixels = !finite ? 1 : split.paired ? kMostPairedPixels : kMostPixels;
  const float** pointers = reinterpret_cast<const float**>(scratch + room.pointers);
  const int64_t pointers_of_row = row_pointers(p);
  const bool keeps_rows = kept_rows(split) > 1;

  Span* spans = reinterpret_cast<Span*>(scratch + room.spans);
  int64_t strips = 0, out_step = 1;
  for_each_strip(axis, most_pixels, [&](const Phase& phase, int64_t first, int64_t count) {
    spans[strips++] = {static_cast<int32_t>(phase.first + first * phase.out_step), static_cast<int32_t>(count)};
    out_step = phase.out_step;
  });

  // Of the pointers that are kept, how far apart the pixels lie that they are to.
  int64_t filled_pitch = 0;
  for (int64_t set = first_block; set < end_block; set += split.set) {
    const int64_t end_of_set = min(set + split.set, end_block);
    const int64_t first_group = set * block_groups, end_group = min(p.groups, end_of_set * block_groups);
    const int64_t outputs = (end_group - first_group) * out_c, first_output = first_group * out_c;
    Pixels in{input, 0, p.in_w * p.in_c, p.in_c};
    int64_t channels = p.in_c, first_channel = 0;
    if (own_input) {
      channels = (end_group - first_group) * in_c;
      first_channel = first_group * in_c;
      in = own_pixels(p, input, first_channel, channels, first_row, rows, scratch + room.input);
    }
    s.next_row = p.stride_h * in.row_pitch;
    const bool fills = in.pixel_pitch != filled_pitch || !keeps_rows;
    filled_pitch = in.pixel_pitch;
    const int64_t output_pitch = planes ? outputs : p.out_c;
    float* out = planes ? scratch + room.output : output + first_row * p.out_w * p.out_c + first_output;
    const RowTable table{p, in, zeros, chunk_firsts, chunk_taps, chunks, tap_distance(p)};

    for (int64_t row = 0; row < rows; ++row) {
      const int64_t oy = first_row + row, top = oy * p.stride_h - p.pad_top;
      const int64_t first_ky = top < 0 ? min(p.filter_h, ceil_div(-top, p.dilation_h)) : 0;
      const int64_t end_ky =
          top < p.in_h ? max(first_ky, min(p.filter_h, ceil_div(p.in_h - top, p.dilation_h))) : first_ky;
      s.filter_rows = end_ky - first_ky;
      s.new_rows = own_input ? 0 : min(p.stride_h, s.filter_rows);
      const float** columns = pointers + (keeps_rows ? row * pointers_of_row : 0);
      if (fills) {
        const float** to = columns;
        for_each_strip(axis, most_pixels, [&](const Phase& phase, int64_t first, int64_t count) {
          to = table.fill(phase, first, count, oy, first_ky, end_ky, to);
        });
      }

      for (int64_t block = set; block < end_of_set;) {
        const bool pair = split.paired && finite && block + 1 < end_of_set;
        const int64_t group = block * block_groups, groups = min(block_groups, p.groups - group);
        s.channel = group * in_c - first_channel;
        s.inputs = groups * in_c;
        s.weights = args.weights + block * s.block_weights + first_ky * weight_row;
        s.bias = args.bias + group * out_c;
        s.outputs = groups * out_c;
        const bool broadcast = block_groups == 1, full = s.channel + kWidth <= channels;
        const StripKernels& kernels = pair ? kPairs : broadcast ? kBroadcast : full ? kPermute : kPermuteTail;
        float* row_output = out + row * p.out_w * output_pitch + (group - first_group) * out_c;
        s.columns = columns;
        s.output_step = out_step * output_pitch;
        for (const Span* span = spans; span < spans + strips; ++span) {
          s.row_columns = chunks * (span->count - 1) + p.filter_w;
          s.output = row_output + span->first * output_pitch;
          kernels.by_pixels[span->count](s);
          s.columns += s.filter_rows * s.row_columns;
        }
        block += 1 + pair;
      }
    }

    if (planes) {
      float* to = output + first_output * plane + first_row * p.out_w;
      transpose_matrix(out, output_pitch, pixels, outputs, to, plane);
      if (args.activate) args.activate(args, to, outputs, plane, pixels, first_output);
    } else if (args.activate) {
      args.activate(args, out, pixels, p.out_c, outputs, first_output);
    }
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(grouped_small) = {"grouped_small", plan, pack, run};

}  // namespace depthwise

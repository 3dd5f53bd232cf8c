// Depthwise convolution of planes (NCHW): output plane o is input plane o / M under filter o, M the multiplier.
//
//   for (each image, output plane o, output row oy, output column ox)
//     sum = bias[o]
//     for (each tap (ky, kx) that doesn't fall on padding)
//       sum += input[o / M][oy * stride + ky * dilation - pad …] * filter[o][ky][kx]
//     output[o][oy][ox] = clamp(sum)
//
// A vector holds kWidth neighbouring columns of an output row, and R such rows are in flight: a strip. For each
// column of T taps, T weights are broadcast into registers, and each input vector is loaded once for all of the
// strip's rows that it serves, T of them at stride 1:
//
//   for (kx) for (input row i of R + T - 1)  x = load(input row i, shifted by kx)
//     for (ky) if (0 <= i - ky < R)  sum[i - ky] += weight[ky] * x
//
// Registers: R sums, T weights, one input.
//
// Where a strip's taps reach padding, a second version of the micro-kernel loads columns with masks and skips rows.
// Zeros in place of padded columns are exact unless a weight is not finite; such a filter takes run_carefully instead.
#include "depthwise_nchw_flat.h"
#include "depthwise_nchw_lines.h"
#include "depthwise_nchw_pairs.h"
#include "depthwise_nchw_rows.h"

namespace depthwise {
namespace {

// ---- Micro-kernels ----

// A run of strips, each a fixed distance from the one before: strips along a row, or one strip in successive planes.
struct Strips {
  int64_t count;
  const float* input;  // at tap (0, 0) of the first row and lane; may lie on padding
  int64_t input_distance;
  int64_t row_step, tap_step;  // floats between the input rows that the kernel tells apart, and between rows of taps
  const float* filter;
  int64_t filter_distance, tap_h, tap_w;  // floats between filters, and between taps
  int64_t chunks;                         // of T rows of taps
  int64_t taps_w, dilation_w, stride_w;
  // Bit i: the i-th input row lies in the plane. The next chunk's begin at bit T.
  uint64_t rows;
  // Bit i: column + i lies in the plane, `column` that of lane 0 at tap 0. The next tap's are these shifted where the
  // window slides; it is too narrow for wide filters.
  uint64_t window;
  bool window_slides;
  int64_t column, in_w;
  const float* bias;
  int64_t bias_distance;
  float* output;
  int64_t output_distance, output_row_step;
  // Where a row is narrower than a vector: its store may spill up to here, onto outputs that are written later.
  const float* limit;
  int64_t limit_distance;
  int64_t width;      // outputs of a row that a strip covers, at most kWidth
  bool starts, ends;  // whether the sums begin with the bias and are finished, or wait in `sums` between two runs
  float* sums;
  bool clamps;
  float lo, hi;
};

// Bit i: column + i lies in [0, end).
DEPTHWISE_INLINE uint64_t columns_inside(int64_t column, int64_t end) {
  const int64_t first = max(0, -column), past = min(64, end - column);
  return past <= first ? 0 : ~uint64_t{0} >> (64 - (past - first)) << first;
}

constexpr uint64_t kAllLanes = (uint64_t{1} << kWidth) - 1;

// How the vectors of a column of taps, or of two neighbouring ones, are read from a row: kTaps vectors at once.

template <bool kBorder>
struct Contiguous {
  static constexpr int kTaps = 1;
  static constexpr bool kBordered = kBorder, kInOrder = true;
  part inside;
  bool empty;
  DEPTHWISE_INLINE Contiguous(const Strips&, int64_t, uint64_t window)
      : inside(part_of_bits(window & kAllLanes)), empty((window & kAllLanes) == 0) {}
  DEPTHWISE_INLINE void operator()(const float* x, vec* v) const { v[0] = kBorder ? load_part(x, inside) : load(x); }
};

// Stride 2: every other column, of neighbouring taps both the even ones and the odd ones. Lanes are in the order of
// evens() and odds() until the sums are finished.
template <bool kBorder, int Taps>
struct Alternate {
  static constexpr int kTaps = Taps;
  static constexpr bool kBordered = kBorder, kInOrder = false;
  part inside_a, inside_b;
  bool empty;
  DEPTHWISE_INLINE Alternate(const Strips&, int64_t, uint64_t window)
      : inside_a(part_of_bits(window & kAllLanes)),
        inside_b(part_of_bits(window >> kWidth & kAllLanes)),
        empty((window & (kAllLanes << kWidth | kAllLanes)) == 0) {}
  DEPTHWISE_INLINE void operator()(const float* x, vec* v) const {
    const vec a = kBorder ? load_part(x, inside_a) : load(x);
    const vec b = kBorder ? load_part(x + kWidth, inside_b) : load(x + kWidth);
    v[0] = evens(a, b);
    if constexpr (Taps == 2) v[1] = odds(a, b);
  }
};

// x[lane * step] in the lanes from first to end, zeros elsewhere.
DEPTHWISE_NOINLINE vec gather(const float* x, int64_t step, int64_t first, int64_t end) {
  float lanes_of_x[kWidth] = {};
  for (int64_t lane = first; lane < end; ++lane) lanes_of_x[lane] = x[lane * step];
  return load(lanes_of_x);
}

// Any stride, one lane at a time.
struct Gathered {
  static constexpr int kTaps = 1;
  static constexpr bool kBordered = true, kInOrder = true;
  int64_t step, first, end;
  bool empty;
  DEPTHWISE_INLINE Gathered(const Strips& s, int64_t kx, uint64_t) : step(s.stride_w) {
    const int64_t column = s.column + kx * s.dilation_w;
    first = column >= 0 ? 0 : min(ceil_div(-column, step), kWidth);
    end = column >= s.in_w ? 0 : min(ceil_div(s.in_w - column, step), kWidth);
    empty = end <= first;
  }
  DEPTHWISE_INLINE void operator()(const float* x, vec* v) const { v[0] = gather(x, step, first, end); }
};

// Adds what Columns::kTaps columns of T taps contribute to R rows; S is the stride between the rows, in taps.
template <int S, int T, int R, class Columns>
DEPTHWISE_INLINE void add_taps(const Columns& columns, const float* x, int64_t row_step, const float* filter,
                               int64_t tap_h, int64_t tap_w, uint64_t all_rows, vec (&sum)[R]) {
  vec weight[Columns::kTaps][T];
  DEPTHWISE_UNROLL
  for (int tap = 0; tap < Columns::kTaps; ++tap) {
    DEPTHWISE_UNROLL
    for (int ky = 0; ky < T; ++ky) weight[tap][ky] = set1(filter[tap * tap_w + ky * tap_h]);
  }
  // Tested bit by bit; the compiler would keep every bit in a variable of its own.
  const uint32_t rows = Columns::kBordered ? opaque(static_cast<uint32_t>(all_rows)) : 0;
  DEPTHWISE_UNROLL
  for (int i = 0; i < (R - 1) * S + T; ++i, x += row_step) {
    if (Columns::kBordered && !(rows & 1u << i)) continue;
    vec v[Columns::kTaps];
    columns(x, v);
    DEPTHWISE_UNROLL
    for (int tap = 0; tap < Columns::kTaps; ++tap) {
      v[tap] = keep(v[tap]);  // loaded once, not again for every fma
      DEPTHWISE_UNROLL
      for (int ky = 0; ky < T; ++ky) {
        const int row = i - ky;
        if (row >= 0 && row % S == 0 && row / S < R) sum[row / S] = fma(v[tap], weight[tap][ky], sum[row / S]);
      }
    }
  }
}

DEPTHWISE_NOINLINE void store_narrow(const Strips& s, int64_t rows, float* output, const float* limit) {
  for (int64_t r = 0; r < rows; ++r, output += s.output_row_step) {
    const vec y = load(s.sums + r * kWidth);
    if (output + kWidth <= limit) {
      store(output, y);
    } else {
      store_tail(output, y, tail_of(s.width));
    }
  }
}

template <class Columns, int R>
DEPTHWISE_INLINE void finish(const Strips& s, vec (&sum)[R], float* output, const float* limit) {
  float* to = output;
  int64_t step = s.output_row_step;
  if (s.ends) {
    if constexpr (!Columns::kInOrder) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = in_order(sum[r]);
    }
    if (s.clamps) {
      const vec lo = set1(s.lo), hi = set1(s.hi);
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = clamp(sum[r], lo, hi);
    }
  }
  // The last row alone often doesn't fit; others only where a plane is narrower than half a vector.
  const bool narrow = R > 1 && output + (R - 2) * step + kWidth > limit;
  const bool waits = narrow || !s.ends;
  if (waits) to = s.sums, step = kWidth;
  DEPTHWISE_UNROLL
  for (int r = 0; r < R - 1; ++r, to += step) store(to, sum[r]);
  if (waits || to + kWidth <= limit) {
    store(to, sum[R - 1]);
  } else {
    store_tail(to, sum[R - 1], tail_of(s.width));
  }
  if (narrow && s.ends) store_narrow(s, R, output, limit);
}

template <class Columns, int S, int T, int R>
void run_strips(const Strips& s) {
  const float* input = s.input;
  const float* first_filter = s.filter;
  const float* bias = s.bias;
  float* output = s.output;
  const float* limit = s.limit;
  const int64_t row_step = s.row_step, tap_h = s.tap_h, tap_w = s.tap_w;
  for (int64_t n = 0; n < s.count; ++n) {
    vec sum[R];
    if (s.starts) {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = set1(*bias);
    } else {
      DEPTHWISE_UNROLL
      for (int r = 0; r < R; ++r) sum[r] = load(s.sums + r * kWidth);
    }

    uint64_t rows = s.rows;
    for (int64_t chunk = 0; chunk < s.chunks; ++chunk, rows >>= T) {
      const float* x = input + chunk * T * s.tap_step;
      const float* filter = first_filter + chunk * T * tap_h;
      uint64_t window = s.window;
      int64_t kx = 0;
      const auto step = [&](int64_t taps) DEPTHWISE_LAMBDA_INLINE {
        kx += taps;
        x += taps * s.dilation_w;
        filter += taps * tap_w;
        if (!Columns::kBordered) return;
        window =
            s.window_slides ? window >> (taps * s.dilation_w) : columns_inside(s.column + kx * s.dilation_w, s.in_w);
      };
      if constexpr (!Columns::kInOrder && T > 1) {
        for (; s.dilation_w == 1 && kx + 1 < s.taps_w; step(2)) {
          const Alternate<Columns::kBordered, 2> columns(s, kx, window);
          if (Columns::kBordered && columns.empty) continue;
          add_taps<S, T, R>(columns, x, row_step, filter, tap_h, tap_w, rows, sum);
        }
      }
      for (; kx < s.taps_w; step(1)) {
        const Columns columns(s, kx, window);
        if (Columns::kBordered && columns.empty) continue;
        add_taps<S, T, R>(columns, x, row_step, filter, tap_h, tap_w, rows, sum);
      }
    }

    finish<Columns>(s, sum, output, limit);
    input += s.input_distance;
    first_filter += s.filter_distance;
    bias += s.bias_distance;
    output += s.output_distance;
    limit += s.limit_distance;
  }
}

using StripKernel = void (*)(const Strips&);

// By the binary logarithm of the number of rows in flight. At stride 2 few rows reuse as much as many.
constexpr int64_t kMaxRows = kBaseline ? 4 : 8, kMaxAlternateRows = kBaseline ? 2 : 4;

template <class Columns, int S, int T>
constexpr StripKernel kStripsOfRows[] = {run_strips<Columns, S, T, 1>, run_strips<Columns, S, T, 2>,
                                         run_strips<Columns, S, T, 4>, run_strips<Columns, S, T, kMaxRows>};

template <class Columns, int S, int T>
constexpr StripKernel kStripsOfFewRows[] = {run_strips<Columns, S, T, 1>, run_strips<Columns, S, T, 2>,
                                            run_strips<Columns, S, T, kMaxAlternateRows>};

template <bool kBorder>
const StripKernel* find_kernels(int64_t stride_w, int64_t taps) {
  if (stride_w == 1) {
    return taps == 1   ? kStripsOfRows<Contiguous<kBorder>, 1, 1>
           : taps == 2 ? kStripsOfRows<Contiguous<kBorder>, 1, 2>
                       : kStripsOfRows<Contiguous<kBorder>, 1, 7>;
  }
  if (stride_w == 2) {
    return taps == 1   ? kStripsOfFewRows<Alternate<kBorder, 1>, 1, 1>
           : taps == 2 ? kStripsOfFewRows<Alternate<kBorder, 1>, 2, 2>
                       : kStripsOfFewRows<Alternate<kBorder, 1>, 2, 7>;
  }
  return kStripsOfFewRows<Gathered, 1, 1>;
}

// The T that leaves the fewest passes.
int64_t taps_of_pass(int64_t filter_h) {
  int64_t best = 1, best_cost = filter_h * 2;
  for (const int64_t taps : kTapsOfPasses) {
    const int64_t rest = filter_h % taps;
    const int64_t cost = filter_h / taps * 2 + (rest > 0 ? 3 : 0);
    if (taps <= filter_h && cost < best_cost) best = taps, best_cost = cost;
  }
  return best;
}

// ---- From a tile to strips ----

struct Range {
  int64_t begin, end;
};

// How a problem is cut up; the same for every tile of it.
struct Frame {
  const Problem* problem;
  int64_t multiplier;
  int64_t in_plane, out_plane;           // floats
  int64_t filter_o, filter_h, filter_w;  // floats between neighbouring filters and taps
  // Output rows y, y + phases … form a block of at most max_rows. Where the stride between them, counted in dilations,
  // is 1 (or 2 in the kernels for stride 2), their taps share input rows and taps > 1.
  bool shares;
  bool shifts;  // as shifts_columns says
  int64_t phases, max_rows, taps;
  int64_t strips;      // to cover a row: kWidth apart, but the last, which ends with the row
  Range inner_strips;  // those that no tap takes out of the row
  bool window_slides;
  bool whole_planes;  // a block is all of a plane
  int64_t batch;      // planes that pass through a strip before the next strip, in L1; 1: a row's strips come first

  // From the input of one output plane to that of the next; several planes of one input are convolved one by one.
  int64_t in_step() const { return multiplier == 1 ? in_plane : 0; }
};

// Floats that stay in L1 beside the filters.
constexpr int64_t kBatchFloats = 4096;
// Rows of taps that one call of a micro-kernel goes through: their input rows have a bit each in Strips::rows.
constexpr int64_t kMaxTapsOfPass = 32;

int64_t taps_from(const Frame& f, int64_t tap) {
  const int64_t left = f.problem->filter_h - tap;
  return left >= f.taps ? f.taps : min(left, 2);
}

int64_t chunks_from(const Frame& f, int64_t tap) {
  const Problem& p = *f.problem;
  // The next chunk's rows follow in Strips::rows if rows are as far apart as taps, or there is one only.
  if (f.taps == 1 && p.out_h > 1 && p.stride_h * f.phases != p.dilation_h) return 1;
  return max(1, min(kMaxTapsOfPass, p.filter_h - tap) / f.taps);
}

Frame frame_of(const Problem& p) {
  Frame f;
  f.problem = &p;
  f.multiplier = p.out_c / p.in_c;
  f.in_plane = p.in_h * p.in_w;
  f.out_plane = p.out_h * p.out_w;
  f.filter_o = p.filter_h * p.filter_w;
  f.filter_h = 1;
  f.filter_w = p.filter_h;

  const int64_t common = gcd(p.stride_h, p.dilation_h), stride = p.stride_h / common;
  f.shares = p.out_h > 1 && stride == p.stride_w && stride <= 2;
  f.shifts = shifts_columns(p.stride_w, p.filter_w, p.dilation_w, p.out_w);
  f.phases = f.shares ? p.dilation_h / common : 1;
  f.max_rows = p.stride_w == 1 ? kMaxRows : kMaxAlternateRows;
  f.taps = f.shares ? taps_of_pass(p.filter_h) : 1;

  f.strips = ceil_div(p.out_w, kWidth);
  // The columns that a strip's loads span.
  const int64_t reach = (p.filter_w - 1) * p.dilation_w, step = kWidth * p.stride_w;
  const int64_t last_start = p.in_w + p.pad_left - step - reach;
  f.inner_strips.begin = min(ceil_div(p.pad_left, step), f.strips);
  f.inner_strips.end = last_start < 0 ? 0 : min(last_start / step + 1, p.out_w / kWidth);
  f.window_slides = reach + 2 * kWidth <= 64;
  f.whole_planes = f.phases == 1 && p.out_h <= f.max_rows && (p.out_h & (p.out_h - 1)) == 0;

  const int64_t floats = f.in_step() + f.out_plane;
  f.batch = max(1, kBatchFloats / floats);
  if (f.multiplier > 1) f.batch = min(f.batch, f.multiplier);
  if (f.strips > 2 * f.batch || taps_from(f, 0) * chunks_from(f, 0) < p.filter_h) f.batch = 1;
  return f;
}

struct TileSizes {
  int64_t planes, rows;  // of the output
};

// Multiply-adds that make a tile: some 10 us of work.
constexpr int64_t kTileWork = 400'000;

TileSizes tile_sizes(const Problem& p) {
  const int64_t row_work = p.out_w * p.filter_h * p.filter_w, plane_work = row_work * p.out_h;
  if (plane_work <= kTileWork) return {min(p.out_c, kTileWork / plane_work), p.out_h};
  // Whole blocks, and few input rows that two tiles both read.
  const int64_t rows = max(1, max(kTileWork / row_work, 2 * p.filter_h * p.dilation_h / p.stride_h));
  return {1, min(p.out_h, ceil_div(rows, kMaxRows) * kMaxRows)};
}

// Where masks are free, micro-kernels read what lies beside a row. A block whose rows that takes out of the input is
// convolved from a copy of them in scratch memory, so many floats apart; 0 where rows are too long for that.
int64_t copied_pitch(const Problem& p) {
  if (!kMasksAreFree || p.stride_w > 2 || p.filter_w > kMaxTaps) return 0;
  const int64_t width = strip_width(p.stride_w, p.filter_w, p.dilation_w, p.out_w), strips = ceil_div(p.out_w, width);
  const int64_t reach = (p.filter_w - 1) * p.dilation_w;
  if (strips > kMaskedStrips || reach > 1024) return 0;
  return ceil_div((strips - 1) * width * p.stride_w + kWidth * p.stride_w + reach, kWidth) * kWidth;
}

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.layout != Layout::nchw || p.groups != p.in_c) return false;
  const TileSizes tile = tile_sizes(p);
  plan.kernel = "depthwise_nchw";
  plan.tiles = p.batch * ceil_div(p.out_c, tile.planes) * ceil_div(p.out_h, tile.rows);
  plan.packed_floats = kWidth + p.out_c * p.filter_h * p.filter_w;
  plan.scratch_floats = max(kMaxRows * kWidth, kMaxInputRowsOfBlock * copied_pitch(p));
  return true;
}

// The packed weights: a vector of which the first float is 1 where all weights are finite, else 0; then the filters,
// [plane][kx][ky].
const float* packed_filters(const KernelArgs& args) { return args.weights + kWidth; }
bool all_finite(const KernelArgs& args) { return args.weights[0] != 0.0f; }

bool filter_finite(const float* filter, int64_t taps) {
  // Zero times a weight is zero, or NaN where the weight isn't finite.
  float sum = 0.0f;
  for (int64_t i = 0; i < taps; ++i) sum += filter[i] * 0.0f;
  return sum == 0.0f;
}

void pack(const Problem& p, const KernelPlan&, const FilterView& filter, float* packed) {
  const int64_t taps = p.filter_h * p.filter_w;
  bool finite = true;
  for (int64_t o = 0; o < p.out_c; ++o) {
    float* to = packed + kWidth + o * taps;
    for (int64_t x = 0; x < p.filter_w; ++x) {
      const float* from = filter.data + o * filter.stride_o + x * filter.stride_w;
      for (int64_t y = 0; y < p.filter_h; ++y) *to++ = from[y * filter.stride_h];
    }
    finite &= filter_finite(to - taps, taps);
  }
  packed[0] = finite ? 1.0f : 0.0f;
}

// Neighbouring output planes of one image (of one input plane, where the multiplier isn't 1), and rows of them.
struct Piece {
  const KernelArgs* args;
  const Frame* frame;
  const float* input;      // the input plane of the first
  int64_t before, behind;  // floats of the whole input before that plane, and from its first one on
  float* output;           // the first output plane
  float* scratch;
  int64_t plane, planes;
  Range rows;
};

// The output rows first, first + phases … of a piece.
struct PhaseRows {
  int64_t first, count;
  Blocks blocks;
  int64_t first_row;    // of the input, for tap row 0
  int64_t top, bottom;  // tap rows of the first and of the last output that lie on padding
};

PhaseRows phase_rows(const Frame& f, Range rows, int64_t phase) {
  const Problem& p = *f.problem;
  PhaseRows r;
  r.first = rows.begin + phase;
  r.count = ceil_div(max(0, rows.end - r.first), f.phases);
  r.first_row = r.first * p.stride_h - p.pad_top;
  const int64_t last_row = r.first_row + ((r.count - 1) * p.stride_w + p.filter_h - 1) * p.dilation_h;
  r.top = r.first_row < 0 ? ceil_div(-r.first_row, p.dilation_h) : 0;
  r.bottom = last_row >= p.in_h ? (last_row - p.in_h) / p.dilation_h + 1 : 0;
  const bool whole =
      p.stride_w == 1 && p.filter_h == 3 && find_whole_block(f.shifts, r.count, r.top, r.bottom) != nullptr;
  r.blocks = whole ? Blocks{r.count, 0, 1, 1} : blocks_of(r.count, p.stride_w, p.filter_h);
  return r;
}

// Bit i, i < count: row first + i * distance lies in [0, end).
uint64_t rows_inside(int64_t first, int64_t distance, int64_t count, int64_t end) {
  if (first >= 0 && first + (count - 1) * distance < end) return (uint64_t{1} << count) - 1;
  const int64_t begin = first >= 0 ? 0 : min(ceil_div(-first, distance), count);
  const int64_t past = first >= end ? 0 : min(ceil_div(end - first, distance), count);
  return past <= begin ? 0 : (uint64_t{1} << past) - (uint64_t{1} << begin);
}

// What all strips of a piece have in common.
Strips strips_of(const Piece& piece) {
  const Frame& f = *piece.frame;
  const Problem& p = *f.problem;
  const bool along_planes = f.batch > 1;
  Strips s;
  s.input_distance = along_planes ? f.in_step() : kWidth * p.stride_w;
  s.tap_step = p.dilation_h * p.in_w;
  s.filter_distance = along_planes ? f.filter_o : 0;
  s.tap_h = f.filter_h;
  s.tap_w = f.filter_w;
  s.taps_w = p.filter_w;
  s.dilation_w = p.dilation_w;
  s.stride_w = p.stride_w;
  s.window_slides = f.window_slides;
  s.in_w = p.in_w;
  s.bias_distance = along_planes ? 1 : 0;
  s.output_distance = along_planes ? f.out_plane : kWidth;
  s.output_row_step = f.phases * p.out_w;
  s.limit_distance = along_planes && !f.whole_planes ? f.out_plane : 0;
  s.width = min(p.out_w, kWidth);
  s.sums = piece.scratch;
  s.clamps = piece.args->clamps;
  s.lo = piece.args->lo;
  s.hi = piece.args->hi;
  return s;
}

// Output rows y, y + phases … and, of the filter's rows, `chunks` times `taps` from `tap` on.
struct Pass {
  const StripKernel* inner;
  const StripKernel* border;
  int64_t y, rows, tap;
  int64_t first_row;  // of the input
};

Pass begin_pass(Strips& s, const Frame& f, int64_t y, int64_t rows, int64_t tap) {
  const Problem& p = *f.problem;
  const int64_t taps = taps_from(f, tap), first_row = y * p.stride_h - p.pad_top + tap * p.dilation_h;
  const int64_t row_distance = taps == 1 && p.out_h > 1 ? p.stride_h * f.phases : p.dilation_h;
  const int64_t row_stride = taps == 1 ? 1 : p.stride_w;
  s.chunks = chunks_from(f, tap);
  s.starts = tap == 0;
  s.ends = tap + taps * s.chunks == p.filter_h;
  s.row_step = row_distance * p.in_w;
  s.rows = rows_inside(first_row, row_distance, (rows - 1) * row_stride + taps * s.chunks, p.in_h);
  const int64_t last_row = first_row + (rows - 1) * f.phases * p.stride_h + (taps * s.chunks - 1) * p.dilation_h;
  const bool inner = first_row >= 0 && last_row < p.in_h;
  const StripKernel* border = find_kernels<true>(p.stride_w, taps);
  return {inner ? find_kernels<false>(p.stride_w, taps) : border, border, y, rows, tap, first_row};
}

// `count` strips from `strip` on of one plane, or that strip in `count` planes from `plane` on.
void run_run(Strips& s, const Piece& piece, const Pass& pass, int64_t plane, int64_t strip, int64_t count) {
  const Frame& f = *piece.frame;
  const Problem& p = *f.problem;
  const bool inner = strip >= f.inner_strips.begin && strip < f.inner_strips.end;
  const int64_t x = min(strip * kWidth, max(0, p.out_w - kWidth));
  float* out = piece.output + plane * f.out_plane;
  s.count = count;
  s.column = x * p.stride_w - p.pad_left;
  s.window = columns_inside(s.column, p.in_w);
  s.input = piece.input + plane * f.in_step() + pass.first_row * p.in_w + s.column;
  s.filter = packed_filters(*piece.args) + (piece.plane + plane) * f.filter_o + pass.tap * f.filter_h;
  s.bias = piece.args->bias + piece.plane + plane;
  s.output = out + pass.y * p.out_w + x;
  // Rows in order are written over what the row before them spilled. So are planes that are one block each.
  s.limit = f.whole_planes                     ? piece.output + piece.planes * f.out_plane
            : f.phases > 1 && p.out_w < kWidth ? out
                                               : out + piece.rows.end * p.out_w;
  const int log2_rows = pass.rows == 8 ? 3 : pass.rows == 4 ? 2 : pass.rows == 2 ? 1 : 0;
  (inner ? pass.inner : pass.border)[log2_rows](s);
}

// Output rows y, y + phases … of all planes of the piece.
void run_block(Strips& s, const Piece& piece, int64_t y, int64_t rows) {
  const Frame& f = *piece.frame;
  const int64_t filter_h = f.problem->filter_h;
  const Pass pass = begin_pass(s, f, y, rows, 0);
  if (f.batch > 1) {
    for (int64_t strip = 0; strip < f.strips; ++strip) run_run(s, piece, pass, 0, strip, piece.planes);
    return;
  }
  for (int64_t plane = 0; plane < piece.planes; ++plane) {
    if (s.ends) {
      for (int64_t strip = 0, count; strip < f.strips; strip += count) {
        const bool inner = strip >= f.inner_strips.begin && strip < f.inner_strips.end;
        count = inner ? f.inner_strips.end - strip : 1;
        run_run(s, piece, pass, plane, strip, count);
      }
      continue;
    }
    // Several passes take turns, strip by strip, and leave their sums to each other.
    for (int64_t strip = 0; strip < f.strips; ++strip) {
      for (int64_t tap = 0; tap < filter_h; tap += taps_from(f, tap) * chunks_from(f, tap)) {
        run_run(s, piece, begin_pass(s, f, y, rows, tap), plane, strip, 1);
      }
    }
    begin_pass(s, f, y, rows, 0);
  }
}

// Copies rows [first, end) of those that tap (0, 0) of a block's first column has at `from`, without the columns on
// padding, in whose place are zeros.
void copy_rows_of_block(const Rows& s, const float* from, int64_t first, int64_t end, float* to, int64_t pitch) {
  for (int64_t x = 0; x < pitch; x += kWidth) {
    const part inside = lanes_inside(x - s.pad_left, s.in_w);
    for (int64_t i = first; i < end; ++i) store(to + i * pitch + x, load_part(from + i * s.row_step + x, inside));
  }
}

// Whether the micro-kernels of depthwise_nchw_rows.h do all of it: every block of rows has one.
bool goes_by_rows(const Frame& f, Range rows) {
  const Problem& p = *f.problem;
  if (!f.shares || p.filter_w != p.filter_h || (p.stride_w == 2 && p.dilation_w != 1)) return false;
  if (kMasksAreFree && copied_pitch(p) == 0) return false;
  for (int64_t phase = 0; phase < f.phases; ++phase) {
    const PhaseRows r = phase_rows(f, rows, phase);
    if (r.count < least_rows(p.stride_w, p.filter_h)) return false;
    const Blocks& b = r.blocks;
    const int64_t last = b.count - 1;
    const auto found = [&](int64_t block, int64_t top, int64_t bottom) {
      return find_row_of_strips(p.stride_w, p.filter_h, f.shifts, b.height(block), top, bottom) != nullptr;
    };
    if (last == 0 ? !found(0, r.top, r.bottom) : !found(0, r.top, 0) || !found(last, 0, r.bottom)) return false;
    // Only the first and the last block reach padding.
    if (last == 0) continue;
    const int64_t last_begin = r.count - b.height(last), second_begin = last == 1 ? last_begin : b.height(0);
    if (r.top > second_begin * p.stride_w || r.bottom > (r.count - b.end_of_inner()) * p.stride_w) return false;
  }
  return true;
}

// Fetches what a phase's share of a plane is, of its input and of where its outputs go: the processor's own prefetching
// doesn't see through rows that are taken in turns. Once for each phase, the whole plane is in the second cache.
// (Inlined: GCC drops calls of a function that only prefetches.)
DEPTHWISE_INLINE void fetch_part_of_plane(const Piece& piece, int64_t plane, int64_t phase) {
  const Frame& f = *piece.frame;
  const auto fetch = [&](const float* from, int64_t floats) DEPTHWISE_LAMBDA_INLINE {
    const int64_t share = ceil_div(ceil_div(floats, kWidth), f.phases) * kWidth;
    from += plane * floats + phase * share;
    for (int64_t i = 0; i < share; i += kWidth) prefetch(from + i);
  };
  fetch(piece.input, f.in_step());
  fetch(piece.output, f.out_plane);
}

void run_by_rows(const Piece& piece) {
  const Frame& f = *piece.frame;
  const Problem& p = *f.problem;
  const int64_t S = p.stride_w, T = p.filter_h;
  StripMasks masks[kMaskedStrips];
  Rows s;
  s.row_step = p.dilation_h * p.in_w;
  s.tap_step = p.dilation_w;
  s.pad_left = p.pad_left;
  s.in_w = p.in_w;
  s.out_w = p.out_w;
  s.out_row_step = f.phases * p.out_w;
  s.fetches = f.phases == 1 && p.dilation_w == 1 && comes_from_memory(p);
  s.clamps = piece.args->clamps;
  s.lo = piece.args->lo;
  s.hi = piece.args->hi;
  const int64_t width = strip_width(S, T, p.dilation_w, p.out_w), strips = ceil_div(p.out_w, width);
  s.strip_width = width;
  s.spills = f.phases == 1 && strips == 1 && 2 * p.out_w >= kWidth;
  s.in_plane = f.in_step();
  s.out_plane = f.out_plane;
  s.masks = strips <= kMaskedStrips ? masks : nullptr;
  for (int64_t strip = 0; s.masks && strip < strips; ++strip) {
    // As the micro-kernel cuts rows: without masks that are free, the last strip ends with the row.
    const int64_t at = kMasksAreFree ? strip * width : min(strip * width, max(0, p.out_w - width));
    masks[strip] = masks_of_strip<kMaxTaps>(s, S, at * S - p.pad_left);
  }
  const auto run_phase = [&](int64_t first_plane, int64_t end_plane, const PhaseRows& r) {
    // Of a single block first and last are the same; the blocks between lie inside.
    const Blocks& b = r.blocks;
    const int64_t last = b.count - 1, last_begin = r.count - b.height(last);
    const auto find = [&](int64_t block, int64_t top, int64_t bottom) {
      return find_row_of_strips(S, T, f.shifts, b.height(block), top, bottom);
    };
    const RowOfStripsFn run_first = find(0, r.top, last == 0 ? r.bottom : 0), run_last = find(last, 0, r.bottom);
    const RowOfStripsFn run_large = find_row_of_strips(S, T, f.shifts, b.large, 0, 0);
    const RowOfStripsFn run_small = find_row_of_strips(S, T, f.shifts, b.small, 0, 0);
    // Calls run_rows(micro-kernel, first row, rows, rows of taps on padding at the top and at the bottom) for each
    // block.
    const auto for_each_block = [&](const auto& run_rows) DEPTHWISE_LAMBDA_INLINE {
      run_rows(run_first, 0, b.height(0), r.top, last == 0 ? r.bottom : 0);
      if (last == 0) return;
      int64_t y = b.height(0);
      for (int64_t i = 1; i < last; ++i) {
        const bool large = i < b.large_count;
        run_rows(large ? run_large : run_small, y, large ? b.large : b.small, 0, 0);
        y += large ? b.large : b.small;
      }
      run_rows(run_last, last_begin, b.height(last), 0, r.bottom);
    };
    const int64_t in_step = S * p.dilation_h * p.in_w, out_step = f.phases * p.out_w, pitch = copied_pitch(p);
    const auto rows_of = [&](int64_t height) { return (height - 1) * S + T; };
    const int64_t last_row = S * last_begin + rows_of(b.height(last)) - r.bottom - 1;
    // Whether rows `first` to `last` of a block at `at` with what lies beside them are of the input.
    const auto inside = [&](int64_t at, int64_t first, int64_t last) DEPTHWISE_LAMBDA_INLINE {
      return at + first * s.row_step >= -piece.before && at + last * s.row_step + pitch <= piece.behind;
    };
    const auto origin_of = [&](int64_t plane) DEPTHWISE_LAMBDA_INLINE {
      return plane * f.in_step() + r.first_row * p.in_w - p.pad_left;
    };
    const auto is_inside = [&](int64_t plane) DEPTHWISE_LAMBDA_INLINE {
      return pitch == 0 || inside(origin_of(plane), r.top, last_row);
    };
    const bool takes_planes = goes_on(r.top, r.bottom) && (last == 0 || !kMasksAreFree);
    // Where strips and blocks go through several planes in turns, what the first one reads stays in L1 for the others.
    const bool in_turns = !kMasksAreFree && (strips > 1 || last > 0);
    const int64_t most_planes = in_turns ? max(1, kBatchFloats / (f.in_plane + f.out_plane)) : end_plane;
    for (int64_t plane = first_plane, count; plane < end_plane; plane += count) {
      const float* const input = piece.input + origin_of(plane);
      float* const output = piece.output + plane * f.out_plane + r.first * p.out_w;
      const float* const taps = packed_filters(*piece.args) + (piece.plane + plane) * f.filter_o;
      const float* const bias = piece.args->bias + piece.plane + plane;
      count = 1;
      if (is_inside(plane)) {
        while (takes_planes && count < most_planes && plane + count < end_plane && is_inside(plane + count)) ++count;
        for_each_block([&](RowOfStripsFn run_rows, int64_t y, int64_t, int64_t, int64_t) DEPTHWISE_LAMBDA_INLINE {
          run_rows(s, input + y * in_step, taps, bias, output + y * out_step, count);
        });
      } else {
        for_each_block([&](RowOfStripsFn run_rows, int64_t y, int64_t height, int64_t top, int64_t bottom) {
          const float* from = input + y * in_step;
          Rows rows = s;
          if (!inside(origin_of(plane) + y * in_step, top, rows_of(height) - bottom - 1)) {
            copy_rows_of_block(s, from, top, rows_of(height) - bottom, piece.scratch, pitch);
            from = piece.scratch;
            rows.row_step = pitch;
          }
          run_rows(rows, from, taps, bias, output + y * out_step, 1);
        });
      }
      for (int64_t n = 0; f.phases > 1 && n < count; ++n) {
        fetch_part_of_plane(piece, plane + n + (end_plane - first_plane), r.first - piece.rows.begin);
      }
    }
  };
  // All planes at once; where rows are taken in turns, as many as stay in L1 from one turn to the next.
  const int64_t planes = f.phases == 1 ? piece.planes : max(1, 2 * kBatchFloats / (f.in_plane + f.out_plane));
  for (int64_t plane = 0; plane < piece.planes; plane += planes) {
    for (int64_t phase = 0; phase < f.phases; ++phase) {
      run_phase(plane, min(plane + planes, piece.planes), phase_rows(f, piece.rows, phase));
    }
  }
}

void run_by_pairs(const Piece& piece, PairsFn run_planes) {
  const Frame& f = *piece.frame;
  const Problem& p = *f.problem;
  Pairs pairs = pairs_of(p);
  pairs.clamps = piece.args->clamps;
  pairs.lo = piece.args->lo;
  pairs.hi = piece.args->hi;
  Planes planes;
  planes.count = piece.planes;
  planes.input = piece.input - p.pad_top * p.in_w;
  planes.in_plane = f.in_step();
  planes.taps = packed_filters(*piece.args) + piece.plane * f.filter_o;
  planes.bias = piece.args->bias + piece.plane;
  planes.output = piece.output;
  planes.out_plane = f.out_plane;
  run_planes(pairs, planes);
}

void run_piece(const Piece& piece) {
  const Frame& f = *piece.frame;
  Strips s = strips_of(piece);
  for (int64_t phase = 0; phase < f.phases; ++phase) {
    int64_t y = piece.rows.begin + phase, left = ceil_div(max(0, piece.rows.end - y), f.phases);
    for (int64_t rows = f.max_rows; left > 0; rows /= 2) {
      for (; left >= rows; left -= rows, y += rows * f.phases) run_block(s, piece, y, rows);
    }
  }
}

// The same for one plane whose filter has weights that are not finite: lanes on padding keep their sums.
void run_carefully(const Piece& piece) {
  const Frame& f = *piece.frame;
  const Problem& p = *f.problem;
  const float* filter = packed_filters(*piece.args) + piece.plane * f.filter_o;
  for (int64_t y = piece.rows.begin; y < piece.rows.end; ++y) {
    for (int64_t x = 0; x < p.out_w; x += kWidth) {
      vec sum = set1(piece.args->bias[piece.plane]);
      for (int64_t ky = 0; ky < p.filter_h; ++ky) {
        const int64_t row = y * p.stride_h + ky * p.dilation_h - p.pad_top;
        if (row < 0 || row >= p.in_h) continue;
        for (int64_t kx = 0; kx < p.filter_w; ++kx) {
          const int64_t column = x * p.stride_w + kx * p.dilation_w - p.pad_left;
          const int64_t first = column >= 0 ? 0 : min(ceil_div(-column, p.stride_w), kWidth);
          const int64_t end = column >= p.in_w ? 0 : min(ceil_div(p.in_w - column, p.stride_w), kWidth);
          if (end <= first) continue;
          const vec v = gather(piece.input + row * p.in_w + column, p.stride_w, first, end);
          const vec weight = set1(filter[ky * f.filter_h + kx * f.filter_w]);
          const part inside = part_of(first, end);
          sum = select_part(inside, fma(v, weight, sum), sum);
        }
      }
      if (piece.args->clamps) sum = clamp(sum, set1(piece.args->lo), set1(piece.args->hi));
      store_tail(piece.output + y * p.out_w + x, sum, tail_of(min(p.out_w - x, kWidth)));
    }
  }
}

// The planes and rows of a tile.
struct Area {
  int64_t image, first, end, first_row, end_row;
};

Area area_of(const Problem& p, int64_t tile) {
  const TileSizes sizes = tile_sizes(p);
  const int64_t row_tiles = ceil_div(p.out_h, sizes.rows), plane_tiles = ceil_div(p.out_c, sizes.planes);
  const int64_t first = tile / row_tiles % plane_tiles * sizes.planes, first_row = tile % row_tiles * sizes.rows;
  return {tile / (row_tiles * plane_tiles), first, min(p.out_c, first + sizes.planes), first_row,
          min(p.out_h, first_row + sizes.rows)};
}

OutputRuns outputs(const KernelArgs& args, const float*, int64_t tile) {
  const Problem& p = *args.problem;
  const Area area = area_of(p, tile);
  const int64_t plane = p.out_h * p.out_w, planes = area.end - area.first, rows = area.end_row - area.first_row;
  const int64_t first = (area.image * p.out_c + area.first) * plane + area.first_row * p.out_w;
  return rows == p.out_h ? OutputRuns{first, 1, planes * plane, 0} : OutputRuns{first, planes, rows * p.out_w, plane};
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Frame frame = frame_of(p);
  const Area area = area_of(p, tile);
  const int64_t image = area.image, first = area.first, end = area.end, first_row = area.first_row;
  const bool finite = all_finite(args);

  Piece piece{&args, &frame, nullptr, 0, 0, nullptr, scratch, first, 0, {first_row, area.end_row}};
  const PairsFn pairs = find_pairs(p);
  const bool by_lines = goes_by_lines(p);
  const bool flat = goes_flat(p) && piece.rows.end - piece.rows.begin == p.out_h;
  Flat flat_planes;
  if (flat) flat_planes = flat_of(args);
  const bool by_rows = !by_lines && !flat && pairs == nullptr && goes_by_rows(frame, piece.rows);
  for (; piece.plane < end; piece.plane += piece.planes) {
    const int64_t m = piece.plane % frame.multiplier;
    // As many as are still in L1 when the activation is applied to them.
    const int64_t most = frame.multiplier > 1                                       ? frame.multiplier - m
                         : args.activate || !(by_lines || flat || by_rows || pairs) ? frame.batch
                                                                                    : p.out_c;
    const int64_t together = min(most, end - piece.plane);
    piece.planes = finite ? together : 1;
    piece.before = (image * p.in_c + piece.plane / frame.multiplier) * frame.in_plane;
    piece.behind = p.batch * p.in_c * frame.in_plane - piece.before;
    piece.input = input + piece.before;
    piece.output = output + (image * p.out_c + piece.plane) * frame.out_plane;
    if (!finite && !filter_finite(packed_filters(args) + piece.plane * frame.filter_o, frame.filter_o)) {
      run_carefully(piece);
    } else if (by_lines) {
      for (int64_t n = 0; n < piece.planes; ++n) {
        run_by_lines(args, piece.input + n * frame.in_step(), packed_filters(args) + (piece.plane + n) * frame.filter_o,
                     args.bias[piece.plane + n], piece.output + n * frame.out_plane, piece.rows.begin, piece.rows.end);
      }
    } else if (flat) {
      run_flat(flat_planes, piece.input, packed_filters(args) + piece.plane * frame.filter_o, args.bias + piece.plane,
               piece.output, piece.planes);
    } else if (pairs != nullptr) {
      run_by_pairs(piece, pairs);
    } else if (by_rows) {
      run_by_rows(piece);
    } else {
      run_piece(piece);
    }
    if (args.activate) {
      args.activate(args, piece.output + first_row * p.out_w, piece.planes, frame.out_plane,
                    (piece.rows.end - first_row) * p.out_w, piece.plane);
    }
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(depthwise_nchw) = {"depthwise_nchw", plan, pack, run, outputs};

}  // namespace depthwise

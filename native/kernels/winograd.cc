// 3x3 convolution at stride 1 with fewer multiplications: Winograd's F(4x4, 3x3). In either layout, where it was asked
// for and there are enough channels to be worth the transforms.
//
// The outputs are cut into squares of 4x4, each of which reads a patch of 6x6 inputs. With B, G and A as below,
//
//   for (each image, group, square)
//     for (input channel i)  v[i] = B^T * patch[i] * B                       36 numbers
//     for (output o)
//       for (input channel i)  u = G * filter[..][..][i][o] * G^T            36 numbers, made by pack
//       for (position k < 36)  m[k] = sum over i of v[i][k] * u[i][k]        36 multiplications instead of 144
//       square[o] = clamp(A^T * m * A + bias[o])                             16 outputs
//
// Interpolation of polynomials of degree 5 at the points 0, a, -a, b, -b and infinity:
//
//   B^T: [ a²b²   0   -a²-b²    0    1  0 ]   G: [ 1  0  0  ] / a²b²               A^T: [ 1  1   1   1   1  0 ]
//        [ 0    -ab²   -b²      a    1  0 ]      [ 1  a  a² ] / 2a²(a² - b²)            [ 0  a  -a   b  -b  0 ]
//        [ 0     ab²   -b²     -a    1  0 ]      [ 1 -a  a² ] / 2a²(a² - b²)            [ 0  a²  a²  b²  b² 0 ]
//        [ 0    -a²b   -a²      b    1  0 ]      [ 1  b  b² ] / 2b²(b² - a²)            [ 0  a³ -a³  b³ -b³ 1 ]
//        [ 0     a²b   -a²     -b    1  0 ]      [ 1 -b  b² ] / 2b²(b² - a²)
//        [ 0    a²b²    0   -a²-b²   0  1 ]      [ 0  0  1  ]
//
// a = 11/16 and b = 23/16 have the smallest error bound of all sixteenths (docs/kernels/winograd.md derives it), a
// fifth of that of the customary 1 and 2, and powers that a float holds exactly.
//
// A tile is a rectangle of squares by a run of blocks of outputs. It copies the inputs with zeros for the padding, as
// pixels; transforms all patches of a group; and for each block of outputs multiplies, position by position, a matrix
// of squares by channels with one of channels by outputs, and transforms back:
//
//   copy        [row][column][channel]
//   patches     [position][square][channel]
//   products    [square][position][output of the block]
//
// Sums of numbers of which one isn't finite, or that overflow, would spoil outputs that don't read it. So a tile whose
// inputs aren't all moderate numbers is computed as the definition has it, and so is every tile where a weight isn't.
#include "grouped.h"

namespace depthwise {
namespace {

constexpr int kSide = 4, kPatch = 6, kPositions = kPatch * kPatch, kTaps = 9;

constexpr double kNear = 11.0 / 16, kFar = 23.0 / 16;  // a and b
constexpr float kA = kNear, kA2 = kNear * kNear, kA3 = kNear * kNear * kNear;
constexpr float kB = kFar, kB2 = kFar * kFar, kB3 = kFar * kFar * kFar;
constexpr float kSum2 = kNear * kNear + kFar * kFar, kProduct2 = kNear * kNear * kFar * kFar;

// What the rows of G are divided by: one over it.
constexpr double kNearScale = 0.5 / (kNear * kNear * (kNear * kNear - kFar * kFar));
constexpr double kFarScale = 0.5 / (kFar * kFar * (kFar * kFar - kNear * kNear));
constexpr double kRowScale[kPatch] = {
    1 / (kNear * kNear * kFar * kFar), kNearScale, kNearScale, kFarScale, kFarScale, 1};

// to = B^T * d
DEPTHWISE_INLINE void transform_input(const vec (&d)[kPatch], vec (&to)[kPatch]) {
  const vec even_near = fma(set1(-kB2), d[2], d[4]), odd_near = fma(set1(-kB2), d[1], d[3]);
  const vec even_far = fma(set1(-kA2), d[2], d[4]), odd_far = fma(set1(-kA2), d[1], d[3]);
  to[0] = fma(set1(kProduct2), d[0], fma(set1(-kSum2), d[2], d[4]));
  to[1] = fma(set1(kA), odd_near, even_near);
  to[2] = fma(set1(-kA), odd_near, even_near);
  to[3] = fma(set1(kB), odd_far, even_far);
  to[4] = fma(set1(-kB), odd_far, even_far);
  to[5] = fma(set1(kProduct2), d[1], fma(set1(-kSum2), d[3], d[5]));
}

// to = G * g, its rows not yet divided
DEPTHWISE_INLINE void transform_filter(const vec (&g)[3], vec (&to)[kPatch]) {
  const vec even_near = fma(set1(kA2), g[2], g[0]), even_far = fma(set1(kB2), g[2], g[0]);
  to[0] = g[0];
  to[1] = fma(set1(kA), g[1], even_near);
  to[2] = fma(set1(-kA), g[1], even_near);
  to[3] = fma(set1(kB), g[1], even_far);
  to[4] = fma(set1(-kB), g[1], even_far);
  to[5] = g[2];
}

// to = A^T * m
DEPTHWISE_INLINE void transform_output(const vec (&m)[kPatch], vec (&to)[kSide]) {
  const vec near_sum = add(m[1], m[2]), near_difference = sub(m[1], m[2]);
  const vec far_sum = add(m[3], m[4]), far_difference = sub(m[3], m[4]);
  to[0] = add(add(m[0], near_sum), far_sum);
  to[1] = fma(set1(kB), far_difference, mul(set1(kA), near_difference));
  to[2] = fma(set1(kB2), far_sum, mul(set1(kA2), near_sum));
  to[3] = fma(set1(kB3), far_difference, fma(set1(kA3), near_difference, m[5]));
}

// Sums of squares below these are of numbers such that no step of the transforms overflows: inputs below 2^63, weights
// below 2^32, and products of up to 4096 channels, where the transforms make them larger by less than 2^12.
constexpr float kMostInputSquares = 0x1p126f, kMostWeightSquares = 0x1p64f;
constexpr int64_t kMostChannels = 4096;

inline bool all_below(vec x, float limit) {
  float lanes_of_x[kWidth];
  store(lanes_of_x, x);
  bool below = true;
  for (int64_t i = 0; i < kWidth; ++i) below &= lanes_of_x[i] < limit;
  return below;
}

// A micro-kernel: for each of some positions k, P squares by V vectors of outputs,
//
//   products[p][k][v] = sum over i of patches[k][p][i] * weights[k][i][v]
//
// Registers: P * V sums, V weights, one input. AVX-512: 14 x 2 or 14 x 1; with 16 registers: 6 x 2 or 14 x 1.
constexpr int kMostVectors = 2;
constexpr int most_squares(int vectors) {
  return (kRegisters - vectors - 1) / vectors > 14 ? 14 : (kRegisters - vectors - 1) / vectors;
}
constexpr int kMostSquares = most_squares(1);

// How far ahead weights are fetched towards the second cache, in floats.
constexpr int64_t kAhead = 1024;

struct Multiplication {
  const float* patches;  // of the first square and position
  int64_t square_pitch, position_pitch;
  int64_t positions, channels;
  const float* weights;
  float* products;
  int64_t product_pitch;  // floats between squares
};

template <int P, int V>
void multiply(const Multiplication& t) {
  const float* weights = t.weights;
  float* products = t.products;
  const int64_t pitch = t.square_pitch;
  for (int64_t k = 0; k < t.positions; ++k, products += V * kWidth) {
    vec sums[P][V];
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p) {
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) sums[p][v] = zero();
    }
    // A pointer for every three squares: the others are within reach of an address's index.
    const float* x[(P + 2) / 3];
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; p += 3) x[p / 3] = t.patches + k * t.position_pitch + p * pitch;
    for (int64_t i = 0; i < t.channels; ++i, weights += V * kWidth) {
      vec w[V];
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) w[v] = load(weights + v * kWidth), prefetch(weights + kAhead + v * kWidth);
      DEPTHWISE_UNROLL
      for (int p = 0; p < P; ++p) {
        const vec in = set1(x[p / 3][p % 3 * pitch + i]);
        DEPTHWISE_UNROLL
        for (int v = 0; v < V; ++v) sums[p][v] = fma(in, w[v], sums[p][v]);
      }
    }
    float* to = products;
    DEPTHWISE_UNROLL
    for (int p = 0; p < P; ++p, to += t.product_pitch) {
      DEPTHWISE_UNROLL
      for (int v = 0; v < V; ++v) store(to + v * kWidth, sums[p][v]);
    }
  }
}

struct Multiply {
  void (*by_squares[kMostVectors][kMostSquares + 1])(const Multiplication&);
};

template <int P, int V>
constexpr void list_multiply(Multiply& kernels) {
  if constexpr (P > 0) {
    list_multiply<P - 1, V>(kernels);
    kernels.by_squares[V - 1][P] = multiply<P, V>;
  }
}

constexpr Multiply make_multiply() {
  Multiply kernels{};
  list_multiply<most_squares(1), 1>(kernels);
  list_multiply<most_squares(2), 2>(kernels);
  return kernels;
}

constexpr Multiply kMultiply = make_multiply();

// Blocks of outputs of a group: two vectors each, and one if their number is odd.
struct Blocks {
  int64_t vectors, count;
};

Blocks blocks_of(const Problem& p) {
  const int64_t vectors = ceil_div(p.out_c / p.groups, kWidth);
  return {vectors, ceil_div(vectors, 2)};
}

int64_t vectors_of_block(const Blocks& blocks, int64_t block) { return min(2, blocks.vectors - 2 * block); }

// Packed: [group][block of outputs], and of each [ky][kx][i][output] for tiles as the definition has it, followed by
// the transformed weights [position][i][output].
int64_t packed_of_vector(const Problem& p) { return (kTaps + kPositions) * (p.in_c / p.groups) * kWidth; }

// What plan decides, as it lies in KernelPlan::param. Rows and columns count squares.
struct Split {
  int64_t rows, row_tiles, columns, column_tiles;  // of a tile, and such tiles in an image
  int64_t blocks, block_tiles;
};

void store_split(const Split& split, KernelPlan& plan) {
  const int64_t values[] = {split.rows,         split.row_tiles, split.columns,
                            split.column_tiles, split.blocks,    split.block_tiles};
  for (int i = 0; i < 6; ++i) plan.param[i] = values[i];
}

Split load_split(const KernelPlan& plan) {
  const int64_t* values = plan.param;
  return {values[0], values[1], values[2], values[3], values[4], values[5]};
}

// The scratch memory of a tile, in floats from its start, and the distances in it.
struct Scratch {
  int64_t copy_pitch;      // of the copy's pixels
  int64_t channel_pitch;   // of the patches' squares
  int64_t position_pitch;  // of the patches' positions
  int64_t patches, products, output, end;
};

Scratch scratch_of(const Problem& p, const Split& split) {
  const int64_t squares = split.rows * split.columns, channels = round_up(p.in_c / p.groups, kWidth);
  const int64_t outputs = min(kMostVectors, blocks_of(p).vectors) * kWidth;
  Scratch s;
  s.copy_pitch = scratch_pitch(channels);
  s.channel_pitch = channels;
  // A line more: stores of successive positions would fall into few sets of the first cache.
  s.position_pitch = round_up(squares * channels, 16) + 16;
  s.patches = round_up((split.rows * kSide + 2) * (split.columns * kSide + 2) * s.copy_pitch, 16);
  s.products = s.patches + kPositions * s.position_pitch;
  s.output = s.products + round_up(squares * kPositions * outputs, 16);
  s.end = s.output + (p.layout == Layout::nchw ? round_up(squares * kSide * kSide * outputs, 16) : 0);
  return s;
}

// A tile is about this many multiplications of floats, some 50 us. A transform is worth kTransformWork multiplications
// a number.
constexpr int64_t kTileWork = 1 << 22, kTransformWork = 8;
// Transformed patches that stay in the second cache beside the weights and products that pass through it.
constexpr int64_t kCachedPatches = 5 << 15;
// All groups' weights: where they stay in the second cache, few squares a tile will do.
constexpr int64_t kCachedWeights = 1 << 18;
// A block's weights: those that stay may be read once for each micro-kernel instead of once a tile.
constexpr int64_t kCachedBlock = 3 << 15;
// Outputs for which it is worth to transform a tile's inputs again.
constexpr int64_t kLeastOutputs = 64;

// Whether it is faster than the direct kernels by a third or more, as measured: squares must lie mostly within the
// image, be enough for the weights, which are four times as many, to be worth their way through the caches, and for few
// channels, whose transforms cost as much as their multiplications, more than that.
bool worthwhile(const Problem& p) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t squares = ceil_div(p.out_h, kSide) * ceil_div(p.out_w, kSide);
  const bool few = 2 * min(in_c, out_c) < 3 * kWidth;
  return in_c >= 16 && out_c >= 16 && in_c <= kMostChannels && squares >= (few ? 25 : 9) &&
         20 * p.out_h * p.out_w >= 11 * squares * kSide * kSide;
}

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.algorithm != Algorithm::winograd || p.filter_h != 3 || p.filter_w != 3 || p.stride_h != 1 || p.stride_w != 1 ||
      p.dilation_h != 1 || p.dilation_w != 1 || !worthwhile(p)) {
    return false;
  }
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t rows = ceil_div(p.out_h, kSide), columns = ceil_div(p.out_w, kSide);

  // First the squares, whole rows of them where they fit, then the outputs.
  Split split{};
  const int64_t wanted = kPositions * in_c * p.out_c > kCachedWeights ? 32 : 16;
  const int64_t squares = max(1, min(wanted, kCachedPatches / (kPositions * in_c)));
  split.columns = ceil_div(columns, ceil_div(columns, squares));
  split.column_tiles = ceil_div(columns, split.columns);
  split.rows = ceil_div(rows, ceil_div(rows, max(1, squares / columns)));
  split.row_tiles = ceil_div(rows, split.rows);

  const int64_t all_blocks = p.groups * blocks.count, per_block = ceil_div(out_c, blocks.count);
  const int64_t work = split.rows * split.columns * kPositions * (in_c + kTransformWork) * (per_block + kTransformWork);
  const int64_t wanted_blocks = max(ceil_div(min(out_c, kLeastOutputs), per_block), kTileWork / work);
  split.blocks = ceil_div(all_blocks, ceil_div(all_blocks, wanted_blocks));
  split.block_tiles = ceil_div(all_blocks, split.blocks);

  plan.kernel = "winograd";
  plan.tiles = p.batch * split.row_tiles * split.column_tiles * split.block_tiles;
  plan.packed_floats = p.groups * blocks.vectors * packed_of_vector(p) + kFlagFloats;
  plan.scratch_floats = scratch_of(p, split).end;
  store_split(split, plan);
  return true;
}

// The weights of a block at all positions: to [position][i][output] from taps [ky][kx][i][output].
void transform_weights(const float* taps, int64_t in_c, int64_t width, float* to) {
  for (int64_t i = 0; i < in_c * width; i += kWidth) {
    vec columns[3][kPatch];
    DEPTHWISE_UNROLL
    for (int kx = 0; kx < 3; ++kx) {
      vec g[3];
      DEPTHWISE_UNROLL
      for (int ky = 0; ky < 3; ++ky) g[ky] = load(taps + (ky * 3 + kx) * in_c * width + i);
      transform_filter(g, columns[kx]);
    }
    DEPTHWISE_UNROLL
    for (int k = 0; k < kPatch; ++k) {
      const vec g[3] = {columns[0][k], columns[1][k], columns[2][k]};
      vec u[kPatch];
      transform_filter(g, u);
      DEPTHWISE_UNROLL
      for (int l = 0; l < kPatch; ++l) {
        const float scale = static_cast<float>(kRowScale[k] * kRowScale[l]);
        store(to + (k * kPatch + l) * in_c * width + i, mul(set1(scale), u[l]));
      }
    }
  }
}

void pack(const Problem& p, const KernelPlan& plan, const FilterView& filter, float* packed) {
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  float* to = packed;
  vec squares = zero();
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t b = 0; b < blocks.count; ++b) {
      const int64_t first = 2 * b * kWidth, width = vectors_of_block(blocks, b) * kWidth;
      pack_vectors(
          p, filter, g * out_c + first, min(out_c - first, width), width,
          [to, in_c, width](int64_t ky, int64_t kx, int64_t i) { return to + ((ky * 3 + kx) * in_c + i) * width; });
      const int64_t taps = kTaps * in_c * width;
      for (int64_t i = 0; i < taps; i += kWidth) squares = fma(load(to + i), load(to + i), squares);
      transform_weights(to, in_c, width, to + taps);
      to += taps + kPositions * in_c * width;
    }
  }
  store_finite_flag(plan, packed, all_below(squares, kMostWeightSquares));
}

// A rectangle of an image's squares, by its outputs.
struct Area {
  int64_t row, column;    // of the first output
  int64_t rows, columns;  // squares
  int64_t height, width;  // outputs that there are
};

void fill_zeros(float* to, int64_t count) {
  for (int64_t i = 0; i < count; i += kWidth) store(to + i, zero());
}

// The inputs of all patches of a group as pixels, zeros for padding and for channels past the last.
DEPTHWISE_NOINLINE void copy_inputs(const Problem& p, const float* image, int64_t channel, const Area& area,
                                    const Scratch& room, float* to) {
  const int64_t in_c = p.in_c / p.groups, pitch = room.copy_pitch, whole = in_c / kWidth * kWidth;
  const int64_t height = area.rows * kSide + 2, width = area.columns * kSide + 2;
  const int64_t ix = area.column - p.pad_left;
  const int64_t begin = min(width, max(0, -ix)), end = max(begin, min(width, p.in_w - ix));
  const tail rest = tail_of(in_c - whole);
  for (int64_t r = 0; r < height; ++r, to += width * pitch) {
    const int64_t iy = area.row - p.pad_top + r;
    if (iy < 0 || iy >= p.in_h || begin == end) {
      fill_zeros(to, width * pitch);
      continue;
    }
    fill_zeros(to, begin * pitch);
    fill_zeros(to + end * pitch, (width - end) * pitch);
    float* pixel = to + begin * pitch;
    const int64_t at = iy * p.in_w + ix + begin, count = end - begin;
    if (p.layout == Layout::nhwc) {
      const float* from = image + at * p.in_c + channel;
      for (int64_t x = 0; x < count; ++x, from += p.in_c, pixel += pitch) {
        for (int64_t c = 0; c < whole; c += kWidth) store(pixel + c, load(from + c));
        if (whole < in_c) store(pixel + whole, load_tail(from + whole, rest));
      }
    } else {
      const int64_t plane = p.in_h * p.in_w;
      if (whole < in_c) {
        for (int64_t x = 0; x < count; ++x) store(pixel + x * pitch + whole, zero());
      }
      transpose_matrix(image + channel * plane + at, plane, in_c, count, pixel, pitch);
    }
  }
}

// Returns whether the inputs are such that the transforms don't overflow.
DEPTHWISE_NOINLINE bool transform_patches(const float* copy, const Area& area, const Scratch& room, float* patches) {
  const int64_t pitch = room.copy_pitch, row_pitch = (area.columns * kSide + 2) * pitch;
  vec squares[2] = {zero(), zero()};
  for (int64_t row = 0; row < area.rows; ++row, copy += kSide * row_pitch) {
    for (int64_t c = 0; c < room.channel_pitch; c += kWidth) {
      const float* from = copy + c;
      float* to = patches + row * area.columns * room.channel_pitch + c;
      vec lines[kPatch][kPatch];  // [column of the patch][row, transformed]
      const auto transform_column = [&](int column) DEPTHWISE_LAMBDA_INLINE {
        vec d[kPatch];
        DEPTHWISE_UNROLL
        for (int y = 0; y < kPatch; ++y) {
          d[y] = load(from + y * row_pitch);
          squares[y % 2] = fma(d[y], d[y], squares[y % 2]);
        }
        transform_input(d, lines[column]);
        from += pitch;
      };
      transform_column(0);
      transform_column(1);
      for (int64_t column = 0; column < area.columns; ++column, to += room.channel_pitch) {
        DEPTHWISE_UNROLL
        for (int x = 2; x < kPatch; ++x) transform_column(x);
        float* at = to;
        DEPTHWISE_UNROLL
        for (int k = 0; k < kPatch; ++k) {
          const vec d[kPatch] = {lines[0][k], lines[1][k], lines[2][k], lines[3][k], lines[4][k], lines[5][k]};
          vec v[kPatch];
          transform_input(d, v);
          // opaque: the compiler would keep 36 multiples of the pitch in memory instead of adding it 36 times.
          DEPTHWISE_UNROLL
          for (int l = 0; l < kPatch; ++l, at = opaque(at + room.position_pitch)) store(at, v[l]);
        }
        // The next patch begins with the last two columns of this one.
        DEPTHWISE_UNROLL
        for (int k = 0; k < kPatch; ++k) lines[0][k] = lines[4][k], lines[1][k] = lines[5][k];
      }
    }
  }
  return all_below(add(squares[0], squares[1]), kMostInputSquares);
}

// The products of a block: of all squares, at all positions.
void multiply_positions(const float* patches, int64_t squares, const float* weights, int64_t vectors, int64_t in_c,
                        const Scratch& room, float* products) {
  const int64_t width = vectors * kWidth, most = most_squares(static_cast<int>(vectors));
  const int64_t positions = kPositions * in_c * width <= kCachedBlock ? kPositions : 1;
  for (int64_t k = 0; k < kPositions; k += positions, weights += positions * in_c * width) {
    for (int64_t s = 0; s < squares;) {
      // As few micro-kernels as possible, as equal as possible.
      const int64_t left = squares - s, count = ceil_div(left, ceil_div(left, most));
      kMultiply.by_squares[vectors - 1][count]({patches + k * room.position_pitch + s * room.channel_pitch,
                                                room.channel_pitch, room.position_pitch, positions, in_c, weights,
                                                products + (s * kPositions + k) * width, kPositions * width});
      s += count;
    }
  }
}

// Where a block's outputs go: to the output itself, or to scratch memory that is transposed to planes afterwards.
struct Target {
  float* data;
  int64_t row_pitch, pixel_pitch;
  int64_t outputs;  // at most vectors * kWidth
  const float* bias;
  vec lo, hi;
};

DEPTHWISE_INLINE void store_outputs(const Target& target, float* to, int64_t first, vec sum) {
  const vec x = clamp(sum, target.lo, target.hi);
  const int64_t left = target.outputs - first;
  if (left >= kWidth) {
    store(to, x);
  } else {
    store_tail(to, x, tail_of(left));
  }
}

// One vector of a square's outputs, of which height x width are there; kFull: all, and all lanes.
template <bool kFull, int V>
DEPTHWISE_INLINE void transform_square(const float* products, int64_t first, int64_t height, int64_t width,
                                       const Target& target, float* to) {
  vec lines[kSide][kPatch];  // [row of the square][column, not yet transformed]
  DEPTHWISE_UNROLL
  for (int l = 0; l < kPatch; ++l) {
    vec m[kPatch], y[kSide];
    DEPTHWISE_UNROLL
    for (int k = 0; k < kPatch; ++k) m[k] = load(products + (k * kPatch + l) * V * kWidth);
    transform_output(m, y);
    DEPTHWISE_UNROLL
    for (int r = 0; r < kSide; ++r) lines[r][l] = y[r];
  }
  const vec bias = load(target.bias + first);
  DEPTHWISE_UNROLL
  for (int r = 0; r < kSide; ++r, to += target.row_pitch) {
    if (!kFull && r >= height) break;
    vec y[kSide];
    transform_output(lines[r], y);
    DEPTHWISE_UNROLL
    for (int x = 0; x < kSide; ++x) {
      float* at = to + x * target.pixel_pitch;
      if (kFull) {
        store(at, clamp(add(y[x], bias), target.lo, target.hi));
      } else if (x < width) {
        store_outputs(target, at, first, add(y[x], bias));
      }
    }
  }
}

template <int V>
DEPTHWISE_NOINLINE void transform_products(const float* products, const Area& area, const Target& target) {
  for (int64_t row = 0; row < area.rows; ++row) {
    const int64_t height = min(kSide, area.height - row * kSide);
    float* to = target.data + row * kSide * target.row_pitch;
    for (int64_t column = 0; column < area.columns; ++column, to += kSide * target.pixel_pitch) {
      const int64_t width = min(kSide, area.width - column * kSide);
      for (int64_t first = 0; first < V * kWidth; first += kWidth) {
        const float* from = products + (row * area.columns + column) * kPositions * V * kWidth + first;
        if (height == kSide && width == kSide && target.outputs - first >= kWidth) {
          transform_square<true, V>(from, first, kSide, kSide, target, to + first);
        } else {
          transform_square<false, V>(from, first, height, width, target, to + first);
        }
      }
    }
  }
}

// The same outputs as the definition has them, without the transforms.
DEPTHWISE_NOINLINE void run_directly(const Problem& p, const float* image, int64_t channel, const float* weights,
                                     int64_t vectors, const Area& area, const Target& target) {
  const int64_t in_c = p.in_c / p.groups, width = vectors * kWidth;
  const bool nhwc = p.layout == Layout::nhwc;
  const int64_t pixel_pitch = nhwc ? p.in_c : 1, channel_pitch = nhwc ? 1 : p.in_h * p.in_w;
  for (int64_t y = 0; y < area.height; ++y) {
    for (int64_t x = 0; x < area.width; ++x) {
      for (int64_t first = 0; first < width; first += kWidth) {
        vec sum = load(target.bias + first);
        for (int64_t tap = 0; tap < kTaps; ++tap) {
          const int64_t iy = area.row + y + tap / 3 - p.pad_top, ix = area.column + x + tap % 3 - p.pad_left;
          if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
          const float* in = image + (iy * p.in_w + ix) * pixel_pitch + channel * channel_pitch;
          const float* w = weights + tap * in_c * width + first;
          for (int64_t i = 0; i < in_c; ++i) sum = fma(set1(in[i * channel_pitch]), load(w + i * width), sum);
        }
        store_outputs(target, target.data + y * target.row_pitch + x * target.pixel_pitch + first, first, sum);
      }
    }
  }
}

// Applies the activation to a block's outputs and brings those in scratch memory to their planes.
void finish(const KernelArgs& args, float* image, int64_t channel, const Area& area, const Target& target) {
  const Problem& p = *args.problem;
  if (p.layout == Layout::nhwc) {
    if (!args.activate) return;
    for (int64_t y = 0; y < area.height; ++y) {
      args.activate(args, target.data + y * target.row_pitch, area.width, p.out_c, target.outputs, channel);
    }
    return;
  }
  // Rows over the image's whole width follow one another, here as there.
  const bool whole = area.width == p.out_w;
  const int64_t runs = whole ? 1 : area.height, pixels = whole ? area.height * area.width : area.width;
  const int64_t plane = p.out_h * p.out_w;
  float* to = image + channel * plane + area.row * p.out_w + area.column;
  for (int64_t run = 0; run < runs; ++run, to += p.out_w) {
    transpose_matrix(target.data + run * target.row_pitch, target.pixel_pitch, pixels, target.outputs, to, plane);
    if (args.activate) args.activate(args, to, target.outputs, plane, pixels, channel);
  }
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  const Problem& p = *args.problem;
  const Split split = load_split(*args.plan);
  const Scratch room = scratch_of(p, split);
  const Blocks blocks = blocks_of(p);
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t column_tile = tile % split.column_tiles, row_tile = tile / split.column_tiles % split.row_tiles;
  const int64_t block_tile = tile / (split.column_tiles * split.row_tiles) % split.block_tiles;
  const int64_t image = tile / (split.column_tiles * split.row_tiles * split.block_tiles);
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * p.out_h * p.out_w * p.out_c;

  Area area;
  area.row = row_tile * split.rows * kSide, area.column = column_tile * split.columns * kSide;
  area.height = min(split.rows * kSide, p.out_h - area.row);
  area.width = min(split.columns * kSide, p.out_w - area.column);
  area.rows = ceil_div(area.height, kSide), area.columns = ceil_div(area.width, kSide);
  const int64_t squares = area.rows * area.columns;

  float* patches = scratch + room.patches;
  float* products = scratch + room.products;
  bool moderate = false;
  int64_t transformed = -1;  // the group whose patches they are
  const int64_t first_block = block_tile * split.blocks;
  const int64_t end_block = min(first_block + split.blocks, p.groups * blocks.count);
  for (int64_t block = first_block; block < end_block; ++block) {
    const int64_t group = block / blocks.count, index = block % blocks.count;
    const int64_t vectors = vectors_of_block(blocks, index), width = vectors * kWidth;
    if (group != transformed) {
      moderate = weights_are_finite(args);
      if (moderate) {
        copy_inputs(p, input, group * in_c, area, room, scratch);
        moderate = transform_patches(scratch, area, room, patches);
      }
      transformed = group;
    }

    const int64_t channel = group * out_c + 2 * index * kWidth;
    const float* taps = args.weights + (group * blocks.vectors + 2 * index) * packed_of_vector(p);
    Target target{output + (area.row * p.out_w + area.column) * p.out_c + channel,
                  p.out_w * p.out_c,
                  p.out_c,
                  min(width, out_c - 2 * index * kWidth),
                  args.bias + channel,
                  set1(args.lo),
                  set1(args.hi)};
    if (p.layout == Layout::nchw) {
      target.data = scratch + room.output;
      target.row_pitch = area.width * width;
      target.pixel_pitch = width;
    }
    if (moderate) {
      multiply_positions(patches, squares, taps + kTaps * in_c * width, vectors, in_c, room, products);
      (vectors == 1 ? transform_products<1> : transform_products<2>)(products, area, target);
    } else {
      run_directly(p, input, group * in_c, taps, vectors, area, target);
    }
    finish(args, output, channel, area, target);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(winograd) = {"winograd", plan, pack, run};

}  // namespace depthwise

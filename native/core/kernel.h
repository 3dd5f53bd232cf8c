// What a kernel family is to the rest of the library: three functions and the plain data they share.
// Included by the sources that are compiled once per instruction set; plain data only (see problem.h).
#pragma once

#include <cstdint>

#include "problem.h"

namespace depthwise {

// What a family decided about one problem. Written once by KernelFamily::plan, read by pack and run.
// It must not depend on the number of threads: results are the same bit for bit whatever that number
// is because the tiles are.
struct KernelPlan {
  const char* kernel;      // the micro-kernel's name, shown to users by explain()
  int64_t tiles;           // pieces of work; any thread may run any tile, each writes its own outputs
  int64_t packed_floats;   // size of the packed weights; 0: run reads the filter itself, as it is
  int64_t packing;         // tells this packing from the family's others over the same filter
  int64_t scratch_floats;  // working memory that run needs per thread, 64-byte aligned; may be 0
  int64_t param[16];       // the family's own: tile sizes, counts
};

// Element (o, i, y, x) of the filter, i counted within the group, is data[o * stride_o + i * stride_i
// + y * stride_h + x * stride_w].
struct FilterView {
  const float* data;
  int64_t stride_o, stride_i, stride_h, stride_w;
};

struct KernelArgs;

// Applies the activation in place to `rows` runs of `count` floats, `row_stride` floats apart. NHWC: a
// row is the channels [channel, channel + count) of a pixel. NCHW: a row is pixels of one channel, and
// row r belongs to channel + r.
using ActivateFn = void (*)(const KernelArgs& args, float* data, int64_t rows, int64_t row_stride, int64_t count,
                            int64_t channel);

struct KernelArgs {
  const Problem* problem;
  const KernelPlan* plan;
  const float* weights;  // packed, 64-byte aligned; or the filter's own data where packed_floats is 0
  const float* bias;     // never null: out_c floats, then kChannelPad zeros, so that full vectors can be read
  const float* slopes;   // prelu's alpha, padded as bias is; null for other activations
  float lo, hi;          // every kernel ends with min(hi, max(lo, x)) such that NaN passes
  bool clamps;           // false: lo and hi are infinite, and that step may be left out
  ActivateFn activate;   // null, or what run applies to its outputs while they are still in L1
  Activation activation;
};

// At least the widest tile of channels that a kernel reads at once.
constexpr int64_t kChannelPad = 64;

// Outputs as runs of neighbouring floats: `runs` of `floats`, each `stride` behind the one before, from `first` on.
struct OutputRuns {
  int64_t first = 0, runs = 0, floats = 0, stride = 0;
};

// A family is one algorithm compiled for one instruction set. plan returns false where it declines.
struct KernelFamily {
  const char* name;
  bool (*plan)(const Problem& problem, KernelPlan& plan);
  void (*pack)(const Problem& problem, const KernelPlan& plan, const FilterView& filter, float* packed);
  void (*run)(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch);
  // What a tile writes, or no runs where that lies too scattered. Null: outputs that the caches don't have are no
  // burden to the family.
  OutputRuns (*outputs)(const KernelArgs& args, const float* input, int64_t tile) = nullptr;
};

}  // namespace depthwise

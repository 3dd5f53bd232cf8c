// Depthwise with a multiplier: output channel o = c * M + m is input channel c = o / M, filtered. See flat_rows.h.
// An input is expanded to the vector of the outputs that read it: by a permutation, or by a broadcast where M is a
// multiple of the vector's width.
#include "flat_rows.h"

namespace depthwise {
namespace {

bool broadcasts(const Problem& p) { return p.out_c / p.in_c % kWidth == 0; }

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.layout != Layout::nhwc || p.groups != p.in_c || p.out_c == p.in_c) return false;
  plan.kernel = broadcasts(p) ? "depthwise_multiplier_nhwc broadcast" : "depthwise_multiplier_nhwc";
  plan_flat_rows(p, plan);
  return true;
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float* scratch) {
  if (broadcasts(*args.problem)) {
    run_flat_rows<Broadcast>(args, input, output, tile, scratch);
  } else {
    run_flat_rows<Spread>(args, input, output, tile, scratch);
  }
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(depthwise_multiplier_nhwc) = {"depthwise_multiplier_nhwc", plan,
                                                                         pack_flat_rows, run, outputs_of_flat_rows};

}  // namespace depthwise

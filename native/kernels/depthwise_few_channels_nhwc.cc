// Depthwise, multiplier 1, channels that don't fill a vector: pictures (RGB, RGBA, grey), signals. See flat_rows.h.
#include "flat_rows.h"

namespace depthwise {
namespace {

// A full vector of channels is depthwise_nhwc's, but for vectors so short that it would be short of registers.
constexpr int64_t kMostChannels = kWidth >= 8 ? kWidth - 1 : kWidth;

bool plan(const Problem& p, KernelPlan& plan) {
  if (p.layout != Layout::nhwc || p.groups != p.in_c || p.out_c != p.in_c || p.in_c > kMostChannels) return false;
  plan.kernel = "depthwise_few_channels_nhwc";
  plan_flat_rows(p, plan);
  return true;
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(depthwise_few_channels_nhwc) = {
    "depthwise_few_channels_nhwc", plan, pack_flat_rows, run_flat_rows<Identity>, outputs_of_flat_rows};

}  // namespace depthwise

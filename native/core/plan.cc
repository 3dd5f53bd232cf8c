#include "plan.h"

#include <algorithm>
#include <limits>

#include "problem_check.h"

namespace depthwise {
namespace {

// About 10 us of work on one core: less is not worth another thread.
constexpr double kFlopsPerThread = 5e5;
constexpr double kBytesPerThread = 5e5;

// The work in units of what is worth a thread.
double shares(const Problem& problem) {
  return std::max(flops(problem) / kFlopsPerThread, bytes(problem) / kBytesPerThread);
}

int worthwhile_threads(const Problem& problem, int64_t tiles) {
  return static_cast<int>(std::clamp<double>(std::min(shares(problem), static_cast<double>(tiles)), 1.0, 1024.0));
}

// Claiming costs tens of nanoseconds when threads contend: a claim is worth at least an eighth of a share, about a
// microsecond, as long as every thread still gets several.
int64_t tiles_per_claim(const Problem& problem, int64_t tiles) {
  const double per_share = static_cast<double>(tiles) / std::max(shares(problem), 1.0);
  const int64_t most = tiles / (8 * worthwhile_threads(problem, tiles));
  return std::clamp<int64_t>(static_cast<int64_t>(per_share / 8), 1, std::max<int64_t>(most, 1));
}

// Some 100 us of work or of traffic on one core; portable kernels take ten times as long for their work.
constexpr double kBriefFlops = 1.1e7;
constexpr double kBriefBytes = 6.5e6;

bool fits_brief(const Problem& problem, Isa isa) {
  const double flops_allowed = isa == Isa::portable ? kBriefFlops / 10 : kBriefFlops;
  return flops(problem) <= flops_allowed && bytes(problem) <= kBriefBytes;
}

struct Range {
  float lo, hi;
};

Range clamp_range(const Activation& activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation.kind) {
    case ActivationKind::relu:
      return {0.0f, kInfinity};
    case ActivationKind::relu6:
      return {0.0f, 6.0f};
    case ActivationKind::clip:
      return {activation.lo, activation.hi};
    default:
      return {-kInfinity, kInfinity};
  }
}

bool is_clamp(ActivationKind kind) {
  return kind == ActivationKind::relu || kind == ActivationKind::relu6 || kind == ActivationKind::clip;
}

}  // namespace

Plan::Plan(std::shared_ptr<const Layer> layer, const Problem& problem, const IsaKernels& isa,
           const KernelFamily& family, const KernelPlan& kernel_plan, std::shared_ptr<const AlignedBuffer> weights)
    : layer_(std::move(layer)),
      problem_(problem),
      isa_(isa),
      family_(family),
      kernel_plan_(kernel_plan),
      weights_(std::move(weights)),
      max_threads_(worthwhile_threads(problem, kernel_plan.tiles)),
      grain_(tiles_per_claim(problem, kernel_plan.tiles)),
      is_long_(shares(problem) > 100),
      is_brief_(fits_brief(problem, isa.isa)) {
  const Activation& activation = layer_->spec().activation;
  const Range range = clamp_range(activation);
  args_.problem = &problem_;
  args_.plan = &kernel_plan_;
  args_.weights = weights_ ? weights_->data() : layer_->filter_;
  args_.bias = layer_->bias_.data();
  args_.slopes = layer_->slopes_.data();
  args_.lo = range.lo;
  args_.hi = range.hi;
  args_.clamps = is_clamp(activation.kind);
  args_.activate = activation.kind == ActivationKind::linear || args_.clamps ? nullptr : isa.activate;
  args_.activation = activation;
}

}  // namespace depthwise

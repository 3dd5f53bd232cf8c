#include "layer.h"

#include <algorithm>

#include "plan.h"

namespace depthwise {
namespace {

int64_t filter_floats(const LayerSpec& spec) {
  return spec.filter_h * spec.filter_w * spec.in_c_per_group * spec.out_c;
}

AlignedBuffer padded_channels(const float* values, int64_t channels) {
  AlignedBuffer buffer(channels + kChannelPad);
  float* end = buffer.data();
  if (values) end = std::copy_n(values, channels, end);
  std::fill(end, buffer.data() + buffer.size(), 0.0f);
  return buffer;
}

FilterView view(const LayerSpec& spec, const float* filter) {
  if (spec.filter_layout == FilterLayout::hwio) {
    const int64_t tap = spec.in_c_per_group * spec.out_c;
    return {filter, 1, spec.out_c, spec.filter_w * tap, tap};
  }
  const int64_t taps = spec.filter_h * spec.filter_w;
  return {filter, spec.in_c_per_group * taps, taps, spec.filter_w, 1};
}

}  // namespace

std::shared_ptr<Layer> Layer::create(const LayerSpec& spec, const float* filter, const float* bias, const float* slopes,
                                     FilterOwnership ownership) {
  std::shared_ptr<Layer> layer(new Layer(spec));
  layer->filter_ = filter;
  if (ownership == FilterOwnership::copy) {
    layer->owned_filter_ = AlignedBuffer(filter_floats(spec));
    std::copy_n(filter, filter_floats(spec), layer->owned_filter_.data());
    layer->filter_ = layer->owned_filter_.data();
  }
  layer->bias_ = padded_channels(bias, spec.out_c);
  if (slopes) layer->slopes_ = padded_channels(slopes, spec.out_c);
  return layer;
}

std::shared_ptr<const Plan> Layer::prepare(const Problem& problem, const IsaKernels& isa) {
  KernelPlan kernel_plan{};
  const KernelFamily* const* family = isa.families;
  while (!(*family)->plan(problem, kernel_plan)) {
    kernel_plan = {};
    ++family;
  }
  std::shared_ptr<const AlignedBuffer> weights;
  if (kernel_plan.packed_floats > 0) weights = packed(**family, problem, kernel_plan);
  return std::make_shared<const Plan>(shared_from_this(), problem, isa, **family, kernel_plan, std::move(weights));
}

// Packing runs under the lock: two threads that want the same packing at once would otherwise both make it.
std::shared_ptr<const AlignedBuffer> Layer::packed(const KernelFamily& family, const Problem& problem,
                                                   const KernelPlan& plan) {
  const std::lock_guard lock(mutex_);
  for (const Packing& known : packings_) {
    if (known.family == &family && known.groups == problem.groups && known.packing == plan.packing &&
        known.floats == plan.packed_floats) {
      return known.weights;
    }
  }
  auto weights = std::make_shared<AlignedBuffer>(plan.packed_floats);
  family.pack(problem, plan, view(spec_, filter_), weights->data());
  packings_.push_back({&family, problem.groups, plan.packing, plan.packed_floats, weights});
  return weights;
}

int64_t Layer::memory() const {
  const std::lock_guard lock(mutex_);
  int64_t floats = owned_filter_.size() + bias_.size() + slopes_.size();
  for (const Packing& packing : packings_) floats += packing.floats;
  return floats * static_cast<int64_t>(sizeof(float));
}

}  // namespace depthwise

#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"
#include "registry.h"

namespace depthwise {

class Plan;

// What a convolution knows before it sees an input: the filter's shape and the activation.
struct LayerSpec {
  int64_t filter_h, filter_w;
  int64_t in_c_per_group, out_c, groups;
  FilterLayout filter_layout;
  Activation activation;
};

enum class FilterOwnership {
  copy,    // the layer reads the filter only within create
  borrow,  // the caller keeps the filter alive and unchanged until the last plan of the layer is gone
};

// The weights of one convolution. Immutable but for a cache of packings; shared by the plans made of it,
// which keep it alive. All functions may be called from any thread.
class Layer : public std::enable_shared_from_this<Layer> {
 public:
  // bias and slopes (prelu's alpha) are out_c floats or null, always copied. Throws std::bad_alloc.
  static std::shared_ptr<Layer> create(const LayerSpec& spec, const float* filter, const float* bias,
                                       const float* slopes, FilterOwnership ownership);

  const LayerSpec& spec() const { return spec_; }

  // Picks a kernel for the problem, which must have passed check() and match the spec, and packs the
  // weights for it unless an earlier plan did. Throws std::bad_alloc.
  std::shared_ptr<const Plan> prepare(const Problem& problem, const IsaKernels& isa);

  // Bytes of native memory that the layer holds now: filter, bias, slopes and packings.
  int64_t memory() const;

 private:
  friend class Plan;

  struct Packing {
    const KernelFamily* family;
    int64_t groups;  // a depthwise oihw filter fits inputs of different channels, hence of different groups
    int64_t packing, floats;
    std::shared_ptr<const AlignedBuffer> weights;
  };

  explicit Layer(const LayerSpec& spec) : spec_(spec) {}
  std::shared_ptr<const AlignedBuffer> packed(const KernelFamily& family, const Problem& problem,
                                              const KernelPlan& plan);

  const LayerSpec spec_;
  AlignedBuffer owned_filter_;
  const float* filter_ = nullptr;
  AlignedBuffer bias_, slopes_;
  mutable std::mutex mutex_;
  std::vector<Packing> packings_;  // a handful at most: one per family that some input's size chose
};

}  // namespace depthwise

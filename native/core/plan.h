#pragma once

#include <memory>

#include "layer.h"

namespace depthwise {

// One convolution over inputs of one size, decided: kernel, tiles, packed weights. Immutable; any number
// of threads may run tiles of it at once, over the same or other arrays.
class Plan {
 public:
  Plan(std::shared_ptr<const Layer> layer, const Problem& problem, const IsaKernels& isa, const KernelFamily& family,
       const KernelPlan& kernel_plan, std::shared_ptr<const AlignedBuffer> weights);
  Plan(const Plan&) = delete;  // args_ points into the object
  Plan& operator=(const Plan&) = delete;

  const Problem& problem() const { return problem_; }
  const char* kernel() const { return kernel_plan_.kernel; }
  const char* isa() const { return isa_.name; }
  int64_t tiles() const { return kernel_plan_.tiles; }
  int64_t scratch_floats() const { return kernel_plan_.scratch_floats; }

  // How many threads this much work is worth: waking one costs more than a small layer.
  int max_threads() const { return max_threads_; }

  // How many tiles a thread should claim at once: several where one is too little work to be claimed on its own.
  int64_t grain() const { return grain_; }

  // Whether a thread takes more than about a millisecond for it: long enough to look up from the work now and then.
  bool is_long() const { return is_long_; }

  // Whether a thread is expected to take no longer for it than some 100 us, which is what handing it to others costs.
  bool is_brief() const { return is_brief_; }

  // What run_tile is going to write, where a kernel would wait for it to come from memory; else no runs.
  OutputRuns outputs(const float* input, int64_t tile) const noexcept {
    return family_.outputs ? family_.outputs(args_, input, tile) : OutputRuns();
  }

  // Writes the outputs of one tile. input and output hold input_floats(problem()) and
  // output_floats(problem()) floats and don't overlap; scratch holds scratch_floats(), 64-byte aligned,
  // and belongs to this call alone.
  void run_tile(const float* input, float* output, int64_t tile, float* scratch) const noexcept {
    family_.run(args_, input, output, tile, scratch);
  }

 private:
  const std::shared_ptr<const Layer> layer_;
  const Problem problem_;
  const IsaKernels& isa_;
  const KernelFamily& family_;
  const KernelPlan kernel_plan_;
  const std::shared_ptr<const AlignedBuffer> weights_;
  const int max_threads_;
  const int64_t grain_;
  const bool is_long_;
  const bool is_brief_;
  KernelArgs args_;
};

}  // namespace depthwise

#pragma once

#include "fresh_output.h"
#include "plan.h"
#include "thread_pool.h"

namespace depthwise {

// A plan over its arrays, as the thread pool takes it. Outlives the work made of it.
struct Execution {
  const Plan* plan;
  const float* input;
  float* output;
  bool is_fresh = false;  // the output's memory is new to this call

  TileWork work() const {
    return {[](const void* context, int64_t tile, float* scratch) {
              const auto& self = *static_cast<const Execution*>(context);
              if (self.is_fresh) claim_outputs(self.output, self.plan->outputs(self.input, tile));
              self.plan->run_tile(self.input, self.output, tile, scratch);
            },
            this,
            plan->tiles(),
            plan->grain(),
            plan->scratch_floats(),
            plan->max_threads()};
  }
};

}  // namespace depthwise

#include "partition.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <queue>

#include "clock.h"
#include "core/aligned_buffer.h"
#include "ours.h"
#include "tensors.h"

namespace bench {
namespace {

constexpr int kThreads[] = {2, 4, 8, 16, 32, 64};
constexpr int kRepeats = 5;

// Microseconds of each claim, the fastest of a few.
std::vector<double> time_claims(const depthwise::Plan& plan, const float* input, float* output) {
  depthwise::AlignedBuffer scratch(plan.scratch_floats());
  const int64_t grain = plan.grain();
  std::vector<double> claims((plan.tiles() + grain - 1) / grain, 1e30);
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    for (size_t claim = 0; claim < claims.size(); ++claim) {
      const int64_t first = static_cast<int64_t>(claim) * grain;
      const double start = now_us();
      for (int64_t tile = first; tile < std::min(first + grain, plan.tiles()); ++tile) {
        plan.run_tile(input, output, tile, scratch.data());
      }
      claims[claim] = std::min(claims[claim], now_us() - start);
    }
  }
  return claims;
}

// When the last of `threads` is done, each taking the next claim as soon as it is free.
double makespan(const std::vector<double>& claims, int threads) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (int i = 0; i < threads; ++i) free_at.push(0);
  double end = 0;
  for (const double claim : claims) {
    const double done = free_at.top() + claim;
    free_at.pop();
    free_at.push(done);
    end = std::max(end, done);
  }
  return end;
}

}  // namespace

void print_partition(const std::vector<Workload>& workloads, const Options& options) {
  std::printf("speed-up over one thread if only the tiles' sizes limit it; 'most' is what the plan allows\n\n");
  std::printf("%-30s %-8s %-4s %9s %6s %5s ", "layer", "isa", "", "us", "claims", "most");
  for (const int threads : kThreads) std::printf(" %6d", threads);
  std::printf("\n");
  for (const auto& work : workloads) {
    const Tensors tensors(work, options.misalign);
    for (const auto& isa : options.isas) {
      for (const Layout layout : options.layouts) {
        const bool nhwc = layout == Layout::nhwc;
        const auto plan = prepare_plan(work, tensors, layout, options.algorithms.front(), isa);
        const auto claims = time_claims(*plan, (nhwc ? tensors.input_nhwc : tensors.input_nchw).data(),
                                        (nhwc ? tensors.output_nhwc : tensors.output_nchw).data());
        const double total = std::accumulate(claims.begin(), claims.end(), 0.0);
        std::printf("%-30s %-8s %-4s %9.1f %6zu %5d ", work.layer.c_str(), isa.c_str(), layout_name(layout), total,
                    claims.size(), plan->max_threads());
        for (const int threads : kThreads) {
          std::printf(" %6.1f", total / makespan(claims, std::min(threads, plan->max_threads())));
        }
        std::printf("\n");
      }
    }
  }
}

}  // namespace bench

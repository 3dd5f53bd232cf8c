#include "roofline.h"

#include <algorithm>

#include "core/problem_check.h"

namespace bench {
double roofline_us(const Machine& machine, const Workload& work, int threads) {
  const double bytes = depthwise::bytes(work);
  const double gbs = bytes <= machine.l1_bytes * threads   ? machine.l1_gbs * threads
                     : bytes <= machine.l2_bytes * threads ? machine.l2_gbs * threads
                     : bytes <= machine.l3_bytes           ? machine.l3_gbs * threads
                                                           : machine.dram_gbs;
  return std::max(depthwise::flops(work) / (machine.gflops * threads), bytes / gbs) * 1e-3;
}

}  // namespace bench

// The shortest time the machine allows for a layer.
#pragma once

#include "workload.h"

namespace bench {

// Rates of one core. The defaults are those of the Zen 4 on which the project's targets were set; FMAs run equally
// fast there with AVX2 and AVX-512.
struct Machine {
  double gflops = 118;
  double l1_gbs = 221, l2_gbs = 116, l3_gbs = 99, dram_gbs = 26;
  double l1_bytes = 32 << 10, l2_bytes = 1 << 20, l3_bytes = 32 << 20;
};

// Microseconds: the FMAs, or every byte once at the speed of the smallest cache that holds them all, whichever is
// longer. Threads multiply all rates but DRAM's.
double roofline_us(const Machine& machine, const Workload& work, int threads);

}  // namespace bench

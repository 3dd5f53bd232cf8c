// How fast the machine is just now. In a virtual machine clocks drift and neighbours use the shared cache: a row
// measured on a slow machine says less.
#pragma once

namespace bench {

struct Speed {
  double fma_gflops;  // of one core
  double l3_gbs;      // of one core that reads what fits in a fair share of the last-level cache, but not in its own
};

// Takes about a millisecond. Zeros where the CPU lacks AVX2.
Speed probe_speed();

Speed slower(const Speed& a, const Speed& b);

}  // namespace bench

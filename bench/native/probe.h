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

// Whether this thread's core is also another's just now: a hardware thread beside it, in a virtual machine often a
// neighbour's, leaves it fewer instructions a cycle. FMAs alone run at their full rate even so, but code that also
// loads, stores and counts is up to half slower, the denser the worse. Takes some microseconds.
bool core_is_shared();

}  // namespace bench

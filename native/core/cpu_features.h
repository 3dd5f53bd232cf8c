#pragma once

#include <cstdint>

namespace depthwise {

// Whether this CPU has the instructions and its operating system saves their registers.
bool cpu_has_avx2();    // AVX2 and FMA
bool cpu_has_avx512();  // AVX-512 F, BW, DQ and VL

// What orders of work are chosen by.
struct Caches {
  int64_t l2_bytes;      // of the second cache of a core; 1 MiB where the CPU doesn't say
  bool few_ways_thrash;  // whether lines of the first cache that share a set push each other out at a high price: not
                         // on Intel's CPUs
  int64_t l3_bytes = int64_t{32} << 20;  // of the third cache, which cores share; as here where the CPU doesn't say
};

Caches cpu_caches();
// For tests: what cpu_caches() answers from now on.
void assume_caches(const Caches& caches);

}  // namespace depthwise

// Layers whose arrays come from memory: what is ahead of a kernel is fetched meanwhile.
//
// The processor's own prefetching follows a few streams, and those of what is read. A kernel that shares what it reads
// among neighbouring rows and columns goes along many, and each of its stores waits for a line that is to be written.
// So lines are asked for in the order of their addresses, whatever the order in which the kernel uses them: memory is
// fastest that way. In layers that the third cache holds, asking takes more time than it saves.
#pragma once

#include "../core/cpu_features.h"
#include "../core/problem_check.h"
#include "../simd/simd.h"

namespace depthwise {
namespace {

// Measured on AMD's processors without AVX-512 (Zen 3) alone.
#if defined(DEPTHWISE_ISA_AVX2)
constexpr bool kFetchesAhead = true;
#else
constexpr bool kFetchesAhead = false;
#endif

constexpr int64_t kFloatsOfLine = 16;

// How far ahead of the next block of outputs, in floats.
constexpr int64_t kFloatsAhead = 1024;

// Whether input and output are larger than so many bytes of a cache.
inline bool arrays_exceed(const Problem& p, int64_t cache_bytes) {
  return input_floats(p) + output_floats(p) > cache_bytes / static_cast<int64_t>(sizeof(float));
}

// Whether the arrays come from memory: others have their share of the third cache.
inline bool comes_from_memory(const Problem& p) {
  return kFetchesAhead && cpu_caches().few_ways_thrash && arrays_exceed(p, cpu_caches().l3_bytes / 3);
}

template <int kLines>
DEPTHWISE_INLINE void fetch_lines(const float* from) {
  DEPTHWISE_UNROLL
  for (int64_t i = 0; i < kLines; ++i) prefetch_near(from + i * kFloatsOfLine);
}

}  // namespace
}  // namespace depthwise

#include "cpu_features.h"

#include <cstdint>

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#define DEPTHWISE_X86 1
#include <intrin.h>
#elif defined(__x86_64__) || defined(__i386__)
#define DEPTHWISE_X86 1
#include <cpuid.h>
#endif

namespace depthwise {

#if defined(DEPTHWISE_X86)

namespace {

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

// Zeros where the CPU doesn't know the leaf.
Registers cpuid(uint32_t leaf, uint32_t index = 0) {
  Registers r{};
#if defined(_MSC_VER)
  int values[4];
  __cpuid(values, static_cast<int>(leaf & 0x80000000));
  if (static_cast<uint32_t>(values[0]) < leaf) return r;
  __cpuidex(values, static_cast<int>(leaf), static_cast<int>(index));
  r = {static_cast<uint32_t>(values[0]), static_cast<uint32_t>(values[1]), static_cast<uint32_t>(values[2]),
       static_cast<uint32_t>(values[3])};
#else
  __get_cpuid_count(leaf, index, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

bool bit(uint32_t word, int index) { return (word >> index & 1) != 0; }

// The state components that the operating system saves for each thread (XCR0). A CPU may have AVX-512
// and its hypervisor or kernel not: then the instructions trap.
uint64_t saved_states() {
  constexpr int kOsxsave = 27;
  if (!bit(cpuid(1).ecx, kOsxsave)) return 0;
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

constexpr uint64_t kYmmStates = 0x06;  // XMM and the upper halves of YMM
constexpr uint64_t kZmmStates = 0xe6;  // those, the mask registers, the upper halves of ZMM, ZMM16 to 31

bool saves(uint64_t states) { return (saved_states() & states) == states; }

bool is_intel() {
  const Registers r = cpuid(0);
  return r.ebx == 0x756e6547 && r.edx == 0x49656e69 && r.ecx == 0x6c65746e;  // "Genu", "ineI", "ntel"
}

// Leaf 4 of Intel's CPUs and leaf 0x8000001d of AMD's list the caches in the same form. 0 where there is none.
int64_t cache_bytes(uint32_t wanted_level) {
  constexpr uint32_t kLeaves[] = {0x4, 0x8000001d};
  for (const uint32_t leaf : kLeaves) {
    for (uint32_t index = 0;; ++index) {
      const Registers r = cpuid(leaf, index);
      const uint32_t kind = r.eax & 31, level = r.eax >> 5 & 7;
      if (kind == 0) break;
      if (level != wanted_level) continue;
      const int64_t ways = (r.ebx >> 22) + 1, partitions = (r.ebx >> 12 & 1023) + 1, line = (r.ebx & 4095) + 1;
      return ways * partitions * line * (static_cast<int64_t>(r.ecx) + 1);
    }
  }
  return 0;
}

Caches read_caches() {
  Caches caches = {int64_t{1} << 20, !is_intel()};
  if (const int64_t bytes = cache_bytes(2); bytes > 0) caches.l2_bytes = bytes;
  if (const int64_t bytes = cache_bytes(3); bytes > 0) caches.l3_bytes = bytes;
  return caches;
}

}  // namespace

bool cpu_has_avx2() {
  constexpr int kFma = 12, kAvx = 28, kAvx2 = 5;
  const uint32_t ecx = cpuid(1).ecx;
  return bit(ecx, kFma) && bit(ecx, kAvx) && bit(cpuid(7).ebx, kAvx2) && saves(kYmmStates);
}

bool cpu_has_avx512() {
  constexpr int kF = 16, kDq = 17, kBw = 30, kVl = 31;
  const uint32_t ebx = cpuid(7).ebx;
  return cpu_has_avx2() && bit(ebx, kF) && bit(ebx, kDq) && bit(ebx, kBw) && bit(ebx, kVl) && saves(kZmmStates);
}

#else

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }

namespace {

Caches read_caches() { return {int64_t{1} << 20, true}; }

}  // namespace

#endif

namespace {

Caches& caches() {
  static Caches caches = read_caches();
  return caches;
}

}  // namespace

Caches cpu_caches() { return caches(); }
void assume_caches(const Caches& assumed) { caches() = assumed; }

}  // namespace depthwise

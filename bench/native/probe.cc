#include "probe.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "clock.h"

namespace bench {
namespace {

#define BENCH_FMA(sum) sum = _mm256_fmadd_ps(sum, factor, term)

// Ten independent chains hide an FMA's latency of four cycles on two ports. The barrier keeps the compiler from
// seeing through the loop.
__attribute__((target("avx2,fma"))) double run_fmas(int64_t iterations) {
  const __m256 factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
  __m256 a = term, b = term, c = term, d = term, e = term, f = term, g = term, h = term, i = term, j = term;
  for (int64_t n = 0; n < iterations; ++n) {
    BENCH_FMA(a), BENCH_FMA(b), BENCH_FMA(c), BENCH_FMA(d), BENCH_FMA(e);
    BENCH_FMA(f), BENCH_FMA(g), BENCH_FMA(h), BENCH_FMA(i), BENCH_FMA(j);
    asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j));
  }
  return 10.0 * 8 * 2 * iterations;
}

#undef BENCH_FMA

__attribute__((target("avx2"))) double read(const std::vector<float>& data) {
  const float* end = data.data() + data.size();
  for (const float* p = data.data(); p < end; p += 16) {
    asm volatile("" ::"x"(_mm256_loadu_ps(p)), "x"(_mm256_loadu_ps(p + 8)));
  }
  return 4.0 * data.size();
}

// The best of a few: a single interruption doesn't count, a slow machine does. The work returns how much it did.
template <typename Work>
double best_rate(const Work& work) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double start = now_us();
    const double done = work();
    best = std::max(best, done / (now_us() - start) * 1e-3);
  }
  return best;
}

// Microseconds for some thousands of instructions of which a core to itself issues as many a cycle as it can.
double time_dense_code() {
  const double start = now_us();
  for (int i = 0; i < 400; ++i) {
    asm volatile(".rept 4\n add $1, %%eax\n nop\n add $1, %%ecx\n add $1, %%edx\n add $1, %%esi\n nop\n .endr" ::
                     : "eax", "ecx", "edx", "esi", "cc");
  }
  return now_us() - start;
}

}  // namespace

bool core_is_shared() {
  // Of two, so that an interrupt doesn't count.
  const auto probe = [] { return std::min(time_dense_code(), time_dense_code()); };
  static double fastest = [&] {
    double best = probe();
    for (int i = 0; i < 10'000; ++i) best = std::min(best, probe());
    return best;
  }();
  const double now = probe();
  fastest = std::min(fastest, now);
  return now > 1.08 * fastest;
}

Speed probe_speed() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return {0, 0};
  static const std::vector<float> data(1 << 20, 1.0f);  // 4 MiB
  return {best_rate([] { return run_fmas(20'000); }), best_rate([] { return read(data); })};
}

Speed slower(const Speed& a, const Speed& b) {
  return {std::min(a.fma_gflops, b.fma_gflops), std::min(a.l3_gbs, b.l3_gbs)};
}

}  // namespace bench

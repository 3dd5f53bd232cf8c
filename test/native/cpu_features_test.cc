#include "core/cpu_features.h"

#include <doctest/doctest.h>

#include "core/registry.h"

namespace depthwise {

#if defined(__GNUC__) && defined(__x86_64__)
// The compiler's own detection reads XGETBV as well.
TEST_CASE("cpu features agree with the compiler's") {
  CHECK(cpu_has_avx2() == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
  CHECK(cpu_has_avx512() == (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")));
}
#endif

#if defined(__aarch64__)
TEST_CASE("every AArch64 CPU has Neon") {
  REQUIRE(available_isas().size() == 2);
  CHECK(available_isas()[0]->isa == Isa::neon);
  CHECK(available_isas()[1]->isa == Isa::portable);
}
#else
TEST_CASE("other architectures have no Neon") { CHECK(find_isa("neon") == nullptr); }
#endif

TEST_CASE("the second cache is of a size that caches have") {
  CHECK(cpu_caches().l2_bytes >= 64 << 10);
  CHECK(cpu_caches().l2_bytes <= 256 << 20);
}

TEST_CASE("avx512 implies avx2") { CHECK((cpu_has_avx2() || !cpu_has_avx512())); }

}  // namespace depthwise

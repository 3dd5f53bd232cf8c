#include "registry.h"

#include "cpu_features.h"

namespace depthwise {

// One line per family, in the order of preference: each is more general than those above it.
#define DEPTHWISE_FAMILIES(X, isa)    \
  X(depthwise_whole, isa)             \
  X(depthwise_few_channels_nhwc, isa) \
  X(depthwise_multiplier_nhwc, isa)   \
  X(depthwise_nhwc, isa)              \
  X(depthwise_nchw, isa)              \
  X(pointwise_nchw, isa)              \
  X(winograd, isa)                    \
  X(grouped_nchw, isa)                \
  X(grouped_dot, isa)                 \
  X(grouped_small, isa)               \
  X(dense, isa)                       \
  X(generic, isa)

#define DEPTHWISE_DECLARE(family, isa) extern const KernelFamily family##_##isa;
#define DEPTHWISE_ENTRY(family, isa) &family##_##isa,
#define DEPTHWISE_DECLARE_ISA(isa)                                                                 \
  DEPTHWISE_FAMILIES(DEPTHWISE_DECLARE, isa)                                                       \
  extern const ActivateFn activation_##isa;                                                        \
  namespace {                                                                                      \
  const KernelFamily* const families_##isa[] = {DEPTHWISE_FAMILIES(DEPTHWISE_ENTRY, isa) nullptr}; \
  }

#if defined(DEPTHWISE_HAS_AVX512)
DEPTHWISE_DECLARE_ISA(avx512)
#endif
#if defined(DEPTHWISE_HAS_AVX2)
DEPTHWISE_DECLARE_ISA(avx2)
#endif
#if defined(DEPTHWISE_HAS_NEON)
DEPTHWISE_DECLARE_ISA(neon)
#endif
DEPTHWISE_DECLARE_ISA(portable)

namespace {

// Neon is to AArch64 what the portable kernels' flags are to any target: its baseline.
bool part_of_every_cpu() { return true; }

// Best first. The activation functions are reached through pointers to constants of other objects, which
// static initialisation may not have read yet: hence a function.
std::vector<IsaKernels> compiled_isas() {
  return {
#if defined(DEPTHWISE_HAS_AVX512)
      {Isa::avx512, "avx512", cpu_has_avx512, families_avx512, activation_avx512},
#endif
#if defined(DEPTHWISE_HAS_AVX2)
      {Isa::avx2, "avx2", cpu_has_avx2, families_avx2, activation_avx2},
#endif
#if defined(DEPTHWISE_HAS_NEON)
      {Isa::neon, "neon", part_of_every_cpu, families_neon, activation_neon},
#endif
      {Isa::portable, "portable", part_of_every_cpu, families_portable, activation_portable},
  };
}

}  // namespace

const std::vector<const IsaKernels*>& available_isas() {
  static const std::vector<IsaKernels> compiled = compiled_isas();
  static const std::vector<const IsaKernels*> available = [] {
    std::vector<const IsaKernels*> list;
    for (const IsaKernels& isa : compiled) {
      if (isa.supported()) list.push_back(&isa);
    }
    return list;
  }();
  return available;
}

const IsaKernels* find_isa(std::string_view name) {
  for (const IsaKernels* isa : available_isas()) {
    if (name == isa->name) return isa;
  }
  return nullptr;
}

}  // namespace depthwise

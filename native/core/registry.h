#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernel.h"

namespace depthwise {

enum class Isa { avx512, avx2, neon, portable };

// The kernels compiled for one instruction set. `families` ends with a null pointer; the first that
// accepts a problem runs it, and the last accepts every problem.
struct IsaKernels {
  Isa isa;
  const char* name;
  bool (*supported)();  // by this CPU and its operating system
  const KernelFamily* const* families;
  ActivateFn activate;
};

// What was compiled in and this machine can run, best first; never empty.
const std::vector<const IsaKernels*>& available_isas();

// Null where `name` is unknown or can't run here.
const IsaKernels* find_isa(std::string_view name);

}  // namespace depthwise

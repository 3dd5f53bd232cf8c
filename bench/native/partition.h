// How well a layer's tiles would keep more threads busy than this machine has cores.
#pragma once

#include <vector>

#include "options.h"
#include "workload.h"

namespace bench {

// Times every claim of tiles alone on one thread, then lets simulated threads take them in order, as the pool's do,
// and prints the speed-up that is left. Caches, memory bandwidth and waking threads are not simulated.
void print_partition(const std::vector<Workload>& workloads, const Options& options);

}  // namespace bench

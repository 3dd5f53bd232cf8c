#pragma once

#include <cstdint>

namespace depthwise {

// The CPU that the calling thread is on, as a bit. 0 where the system doesn't tell, and for those beyond the 64th.
uint64_t current_cpu();

// Moves the calling thread to a CPU that it may use and that is not among `taken`, if there is one and the process may
// ask for that. It may go elsewhere again: nothing is pinned. For a thread that would otherwise wait for those it works
// with: schedulers leave two threads that make room for each other on one CPU for seconds, though others are idle.
void leave_cpus(uint64_t taken);

}  // namespace depthwise

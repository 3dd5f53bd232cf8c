#include "cpu_placement.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace depthwise {

#if defined(__linux__)

int current_cpu() { return sched_getcpu(); }

void leave_cpu(int cpu) {
  cpu_set_t allowed;  // the call fails where there are more CPUs than this holds
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) == 0) return;
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

#else

int current_cpu() { return -1; }
void leave_cpu(int) {}

#endif

}  // namespace depthwise

#include "cpu_placement.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/prctl.h>
#endif

namespace depthwise {

#if defined(__linux__)

uint64_t current_cpu() {
  const int cpu = sched_getcpu();
  return cpu >= 0 && cpu < 64 ? uint64_t{1} << cpu : 0;
}

void leave_cpus(uint64_t taken) {
  // A filter may end the process for asking; services that systemd hardens often have such a one. Making room is never
  // forbidden, and often has the same effect.
  if (prctl(PR_GET_SECCOMP) != 0) {
    sched_yield();
    return;
  }
  cpu_set_t allowed;  // the call fails where there are more CPUs than this holds
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  for (int cpu = 0; cpu < 64; ++cpu) {
    if ((taken >> cpu & 1) != 0) CPU_CLR(cpu, &others);
  }
  if (CPU_COUNT(&others) == 0) return;
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

#else

uint64_t current_cpu() { return 0; }
void leave_cpus(uint64_t) {}

#endif

}  // namespace depthwise

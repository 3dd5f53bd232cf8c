#include "core/cpu_placement.h"

#include <doctest/doctest.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <thread>

namespace depthwise {
namespace {

cpu_set_t allowed_cpus() {
  cpu_set_t allowed;
  REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  return allowed;
}

}  // namespace

// In threads of their own: none of this is to last.
TEST_CASE("cpu placement: a thread leaves its CPU and may use all that it might before") {
  std::thread([] {
    const cpu_set_t before = allowed_cpus();
    for (int i = 0; i < 100; ++i) {
      const uint64_t cpu = current_cpu();
      leave_cpus(cpu);
      const cpu_set_t after = allowed_cpus();
      CHECK(CPU_EQUAL(&before, &after));
    }
  }).join();
}

TEST_CASE("cpu placement: a thread that may use no other CPU stays") {
  std::thread([] {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(sched_getcpu(), &only);
    REQUIRE(sched_setaffinity(0, sizeof only, &only) == 0);
    const uint64_t cpu = current_cpu();
    leave_cpus(cpu);
    leave_cpus(~uint64_t{0});
    CHECK(current_cpu() == cpu);
    const cpu_set_t after = allowed_cpus();
    CHECK(CPU_EQUAL(&only, &after));
  }).join();
}

TEST_CASE("cpu placement: under a filter that ends processes for it, nothing is asked for") {
  std::thread([] {
    sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sched_setaffinity, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter = {4, instructions};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
      MESSAGE("no filters here");
      return;
    }
    leave_cpus(current_cpu());
    leave_cpus(~uint64_t{0});
    CHECK(prctl(PR_GET_SECCOMP) == 2);
  }).join();
}

}  // namespace depthwise
#endif

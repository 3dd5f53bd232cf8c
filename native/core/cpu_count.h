#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace depthwise {

// How many threads this process should use: the CPUs that it may run on, by its affinity mask, and no more than
// its control group's quota, rounded up. At least 1.
int default_threads();

// The parts of it, apart from where they are read, for tests.
namespace cpu_count {

// cgroup v2's cpu.max: "max 100000" (no limit: empty) or "150000 100000" (1.5 CPUs). Empty for anything else.
std::optional<double> parse_cpu_max(std::string_view text);

// cgroup v1's cpu.cfs_quota_us ("-1": no limit) and cpu.cfs_period_us.
std::optional<double> parse_cfs(std::string_view quota, std::string_view period);

// The path of this process's group in /proc/self/cgroup: of the v2 hierarchy where `controller` is empty, else of
// the v1 hierarchy with that controller. Empty if there is none.
std::optional<std::string> group_path(std::string_view proc_self_cgroup, std::string_view controller);

// The smallest quota of the group and of those it lies in, in CPUs; `root` is put before every path that is read.
std::optional<double> cgroup_limit(const std::string& root);

}  // namespace cpu_count

}  // namespace depthwise

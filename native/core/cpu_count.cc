#include "cpu_count.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace depthwise {
namespace cpu_count {
namespace {

// The next of the fields that `separator` parts, taken off `text`.
std::string_view take_field(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view field = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return field;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

std::optional<int64_t> parse_positive(std::string_view text) {
  text = trim(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const std::optional<int64_t> numerator = parse_positive(quota), denominator = parse_positive(period);
  if (!numerator || !denominator) return std::nullopt;
  return static_cast<double>(*numerator) / static_cast<double>(*denominator);
}

// Not a std::ifstream: prebuilt addons carry their C++ library, and streams bring all its locales along.
std::optional<std::string> read(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (!file) return std::nullopt;
  std::string text;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, count);
  std::fclose(file);
  return text;
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// limit_of(directory) for the group at `path` below `mount` and for every group around it. In a container the
// path may be the host's and not exist: then only the mount itself, the container's own group, is found.
template <typename LimitOf>
std::optional<double> smallest_limit(const std::string& mount, std::string path, LimitOf limit_of) {
  std::optional<double> limit = limit_of(mount);
  while (path.size() > 1) {
    limit = smaller(limit, limit_of(mount + path));
    path.resize(path.rfind('/'));
  }
  return limit;
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view text) {
  const std::string_view quota = take_field(text, ' ');
  return ratio(quota, text);
}

std::optional<double> parse_cfs(std::string_view quota, std::string_view period) { return ratio(quota, period); }

// Lines like "4:cpu,cpuacct:/docker/abc" (v1) and "0::/user.slice" (v2).
std::optional<std::string> group_path(std::string_view proc_self_cgroup, std::string_view controller) {
  while (!proc_self_cgroup.empty()) {
    std::string_view line = take_field(proc_self_cgroup, '\n');
    take_field(line, ':');
    std::string_view controllers = take_field(line, ':');
    if (line.empty() || line.front() != '/') continue;
    if (controllers.empty() && controller.empty()) return std::string(line);
    while (!controllers.empty()) {
      if (take_field(controllers, ',') == controller) return std::string(line);
    }
  }
  return std::nullopt;
}

std::optional<double> cgroup_limit(const std::string& root) {
  const std::optional<std::string> groups = read(root + "/proc/self/cgroup");
  if (!groups) return std::nullopt;

  std::optional<double> limit;
  if (const std::optional<std::string> path = group_path(*groups, "")) {
    limit = smallest_limit(root + "/sys/fs/cgroup", *path, [](const std::string& directory) {
      const std::optional<std::string> text = read(directory + "/cpu.max");
      return text ? parse_cpu_max(*text) : std::nullopt;
    });
  }
  if (const std::optional<std::string> path = group_path(*groups, "cpu")) {
    for (const char* mount : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}) {
      limit = smaller(limit, smallest_limit(root + mount, *path, [](const std::string& directory) {
                        const std::optional<std::string> quota = read(directory + "/cpu.cfs_quota_us");
                        const std::optional<std::string> period = read(directory + "/cpu.cfs_period_us");
                        return quota && period ? parse_cfs(*quota, *period) : std::nullopt;
                      }));
    }
  }
  return limit;
}

}  // namespace cpu_count

namespace {

int allowed_cpus() {
#if defined(__linux__)
  // The mask is as long as the kernel's, which may be longer than cpu_set_t.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, size, set) == 0;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (known) return count;
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int default_threads() {
  double threads = allowed_cpus();
#if defined(__linux__)
  if (const std::optional<double> limit = cpu_count::cgroup_limit("")) threads = std::min(threads, std::ceil(*limit));
#endif
  return std::max(1, static_cast<int>(threads));
}

}  // namespace depthwise

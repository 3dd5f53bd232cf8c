#include "core/cpu_count.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>

#if defined(__linux__)
#include <sched.h>

#include <thread>
#endif

namespace depthwise::cpu_count {
namespace {

// A directory that holds the files a kernel would show.
class FakeRoot {
 public:
  explicit FakeRoot(std::initializer_list<std::pair<const char*, const char*>> files) {
    char name[] = "/tmp/depthwise-cgroup-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
    for (const auto& [path, text] : files) {
      const std::filesystem::path file = root_ + path;
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() { std::filesystem::remove_all(root_); }

  std::optional<double> limit() const { return cgroup_limit(root_); }

 private:
  std::string root_;
};

}  // namespace

TEST_CASE("cpu.max") {
  CHECK(parse_cpu_max("150000 100000\n") == 1.5);
  CHECK(parse_cpu_max("50000 100000") == 0.5);
  for (const char* none : {"max 100000\n", "max", "", "abc 100000", "100000", "100000 0", "-5 100000", "1x 2"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_cpu_max(none).has_value());
  }
}

TEST_CASE("cfs quota and period") {
  CHECK(parse_cfs("200000\n", "100000\n") == 2.0);
  CHECK_FALSE(parse_cfs("-1\n", "100000\n").has_value());
  CHECK_FALSE(parse_cfs("200000", "").has_value());
}

TEST_CASE("the group's path") {
  const char* hybrid = "12:memory:/docker/m\n4:cpu,cpuacct:/docker/c\n1:name=systemd:/docker/s\n0::/docker/u\n";
  CHECK(group_path(hybrid, "cpu") == "/docker/c");
  CHECK(group_path(hybrid, "cpuacct") == "/docker/c");
  CHECK(group_path(hybrid, "") == "/docker/u");
  CHECK_FALSE(group_path(hybrid, "cpuset").has_value());
  CHECK(group_path("0::/\n", "") == "/");
  CHECK(group_path("0::/a:b\n", "") == "/a:b");
  for (const char* none : {"", "\n", "nonsense", "0::", "a:b"}) CHECK_FALSE(group_path(none, "").has_value());
}

TEST_CASE("v2: the smallest quota of the group and those around it") {
  const FakeRoot root({{"/proc/self/cgroup", "0::/kube/pod/app\n"},
                       {"/sys/fs/cgroup/kube/cpu.max", "max 100000\n"},
                       {"/sys/fs/cgroup/kube/pod/cpu.max", "250000 100000\n"},
                       {"/sys/fs/cgroup/kube/pod/app/cpu.max", "400000 100000\n"}});
  CHECK(root.limit() == 2.5);
}

TEST_CASE("v2: a container whose mount is its own group, under the host's path or none") {
  CHECK(FakeRoot({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "150000 100000\n"}}).limit() == 1.5);
  CHECK(FakeRoot({{"/proc/self/cgroup", "0::/../../host/path\n"}, {"/sys/fs/cgroup/cpu.max", "300000 100000\n"}})
            .limit() == 3.0);
}

TEST_CASE("v1") {
  const FakeRoot root({{"/proc/self/cgroup", "3:cpu,cpuacct:/docker/abc\n1:memory:/docker/abc\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n"}});
  CHECK(root.limit() == 0.5);
}

TEST_CASE("no control groups, or none with a limit") {
  CHECK_FALSE(FakeRoot({}).limit().has_value());
  CHECK_FALSE(FakeRoot({{"/proc/self/cgroup", "0::/user\n"}}).limit().has_value());
}

#if defined(__linux__)
TEST_CASE("the default respects affinity") {
  const int before = default_threads();
  CHECK(before >= 1);
  std::thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(default_threads() == 1);
  }).join();
  CHECK(default_threads() == before);
}
#endif

}  // namespace depthwise::cpu_count

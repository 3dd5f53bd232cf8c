#include "measure.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>

#include "clock.h"
#include "probe.h"

namespace bench {
namespace {

bool sleeps(const std::string& thread) {
  std::ifstream file("/proc/self/task/" + thread + "/stat");
  std::string stat;
  std::getline(file, stat);
  const auto end_of_name = stat.rfind(')');
  return end_of_name == std::string::npos || stat[end_of_name + 2] != 'R';
}

// Pools spin for milliseconds after their last call, on the cores the next competitor needs. Returns once all threads
// but this one sleep, or after a tenth of a second.
void wait_for_idle_threads() {
  const std::string self = std::to_string(syscall(SYS_gettid));
  const double deadline = now_us() + 100'000;
  while (now_us() < deadline) {
    bool idle = true;
    DIR* tasks = opendir("/proc/self/task");
    if (!tasks) return;
    while (const dirent* task = readdir(tasks)) {
      const std::string name = task->d_name;
      if (name[0] != '.' && name != self && !sleeps(name)) idle = false;
    }
    closedir(tasks);
    if (idle) return;
  }
}

double time_calls(const std::function<void()>& call, int64_t count) {
  const double start = now_us();
  for (int64_t i = 0; i < count; ++i) call();
  return (now_us() - start) / count;
}

// One call's, by whether it had the core to itself.
struct Samples {
  std::vector<double> alone, shared;
};

Timing summary(std::vector<double> times, bool shared) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double quantile) {
    const double position = quantile * (times.size() - 1);
    const size_t below = static_cast<size_t>(position);
    const size_t above = std::min(below + 1, times.size() - 1);
    return times[below] + (position - below) * (times[above] - times[below]);
  };
  return {at(0.5), at(0.25), at(0.75), shared};
}

}  // namespace

std::vector<Timing> measure(const std::vector<std::function<void()>>& calls, const Effort& effort) {
  std::vector<int64_t> counts;
  double slowest = 0;
  for (const auto& call : calls) {
    wait_for_idle_threads();
    call();
    const double estimate = std::max(time_calls(call, 1), 0.05);
    counts.push_back(std::max<int64_t>(1, std::llround(effort.round_us / estimate)));
    slowest = std::max(slowest, estimate);
  }
  const int affordable = static_cast<int>(effort.budget_us / (2 * slowest));  // twice: each round warms up first
  const int rounds = std::clamp(affordable, kFewestRounds, effort.rounds);

  double patience = effort.patience_us;
  const auto wait_for_own_core = [&patience] {
    const double start = now_us();
    while (core_is_shared()) {
      if (now_us() - start > patience) break;
    }
    patience -= now_us() - start;
  };
  std::vector<Samples> samples(calls.size());
  const auto all_have = [&samples](int count) {
    return std::all_of(samples.begin(), samples.end(),
                       [&](const Samples& each) { return static_cast<int>(each.alone.size()) >= count; });
  };
  for (int round = 0; round < 2 * rounds && !all_have(rounds); ++round) {
    for (size_t i = 0; i < calls.size(); ++i) {
      wait_for_idle_threads();
      wait_for_own_core();
      calls[i]();
      const double us = time_calls(calls[i], counts[i]);
      (core_is_shared() ? samples[i].shared : samples[i].alone).push_back(us);
    }
  }
  const bool shared = !all_have(kFewestRounds);
  std::vector<Timing> result;
  for (Samples& each : samples) {
    std::vector<double>& times = each.alone;
    if (shared) times.insert(times.end(), each.shared.begin(), each.shared.end());
    result.push_back(summary(std::move(times), shared));
  }
  return result;
}

}  // namespace bench

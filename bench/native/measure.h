// Interleaved timing: what disturbs the machine disturbs all competitors alike.
#pragma once

#include <functional>
#include <vector>

namespace bench {

struct Timing {
  double median, lower, upper;  // µs a call; the quartiles around the median
  bool shared;                  // whether the core was another's, too, at times that count
};

struct Effort {
  int rounds;
  double round_us;     // how long one competitor runs in one round, at least one call
  double budget_us;    // a slow competitor's rounds are cut to this in all, but not below kFewestRounds
  double patience_us;  // how long to wait, in all, for a core that is nobody else's
};

constexpr Effort kThorough{25, 2'000, 500'000, 1'000'000};
constexpr Effort kQuick{9, 700, 60'000, 250'000};
constexpr int kFewestRounds = 5;

// Each round runs every call in turn: once unmeasured, so that its own data is in the caches, then a number of times.
// What is measured while core_is_shared() is left out, and there are up to twice the rounds to make up for it. Where
// less than kFewestRounds of one call are left, all rounds of all calls count.
std::vector<Timing> measure(const std::vector<std::function<void()>>& calls, const Effort& effort);

}  // namespace bench

// What was measured, as a table for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "competitor.h"
#include "measure.h"
#include "probe.h"

namespace bench {

struct Result {
  std::string library{};  // "ours", "onednn", "xnnpack"
  std::string isa{};      // ours only
  Layout layout{};
  depthwise::Algorithm algorithm{};  // asked of ours
  std::string kernel{};
  std::string refused{};  // why there is no timing, or ""
  double error = 0;       // in units of Reference's bound
  Timing timing{};

  bool wrong() const { return refused.empty() && !(error <= 1); }
};

// One layer at one number of threads.
struct Row {
  const Workload* work;
  int threads;
  Speed speed;  // the slower of just before and just after
  double roofline_us;
  std::vector<Result> results;

  // The fastest peer whose arrays are plain nhwc or nchw; null without peers.
  const Result* best_plain_peer() const;
};

void print_header();
void print_row(const Row& row);
void print_summary(const std::vector<Row>& rows);
std::string to_json(const Row& row);  // without a line break

}  // namespace bench

// The layers to measure, as ../layers.txt lists them.
#pragma once

#include <string>
#include <vector>

#include "core/problem.h"

namespace bench {

struct Workload : depthwise::Problem {
  std::string layer;  // as it stands in the file; the row's name
  std::string kind, used_by;
  int64_t pad_bottom, pad_right;
  double newer_onednn;  // time of oneDNN 3.13 over that of 2.6, nhwc; NaN where it is not known

  int64_t in_per_group() const { return in_c / groups; }
  int64_t out_per_group() const { return out_c / groups; }
};

// Reads one layer in the notation that the head of ../layers.txt explains. Throws std::runtime_error.
Workload parse_layer(const std::string& layer);

// Throws std::runtime_error with the line where the file can't be read as described in its own head.
std::vector<Workload> read_workloads(const std::string& path);

}  // namespace bench

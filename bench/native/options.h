#pragma once

#include <string>
#include <vector>

#include "competitor.h"
#include "core/problem.h"
#include "workload.h"

namespace bench {

struct Options {
  std::string filter = "";          // regex over "layer | kind | used by"
  std::vector<std::string> layers;  // further layers, or the only ones
  std::vector<std::string> isas;    // this library's; the best available by default
  std::vector<depthwise::Algorithm> algorithms{depthwise::Algorithm::direct};  // this library's
  std::vector<Layout> layouts{Layout::nhwc, Layout::nchw};  // this library's; peers always run all of theirs
  std::vector<int> threads{1};
  bool quick = false;
  bool peers = true;
  bool partition = false;
  std::string onednn_isa;  // the most oneDNN may use; empty: what the CPU has
  int misalign = 0;        // bytes past a multiple of 64 at which arrays begin
  std::string json;        // file to write; "-": standard output, and no table
};

// Prints the usage and exits on --help or a wrong argument.
Options parse_options(int argc, char** argv);

// What --filter and --layer leave; throws std::runtime_error where that is nothing.
std::vector<Workload> selected_workloads(const Options& options);

}  // namespace bench

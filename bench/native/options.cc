#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "core/registry.h"

namespace bench {
namespace {

constexpr char kUsage[] =
    R"(Times this library, oneDNN and XNNPACK on the layers of bench/layers.txt, and checks their results.

  --filter REGEX     only layers of which it matches "layer | kind | used by": 'k3 s2', grouped, mobilenet_v1
  --layer LAYER      measure this layer, written as in layers.txt, instead of the file's; repeatable
  --isa LIST         this library's instruction sets: avx512,avx2,portable (default: the best one)
  --layout LIST      this library's layouts: nhwc,nchw (default: both)
  --algorithm LIST   this library's option: direct,winograd (default: direct)
  --threads LIST     1,2,... (default: 1)
  --quick            fewer rounds
  --no-peers         this library alone
  --onednn-isa ISA   let oneDNN use no more than sse41, avx2 or avx512 (XNNPACK has no such switch)
  --misalign BYTES   arrays begin this far past a multiple of 64; V8's are off by 16 (default: 0)
  --json FILE        write everything measured, a line of JSON per layer and number of threads; -: instead of the table
  --partition        instead: how the tiles of each layer would spread over up to 64 threads
)";

[[noreturn]] void usage(const std::string& complaint) {
  std::fprintf(complaint.empty() ? stdout : stderr, "%s%s%s", complaint.c_str(), complaint.empty() ? "" : "\n\n",
               kUsage);
  std::exit(complaint.empty() ? 0 : 2);
}

std::vector<std::string> parts(const std::string& list) {
  std::vector<std::string> result;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) result.push_back(part);
  return result;
}

int number(const std::string& text, int least) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > 4096) usage("not a number in range: '" + text + "'");
  return static_cast<int>(value);
}

Layout layout_of(const std::string& name) {
  if (name == "nhwc") return Layout::nhwc;
  if (name == "nchw") return Layout::nchw;
  usage("unknown layout '" + name + "'");
}

depthwise::Algorithm algorithm_of(const std::string& name) {
  if (name == "direct") return depthwise::Algorithm::direct;
  if (name == "winograd") return depthwise::Algorithm::winograd;
  usage("unknown algorithm '" + name + "'");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == argc) usage(name + " needs a value");
      return argv[++i];
    };
    if (name == "--help") {
      usage("");
    } else if (name == "--filter") {
      options.filter = value();
    } else if (name == "--layer") {
      options.layers.push_back(value());
    } else if (name == "--isa") {
      options.isas = parts(value());
    } else if (name == "--layout") {
      options.layouts.clear();
      for (const auto& part : parts(value())) options.layouts.push_back(layout_of(part));
    } else if (name == "--algorithm") {
      options.algorithms.clear();
      for (const auto& part : parts(value())) options.algorithms.push_back(algorithm_of(part));
    } else if (name == "--threads") {
      options.threads.clear();
      for (const auto& part : parts(value())) options.threads.push_back(number(part, 1));
    } else if (name == "--quick") {
      options.quick = true;
    } else if (name == "--no-peers") {
      options.peers = false;
    } else if (name == "--onednn-isa") {
      options.onednn_isa = value();
    } else if (name == "--misalign") {
      options.misalign = number(value(), 0);
    } else if (name == "--partition") {
      options.partition = true;
    } else if (name == "--json") {
      options.json = value();
    } else {
      usage("unknown option " + name);
    }
  }
  if (options.isas.empty()) options.isas = {depthwise::available_isas().front()->name};
  return options;
}

std::vector<Workload> selected_workloads(const Options& options) {
  if (!options.layers.empty()) {
    std::vector<Workload> workloads;
    for (const auto& layer : options.layers) workloads.push_back(parse_layer(layer));
    return workloads;
  }
  const std::regex filter(options.filter);
  auto workloads = read_workloads(LAYERS_FILE);
  std::erase_if(workloads, [&](const Workload& work) {
    return !std::regex_search(work.layer + " | " + work.kind + " | " + work.used_by, filter);
  });
  if (workloads.empty()) throw std::runtime_error("no layer matches");
  return workloads;
}

}  // namespace bench

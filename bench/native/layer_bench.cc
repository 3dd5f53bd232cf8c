// Every layer, every library, round by round in one process. See options.cc for the arguments.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>

#include "competitor.h"
#include "core/problem_check.h"
#include "measure.h"
#include "options.h"
#include "partition.h"
#include "probe.h"
#include "reference.h"
#include "report.h"
#include "roofline.h"

namespace bench {
namespace {

struct Entry {
  Result result;
  std::function<std::unique_ptr<Competitor>()> make;
};

std::vector<Entry> entries(const Options& options, const Workload& work, const Tensors& tensors, int threads) {
  std::vector<Entry> list;
  for (const auto& isa : options.isas) {
    for (const Layout layout : options.layouts) {
      for (const depthwise::Algorithm algorithm : options.algorithms) {
        list.push_back({{.library = "ours", .isa = isa, .layout = layout, .algorithm = algorithm},
                        [=, &work, &tensors] { return make_ours(work, tensors, layout, algorithm, isa, threads); }});
      }
    }
  }
  if (!options.peers) return list;
  for (const Layout layout : {Layout::nhwc, Layout::nchw, Layout::best}) {
    list.push_back({{.library = "onednn", .layout = layout},
                    [=, &work, &tensors] { return make_onednn(work, tensors, layout, threads); }});
  }
  list.push_back({{.library = "xnnpack", .layout = Layout::nhwc},
                  [=, &work, &tensors] { return make_xnnpack(work, tensors, threads); }});
  return list;
}

Row measure_row(const Options& options, const Workload& work, const Tensors& tensors, const Reference& reference,
                int threads) {
  Row row{&work, threads, probe_speed(), roofline_us(Machine{}, work, threads), {}};
  std::vector<std::unique_ptr<Competitor>> competitors;
  std::vector<std::function<void()>> calls;
  std::vector<size_t> timed;  // index into row.results of each call
  std::vector<float> output(depthwise::output_floats(work));
  for (auto& entry : entries(options, work, tensors, threads)) {
    Result result = entry.result;
    try {
      auto competitor = entry.make();
      result.kernel = competitor->kernel();
      competitor->run();
      competitor->copy_output(output.data());
      result.error = reference.worst_error(output.data(), result.kernel);
      calls.push_back([&made = *competitor] { made.run(); });
      timed.push_back(row.results.size());
      competitors.push_back(std::move(competitor));
    } catch (const std::exception& error) {
      result.refused = error.what();
    }
    row.results.push_back(result);
  }
  const auto timings = measure(calls, options.quick ? kQuick : kThorough);
  for (size_t i = 0; i < timed.size(); ++i) row.results[timed[i]].timing = timings[i];
  row.speed = slower(row.speed, probe_speed());
  return row;
}

int run(const Options& options) {
  const auto workloads = selected_workloads(options);
  if (options.partition) {
    print_partition(workloads, options);
    return 0;
  }
  if (!options.onednn_isa.empty()) limit_onednn(options.onednn_isa);
  const bool table = options.json != "-";
  std::ofstream file;
  if (table && !options.json.empty()) file.open(options.json);
  std::vector<Row> rows;
  if (table) print_header();
  for (const auto& work : workloads) {
    if (isatty(STDERR_FILENO)) {
      std::fprintf(stderr, "[%zu/%zu] %s\r", &work - workloads.data() + 1, workloads.size(), work.layer.c_str());
    }
    const Tensors tensors(work, options.misalign);
    const Reference reference(work, tensors);
    for (const int threads : options.threads) {
      rows.push_back(measure_row(options, work, tensors, reference, threads));
      if (table) print_row(rows.back());
      if (!options.json.empty()) (table ? file : std::cout) << to_json(rows.back()) << std::endl;
    }
  }
  if (table) print_summary(rows);
  if (!file) throw std::runtime_error("can't write " + options.json);
  const bool wrong = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
    return std::any_of(row.results.begin(), row.results.end(), [](const Result& result) { return result.wrong(); });
  });
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(bench::parse_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

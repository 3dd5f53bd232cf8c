#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "core/problem_check.h"
#include "roofline.h"

namespace bench {
namespace {

const Result* find(const Row& row, const std::string& library, Layout layout) {
  for (const auto& result : row.results) {
    if (result.library == library && result.layout == layout) return &result;
  }
  return nullptr;
}

std::string microseconds(const Result* result) {
  if (!result) return "";
  if (!result->refused.empty()) return "refused";
  if (result->wrong()) return "wrong";
  char text[32];
  std::snprintf(text, sizeof text, result->timing.median < 100 ? "%.2f" : "%.0f", result->timing.median);
  return text;
}

std::string quotient(double a, double b) {
  if (!(a > 0) || !(b > 0)) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", a / b);
  return text;
}

bool is_shared(const Row& row) {
  return std::any_of(row.results.begin(), row.results.end(), [](const Result& r) { return r.timing.shared; });
}

void print_line(const Row& row, const Result* ours) {
  const Result* peer = row.best_plain_peer();
  const Result* onednn = find(row, "onednn", Layout::nhwc);
  const bool timed = ours && ours->refused.empty();
  const double us = timed ? ours->timing.median : 0;
  std::printf(
      "%-30s %3d  %-8s %-4s %9s %5.1f%c %6s %6s %7.1f %5.0f %5.0f %4.0f  %9s %9s %9s %9s %8.1f  %s\n",
      row.work->layer.c_str(), row.threads, ours ? ours->isa.c_str() : "", ours ? layout_name(ours->layout) : "",
      microseconds(ours).c_str(), timed ? 50 * (ours->timing.upper - ours->timing.lower) / us : 0.0,
      is_shared(row) ? '*' : ' ', quotient(us, peer ? peer->timing.median : 0).c_str(),
      quotient(us, onednn ? onednn->timing.median * row.work->newer_onednn : 0).c_str(),
      timed ? depthwise::flops(*row.work) / us * 1e-3 : 0.0, timed ? 100 * row.roofline_us / us : 0.0,
      100 * row.speed.fma_gflops / Machine{}.gflops, 100 * row.speed.l3_gbs / Machine{}.l3_gbs,
      microseconds(onednn).c_str(), microseconds(find(row, "onednn", Layout::nchw)).c_str(),
      microseconds(find(row, "onednn", Layout::best)).c_str(), microseconds(find(row, "xnnpack", Layout::nhwc)).c_str(),
      row.roofline_us, ours ? (timed ? ours->kernel : ours->refused).c_str() : "");
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c < ' ' ? ' ' : c;
  }
  return result + "\"";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, std::abs(value) < 1e5 ? "%.4g" : "%.0f", value);
  return text;
}

std::string to_json(const Result& result) {
  std::string text = "{\"library\": " + quoted(result.library);
  if (!result.isa.empty()) text += ", \"isa\": " + quoted(result.isa);
  text += ", \"layout\": " + quoted(layout_name(result.layout));
  if (result.algorithm == depthwise::Algorithm::winograd) text += ", \"algorithm\": \"winograd\"";
  if (!result.refused.empty()) return text + ", \"refused\": " + quoted(result.refused) + "}";
  return text + ", \"kernel\": " + quoted(result.kernel) + ", \"us\": " + number(result.timing.median) +
         ", \"lowerUs\": " + number(result.timing.lower) + ", \"upperUs\": " + number(result.timing.upper) +
         ", \"shared\": " + (result.timing.shared ? "true" : "false") + ", \"error\": " + number(result.error) + "}";
}

}  // namespace

const Result* Row::best_plain_peer() const {
  const Result* best = nullptr;
  for (const auto& result : results) {
    if (result.library == "ours" || result.layout == Layout::best || !result.refused.empty() || result.wrong())
      continue;
    if (!best || result.timing.median < best->timing.median) best = &result;
  }
  return best;
}

void print_header() {
  std::printf(
      "us: median of a call; +-%%: half the distance between quartiles, *: a neighbour had a part of the core; ratio: "
      "to the fastest peer on plain arrays;\n"
      "v3.13: to oneDNN 3.13's estimated time; roof: the roofline's us, and the share of it that ours reaches;\n"
      "core%%, L3%%: the machine's FMA rate and L3 bandwidth around the measurement over the roofline's\n\n"
      "%-30s %3s  %-8s %-4s %9s %6s %6s %6s %7s %5s %5s %4s  %9s %9s %9s %9s %8s  %s\n",
      "layer", "thr", "isa", "", "ours us", "+-% ", "ratio", "v3.13", "GFLOP/s", "roof%", "core%", "L3%", "dnnl nhwc",
      "dnnl nchw", "dnnl best", "xnnpack", "roof us", "kernel");
}

void print_row(const Row& row) {
  bool any = false;
  for (const auto& result : row.results) {
    if (result.library != "ours") continue;
    print_line(row, &result);
    any = true;
  }
  if (!any) print_line(row, nullptr);
  for (const auto& result : row.results) {
    if (result.wrong()) {
      std::printf("  WRONG: %s %s %s is off by %.3g times the bound\n", result.library.c_str(), result.isa.c_str(),
                  layout_name(result.layout), result.error);
    }
  }
  std::fflush(stdout);
}

void print_summary(const std::vector<Row>& rows) {
  struct Sum {
    double log_ratio = 0, worst = 0;
    int count = 0, lost = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  Speed slowest = rows.front().speed;
  for (const auto& row : rows) {
    slowest = slower(slowest, row.speed);
    const Result* peer = row.best_plain_peer();
    for (const auto& result : row.results) {
      if (!peer || result.library != "ours" || !result.refused.empty()) continue;
      const std::string algorithm = result.algorithm == depthwise::Algorithm::winograd ? " winograd" : "";
      const std::string variant =
          result.isa + " " + layout_name(result.layout) + algorithm + " " + std::to_string(row.threads);
      Sum& sum = sums[{row.work->kind, variant}];
      const double ratio = result.timing.median / peer->timing.median;
      sum.log_ratio += std::log(ratio);
      sum.worst = std::max(sum.worst, ratio);
      sum.lost += ratio > 1;
      ++sum.count;
    }
  }
  if (!sums.empty()) {
    std::printf("\nratio to the fastest plain peer by kind, instruction set, layout and threads\n");
    std::printf("%-10s  %-24s  %14s  %5s  %6s  %4s\n", "kind", "variant", "geometric mean", "worst", "layers", "lost");
  }
  for (const auto& [key, sum] : sums) {
    std::printf("%-10s  %-24s  %14.3f  %5.2f  %6d  %4d\n", key.first.c_str(), key.second.c_str(),
                std::exp(sum.log_ratio / sum.count), sum.worst, sum.count, sum.lost);
  }
  std::printf("slowest the machine was: %.0f GFLOP/s, L3 %.0f GB/s; the roofline assumes %.0f and %.0f\n",
              slowest.fma_gflops, slowest.l3_gbs, Machine{}.gflops, Machine{}.l3_gbs);
}

std::string to_json(const Row& row) {
  const Workload& work = *row.work;
  std::string text = "{\"layer\": " + quoted(work.layer) + ", \"kind\": " + quoted(work.kind) +
                     ", \"usedBy\": " + quoted(work.used_by) + ", \"threads\": " + std::to_string(row.threads) +
                     ", \"flops\": " + number(depthwise::flops(work)) +
                     ", \"bytes\": " + number(depthwise::bytes(work)) + ", \"rooflineUs\": " + number(row.roofline_us) +
                     ", \"fmaGflops\": " + number(row.speed.fma_gflops) + ", \"l3Gbs\": " + number(row.speed.l3_gbs) +
                     ", \"newerOnednn\": " + number(work.newer_onednn) + ", \"results\": [";
  for (const auto& result : row.results) text += (&result == row.results.data() ? "" : ", ") + to_json(result);
  return text + "]}";
}

}  // namespace bench

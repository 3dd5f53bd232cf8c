#include "workload.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "core/problem_check.h"

namespace bench {
namespace {

std::vector<int64_t> numbers(const std::string& text, char separator) {
  std::vector<int64_t> result;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) result.push_back(std::stoll(part));
  return result;
}

void read_pair(const std::string& text, int64_t& height, int64_t& width) {
  const auto pair = numbers(text, 'x');
  height = pair.at(0);
  width = pair.size() > 1 ? pair[1] : pair[0];
}

// Output size and the padding on both sides of one dimension.
struct Extent {
  int64_t out, before, after;
};

Extent same_extent(int64_t in, int64_t reach, int64_t stride) {
  const int64_t out = (in + stride - 1) / stride;
  const int64_t padding = std::max<int64_t>((out - 1) * stride + reach - in, 0);
  return {out, padding / 2, padding - padding / 2};
}

Extent padded_extent(int64_t in, int64_t reach, int64_t stride, int64_t before, int64_t after) {
  return {(in + before + after - reach) / stride + 1, before, after};
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Workload parse_layer(const std::string& layer) {
  Workload work{};
  work.layer = layer;
  work.newer_onednn = std::numeric_limits<double>::quiet_NaN();
  work.batch = 1;
  work.filter_h = work.filter_w = work.stride_h = work.stride_w = work.dilation_h = work.dilation_w = 1;
  int64_t multiplier = 1;
  bool same = true;
  std::vector<int64_t> padding{0, 0, 0, 0};

  std::stringstream words(layer);
  std::string shape;
  words >> shape;
  std::smatch match;
  if (!std::regex_match(shape, match, std::regex(R"(([\dx]+)(->(\d+))?)"))) throw std::runtime_error("bad shape");
  auto sizes = numbers(match[1], 'x');
  if (sizes.size() == 3) sizes.insert(sizes.begin(), 1);
  work.batch = sizes.at(0);
  work.in_h = sizes.at(1);
  work.in_w = sizes.at(2);
  work.in_c = sizes.at(3);

  for (std::string word; words >> word;) {
    const std::string value = word.substr(1);
    if (word == "valid") {
      same = false;
    } else if (word[0] == 'k') {
      read_pair(value, work.filter_h, work.filter_w);
    } else if (word[0] == 's') {
      read_pair(value, work.stride_h, work.stride_w);
    } else if (word[0] == 'd') {
      read_pair(value, work.dilation_h, work.dilation_w);
    } else if (word[0] == 'm') {
      multiplier = std::stoll(value);
    } else if (word[0] == 'g') {
      work.groups = std::stoll(value);
    } else if (word[0] == 'p') {
      same = false;
      padding = numbers(value, ',');
      padding.resize(4, padding[0]);
    } else {
      throw std::runtime_error("unknown word '" + word + "'");
    }
  }

  if (work.groups == 0) work.groups = work.in_c;
  work.out_c = match[3].matched ? std::stoll(match[3]) : work.in_c * multiplier;

  const int64_t reach_h = (work.filter_h - 1) * work.dilation_h + 1;
  const int64_t reach_w = (work.filter_w - 1) * work.dilation_w + 1;
  const Extent rows = same ? same_extent(work.in_h, reach_h, work.stride_h)
                           : padded_extent(work.in_h, reach_h, work.stride_h, padding[0], padding[2]);
  const Extent columns = same ? same_extent(work.in_w, reach_w, work.stride_w)
                              : padded_extent(work.in_w, reach_w, work.stride_w, padding[1], padding[3]);
  work.out_h = rows.out;
  work.pad_top = rows.before;
  work.pad_bottom = rows.after;
  work.out_w = columns.out;
  work.pad_left = columns.before;
  work.pad_right = columns.after;
  if (const char* problem = depthwise::check(work)) throw std::runtime_error(problem);
  return work;
}

std::vector<Workload> read_workloads(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("can't read " + path);
  std::vector<Workload> workloads;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (trimmed(line).empty() || line[0] == '#') continue;
    try {
      std::stringstream columns(line);
      std::string layer, kind, used_by, newer;
      std::getline(columns, layer, '|');
      std::getline(columns, kind, '|');
      std::getline(columns, used_by, '|');
      std::getline(columns, newer, '|');
      Workload work = parse_layer(trimmed(layer));
      work.kind = trimmed(kind);
      work.used_by = trimmed(used_by);
      if (!newer.empty()) work.newer_onednn = std::stod(newer);
      workloads.push_back(work);
    } catch (const std::exception& error) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return workloads;
}

}  // namespace bench

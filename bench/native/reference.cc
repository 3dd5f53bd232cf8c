#include "reference.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/problem_check.h"

namespace bench {
namespace {

// (channels + 32) * 160 * 2^-24 * (max|x| * sum|w| + |bias|), the maximum over the 6x6 inputs that the output's 4x4
// square reads.
std::vector<double> winograd_bound(const Workload& work, const Tensors& tensors) {
  const int64_t in_per_group = work.in_per_group(), out_per_group = work.out_per_group();
  std::vector<double> weights(work.out_c);
  for (int64_t i = 0; i < 9 * in_per_group; ++i) {
    for (int64_t o = 0; o < work.out_c; ++o) weights[o] += std::abs(tensors.filter_hwio.data()[i * work.out_c + o]);
  }
  std::vector<double> bound(depthwise::output_floats(work));
  for (int64_t i = 0; i < std::ssize(bound); i += work.out_c) {
    const int64_t pixel = i / work.out_c, b = pixel / (work.out_h * work.out_w);
    const int64_t row = pixel / work.out_w % work.out_h / 4 * 4 - work.pad_top;
    const int64_t column = pixel % work.out_w / 4 * 4 - work.pad_left;
    for (int64_t g = 0; g < work.groups; ++g) {
      double most = 0;
      for (int64_t y = std::max<int64_t>(row, 0); y < std::min(row + 6, work.in_h); ++y) {
        for (int64_t x = std::max<int64_t>(column, 0); x < std::min(column + 6, work.in_w); ++x) {
          const float* in = tensors.input_nhwc.data() + ((b * work.in_h + y) * work.in_w + x) * work.in_c;
          for (int64_t c = 0; c < in_per_group; ++c) most = std::max<double>(most, std::abs(in[g * in_per_group + c]));
        }
      }
      for (int64_t o = g * out_per_group; o < (g + 1) * out_per_group; ++o) {
        bound[i + o] = (in_per_group + 32) * 160 * 0x1p-24 * (most * weights[o] + std::abs(tensors.bias.data()[o]));
      }
    }
  }
  return bound;
}

}  // namespace

Reference::Reference(const Workload& work, const Tensors& tensors)
    : exact_(depthwise::output_floats(work)), bound_(depthwise::output_floats(work)) {
  const int64_t in_per_group = work.in_per_group(), out_per_group = work.out_per_group();
  double* exact = exact_.data();
  double* bound = bound_.data();
  for (int64_t b = 0; b < work.batch; ++b) {
    for (int64_t y = 0; y < work.out_h; ++y) {
      for (int64_t x = 0; x < work.out_w; ++x) {
        for (int64_t o = 0; o < work.out_c; ++o) {
          exact[o] = tensors.bias.data()[o];
          bound[o] = std::abs(exact[o]);
        }
        for (int64_t ky = 0; ky < work.filter_h; ++ky) {
          const int64_t iy = y * work.stride_h + ky * work.dilation_h - work.pad_top;
          if (iy < 0 || iy >= work.in_h) continue;
          for (int64_t kx = 0; kx < work.filter_w; ++kx) {
            const int64_t ix = x * work.stride_w + kx * work.dilation_w - work.pad_left;
            if (ix < 0 || ix >= work.in_w) continue;
            const float* pixel = tensors.input_nhwc.data() + ((b * work.in_h + iy) * work.in_w + ix) * work.in_c;
            const float* tap = tensors.filter_hwio.data() + (ky * work.filter_w + kx) * in_per_group * work.out_c;
            for (int64_t i = 0; i < in_per_group; ++i) {
              for (int64_t g = 0; g < work.groups; ++g) {
                const double value = pixel[g * in_per_group + i];
                const int64_t first = g * out_per_group;
                for (int64_t o = first; o < first + out_per_group; ++o) {
                  const double product = value * tap[i * work.out_c + o];
                  exact[o] += product;
                  bound[o] += std::abs(product);
                }
              }
            }
          }
        }
        const double taps = work.filter_h * work.filter_w * in_per_group;
        for (int64_t o = 0; o < work.out_c; ++o) bound[o] *= (taps + 4) * 0x1p-24;
        exact += work.out_c;
        bound += work.out_c;
      }
    }
  }
  if (work.filter_h == 3 && work.filter_w == 3) winograd_bound_ = winograd_bound(work, tensors);
}

double Reference::worst_error(const float* nhwc, const std::string& kernel) const {
  const std::vector<double>& bounds = kernel == "winograd" ? winograd_bound_ : bound_;
  double worst = 0;
  for (size_t i = 0; i < exact_.size(); ++i) {
    const double error = std::abs(nhwc[i] - exact_[i]) / bounds[i];
    if (!(error <= worst)) worst = error;
    if (std::isnan(worst)) break;
  }
  return worst;
}

}  // namespace bench

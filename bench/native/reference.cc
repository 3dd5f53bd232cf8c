#include "reference.h"

#include <cmath>

#include "core/problem_check.h"

namespace bench {

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
}

double Reference::worst_error(const float* nhwc) const {
  double worst = 0;
  for (size_t i = 0; i < exact_.size(); ++i) {
    const double error = std::abs(nhwc[i] - exact_[i]) / bound_[i];
    if (!(error <= worst)) worst = error;
    if (std::isnan(worst)) break;
  }
  return worst;
}

}  // namespace bench

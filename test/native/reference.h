// The convolution as its definition has it, in double: what every kernel is held against.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/problem.h"

namespace depthwise::reference {

struct Sums {
  std::vector<double> sum;    // bias + sum of x * w, before the activation
  std::vector<double> error;  // how far from it a result may be: (taps + 4) * 2^-24 * (|bias| + sum of |x| * |w|)
};

inline int64_t pixel_index(Layout layout, int64_t image, int64_t h, int64_t w, int64_t c, int64_t y, int64_t x,
                           int64_t channel) {
  return layout == Layout::nhwc ? ((image * h + y) * w + x) * c + channel : ((image * c + channel) * h + y) * w + x;
}

inline int64_t filter_index(const Problem& p, int64_t o, int64_t i, int64_t ky, int64_t kx) {
  const int64_t in_c = p.in_c / p.groups;
  return p.filter_layout == FilterLayout::hwio ? ((ky * p.filter_w + kx) * in_c + i) * p.out_c + o
                                               : ((o * in_c + i) * p.filter_h + ky) * p.filter_w + kx;
}

// bias may be null. Indexed as the output is.
inline Sums convolve(const Problem& p, const float* input, const float* filter, const float* bias) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  Sums sums;
  sums.sum.resize(p.batch * p.out_h * p.out_w * p.out_c);
  sums.error.resize(sums.sum.size());
  const double taps = static_cast<double>(p.filter_h * p.filter_w * in_c);
  for (int64_t image = 0; image < p.batch; ++image) {
    for (int64_t oy = 0; oy < p.out_h; ++oy) {
      for (int64_t ox = 0; ox < p.out_w; ++ox) {
        for (int64_t o = 0; o < p.out_c; ++o) {
          double sum = bias ? bias[o] : 0.0;
          double magnitude = std::abs(sum);
          for (int64_t ky = 0; ky < p.filter_h; ++ky) {
            const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
            if (iy < 0 || iy >= p.in_h) continue;
            for (int64_t kx = 0; kx < p.filter_w; ++kx) {
              const int64_t ix = ox * p.stride_w + kx * p.dilation_w - p.pad_left;
              if (ix < 0 || ix >= p.in_w) continue;
              for (int64_t i = 0; i < in_c; ++i) {
                const int64_t channel = o / out_c * in_c + i;
                const double x = input[pixel_index(p.layout, image, p.in_h, p.in_w, p.in_c, iy, ix, channel)];
                const double w = filter[filter_index(p, o, i, ky, kx)];
                sum += x * w;
                magnitude += std::abs(x * w);
              }
            }
          }
          const int64_t at = pixel_index(p.layout, image, p.out_h, p.out_w, p.out_c, oy, ox, o);
          sums.sum[at] = sum;
          // Below 2^-126 floats are 2^-149 apart, whatever the sum.
          sums.error[at] = (taps + 4) * (std::ldexp(magnitude, -24) + std::ldexp(1.0, -149));
        }
      }
    }
  }
  return sums;
}

// Widens `sums.error` to what Winograd's algorithm may err by: (channels + 32) * 160 * 2^-24 * (max |x| * sum |w| +
// |bias|), the maximum over the 6x6 inputs that the output's square of 4x4 reads, and some 2^-120 for numbers too small
// to be transformed. What isn't finite is computed directly.
inline void allow_winograd(const Problem& p, const float* input, const float* filter, const float* bias, Sums& sums) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  for (int64_t at = 0; at < static_cast<int64_t>(sums.sum.size()); ++at) {
    const bool nhwc = p.layout == Layout::nhwc;
    const int64_t plane = p.out_h * p.out_w;
    const int64_t o = nhwc ? at % p.out_c : at / plane % p.out_c;
    const int64_t pixel = nhwc ? at / p.out_c % plane : at % plane, image = at / (plane * p.out_c);
    const int64_t row = pixel / p.out_w / 4 * 4 - p.pad_top, column = pixel % p.out_w / 4 * 4 - p.pad_left;
    double most = 0, weights = 0;
    for (int64_t i = 0; i < in_c; ++i) {
      for (int64_t y = std::max<int64_t>(row, 0); y < std::min(row + 6, p.in_h); ++y) {
        for (int64_t x = std::max<int64_t>(column, 0); x < std::min(column + 6, p.in_w); ++x) {
          const int64_t channel = o / out_c * in_c + i;
          most = std::max<double>(most,
                                  std::abs(input[pixel_index(p.layout, image, p.in_h, p.in_w, p.in_c, y, x, channel)]));
        }
      }
      for (int64_t tap = 0; tap < 9; ++tap) weights += std::abs(filter[filter_index(p, o, i, tap / 3, tap % 3)]);
    }
    const double magnitude = most * weights + std::abs(bias ? bias[o] : 0.0f);
    if (!std::isfinite(magnitude)) continue;
    const double error = static_cast<double>(in_c + 32) * 160 * std::ldexp(magnitude, -24);
    sums.error[at] = std::max(sums.error[at], error + std::ldexp(1 + most + weights, -120));
  }
}

// NaN passes through every activation; std::max and std::clamp would lose it.
inline double clamp(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }

// `slope` is prelu's alpha for the channel, `alpha` leaky_relu's.
inline double activate(const Activation& activation, double x, double slope) {
  switch (activation.kind) {
    case ActivationKind::linear:
      return x;
    case ActivationKind::relu:
      return x < 0 ? 0 : x;
    case ActivationKind::relu6:
      return clamp(x, 0, 6);
    case ActivationKind::elu:
      return x < 0 ? std::expm1(x) : x;
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::silu:
      return x / (1 + std::exp(-x));
    case ActivationKind::hard_swish:
      return x * clamp(x + 3, 0, 6) / 6;
    case ActivationKind::hard_sigmoid:
      return clamp(x + 3, 0, 6) / 6;
    case ActivationKind::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case ActivationKind::leaky_relu:
      return x < 0 ? x * activation.alpha : x;
    case ActivationKind::prelu:
      return x < 0 ? x * slope : x;
    case ActivationKind::clip:
      return clamp(x, activation.lo, activation.hi);
  }
  return x;
}

// The steepest that the activation gets: an error before it may grow by this factor.
inline double steepness(const Activation& activation, double slope) {
  switch (activation.kind) {
    case ActivationKind::silu:
    case ActivationKind::gelu:
      return 1.13;
    case ActivationKind::hard_swish:
      return 1.5;
    case ActivationKind::leaky_relu:
      return std::max(1.0, std::abs(static_cast<double>(activation.alpha)));
    case ActivationKind::prelu:
      return std::max(1.0, std::abs(slope));
    default:
      return 1.0;
  }
}

}  // namespace depthwise::reference

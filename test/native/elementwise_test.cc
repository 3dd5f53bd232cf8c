#include "core/elementwise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace depthwise {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> numbers(int64_t length, float offset = 0) {
  std::vector<float> values(length);
  for (int64_t i = 0; i < length; i++) values[i] = std::sin(static_cast<float>(i) * 1.7f + offset) * 9;
  return values;
}

// Lengths around a vector's, a tile's and many tiles'.
constexpr int64_t kLengths[] = {1, 3, 4, 5, 17, 1000, 16383, 16384, 16385, 100001};

}  // namespace

TEST_CASE("elementwise: clamp keeps bounds, NaN and in place") {
  for (const int64_t length : kLengths) {
    std::vector<float> x = numbers(length);
    x[length / 2] = NAN;
    std::vector<float> expected(length);
    for (int64_t i = 0; i < length; i++) expected[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i];
    std::vector<float> out(length, -1);
    clamp(x.data(), 0, 6, out.data(), length);
    clamp(x.data(), 0, 6, x.data(), length);
    for (int64_t i = 0; i < length; i++) {
      const bool is_nan = std::isnan(expected[i]);
      CHECK((is_nan ? std::isnan(out[i]) : out[i] == expected[i]));
      CHECK((is_nan ? std::isnan(x[i]) : x[i] == expected[i]));
    }
  }
  float zero = -0.0f;
  clamp(&zero, 0, kInfinity, &zero, 1);
  CHECK(!std::signbit(zero));
}

TEST_CASE("elementwise: add and normalize repeat what is shorter") {
  for (const int64_t period : {1, 3, 16, 20000}) {
    for (const int64_t rows : {1, 2, 7, 3000}) {
      if (period * rows > 200000) continue;
      const int64_t length = period * rows;
      const std::vector<float> x = numbers(length), b = numbers(period, 1), c = numbers(period, 2),
                               d = numbers(period, 3);
      std::vector<float> sum(length), normal(length);
      add(x.data(), b.data(), period, sum.data(), length);
      normalize(x.data(), b.data(), c.data(), d.data(), period, normal.data(), length);
      for (int64_t i = 0; i < length; i++) {
        const int64_t p = i % period;
        CHECK(sum[i] == x[i] + b[p]);
        const float product = (x[i] - b[p]) * c[p];
        CHECK(normal[i] == product + d[p]);
      }
    }
  }
}

TEST_CASE("elementwise: pools over every padding and stride") {
  for (const int64_t filter : {1, 2, 3, 5}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (int64_t before = 0; before < filter; before++) {
        for (const int64_t channels : {1, 5, 16}) {
          const int64_t h = 7, w = 6;
          const Pooling p{
              2,      h,      w,      channels, (h + before - 1) / stride + 1, (w - 1) / stride + 1, filter, filter + 1,
              stride, stride, before, 0};
          const std::vector<float> x = numbers(p.batch * h * w * channels);
          std::vector<float> largest(p.batch * p.out_h * p.out_w * channels), mean(largest.size());
          max_pool(p, x.data(), largest.data());
          average_pool(p, x.data(), mean.data());
          int64_t i = 0;
          for (int64_t n = 0; n < p.batch; n++) {
            for (int64_t oy = 0; oy < p.out_h; oy++) {
              for (int64_t ox = 0; ox < p.out_w; ox++) {
                for (int64_t c = 0; c < channels; c++, i++) {
                  float best = -kInfinity;
                  double sum = 0;
                  int count = 0;
                  for (int64_t ky = 0; ky < p.filter_h; ky++) {
                    for (int64_t kx = 0; kx < p.filter_w; kx++) {
                      const int64_t y = oy * stride - p.top + ky, column = ox * stride - p.left + kx;
                      if (y < 0 || y >= h || column < 0 || column >= w) continue;
                      const float value = x[((n * h + y) * w + column) * channels + c];
                      best = std::max(best, value);
                      sum += value;
                      count++;
                    }
                  }
                  CHECK(largest[i] == best);
                  CHECK(mean[i] == static_cast<float>(sum / count));
                }
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace depthwise

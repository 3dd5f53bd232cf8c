#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "depthwise_multiplier_nhwc";

Shape multiplied(Shape shape, int64_t multiplier) {
  shape.out_c = shape.in_c * multiplier;
  return shape;
}

}  // namespace

TEST_CASE("multiplier, nhwc: every multiplier, channels about a vector's width") {
  for (const int64_t multiplier : {2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 32, 33, 48}) {
    for (const int64_t channels : {1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 33}) {
      for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
        check_kernel(kFamily, multiplied(same({.in_h = 4, .in_w = 7, .in_c = channels, .filter_layout = filter_layout}),
                                         multiplier));
      }
    }
  }
}

TEST_CASE("multiplier, nhwc: every width and height") {
  for (const int64_t multiplier : {2, 3, 8}) {
    for (int64_t width = 1; width <= 36; ++width) {
      check_kernel(kFamily, multiplied(same({.in_h = 4, .in_w = width, .in_c = 3}), multiplier));
    }
    for (int64_t height = 1; height <= 18; ++height) {
      check_kernel(kFamily, multiplied(same({.in_h = height, .in_w = 9, .in_c = 8}), multiplier));
    }
  }
}

TEST_CASE("multiplier, nhwc: strides, dilations, paddings") {
  for (const int64_t channels : {3, 11}) {
    for (const int64_t stride : {1, 2, 3, 5}) {
      for (const int64_t dilation : {1, 2, 3, 4}) {
        for (const int64_t pad : {0, 1, 9}) {
          Shape shape = multiplied({.in_h = 17, .in_w = 23, .in_c = channels, .filter_h = 4, .filter_w = 3}, 2);
          shape.stride_w = stride, shape.dilation_w = dilation, shape.pad_left = pad, shape.pad_right = 2;
          check_kernel(kFamily, shape);
          shape.stride_h = stride, shape.dilation_h = dilation, shape.pad_top = pad;
          check_kernel(kFamily, shape);
          shape.stride_w = 1, shape.dilation_w = 1;
          check_kernel(kFamily, shape);
        }
      }
    }
  }
}

TEST_CASE("multiplier, nhwc: more rows of taps than a pass has, with vectors that overlap") {
  for (const int64_t multiplier : {3, 8, 16}) {
    for (const int64_t filter : {5, 8, 15}) {
      check_kernel(kFamily, multiplied(same({.in_h = 9, .in_w = 14, .in_c = 11, .filter_h = filter, .filter_w = 3}),
                                       multiplier));
    }
  }
  check_kernel(kFamily, multiplied({.in_h = 64, .in_w = 40, .in_c = 8, .filter_h = 64, .filter_w = 1}, 2));
  check_kernel(kFamily, multiplied(same({.in_h = 3, .in_w = 5, .in_c = 8, .filter_h = 21, .filter_w = 31}), 3));
}

TEST_CASE("multiplier, nhwc: large enough for several tiles") {
  check_kernel(kFamily, multiplied(same({.batch = 2, .in_h = 59, .in_w = 61, .in_c = 3}), 8));
  check_kernel(kFamily, multiplied(same({.in_h = 37, .in_w = 43, .in_c = 37}), 5));
  check_kernel(
      kFamily,
      multiplied(same({.in_h = 43, .in_w = 301, .in_c = 3, .filter_h = 7, .filter_w = 7, .stride_h = 2, .stride_w = 2}),
                 8));
}

TEST_CASE("multiplier, nhwc: special values, padding skipped") {
  for (const int64_t multiplier : {2, 3, 16}) {
    for (const int64_t stride : {1, 2}) {
      check_kernel(
          kFamily,
          multiplied(same({.in_h = 9, .in_w = 19, .in_c = 5, .stride_h = stride, .stride_w = stride}), multiplier),
          {.activation = {ActivationKind::relu, 0.0f, 0.0f, 0.0f}, .values = Values::special});
    }
  }
}

TEST_CASE("multiplier, nhwc: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_kernel(kFamily, multiplied(same({.in_h = 11, .in_w = 13, .in_c = 3}), 7),
                 {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

}  // namespace depthwise

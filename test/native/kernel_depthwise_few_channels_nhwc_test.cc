#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "depthwise_few_channels_nhwc";

}  // namespace

TEST_CASE("few channels, nhwc: every number of channels, about every width") {
  for (const int64_t channels : {1, 2, 3, 4}) {
    for (int64_t width = 1; width <= 70; width += width < 40 ? 1 : 5) {
      check_kernel(kFamily, same({.in_h = 5, .in_w = width, .in_c = channels}));
    }
  }
}

TEST_CASE("few channels, nhwc: every number of rows, at every number of taps of a pass and past it") {
  for (int64_t height = 1; height <= 19; ++height) check_kernel(kFamily, same({.in_h = height, .in_w = 20, .in_c = 3}));
  for (int64_t taps = 1; taps <= 23; ++taps) {
    check_kernel(kFamily, same({.in_h = 13, .in_w = 21, .in_c = 3, .filter_h = taps, .filter_w = 2}));
  }
}

TEST_CASE("few channels, nhwc: strides, dilations, paddings") {
  for (const int64_t channels : {1, 3, 4}) {
    for (const int64_t stride : {1, 2, 3, 5}) {
      for (const int64_t dilation : {1, 2, 3, 4}) {
        for (const int64_t pad : {0, 1, 9}) {
          const Shape shape{.in_h = 23, .in_w = 41, .in_c = channels, .filter_h = 3, .filter_w = 4};
          Shape high = shape, wide = shape;
          high.stride_h = stride, high.dilation_h = dilation, high.pad_top = pad, high.pad_bottom = 1;
          wide.stride_w = stride, wide.dilation_w = dilation, wide.pad_left = pad, wide.pad_right = 2;
          check_kernel(kFamily, high);
          check_kernel(kFamily, wide);
          wide.stride_h = 3, wide.dilation_h = 2, wide.pad_top = 4;
          check_kernel(kFamily, wide);
        }
      }
    }
  }
}

TEST_CASE("few channels, nhwc: signals and filters larger than the input") {
  check_kernel(kFamily, same({.in_h = 1, .in_w = 500, .in_c = 1, .filter_h = 1, .filter_w = 31}));
  check_kernel(kFamily, same({.in_h = 1, .in_w = 500, .in_c = 3, .filter_h = 1, .filter_w = 7, .dilation_w = 3}));
  check_kernel(kFamily, same({.in_h = 300, .in_w = 1, .in_c = 2, .filter_h = 15, .filter_w = 1}));
  check_kernel(kFamily, same({.in_h = 4, .in_w = 5, .in_c = 3, .filter_h = 31, .filter_w = 31}));
  check_kernel(kFamily, same({.in_h = 40, .in_w = 50, .in_c = 3, .filter_h = 31, .filter_w = 31}));
  check_kernel(kFamily,
               {.in_h = 2, .in_w = 2, .in_c = 3, .pad_top = 20, .pad_left = 30, .pad_bottom = 9, .pad_right = 7});
  check_kernel(kFamily, {.in_h = 6, .in_w = 3, .in_c = 1, .stride_h = 4, .stride_w = 7, .pad_top = 20, .pad_left = 30});
}

TEST_CASE("few channels, nhwc: large enough for several tiles") {
  check_kernel(kFamily, same({.batch = 2, .in_h = 67, .in_w = 311, .in_c = 3, .filter_h = 5, .filter_w = 5}));
  check_kernel(kFamily, same({.in_h = 41, .in_w = 1501, .in_c = 3, .filter_h = 5, .filter_w = 5, .stride_w = 2}));
  check_kernel(kFamily, same({.in_h = 41, .in_w = 501, .in_c = 4, .filter_h = 5, .filter_w = 3, .dilation_h = 5}));
  check_kernel(kFamily, same({.in_h = 1, .in_w = 40000, .in_c = 1, .filter_h = 1, .filter_w = 40}));
}

TEST_CASE("few channels, nhwc: special values, padding skipped") {
  for (const int64_t channels : {1, 3}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t filter : {3, 11}) {
        check_kernel(kFamily,
                     same({.in_h = 9,
                           .in_w = 19,
                           .in_c = channels,
                           .filter_h = filter,
                           .filter_w = filter,
                           .stride_h = stride,
                           .stride_w = stride}),
                     {.activation = {ActivationKind::relu, 0.0f, 0.0f, 0.0f}, .values = Values::special});
      }
    }
  }
}

TEST_CASE("few channels, nhwc: every activation, both filter layouts") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
      CAPTURE(kind);
      check_kernel(kFamily, same({.in_h = 11, .in_w = 13, .in_c = 3, .filter_layout = filter_layout}),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
    }
  }
}

}  // namespace depthwise

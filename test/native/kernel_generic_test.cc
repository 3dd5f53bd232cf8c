#include "kernel_harness.h"

namespace depthwise {

TEST_CASE("generic: every layout, groups, stride, dilation and padding") {
  for (const Layout layout : {Layout::nhwc, Layout::nchw}) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
      for (const int64_t groups : {1, 2, 6}) {
        for (const int64_t outputs_per_group : {1, 3, 8, 17}) {
          check_kernel("generic", {.batch = 2,
                                   .in_h = 7,
                                   .in_w = 9,
                                   .in_c = 6,
                                   .out_c = groups * outputs_per_group,
                                   .groups = groups,
                                   .filter_h = 3,
                                   .filter_w = 2,
                                   .stride_h = 2,
                                   .stride_w = 1,
                                   .dilation_h = 1,
                                   .dilation_w = 3,
                                   .pad_top = 2,
                                   .pad_left = 0,
                                   .pad_bottom = 1,
                                   .pad_right = 4,
                                   .layout = layout,
                                   .filter_layout = filter_layout});
        }
      }
    }
  }
}

TEST_CASE("generic: a filter larger than its input") {
  check_kernel("generic", same({.in_h = 2, .in_w = 3, .in_c = 5, .filter_h = 7, .filter_w = 9}));
}

TEST_CASE("generic: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    check_kernel("generic", same({.in_h = 9, .in_w = 9, .in_c = 19}),
                 {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
  }
}

TEST_CASE("generic: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    for (const Layout layout : {Layout::nhwc, Layout::nchw}) {
      CAPTURE(kind);
      check_kernel("generic", same({.in_h = 6, .in_w = 5, .in_c = 21, .layout = layout}),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
    }
  }
}

}  // namespace depthwise

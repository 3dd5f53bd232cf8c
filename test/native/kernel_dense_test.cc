#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "dense";

// In both layouts, each with the filter that its users have.
void check_dense(Shape shape, const KernelCheck& options = {}) {
  check_kernel(kFamily, shape, options);
  shape.layout = Layout::nchw;
  shape.filter_layout = FilterLayout::oihw;
  check_kernel(kFamily, shape, options);
}

}  // namespace

TEST_CASE("dense: every number of outputs and of inputs a group up to three vectors") {
  for (const int64_t groups : {1, 3}) {
    for (int64_t channels = 1; channels <= 50; ++channels) {
      check_dense(same({.in_h = 3, .in_w = 5, .in_c = groups * 5, .out_c = groups * channels, .groups = groups}));
      check_dense(same({.in_h = 3, .in_w = 5, .in_c = groups * channels, .out_c = groups * 18, .groups = groups}));
    }
    for (const int64_t channels : {63, 64, 65, 80, 81, 95, 96, 97, 112, 113, 128, 129}) {
      check_dense(same({.in_h = 3, .in_w = 5, .in_c = groups * 4, .out_c = groups * channels, .groups = groups}));
    }
  }
}

TEST_CASE("dense: every number of pixels about the tiles") {
  for (int64_t width = 1; width <= 30; ++width) {
    for (const int64_t outputs : {16, 24, 40}) {
      check_dense({.in_h = 1, .in_w = width, .in_c = 7, .out_c = outputs, .groups = 1, .filter_h = 1, .filter_w = 1});
      check_dense(same({.in_h = 3, .in_w = width, .in_c = 4, .out_c = 2 * outputs, .groups = 2}));
    }
  }
}

TEST_CASE("dense: last vectors that are folded, half or a quarter full, over inputs that do and don't come out even") {
  for (const int64_t outputs : {5, 6, 9, 10, 12, 17, 18, 20, 24, 36, 40, 52, 56}) {
    for (const int64_t inputs : {1, 2, 3, 4, 6, 8, 16, 20}) {
      for (const int64_t groups : {1, 3}) {
        check_dense(
            same({.in_h = 4, .in_w = 17, .in_c = groups * inputs, .out_c = groups * outputs, .groups = groups}));
      }
    }
    check_dense(same({.in_h = 4, .in_w = 7, .in_c = 8, .out_c = 2 * outputs, .groups = 2}),
                {.values = Values::special});
  }
}

TEST_CASE("dense: every filter size") {
  for (int64_t height = 1; height <= 7; ++height) {
    for (int64_t width = 1; width <= 7; ++width) {
      for (const int64_t channels : {1, 3, 17}) {
        check_dense(same(
            {.in_h = 6, .in_w = 9, .in_c = channels, .out_c = 20, .groups = 1, .filter_h = height, .filter_w = width}));
      }
    }
  }
  check_dense(same({.in_h = 5, .in_w = 6, .in_c = 6, .out_c = 40, .groups = 2, .filter_h = 11, .filter_w = 13}));
}

TEST_CASE("dense: strides, dilations and paddings, each axis its own") {
  for (const int64_t stride_h : {1, 2, 3, 5}) {
    for (const int64_t stride_w : {1, 2, 3, 7}) {
      for (const int64_t dilation_h : {1, 2, 3}) {
        for (const int64_t dilation_w : {1, 2, 5}) {
          for (const int64_t groups : {1, 2}) {
            check_dense({.batch = 2,
                         .in_h = 13,
                         .in_w = 17,
                         .in_c = 6,
                         .out_c = 38,
                         .groups = groups,
                         .stride_h = stride_h,
                         .stride_w = stride_w,
                         .dilation_h = dilation_h,
                         .dilation_w = dilation_w,
                         .pad_top = 2,
                         .pad_left = 1,
                         .pad_bottom = 1,
                         .pad_right = 4});
          }
        }
      }
    }
  }
}

TEST_CASE("dense: paddings larger than the filter and than the input") {
  for (const int64_t pad : {4, 9, 20}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t channels : {3, 20}) {
        check_dense({.in_h = 6,
                     .in_w = 7,
                     .in_c = channels,
                     .out_c = 19,
                     .groups = 1,
                     .stride_h = stride,
                     .stride_w = stride,
                     .pad_top = pad,
                     .pad_left = pad,
                     .pad_bottom = pad + 1,
                     .pad_right = pad + 2});
      }
    }
  }
}

TEST_CASE("dense: groups, inputs and outputs") {
  for (const int64_t groups : {1, 2, 3, 5, 16}) {
    for (const int64_t inputs : {1, 2, 7, 16, 33}) {
      for (const int64_t outputs : {1, 3, 8, 17, 40}) {
        check_dense(same({.in_h = 4, .in_w = 6, .in_c = groups * inputs, .out_c = groups * outputs, .groups = groups}));
      }
    }
  }
}

TEST_CASE("dense: several tiles, of pixels and of outputs") {
  check_dense(same({.batch = 2, .in_h = 14, .in_w = 14, .in_c = 96, .out_c = 200, .groups = 1}));
  check_dense(same({.in_h = 57, .in_w = 61, .in_c = 64, .out_c = 70, .groups = 2}));
  check_dense({.in_h = 30, .in_w = 31, .in_c = 130, .out_c = 333, .groups = 1, .filter_h = 1, .filter_w = 1});
  check_dense(same({.in_h = 100, .in_w = 111, .in_c = 3, .out_c = 33, .groups = 1, .stride_h = 2, .stride_w = 2}));
  check_dense(same({.in_h = 9, .in_w = 9, .in_c = 300, .out_c = 350, .groups = 1}));
}

TEST_CASE("dense: inputs that are copied on the CPUs where that pays") {
  for (const bool copied : {false, true}) {
    const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = copied});
    check_kernel(kFamily, same({.in_h = 5, .in_w = 9, .in_c = 256, .out_c = 70, .groups = 1}));
    check_kernel(kFamily,
                 same({.in_h = 9, .in_w = 7, .in_c = 512, .out_c = 512, .groups = 8, .stride_h = 2, .stride_w = 2}));
    check_kernel(
        kFamily,
        {.batch = 2, .in_h = 6, .in_w = 8, .in_c = 256, .out_c = 150, .groups = 2, .pad_top = 2, .pad_left = 3});
  }
}

TEST_CASE("dense: outputs written in the order of memory where weights are few") {
  for (const int64_t width : {1, 11, 12, 13, 24, 25, 113}) {
    check_kernel(kFamily,
                 {.in_h = 3, .in_w = width, .in_c = 16, .out_c = 96, .groups = 1, .filter_h = 1, .filter_w = 1});
    check_kernel(kFamily, same({.in_h = 4, .in_w = width, .in_c = 5, .out_c = 70, .groups = 1}));
    check_kernel(kFamily, same({.in_h = 4, .in_w = width, .in_c = 9, .out_c = 126, .groups = 3}));
  }
}

TEST_CASE("dense: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t groups : {1, 2}) {
      for (const int64_t stride : {1, 2}) {
        check_dense(same({.in_h = 9,
                          .in_w = 10,
                          .in_c = 4,
                          .out_c = 36,
                          .groups = groups,
                          .stride_h = stride,
                          .stride_w = stride}),
                    {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
      }
    }
  }
}

TEST_CASE("dense: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_dense(same({.in_h = 13, .in_w = 15, .in_c = 20, .out_c = 70, .groups = 2}),
                {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

}  // namespace depthwise

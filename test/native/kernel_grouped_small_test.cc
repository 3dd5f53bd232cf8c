#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "grouped_small";

// In both layouts, each with the filter that its users have.
void check_grouped(Shape shape, const KernelCheck& options = {}) {
  check_kernel(kFamily, shape, options);
  shape.layout = Layout::nchw;
  shape.filter_layout = FilterLayout::oihw;
  check_kernel(kFamily, shape, options);
}

// The most outputs a group that the family takes on every instruction set.
constexpr int64_t kMostOutputs = 4;

}  // namespace

TEST_CASE("grouped_small: channels a group, and blocks of groups that don't come out even") {
  for (int64_t inputs = 1; inputs <= 17; ++inputs) {
    for (int64_t outputs = 1; outputs <= kMostOutputs; ++outputs) {
      for (const int64_t groups : {1, 2, 3, 7, 16}) {
        check_grouped(
            same({.in_h = 3, .in_w = 5, .in_c = groups * inputs, .out_c = groups * outputs, .groups = groups}));
      }
    }
  }
}

TEST_CASE("grouped_small: every width about the strips") {
  for (int64_t width = 1; width <= 33; ++width) {
    for (const int64_t stride : {1, 2}) {
      check_grouped(same({.in_h = 3, .in_w = width, .in_c = 12, .groups = 3, .stride_h = stride, .stride_w = stride}));
      check_grouped(same({.in_h = 3, .in_w = width, .in_c = 8, .out_c = 4, .groups = 1, .stride_w = stride}));
    }
  }
}

TEST_CASE("grouped_small: every filter size") {
  for (int64_t height = 1; height <= 4; ++height) {
    for (int64_t width = 1; width <= 13; ++width) {
      for (const int64_t stride : {1, 2, 3}) {
        check_grouped(same({.in_h = 5,
                            .in_w = 19,
                            .in_c = 10,
                            .groups = 5,
                            .filter_h = height,
                            .filter_w = width,
                            .stride_h = stride,
                            .stride_w = stride}));
      }
    }
  }
}

TEST_CASE("grouped_small: strides, dilations and paddings, each axis its own") {
  for (const int64_t stride_h : {1, 2, 3, 5}) {
    for (const int64_t stride_w : {1, 2, 3, 4, 7}) {
      for (const int64_t dilation_h : {1, 2, 3}) {
        for (const int64_t dilation_w : {1, 2, 4, 5}) {
          check_grouped({.batch = 2,
                         .in_h = 13,
                         .in_w = 21,
                         .in_c = 12,
                         .groups = 4,
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

TEST_CASE("grouped_small: paddings larger than the filter and than the input") {
  for (const int64_t pad : {4, 9, 20}) {
    for (const int64_t stride : {1, 2, 3}) {
      check_grouped({.in_h = 6,
                     .in_w = 7,
                     .in_c = 12,
                     .groups = 3,
                     .stride_h = stride,
                     .stride_w = stride,
                     .pad_top = pad,
                     .pad_left = pad,
                     .pad_bottom = pad + 1,
                     .pad_right = pad + 2});
    }
  }
}

TEST_CASE("grouped_small: several tiles, of rows and of blocks") {
  check_grouped(same({.batch = 2, .in_h = 40, .in_w = 41, .in_c = 96, .groups = 24}));
  check_grouped(same({.in_h = 28, .in_w = 29, .in_c = 264, .out_c = 132, .groups = 33}));
  check_grouped(same({.in_h = 5, .in_w = 5, .in_c = 1600, .groups = 400, .stride_h = 2, .stride_w = 2}));
  check_grouped(same({.in_h = 70, .in_w = 300, .in_c = 16, .groups = 4, .filter_h = 5, .filter_w = 5}));
}

TEST_CASE("grouped_small: inputs that are copied on the CPUs where that pays") {
  for (const bool copied : {false, true}) {
    const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = copied});
    check_kernel(kFamily, same({.in_h = 5, .in_w = 9, .in_c = 1024, .out_c = 1024, .groups = 256}));
    check_kernel(kFamily,
                 same({.in_h = 9, .in_w = 6, .in_c = 512, .out_c = 256, .groups = 64, .stride_h = 2, .stride_w = 2}));
    check_kernel(kFamily, {.batch = 2, .in_h = 6, .in_w = 4, .in_c = 1024, .out_c = 768, .groups = 256, .pad_left = 3});
  }
}

// Few outputs of so many inputs that a block is one group, of which two are computed side by side.
TEST_CASE("grouped_small: pairs of blocks, even and odd numbers of them, about the widths of their strips") {
  for (int64_t width = 1; width <= 30; ++width) {
    for (const int64_t groups : {2, 5}) {
      for (const int64_t stride : {1, 2}) {
        check_grouped(same({.in_h = 3,
                            .in_w = width,
                            .in_c = 17 * groups,
                            .out_c = 3 * groups,
                            .groups = groups,
                            .stride_h = stride,
                            .stride_w = stride}));
      }
    }
  }
}

TEST_CASE("grouped_small: pairs of blocks: filters, paddings, several tiles, inputs that share a line of the cache") {
  for (const int64_t filter : {2, 3, 5, 8}) {
    check_grouped({.batch = 2,
                   .in_h = 9,
                   .in_w = 11,
                   .in_c = 54,
                   .out_c = 12,
                   .groups = 3,
                   .filter_h = filter,
                   .filter_w = filter,
                   .stride_h = 2,
                   .stride_w = 2,
                   .dilation_w = 3,
                   .pad_top = 7,
                   .pad_left = 9,
                   .pad_bottom = 6,
                   .pad_right = 12});
  }
  check_grouped(same({.in_h = 14, .in_w = 14, .in_c = 1088, .out_c = 256, .groups = 64, .stride_h = 2, .stride_w = 2}));
  check_grouped(same({.in_h = 61, .in_w = 13, .in_c = 170, .out_c = 40, .groups = 10}));
  for (const bool copied : {false, true}) {
    const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = copied});
    check_kernel(kFamily, same({.in_h = 4, .in_w = 23, .in_c = 1024, .out_c = 64, .groups = 32}));
  }
}

TEST_CASE("grouped_small: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t groups : {1, 2, 5}) {
      for (const int64_t stride : {1, 2}) {
        for (const int64_t inputs : {4, 18}) {
          check_grouped(same({.in_h = 9,
                              .in_w = 10,
                              .in_c = inputs * groups,
                              .out_c = 4 * groups,
                              .groups = groups,
                              .stride_h = stride,
                              .stride_w = stride}),
                        {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
        }
      }
    }
  }
}

TEST_CASE("grouped_small: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_grouped(same({.in_h = 13, .in_w = 15, .in_c = 28, .groups = 7}),
                  {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

}  // namespace depthwise

#include "kernel_harness.h"

namespace depthwise {
namespace {

Shape pointwise(int64_t width, int64_t inputs, int64_t outputs, int64_t groups, FilterLayout filter_layout) {
  return {.batch = 2,
          .in_h = 1,
          .in_w = width,
          .in_c = groups * inputs,
          .out_c = groups * outputs,
          .groups = groups,
          .filter_h = 1,
          .filter_w = 1,
          .layout = Layout::nchw,
          .filter_layout = filter_layout};
}

// A picture's filter, for enough outputs that its taps are gathered.
Shape picture(int64_t height, int64_t width, int64_t planes, int64_t outputs, int64_t filter, int64_t stride,
              int64_t dilation = 1) {
  return same({.batch = 2,
               .in_h = height,
               .in_w = width,
               .in_c = planes,
               .out_c = outputs,
               .groups = 1,
               .filter_h = filter,
               .filter_w = filter,
               .stride_h = stride,
               .stride_w = stride,
               .dilation_h = dilation,
               .dilation_w = dilation,
               .layout = Layout::nchw});
}

void check_gathered(const Shape& shape, const KernelCheck& options = {}) {
  for (const std::string& kernel : check_kernel("pointwise_nchw", shape, options)) CHECK(kernel == "gathered_nchw");
}

}  // namespace

TEST_CASE("pointwise_nchw: gathered: widths about those of vectors, strides, dilations") {
  for (const int64_t width : {12, 13, 16, 28, 31, 32, 47, 63, 64, 111, 144}) {
    check_gathered(picture(5, width, 3, 17, 3, 1));
    check_gathered(picture(9, width, 2, 20, 3, 1, 3));
    check_gathered(picture(7, 2 * width, 3, 17, 3, 2));
    check_gathered(picture(7, 2 * width - 1, 1, 33, 5, 2));
    check_gathered(picture(8, 2 * width, 2, 17, 3, 2, 2));
  }
}

TEST_CASE("pointwise_nchw: gathered: uneven paddings, none, and more than the filter reaches") {
  for (const int64_t stride : {1, 2}) {
    Shape shape = picture(9, 30 * stride, 3, 19, 3, stride);
    shape.pad_top = shape.pad_left = 0;
    check_gathered(shape);
    shape.pad_bottom = shape.pad_right = 0;
    check_gathered(shape);
    shape.pad_top = 7, shape.pad_left = 14 * stride;
    check_gathered(shape);
    shape.pad_top = 0, shape.pad_left = 1, shape.pad_bottom = 5, shape.pad_right = 30 * stride;
    check_gathered(shape);
  }
}

TEST_CASE("pointwise_nchw: gathered: filters of other heights, groups, layouts, several tiles") {
  Shape shape = picture(12, 48, 4, 18, 3, 1);
  shape.filter_h = 1;
  check_gathered(shape);
  shape.filter_h = 4, shape.filter_w = 2, shape.filter_layout = FilterLayout::oihw;
  check_gathered(shape);
  shape.in_c = 12, shape.out_c = 60, shape.groups = 3;
  check_gathered(shape);
  check_gathered(picture(90, 95, 3, 45, 3, 1));
  check_gathered(picture(15, 112, 3, 33, 7, 2));
  check_gathered(picture(13, 60, 4, 24, 8, 1));
  check_gathered(picture(7, 1300, 4, 17, 5, 2));
  shape = picture(20, 60, 3, 64, 3, 2);
  shape.stride_h = 3, shape.filter_layout = FilterLayout::oihw;
  check_gathered(shape);
}

TEST_CASE("pointwise_nchw: gathered: special values, padding skipped, and every activation") {
  for (const int64_t stride : {1, 2}) {
    for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
      check_gathered(picture(9, 32, 3, 21, 3, stride),
                     {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
    }
  }
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_gathered(picture(40, 64, 3, 21, 3, 2),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

TEST_CASE("pointwise_nchw: every width up to four vectors") {
  for (int64_t width = 1; width <= 66; ++width) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
      check_kernel("pointwise_nchw", pointwise(width, 3, 7, 2, filter_layout));
    }
  }
}

TEST_CASE("pointwise_nchw: every number of outputs and of inputs a group") {
  for (int64_t channels = 1; channels <= 45; ++channels) {
    for (const int64_t groups : {1, 3}) {
      for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
        check_kernel("pointwise_nchw", pointwise(64, 5, channels, groups, filter_layout));
        check_kernel("pointwise_nchw", pointwise(48, channels, 9, groups, filter_layout));
      }
    }
  }
}

TEST_CASE("pointwise_nchw: several tiles, of pixels and of outputs") {
  for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
    check_kernel("pointwise_nchw", pointwise(401, 300, 200, 1, filter_layout));
    check_kernel("pointwise_nchw", pointwise(5000, 40, 33, 2, filter_layout));
  }
}

TEST_CASE("pointwise_nchw: many outputs, for which panels are copied: widths, numbers of outputs, several tiles") {
  for (const int64_t width : {5, 7, 8, 9, 15, 16, 17, 24, 25, 31, 33, 49, 100}) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
      check_kernel("pointwise_nchw", pointwise(width, 3, 96, 2, filter_layout));
    }
  }
  for (int64_t outputs = 88; outputs <= 103; ++outputs) {
    check_kernel("pointwise_nchw", pointwise(40, 5, outputs, 1, FilterLayout::oihw));
  }
  check_kernel("pointwise_nchw", pointwise(300, 150, 700, 1, FilterLayout::oihw));
  check_kernel("pointwise_nchw", pointwise(1000, 17, 100, 2, FilterLayout::hwio));
  check_kernel("pointwise_nchw", pointwise(60, 20, 120, 2, FilterLayout::oihw), {.values = Values::special});
}

TEST_CASE("pointwise_nchw: special values and every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    const Activation activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f};
    check_kernel("pointwise_nchw", pointwise(60, 20, 35, 2, FilterLayout::oihw), {.activation = activation});
    check_kernel("pointwise_nchw", pointwise(60, 4, 99, 2, FilterLayout::oihw), {.activation = activation});
  }
  check_kernel("pointwise_nchw", pointwise(60, 20, 35, 2, FilterLayout::oihw), {.values = Values::special});
}

TEST_CASE("pointwise_nchw: takes planes without stride and padding, or few planes for many outputs, and nothing else") {
  Shape shape = pointwise(64, 8, 8, 1, FilterLayout::oihw);
  const auto accepted = [&] { return accepts(*available_isas().front(), "pointwise_nchw", shape); };
  CHECK(accepted());
  shape.layout = Layout::nhwc;
  CHECK(!accepted());
  shape.layout = Layout::nchw, shape.stride_w = 2;
  CHECK(!accepted());
  shape.stride_w = 1, shape.pad_right = 1;
  CHECK(!accepted());
  shape.pad_right = 0, shape.in_h = 3, shape.filter_h = 3;
  CHECK(!accepted());
}

}  // namespace depthwise

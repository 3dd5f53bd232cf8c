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

}  // namespace

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

TEST_CASE("pointwise_nchw: special values and every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    const Activation activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f};
    check_kernel("pointwise_nchw", pointwise(60, 20, 35, 2, FilterLayout::oihw), {.activation = activation});
  }
  check_kernel("pointwise_nchw", pointwise(60, 20, 35, 2, FilterLayout::oihw), {.values = Values::special});
}

TEST_CASE("pointwise_nchw: takes planes without stride and padding and nothing else") {
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

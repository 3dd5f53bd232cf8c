#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "grouped_nchw";

// Both filter layouts.
void check_planes(Shape shape, const KernelCheck& options = {}) {
  shape.layout = Layout::nchw;
  for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
    shape.filter_layout = filter_layout;
    check_kernel(kFamily, shape, options);
  }
}

}  // namespace

TEST_CASE("grouped_nchw: every width up to some vectors") {
  for (int64_t width = 1; width <= 66; ++width) {
    for (const int64_t height : {1, 2, 5}) {
      check_planes(same({.in_h = height, .in_w = width, .in_c = 6, .out_c = 4, .groups = 2}));
    }
  }
}

TEST_CASE("grouped_nchw: channels a group") {
  for (int64_t inputs = 1; inputs <= 9; ++inputs) {
    for (int64_t outputs = 1; outputs <= 16; ++outputs) {
      for (const int64_t groups : {1, 3}) {
        check_planes(
            same({.in_h = 4, .in_w = 80, .in_c = groups * inputs, .out_c = groups * outputs, .groups = groups}));
      }
    }
  }
}

TEST_CASE("grouped_nchw: every number of vectors and outputs of a micro-kernel") {
  for (int64_t pixels = 320; pixels <= 352; ++pixels) {
    for (int64_t outputs = 1; outputs <= 16; ++outputs) {
      check_planes({.in_h = 1, .in_w = pixels, .in_c = 3, .out_c = outputs, .groups = 1, .filter_h = 1, .filter_w = 1});
    }
  }
  for (int64_t pixels = 1; pixels <= 100; ++pixels) {
    for (int64_t outputs = 1; outputs <= 2; ++outputs) {
      check_planes({.in_h = 1, .in_w = pixels, .in_c = 3, .out_c = outputs, .groups = 1, .filter_h = 1, .filter_w = 1});
    }
  }
}

TEST_CASE("grouped_nchw: filters, dilations and paddings that keep the width") {
  for (const int64_t filter : {1, 2, 3, 5, 8}) {
    for (const int64_t dilation : {1, 2, 3, 7}) {
      for (const int64_t left : {int64_t{0}, (filter - 1) * dilation / 2, (filter - 1) * dilation}) {
        for (const int64_t top : {0, 1, 4, 9}) {
          check_planes({.batch = 2,
                        .in_h = 8,
                        .in_w = 13,
                        .in_c = 4,
                        .out_c = 4,
                        .groups = 2,
                        .filter_h = 3,
                        .filter_w = filter,
                        .dilation_h = 3,
                        .dilation_w = dilation,
                        .pad_top = top,
                        .pad_left = left,
                        .pad_bottom = 3,
                        .pad_right = (filter - 1) * dilation - left});
        }
      }
    }
  }
}

TEST_CASE("grouped_nchw: several tiles, of chunks and of blocks") {
  check_planes(same({.batch = 2, .in_h = 40, .in_w = 41, .in_c = 96, .groups = 24}));
  check_planes(same({.in_h = 28, .in_w = 29, .in_c = 264, .out_c = 198, .groups = 33}));
  check_planes(same({.in_h = 70, .in_w = 300, .in_c = 16, .groups = 4, .filter_h = 5, .filter_w = 5}));
}

TEST_CASE("grouped_nchw: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t groups : {1, 2, 5}) {
      check_planes(same({.in_h = 9, .in_w = 10, .in_c = 4 * groups, .groups = groups}),
                   {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
    }
  }
}

TEST_CASE("grouped_nchw: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_planes(same({.in_h = 33, .in_w = 35, .in_c = 28, .groups = 7}),
                 {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

TEST_CASE("grouped_nchw: takes planes at stride 1 that keep their width and nothing else") {
  Shape shape = same({.in_h = 9, .in_w = 9, .in_c = 8, .out_c = 8, .groups = 2, .layout = Layout::nchw});
  const auto accepted = [&] { return accepts(*available_isas().front(), kFamily, shape); };
  CHECK(accepted());
  shape.layout = Layout::nhwc;
  CHECK(!accepted());
  shape.layout = Layout::nchw, shape.stride_h = 2;
  CHECK(!accepted());
  shape.stride_h = 1, shape.pad_right = 2;
  CHECK(!accepted());
}

}  // namespace depthwise

#include <cstdint>

#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "winograd";

// In both layouts, each with the filter that its users have.
void check_winograd(Shape shape, const KernelCheck& options = {}) {
  shape.algorithm = Algorithm::winograd;
  check_kernel(kFamily, shape, options);
  shape.layout = Layout::nchw;
  shape.filter_layout = FilterLayout::oihw;
  check_kernel(kFamily, shape, options);
}

bool is_accepted(Shape shape) {
  shape.algorithm = Algorithm::winograd;
  return accepts(*available_isas().front(), kFamily, shape);
}

}  // namespace

TEST_CASE("winograd: outputs about squares and micro-kernels") {
  for (const int64_t height : {11, 12, 14, 15, 16, 17, 27}) {
    for (const int64_t width : {11, 12, 13, 15, 20, 22, 28, 29, 57, 70}) {
      check_winograd(same({.in_h = height, .in_w = width, .in_c = 24, .out_c = 24, .groups = 1}));
    }
  }
  check_winograd(same({.in_h = 10, .in_w = 257, .in_c = 24, .out_c = 24, .groups = 1}));
  check_winograd(same({.in_h = 257, .in_w = 10, .in_c = 24, .out_c = 24, .groups = 1}));
}

TEST_CASE("winograd: inputs and outputs a group about vectors") {
  for (const int64_t groups : {1, 3}) {
    for (const int64_t channels : {16, 17, 20, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49, 64, 65}) {
      check_winograd(same({.in_h = 21, .in_w = 23, .in_c = groups * channels, .out_c = groups * 16, .groups = groups}));
      check_winograd(same({.in_h = 23, .in_w = 21, .in_c = groups * 16, .out_c = groups * channels, .groups = groups}));
    }
  }
}

TEST_CASE("winograd: paddings, each side its own, larger than the filter and than the input") {
  for (const int64_t top : {0, 1, 2, 5, 9}) {
    for (const int64_t left : {0, 1, 3, 4, 10}) {
      check_winograd({.batch = 2,
                      .in_h = 13,
                      .in_w = 14,
                      .in_c = 24,
                      .out_c = 26,
                      .groups = 1,
                      .pad_top = top,
                      .pad_left = left,
                      .pad_bottom = 9 - top,
                      .pad_right = 10 - left});
    }
  }
  check_winograd({.in_h = 1,
                  .in_w = 2,
                  .in_c = 32,
                  .out_c = 32,
                  .groups = 2,
                  .pad_top = 17,
                  .pad_left = 12,
                  .pad_bottom = 13,
                  .pad_right = 11});
}

TEST_CASE("winograd: several tiles, of squares and of outputs") {
  check_winograd(same({.batch = 3, .in_h = 30, .in_w = 34, .in_c = 48, .out_c = 100, .groups = 1}));
  check_winograd(same({.in_h = 57, .in_w = 61, .in_c = 128, .out_c = 140, .groups = 2}));
  check_winograd(same({.in_h = 12, .in_w = 16, .in_c = 256, .out_c = 300, .groups = 1}));
  check_winograd(same({.in_h = 24, .in_w = 24, .in_c = 512, .out_c = 512, .groups = 32}));
}

TEST_CASE("winograd: so many channels that few squares fit a tile") {
  for (const int64_t channels : {600, 1500, 4096}) {
    check_winograd(same({.in_h = 12, .in_w = 12, .in_c = channels, .out_c = 24, .groups = 1}));
  }
}

TEST_CASE("winograd: no images") {
  check_winograd(same({.batch = 0, .in_h = 24, .in_w = 24, .in_c = 32, .groups = 1}));
}

TEST_CASE("winograd: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t groups : {1, 2}) {
      for (const Values values : {Values::special, Values::few_special}) {
        check_winograd(same({.in_h = 28, .in_w = 31, .in_c = groups * 24, .out_c = groups * 40, .groups = groups}),
                       {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = values});
      }
    }
  }
}

TEST_CASE("winograd: every activation, with a bias and without") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_winograd(same({.in_h = 22, .in_w = 27, .in_c = 48, .out_c = 70, .groups = 2}),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}, .bias = kind % 2 == 0});
  }
}

TEST_CASE("winograd: accepts what it was made for, where it was asked for") {
  const Shape shape = same({.in_h = 28, .in_w = 28, .in_c = 64, .groups = 1});
  CHECK(is_accepted(shape));
  CHECK_FALSE(accepts(*available_isas().front(), kFamily, shape));
  const auto with = [&](auto change) {
    Shape changed = shape;
    change(changed);
    return is_accepted(changed);
  };
  CHECK_FALSE(with([](Shape& s) { s.stride_w = 2; }));
  CHECK_FALSE(with([](Shape& s) { s.stride_h = 2; }));
  CHECK_FALSE(with([](Shape& s) { s.dilation_h = 2; }));
  CHECK_FALSE(with([](Shape& s) { s.filter_w = 5; }));
  CHECK_FALSE(with([](Shape& s) { s.filter_h = 1; }));
  CHECK_FALSE(with([](Shape& s) { s.groups = 8; }));
  CHECK_FALSE(with([](Shape& s) { s.out_c = 15; }));
  CHECK_FALSE(with([](Shape& s) { s.in_h = s.in_w = 6; }));
}

}  // namespace depthwise

#include "kernel_harness.h"

namespace depthwise {
namespace {

// The family takes a quarter of a vector's outputs: more on wider instruction sets. On those that decline there is
// nothing to check; one output is taken by all.
void check_dot(Shape shape, const KernelCheck& options = {}) {
  check_kernel("grouped_dot", shape, options);
  shape.layout = Layout::nchw;
  shape.filter_layout = FilterLayout::oihw;
  check_kernel("grouped_dot", shape, options);
}

}  // namespace

TEST_CASE("grouped_dot: inputs about a vector's width, groups") {
  for (const int64_t groups : {1, 2, 5}) {
    for (int64_t inputs = 16; inputs <= 50; ++inputs) {
      check_dot(same({.in_h = 4, .in_w = 7, .in_c = groups * inputs, .out_c = groups, .groups = groups}));
    }
  }
}

TEST_CASE("grouped_dot: every number of outputs, where the vectors are wide enough") {
  const IsaKernels& best = *available_isas().front();
  const KernelFamily* family = harness::find_family(best, "grouped_dot");
  for (int64_t outputs = 1; outputs <= 4; ++outputs) {
    Shape shape = same({.in_h = 5, .in_w = 19, .in_c = 2 * 37, .out_c = 2 * outputs, .groups = 2});
    for (const Layout layout : {Layout::nhwc, Layout::nchw}) {
      shape.layout = layout;
      const Problem p = problem_of(shape);
      KernelPlan plan{};
      if (!family->plan(p, plan)) continue;
      const Activation linear = {ActivationKind::linear, 0.0f, 0.0f, 0.0f};
      const harness::Data data = harness::make_data(p, true, Values::ordinary, 7);
      const reference::Sums expected = reference::convolve(p, data.input.data(), data.filter.data(), data.bias.data());
      const std::vector<float> output = harness::run(p, best, *family, plan, linear, data, Flush::end);
      CHECK(harness::first_error(p, linear, data, expected, output) == "");
    }
  }
}

TEST_CASE("grouped_dot: strides, dilations and paddings, each axis its own") {
  for (const int64_t stride_h : {1, 2, 3}) {
    for (const int64_t stride_w : {1, 2, 5}) {
      for (const int64_t dilation_h : {1, 2}) {
        for (const int64_t dilation_w : {1, 3}) {
          for (const int64_t pad : {0, 1, 9}) {
            check_dot({.batch = 2,
                       .in_h = 11,
                       .in_w = 17,
                       .in_c = 38,
                       .out_c = 2,
                       .groups = 2,
                       .stride_h = stride_h,
                       .stride_w = stride_w,
                       .dilation_h = dilation_h,
                       .dilation_w = dilation_w,
                       .pad_top = pad,
                       .pad_left = pad,
                       .pad_bottom = 2,
                       .pad_right = pad});
          }
        }
      }
    }
  }
}

TEST_CASE("grouped_dot: several tiles, special values, every activation") {
  check_dot(same({.batch = 2, .in_h = 30, .in_w = 31, .in_c = 512, .out_c = 1, .groups = 1}));
  check_dot(same({.in_h = 9, .in_w = 10, .in_c = 80, .out_c = 2, .groups = 2}), {.values = Values::special});
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    check_dot(same({.in_h = 6, .in_w = 9, .in_c = 90, .out_c = 3, .groups = 3}),
              {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
  }
}

}  // namespace depthwise

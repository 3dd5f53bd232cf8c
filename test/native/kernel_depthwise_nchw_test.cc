#include "kernel_harness.h"

namespace depthwise {
namespace {

void check_nchw(Shape shape, const KernelCheck& options = {}) {
  shape.layout = Layout::nchw;
  check_kernel("depthwise_nchw", shape, options);
}

}  // namespace

TEST_CASE("depthwise_nchw: every width up to four vectors, both filter layouts") {
  for (int64_t width = 1; width <= 70; ++width) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
      check_nchw(same({.in_h = 5, .in_w = width, .in_c = 3, .filter_layout = filter_layout}));
      check_nchw(
          same({.in_h = 6, .in_w = width, .in_c = 2, .stride_h = 2, .stride_w = 2, .filter_layout = filter_layout}));
    }
  }
}

TEST_CASE("depthwise_nchw: every height around the blocks of rows") {
  for (int64_t height = 1; height <= 26; ++height) {
    for (const int64_t stride : {1, 2}) {
      check_nchw(same({.in_h = height, .in_w = 9, .in_c = 3, .stride_h = stride, .stride_w = stride}));
      check_nchw(same({.in_h = height,
                       .in_w = 33,
                       .in_c = 2,
                       .filter_h = 5,
                       .filter_w = 5,
                       .stride_h = stride,
                       .stride_w = stride}));
    }
  }
}

TEST_CASE("depthwise_nchw: planes of which a vector holds two rows, and a little larger ones") {
  for (int64_t height = 1; height <= 10; ++height) {
    for (int64_t width = 1; width <= 10; ++width) {
      for (const int64_t taps : {3, 5, 7}) {
        for (const int64_t stride : {1, 2}) {
          Shape shape{.in_h = height * stride,
                      .in_w = width * stride,
                      .in_c = 3,
                      .filter_h = taps,
                      .filter_w = taps,
                      .stride_h = stride,
                      .stride_w = stride};
          check_nchw(same(shape));
          // Uneven paddings, of which some leave whole rows and columns to zeros.
          shape.pad_top = taps - 1, shape.pad_left = height % 4;
          shape.pad_bottom = width % 3, shape.pad_right = taps;
          check_nchw(shape);
        }
      }
    }
  }
  check_nchw(same({.in_h = 7, .in_w = 5, .in_c = 3, .dilation_w = 2}));
  check_nchw(same({.batch = 2, .in_h = 7, .in_w = 7, .in_c = 5, .out_c = 15, .groups = 5}),
             {.activation = {ActivationKind::relu6, 0.0f, 0.0f, 0.0f}});
}

TEST_CASE("depthwise_nchw: planes that come from memory, on the CPUs where they are fetched ahead") {
  const AssumedCaches assumed({.l2_bytes = 1 << 10, .few_ways_thrash = true, .l3_bytes = 1 << 10});
  for (const int64_t height : {1, 3, 4, 7, 8, 15}) {
    for (const int64_t width : {7, 8, 9, 14, 16, 31, 33}) {
      for (const int64_t taps : {3, 5, 7}) {
        check_nchw(same({.batch = 2, .in_h = height, .in_w = width, .in_c = 3, .filter_h = taps, .filter_w = taps}));
      }
    }
  }
}

TEST_CASE("depthwise_nchw: dilations that leave few rows in a phase") {
  for (int64_t height = 1; height <= 22; ++height) {
    for (const int64_t dilation : {4, 7, 12}) {
      for (const int64_t width : {8, 19, 33}) {
        Shape shape{.in_h = height, .in_w = width, .in_c = 3, .dilation_h = dilation, .dilation_w = dilation};
        check_nchw(same(shape));
        shape.pad_top = dilation, shape.pad_bottom = 2 * dilation, shape.pad_left = 2 * dilation;
        check_nchw(shape);
      }
    }
  }
}

TEST_CASE("depthwise_nchw: planes as one long row") {
  for (const int64_t width : {8, 9, 10, 16, 17, 18, 19, 24, 27, 33, 35, 41, 64, 65}) {
    for (const int64_t dilation : {1, 2, 3, 4, 7}) {
      for (const int64_t height : {2 * dilation - 1, 2 * dilation, 2 * dilation + 1, int64_t{19}}) {
        const Shape shape{
            .batch = 2, .in_h = height, .in_w = width, .in_c = 3, .dilation_h = dilation, .dilation_w = dilation};
        check_nchw(same(shape));
        Shape twice = shape;
        twice.out_c = 6, twice.groups = 3;
        check_nchw(same(twice), {.activation = {ActivationKind::relu6, 0.0f, 0.0f, 0.0f}});
      }
    }
  }
}

TEST_CASE("depthwise_nchw: planes that are one block each, many of them") {
  for (const int64_t size : {3, 7, 9, 10, 12, 13, 14}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t width : {size, int64_t{20}}) {
        const Shape shape{.batch = 2,
                          .in_h = size * stride,
                          .in_w = width * stride,
                          .in_c = 9,
                          .stride_h = stride,
                          .stride_w = stride};
        check_nchw(same(shape));
        Shape symmetric = shape;
        symmetric.pad_top = symmetric.pad_left = symmetric.pad_bottom = symmetric.pad_right = 1;
        check_nchw(symmetric, {.activation = {ActivationKind::relu6, 0.0f, 0.0f, 0.0f}});
      }
    }
  }
}

TEST_CASE("depthwise_nchw: filters of one row") {
  for (const int64_t width : {1, 5, 16, 31, 64, 79, 200, 333}) {
    for (const int64_t taps : {1, 2, 4, 7}) {
      for (const int64_t dilation : {1, 3}) {
        const int64_t reach = (taps - 1) * dilation;
        Shape shape{.in_h = 3, .in_w = width, .in_c = 4, .filter_h = 1, .filter_w = taps, .dilation_w = dilation};
        shape.pad_left = reach;
        check_nchw(shape, {.activation = {ActivationKind::relu6, 0.0f, 0.0f, 0.0f}});
        shape.pad_left = reach / 2, shape.pad_right = reach + 1;
        check_nchw(shape);
        shape.out_c = 8, shape.groups = 4;
        check_nchw(shape);
      }
    }
  }
}

TEST_CASE("depthwise_nchw: filters of one column") {
  for (const int64_t width : {1, 3, 7, 8, 14, 33, 48, 61}) {
    for (const int64_t taps : {1, 2, 3, 5, 11}) {
      for (const int64_t dilation : {1, 2}) {
        const int64_t reach = (taps - 1) * dilation;
        Shape shape{.in_h = 4 * reach + 1, .in_w = width, .in_c = 4, .filter_h = taps, .filter_w = 1};
        shape.dilation_h = dilation;
        shape.pad_top = shape.pad_bottom = reach / 2;
        check_nchw(shape, {.activation = {ActivationKind::relu6, 0.0f, 0.0f, 0.0f}});
        shape.pad_top = reach + 2, shape.pad_bottom = 0;
        check_nchw(shape);
        shape.pad_top = 0, shape.pad_bottom = reach + 1;
        check_nchw(shape, {.values = Values::special});
        shape.out_c = 8, shape.groups = 4;
        check_nchw(shape);
      }
    }
  }
  check_nchw(same({.in_h = 600, .in_w = 700, .in_c = 2, .filter_h = 5, .filter_w = 1}));
  check_nchw(same({.in_h = 3000, .in_w = 40, .in_c = 2, .filter_h = 3, .filter_w = 1, .dilation_h = 7}));
}

TEST_CASE("depthwise_nchw: every filter height and width") {
  for (int64_t size = 1; size <= 17; ++size) {
    for (const int64_t stride : {1, 2}) {
      Shape shape{.in_h = 12, .in_w = 21, .in_c = 2, .stride_h = stride, .stride_w = stride};
      shape.filter_h = size, shape.filter_w = 3;
      check_nchw(same(shape));
      shape.filter_h = 3, shape.filter_w = size;
      check_nchw(same(shape));
      shape.filter_h = size, shape.filter_w = size;
      check_nchw(same(shape));
    }
  }
  check_nchw(same({.in_h = 19, .in_w = 23, .in_c = 2, .filter_h = 31, .filter_w = 29}));
  check_nchw({.in_h = 64, .in_w = 40, .in_c = 3, .filter_h = 64, .filter_w = 1});
  check_nchw(same({.in_h = 1, .in_w = 301, .in_c = 3, .filter_h = 1, .filter_w = 31}));
  check_nchw({.in_h = 1, .in_w = 103, .in_c = 5, .filter_h = 1, .filter_w = 4, .pad_left = 3});
}

TEST_CASE("depthwise_nchw: filters about as wide as two vectors") {
  for (const int64_t taps : {15, 16, 17, 31, 32, 33, 34}) {
    for (const int64_t stride : {1, 2}) {
      check_nchw(same({.in_h = 36,
                       .in_w = 37,
                       .in_c = 2,
                       .filter_h = taps,
                       .filter_w = taps,
                       .stride_h = stride,
                       .stride_w = stride}));
    }
  }
}

TEST_CASE("depthwise_nchw: strides, dilations and paddings, each axis its own") {
  for (const int64_t stride_h : {1, 2, 3, 4, 7}) {
    for (const int64_t stride_w : {1, 2, 3, 5}) {
      for (const int64_t dilation_h : {1, 2, 3, 6}) {
        for (const int64_t dilation_w : {1, 2, 3}) {
          check_nchw({.batch = 2,
                      .in_h = 23,
                      .in_w = 41,
                      .in_c = 2,
                      .filter_h = 3,
                      .filter_w = 3,
                      .stride_h = stride_h,
                      .stride_w = stride_w,
                      .dilation_h = dilation_h,
                      .dilation_w = dilation_w,
                      .pad_top = 2,
                      .pad_left = 1,
                      .pad_bottom = 1,
                      .pad_right = 4,
                      .filter_layout = FilterLayout::oihw});
        }
      }
    }
  }
}

TEST_CASE("depthwise_nchw: paddings larger than the filter and than the input") {
  for (const int64_t pad : {4, 9, 20}) {
    for (const int64_t stride : {1, 2, 3}) {
      check_nchw({.in_h = 6,
                  .in_w = 7,
                  .in_c = 3,
                  .stride_h = stride,
                  .stride_w = stride,
                  .pad_top = pad,
                  .pad_left = pad,
                  .pad_bottom = pad + 1,
                  .pad_right = pad + 2});
    }
  }
}

TEST_CASE("depthwise_nchw: multipliers") {
  for (int64_t multiplier = 1; multiplier <= 5; ++multiplier) {
    for (const int64_t width : {5, 17, 60}) {
      for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
        check_nchw(same({.batch = 2,
                         .in_h = 9,
                         .in_w = width,
                         .in_c = 3,
                         .out_c = 3 * multiplier,
                         .groups = 3,
                         .filter_layout = filter_layout}));
      }
    }
  }
}

TEST_CASE("depthwise_nchw: several tiles, of channels and of rows") {
  check_nchw(same({.batch = 2, .in_h = 7, .in_w = 7, .in_c = 1900}));
  check_nchw(same({.in_h = 14, .in_w = 14, .in_c = 401, .filter_h = 5, .filter_w = 5}));
  check_nchw(same({.in_h = 301, .in_w = 260, .in_c = 2, .filter_h = 5, .filter_w = 5}));
  check_nchw(same(
      {.in_h = 150, .in_w = 301, .in_c = 1, .out_c = 3, .filter_h = 5, .filter_w = 5, .stride_h = 2, .stride_w = 2}));
  check_nchw(
      same({.in_h = 290, .in_w = 301, .in_c = 1, .filter_h = 3, .filter_w = 3, .dilation_h = 5, .dilation_w = 4}));
}

TEST_CASE("depthwise_nchw: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) {
        check_nchw(same({.in_h = 9,
                         .in_w = 19,
                         .in_c = 5,
                         .stride_h = stride,
                         .stride_w = stride,
                         .filter_layout = filter_layout}),
                   {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
      }
    }
  }
}

TEST_CASE("depthwise_nchw: one filter that isn't finite among many") {
  const Problem p = problem_of(same({.in_h = 6, .in_w = 11, .in_c = 40, .layout = Layout::nchw}));
  harness::Data data = harness::make_data(p, true, Values::ordinary, 1);
  data.filter[reference::filter_index(p, 23, 0, 0, 0)] = NAN;
  data.filter[reference::filter_index(p, 31, 0, 2, 2)] = -INFINITY;
  const Activation linear = {ActivationKind::linear, 0.0f, 0.0f, 0.0f};
  const reference::Sums expected = reference::convolve(p, data.input.data(), data.filter.data(), data.bias.data());
  for (const IsaKernels* isa : available_isas()) {
    const KernelFamily* family = harness::find_family(*isa, "depthwise_nchw");
    KernelPlan plan{};
    REQUIRE(family->plan(p, plan));
    const std::vector<float> output = harness::run(p, *isa, *family, plan, linear, data, Flush::end);
    CHECK(harness::first_error(p, linear, data, expected, output) == "");
  }
}

TEST_CASE("depthwise_nchw: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    for (const int64_t width : {6, 50}) {
      CAPTURE(kind);
      check_nchw(same({.in_h = 13, .in_w = width, .in_c = 21}),
                 {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
    }
  }
}

TEST_CASE("depthwise_nchw: a row that is more than a tile of work, and strides longer than the filter") {
  check_nchw({.in_h = 4, .in_w = 134'000, .in_c = 1, .filter_h = 1, .filter_w = 3, .stride_h = 3});
}

TEST_CASE("depthwise_nchw: takes depthwise planes and nothing else") {
  for (const IsaKernels* isa : available_isas()) {
    CHECK(accepts(*isa, "depthwise_nchw", {.in_h = 4, .in_w = 4, .in_c = 6, .layout = Layout::nchw}));
    CHECK(!accepts(*isa, "depthwise_nchw", {.in_h = 4, .in_w = 4, .in_c = 6, .layout = Layout::nhwc}));
    CHECK(!accepts(*isa, "depthwise_nchw", {.in_h = 4, .in_w = 4, .in_c = 6, .groups = 3, .layout = Layout::nchw}));
  }
}

}  // namespace depthwise

#include "kernel_harness.h"

namespace depthwise {
namespace {

constexpr const char* kFamily = "depthwise_nhwc";

Shape square(int64_t height, int64_t width, int64_t channels, int64_t filter, int64_t stride, int64_t dilation) {
  return {.in_h = height,
          .in_w = width,
          .in_c = channels,
          .filter_h = filter,
          .filter_w = filter,
          .stride_h = stride,
          .stride_w = stride,
          .dilation_h = dilation,
          .dilation_w = dilation};
}

// Enough padding on every side that the filter fits into any picture.
Shape padded(Shape shape) {
  shape.pad_top = shape.pad_bottom = shape.filter_h * shape.dilation_h / 2;
  shape.pad_left = shape.pad_right = shape.filter_w * shape.dilation_w / 2;
  return shape;
}

}  // namespace

TEST_CASE("depthwise_nhwc: every number of channels about the widths of a vector") {
  for (int64_t channels = 16; channels <= 86; ++channels) {
    for (const int64_t filter : {3, 5}) {
      for (const int64_t stride : {1, 2}) check_kernel(kFamily, padded(square(5, 6, channels, filter, stride, 1)));
    }
  }
}

TEST_CASE("depthwise_nhwc: every width and height about the sizes of a block") {
  for (const int64_t filter : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (int64_t size = 1; size <= 33; size += size < 18 ? 1 : 5) {
        const int64_t other = 1 + (size * 7 + filter) % 17;
        check_kernel(kFamily, padded(square(other, size, 19, filter, stride, 1)));
        check_kernel(kFamily, padded(square(size, other, 16, filter, stride, 1)));
      }
    }
  }
}

TEST_CASE("depthwise_nhwc: strides with dilations, alike, coprime and with common factors") {
  for (const int64_t filter : {2, 3, 5, 7}) {
    for (const int64_t stride : {1, 2, 3, 4, 6, 7}) {
      for (const int64_t dilation : {1, 2, 3, 4, 6, 12}) {
        check_kernel(kFamily, padded(square(23, 19, 20, filter, stride, dilation)));
        Shape uneven = padded(square(17, 31, 33, filter, stride, dilation));
        uneven.stride_w = 1 + stride % 3;
        uneven.dilation_h = 1 + dilation % 2;
        check_kernel(kFamily, uneven);
      }
    }
  }
}

TEST_CASE("depthwise_nhwc: uneven paddings, none, and more than the filter reaches") {
  for (const int64_t filter : {3, 5, 7}) {
    for (const int64_t stride : {1, 2}) {
      Shape shape = square(9, 16, 24, filter, stride, 1);
      check_kernel(kFamily, shape);
      shape.pad_right = 1;
      shape.pad_top = 2;
      check_kernel(kFamily, shape);
      shape.pad_left = 3 * filter;
      shape.pad_bottom = filter + 1;
      check_kernel(kFamily, shape);
      shape.pad_top = 40;
      check_kernel(kFamily, shape);
    }
  }
}

TEST_CASE("depthwise_nhwc: filters larger than their input, rows and columns of taps") {
  check_kernel(kFamily, same(square(2, 3, 21, 7, 1, 1)));
  check_kernel(kFamily, same(square(6, 9, 17, 31, 1, 1)));
  check_kernel(kFamily, same({.in_h = 1, .in_w = 50, .in_c = 40, .filter_h = 1, .filter_w = 31}));
  check_kernel(kFamily, same({.in_h = 50, .in_w = 1, .in_c = 40, .filter_h = 31, .filter_w = 1}));
  check_kernel(kFamily, {.in_h = 1, .in_w = 37, .in_c = 48, .filter_h = 1, .filter_w = 4, .pad_left = 3});
  check_kernel(kFamily, same({.in_h = 12, .in_w = 15, .in_c = 32, .filter_h = 5, .filter_w = 3}));
  check_kernel(kFamily, same({.in_h = 12, .in_w = 15, .in_c = 32, .filter_h = 3, .filter_w = 7, .stride_w = 2}));
}

TEST_CASE("depthwise_nhwc: filters of one column, which take outputs below each other together") {
  for (const int64_t filter : {2, 3, 4, 5, 7, 11}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t dilation : {1, 2, 3}) {
        for (const int64_t height : {1, 6, 7, 14, 15, 31}) {
          Shape shape = square(height, 5, 19, filter, stride, dilation);
          shape.filter_w = 1;
          shape.stride_w = 1 + height % 2;
          check_kernel(kFamily, padded(shape), {.values = height == 15 ? Values::special : Values::ordinary});
          shape.pad_left = 2, shape.pad_bottom = filter * dilation;
          check_kernel(kFamily, shape);
          shape.layout = Layout::nchw, shape.filter_layout = FilterLayout::oihw;
          if (accepts(*available_isas().front(), kFamily, shape)) check_kernel(kFamily, shape);
        }
      }
    }
  }
  check_kernel(kFamily, same({.batch = 2, .in_h = 90, .in_w = 40, .in_c = 256, .filter_h = 11, .filter_w = 1}));
  check_kernel(kFamily, same({.in_h = 120, .in_w = 2, .in_c = 64, .filter_h = 101, .filter_w = 1}));
}

TEST_CASE("depthwise_nhwc: several tiles of channels, rows and images") {
  check_kernel(kFamily, padded({.batch = 3, .in_h = 30, .in_w = 29, .in_c = 200}));
  check_kernel(kFamily, padded({.batch = 2, .in_h = 7, .in_w = 7, .in_c = 1009}));
  check_kernel(kFamily, padded(square(40, 40, 130, 5, 2, 1)));
  check_kernel(kFamily, {.batch = 0, .in_h = 7, .in_w = 7, .in_c = 32});
}

TEST_CASE("depthwise_nhwc: numbers of channels that are staged, on the CPUs where that pays") {
  const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = true});
  for (const int64_t channels : {256, 512, 768}) {
    for (const int64_t filter : {3, 5}) {
      for (const int64_t stride : {1, 2}) check_kernel(kFamily, same(square(11, 9, channels, filter, stride, 1)));
    }
  }
  check_kernel(kFamily, same(square(20, 5, 256, 3, 1, 1)));
  check_kernel(kFamily, same(square(9, 13, 256, 3, 2, 3)));
  check_kernel(kFamily, {.in_h = 7, .in_w = 7, .in_c = 256, .filter_h = 7, .filter_w = 7});
}

TEST_CASE("depthwise_nhwc: pixels a multiple of 1 KiB apart, on the CPUs where their lines collide") {
  const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = true});
  for (const int64_t height : {1, 2, 3, 4, 9}) {
    for (const int64_t width : {1, 2, 3, 6, 7, 8, 13, 14, 15}) {
      for (const int64_t stride : {1, 2}) {
        check_kernel(kFamily, same(square(height, width, 256, 3, stride, 1)));
        check_kernel(kFamily, padded(square(height + 2, width + 2, 128 * stride, 3, stride, 1)));
      }
    }
  }
  check_kernel(kFamily, same(square(9, 20, 256, 3, 1, 2)));
  check_kernel(kFamily,
               {.in_h = 9, .in_w = 16, .in_c = 256, .filter_h = 3, .filter_w = 3, .pad_top = 2, .pad_left = 2});
  check_kernel(kFamily, same(square(5, 30, 1024, 3, 1, 1)), {.activation = {ActivationKind::gelu, 0, 0, 0}});
  check_kernel(kFamily, same(square(7, 9, 256, 3, 1, 1)),
               {.activation = {ActivationKind::relu, 0, 0, 0}, .values = Values::special});
}

TEST_CASE("depthwise_nhwc: pixels a multiple of 512 bytes apart, where both vectors of a line roll together") {
  const AssumedCaches assumed({.l2_bytes = int64_t{1} << 20, .few_ways_thrash = true});
  for (const int64_t channels : {64, 128, 384, 512}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t height : {1, 2, 3, 5, 8}) {
        for (const int64_t width : {1, 2, 3, 9}) {
          check_kernel(kFamily, padded(square(height, width, channels, 3, stride, 1)));
        }
      }
      check_kernel(kFamily, same(square(17, 60, channels, 3, stride, 1)));
      check_kernel(kFamily, same(square(11, 12, channels, 3, stride, 1)),
                   {.activation = {ActivationKind::relu, 0, 0, 0}, .values = Values::special});
    }
    check_kernel(kFamily, same(square(9, 10, channels, 3, 1, 2)));
  }
}

TEST_CASE("depthwise_nhwc: large pixels that the second cache doesn't hold, on the CPUs where tiles take them") {
  const AssumedCaches assumed({.l2_bytes = 1 << 10, .few_ways_thrash = true});
  for (const int64_t size : {1, 3, 7, 10, 16}) {
    for (const int64_t channels : {192, 197, 210}) {
      for (const int64_t stride : {1, 2})
        check_kernel(kFamily, padded(square(size, 17 - size, channels, 3, stride, 1)));
      check_kernel(kFamily, padded(square(size + 8, size, channels, 3, 1, 2)));
    }
  }
}

TEST_CASE("depthwise_nhwc: arrays that the second cache doesn't hold") {
  const AssumedCaches assumed({.l2_bytes = 1 << 10, .few_ways_thrash = false});
  for (const int64_t size : {1, 2, 3, 7, 9, 14, 16, 31}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t channels : {20, 192, 197}) {
        check_kernel(kFamily, padded(square(size, 32 - size, channels, 3, stride, 1)));
        check_kernel(kFamily, padded(square(size, 32 - size, channels, 5, stride, 1)));
        check_kernel(kFamily, padded(square(size + 8, size, channels, 3, stride, 2)));
      }
    }
  }
}

TEST_CASE("depthwise_nhwc: tiles of columns of all channels, of what the second cache doesn't hold") {
  const AssumedCaches assumed({.l2_bytes = 1 << 10, .few_ways_thrash = false});
  for (const int64_t width : {139, 140, 141, 170}) {
    for (const int64_t stride : {1, 2}) check_kernel(kFamily, padded(square(9, width, 197, 3, stride, 1)));
  }
  const Shape causal = {.in_w = 1200, .in_c = 320, .filter_h = 1, .filter_w = 4, .pad_left = 3};
  check_kernel(kFamily, causal);
  check_kernel(kFamily, causal, {.activation = {ActivationKind::gelu, 0, 0, 0}});
}

TEST_CASE("depthwise_nhwc: arrays that come from memory, on the CPUs where they are fetched ahead") {
  const AssumedCaches assumed({.l2_bytes = 1 << 10, .few_ways_thrash = true, .l3_bytes = 1 << 10});
  for (const int64_t width : {1, 3, 4, 6, 7, 11, 12, 13, 30}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t channels : {20, 32, 197}) {
        for (const int64_t filter : {2, 3, 5}) {
          check_kernel(kFamily, padded(square(34 - width, width, channels, filter, stride, 1)));
        }
      }
      check_kernel(kFamily, same(square(5, width, 256, 5, stride, 1)));
      check_kernel(kFamily, same(square(5, width, 512, 3, stride, 1)),
                   {.activation = {ActivationKind::gelu, 0, 0, 0}, .values = Values::special});
    }
    check_kernel(kFamily, same({.batch = 2, .in_h = 9, .in_w = width, .in_c = 64, .filter_h = 1, .filter_w = 3}));
    check_kernel(kFamily, same({.batch = 2, .in_h = 9, .in_w = width, .in_c = 64, .filter_h = 3, .filter_w = 1}));
    Shape uneven = padded(square(13, 2 * width, 36, 3, 1, 1));
    uneven.stride_h = 2, uneven.stride_w = 3;
    check_kernel(kFamily, uneven);
  }
  for (const int64_t width : {139, 140, 141, 170}) {
    for (const int64_t stride : {1, 2}) check_kernel(kFamily, padded(square(9, width, 197, 3, stride, 1)));
  }
}

TEST_CASE("depthwise_nhwc: rows that roll in parts") {
  for (const int64_t width : {56, 57, 112, 113, 170}) {
    for (const int64_t stride : {1, 2}) check_kernel(kFamily, padded(square(5, width, 20, 3, stride, 1)));
  }
}

TEST_CASE("depthwise_nhwc: filters of output, input, height, width") {
  for (const int64_t channels : {16, 17, 37}) {
    for (const int64_t filter : {3, 5, 6}) {
      Shape shape = padded(square(9, 11, channels, filter, 1, 1));
      shape.filter_layout = FilterLayout::oihw;
      check_kernel(kFamily, shape);
    }
  }
}

TEST_CASE("depthwise_nhwc: special values, padding skipped") {
  for (const ActivationKind kind : {ActivationKind::linear, ActivationKind::relu, ActivationKind::relu6}) {
    for (const int64_t channels : {16, 19, 48}) {
      for (const int64_t filter : {3, 4, 5, 7}) {
        for (const int64_t stride : {1, 2, 3}) {
          check_kernel(kFamily, padded(square(15, 17, channels, filter, stride, 1)),
                       {.activation = {kind, 0.0f, 0.0f, 0.0f}, .values = Values::special});
        }
      }
    }
  }
}

TEST_CASE("depthwise_nhwc: every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    for (const int64_t channels : {16, 21, 300}) {
      check_kernel(kFamily, padded(square(16, 9, channels, 3, 1, 1)),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
    }
  }
}

TEST_CASE("depthwise_nhwc: planes, transposed: sizes, strides, dilations, paddings") {
  for (const int64_t filter : {4, 6, 9}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t channels : {16, 17, 31, 40}) {
        for (const int64_t size : {1, 2, 5, 9, 16, 21}) {
          Shape shape = padded(square(size, 1 + size * 7 % 19, channels, filter, stride, 1));
          shape.layout = Layout::nchw;
          check_kernel(kFamily, shape);
          shape.filter_layout = FilterLayout::oihw;
          shape.dilation_h = 2, shape.dilation_w = 3;
          shape.pad_top = filter, shape.pad_bottom = filter - 2, shape.pad_right = 20;
          check_kernel(kFamily, shape);
        }
      }
    }
  }
}

TEST_CASE("depthwise_nhwc: planes, transposed: several tiles of rows, channels and images") {
  Shape shape = same(square(150, 70, 33, 9, 1, 1));
  shape.layout = Layout::nchw;
  check_kernel(kFamily, shape);
  shape = same(square(61, 90, 20, 5, 3, 4));
  shape.layout = Layout::nchw, shape.batch = 2;
  check_kernel(kFamily, shape);
  shape = same({.batch = 2, .in_h = 5, .in_w = 6, .in_c = 300, .filter_h = 5, .filter_w = 6, .layout = Layout::nchw});
  check_kernel(kFamily, shape);
  shape = same({.in_h = 1, .in_w = 700, .in_c = 40, .filter_h = 1, .filter_w = 31, .layout = Layout::nchw});
  check_kernel(kFamily, shape);
  shape.batch = 0;
  check_kernel(kFamily, shape);
}

TEST_CASE("depthwise_nhwc: planes, transposed: special values and every activation") {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
    CAPTURE(kind);
    Shape shape = padded(square(11, 13, 37, 4, 2, 1));
    shape.layout = Layout::nchw;
    const ActivationKind activation = static_cast<ActivationKind>(kind);
    check_kernel(kFamily, shape, {.activation = {activation, 0.3f, -0.5f, 0.25f}});
    if (activation != ActivationKind::linear && activation != ActivationKind::relu) continue;
    check_kernel(kFamily, shape, {.activation = {activation, 0.0f, 0.0f, 0.0f}, .values = Values::special});
  }
}

TEST_CASE("depthwise_nhwc: leaves other layouts, multipliers and fewer channels than a vector has to other families") {
  for (const IsaKernels* isa : available_isas()) {
    CHECK(accepts(*isa, kFamily, {.in_h = 5, .in_w = 5, .in_c = 32}));
    // Planes only where transposing them pays: not here, and not for fewer than fill a vector or rows without an input.
    const Shape wide = same({.in_h = 56, .in_w = 64, .in_c = 32, .layout = Layout::nchw});
    CHECK(accepts(*isa, kFamily, wide) == (isa->isa == Isa::portable));
    Shape planes = {.in_h = 9, .in_w = 9, .in_c = 32, .filter_h = 9, .filter_w = 9, .layout = Layout::nchw};
    CHECK(accepts(*isa, kFamily, planes));
    planes.pad_top = 9;
    CHECK_FALSE(accepts(*isa, kFamily, planes));
    planes.pad_top = 0, planes.in_c = 3;
    CHECK_FALSE(accepts(*isa, kFamily, planes));
    CHECK_FALSE(accepts(*isa, kFamily, {.in_h = 5, .in_w = 5, .in_c = 32, .out_c = 64}));
    CHECK_FALSE(accepts(*isa, kFamily, {.in_h = 5, .in_w = 5, .in_c = 32, .groups = 8}));
    CHECK_FALSE(accepts(*isa, kFamily, {.in_h = 5, .in_w = 5, .in_c = 3}));
  }
}

}  // namespace depthwise

#include "kernel_harness.h"

namespace depthwise {
namespace {

Shape whole(int64_t height, int64_t width, int64_t channels, Layout layout, FilterLayout filter_layout) {
  return {.batch = 2,
          .in_h = height,
          .in_w = width,
          .in_c = channels,
          .filter_h = height,
          .filter_w = width,
          .layout = layout,
          .filter_layout = filter_layout};
}

template <class Check>
void for_each_layout(const Check& check) {
  for (const Layout layout : {Layout::nhwc, Layout::nchw}) {
    for (const FilterLayout filter_layout : {FilterLayout::hwio, FilterLayout::oihw}) check(layout, filter_layout);
  }
}

}  // namespace

TEST_CASE("depthwise_whole: every number of channels about the widths of micro-kernels") {
  for_each_layout([](Layout layout, FilterLayout filter_layout) {
    for (int64_t channels = 16; channels <= 133; channels += channels < 40 ? 1 : 13) {
      check_kernel("depthwise_whole", whole(3, 5, channels, layout, filter_layout));
    }
  });
}

TEST_CASE("depthwise_whole: every number of taps about the widths of vectors") {
  for_each_layout([](Layout layout, FilterLayout filter_layout) {
    for (int64_t taps = 2; taps <= 66; ++taps) {
      check_kernel("depthwise_whole", whole(1, taps, 19, layout, filter_layout));
      check_kernel("depthwise_whole", whole(taps, 1, 35, layout, filter_layout));
    }
  });
}

TEST_CASE("depthwise_whole: several tiles, of which the last is larger") {
  for_each_layout([](Layout layout, FilterLayout filter_layout) {
    for (const int64_t channels : {512, 700, 777}) {
      check_kernel("depthwise_whole", whole(40, 41, channels, layout, filter_layout));
    }
  });
}

TEST_CASE("depthwise_whole: special values and every activation") {
  for_each_layout([](Layout layout, FilterLayout filter_layout) {
    check_kernel("depthwise_whole", whole(7, 7, 37, layout, filter_layout), {.values = Values::special});
    for (int kind = 0; kind <= static_cast<int>(ActivationKind::clip); ++kind) {
      CAPTURE(kind);
      check_kernel("depthwise_whole", whole(7, 7, 150, layout, filter_layout),
                   {.activation = {static_cast<ActivationKind>(kind), 0.3f, -0.5f, 0.25f}});
    }
  });
}

TEST_CASE("depthwise_whole: takes filters as large as their input, and nothing else") {
  Shape shape = whole(7, 7, 32, Layout::nchw, FilterLayout::hwio);
  const auto accepted = [&] { return accepts(*available_isas().front(), "depthwise_whole", shape); };
  CHECK(accepted());
  shape.in_w = 8;
  CHECK(!accepted());
  shape.in_w = 7, shape.pad_left = 1;
  CHECK(!accepted());
  shape.pad_left = 0, shape.out_c = 64;
  CHECK(!accepted());
  shape.out_c = 32, shape.groups = 16;
  CHECK(!accepted());
  shape.groups = 32, shape.in_h = shape.in_w = shape.filter_h = shape.filter_w = 1;
  CHECK(!accepted());
}

}  // namespace depthwise

// Small problems of every kind, each by every family that accepts it, between guard pages and against the definition.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <iostream>

#include "bytes.h"
#include "kernel_harness.h"

namespace {

void end_at(const doctest::AssertData& assertion) {
  std::cerr << assertion.m_file << ':' << assertion.m_line << ": " << assertion.m_expr << '\n';
  std::abort();
}

doctest::Context& context() {
  static doctest::Context context;
  return context;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  context().setAsDefaultForAssertsOutOfTestCases();
  context().setAssertHandler(end_at);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace depthwise;
  fuzz::Bytes bytes(data, size);
  Shape shape;
  const int64_t in_c = bytes.within(1, 40), multiplier = bytes.within(1, 5), kind = bytes.byte() % 3;
  shape.groups = kind == 0 ? in_c : kind == 1 ? 1 : bytes.within(1, 6);
  shape.in_c = kind == 2 ? shape.groups * bytes.within(1, 9) : in_c;
  shape.out_c = kind == 0 ? in_c * multiplier : shape.groups * bytes.within(1, 40);
  shape.batch = bytes.within(0, 2);
  shape.filter_h = bytes.within(1, 7), shape.filter_w = bytes.within(1, 7);
  shape.stride_h = bytes.within(1, 4), shape.stride_w = bytes.within(1, 4);
  shape.dilation_h = bytes.within(1, 3), shape.dilation_w = bytes.within(1, 3);
  shape.pad_top = bytes.within(0, 5), shape.pad_left = bytes.within(0, 5);
  shape.pad_bottom = bytes.within(0, 5), shape.pad_right = bytes.within(0, 5);
  shape.in_h = bytes.within(1, 14), shape.in_w = bytes.within(1, 20);
  shape.layout = bytes.byte() % 2 ? Layout::nchw : Layout::nhwc;
  shape.filter_layout = bytes.byte() % 2 ? FilterLayout::oihw : FilterLayout::hwio;
  shape.algorithm = bytes.byte() % 2 ? Algorithm::winograd : Algorithm::direct;
  const auto fits = [](int64_t in, int64_t pads, int64_t filter, int64_t dilation) {
    return in + pads >= (filter - 1) * dilation + 1;
  };
  if (!fits(shape.in_h, shape.pad_top + shape.pad_bottom, shape.filter_h, shape.dilation_h)) return -1;
  if (!fits(shape.in_w, shape.pad_left + shape.pad_right, shape.filter_w, shape.dilation_w)) return -1;
  const Activation activation{static_cast<ActivationKind>(bytes.byte() % 13), 0.3f, -0.5f, 0.25f};
  const bool clamps = activation.kind == ActivationKind::linear || activation.kind == ActivationKind::relu;
  const uint8_t drawn = bytes.byte();
  const Values special = drawn % 8 == 0 ? Values::special : Values::few_special;
  const Values values = clamps && drawn % 4 == 0 ? special : Values::ordinary;

  const Problem p = problem_of(shape);
  if (check(p)) std::abort();
  const harness::Data arrays = harness::make_data(p, bytes.byte() % 2, values, bytes.byte());
  const auto expected = harness::expected_sums(p, arrays);
  for (const IsaKernels* isa : available_isas()) {
    for (const KernelFamily* const* family = isa->families; *family; ++family) {
      KernelPlan plan{};
      if (!(*family)->plan(p, plan)) continue;
      const auto output = harness::run(p, *isa, **family, plan, activation, arrays, Flush::end);
      const std::string error = harness::first_error(p, activation, arrays, expected, output);
      const auto again = harness::run(p, *isa, **family, plan, activation, arrays, Flush::begin);
      const bool same = output.empty() || std::memcmp(output.data(), again.data(), output.size() * sizeof(float)) == 0;
      if (error.empty() && same) continue;
      std::cerr << describe(p) << ' ' << isa->name << ' ' << (*family)->name << ' ' << plan.kernel << ": "
                << (error.empty() ? "depends on the order of tiles" : error) << '\n';
      std::abort();
    }
  }
  return 0;
}

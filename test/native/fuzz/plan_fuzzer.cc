// Any numbers as a problem: check() refuses them, or every family can plan without overflow and asks for memory that
// has to do with the problem's.
#include <cstdint>
#include <cstdlib>
#include <iterator>

#include "bytes.h"
#include "core/problem_check.h"
#include "core/registry.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace depthwise;
  fuzz::Bytes bytes(data, size);
  Problem p;
  for (int64_t* field : {&p.batch, &p.in_h, &p.in_w, &p.in_c, &p.out_h, &p.out_w, &p.out_c, &p.filter_h, &p.filter_w,
                         &p.stride_h, &p.stride_w, &p.dilation_h, &p.dilation_w, &p.pad_top, &p.pad_left, &p.groups}) {
    *field = bytes.any();
  }
  p.layout = bytes.byte() % 2 ? Layout::nchw : Layout::nhwc;
  p.filter_layout = bytes.byte() % 2 ? FilterLayout::oihw : FilterLayout::hwio;
  p.algorithm = bytes.byte() % 2 ? Algorithm::winograd : Algorithm::direct;
  const uint8_t relation = bytes.byte();
  if (relation & 1) p.groups = p.in_c;
  if (relation & 2) p.out_c = p.in_c;
  if (relation & 4) p.out_h = p.in_h, p.out_w = p.in_w;

  if (check(p)) return 0;
  expect(input_floats(p) >= 0 && output_floats(p) >= 0 && filter_floats(p) > 0);
  // A filter that is really there: families may walk over its rows and columns as they plan.
  if (filter_floats(p) > 1 << 16) return 0;
  expect(flops(p) >= 0 && depthwise::bytes(p) > 0);
  for (const IsaKernels* isa : available_isas()) {
    bool accepted = false;
    for (const KernelFamily* const* family = isa->families; *family; ++family) {
      KernelPlan plan{};
      if (!(*family)->plan(p, plan)) continue;
      accepted = true;
      expect(plan.kernel && plan.tiles >= 0 && (plan.tiles > 0 || p.batch == 0));
      expect(plan.packed_floats >= 0 && plan.packed_floats <= 64 * filter_floats(p) + 4096 * p.groups);
      expect(plan.scratch_floats >= 0);
    }
    expect(accepted);
  }
  return 0;
}

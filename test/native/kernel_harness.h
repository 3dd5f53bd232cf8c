// Holds one family of kernels against the definition, on every instruction set that runs here:
//
//   check_kernel("depthwise_nhwc", {.in_h = 7, .in_w = 9, .in_c = 17, .pad_top = 1}, {.kind = ActivationKind::relu});
//
// Each case packs the weights, runs all tiles in two orders with all memory between guard pages, and compares
// within the bound that the library promises: (taps + 4) * 2^-24 * (sum |x| |w| + |bias|) before the activation, or
// Winograd's where that was asked for; 1e-6 + 4 * 2^-23 * |y| more after it.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <sstream>
#include <string>

#include "core/cpu_features.h"
#include "core/kernel.h"
#include "core/problem_check.h"
#include "core/registry.h"
#include "guarded_floats.h"
#include "reference.h"

namespace depthwise {

// Plans in the scope of this are made for such a CPU.
class AssumedCaches {
 public:
  explicit AssumedCaches(const Caches& caches) : real_(cpu_caches()) { assume_caches(caches); }
  AssumedCaches(const AssumedCaches&) = delete;
  AssumedCaches& operator=(const AssumedCaches&) = delete;
  ~AssumedCaches() { assume_caches(real_); }

 private:
  Caches real_;
};

// A problem by what a program would say of it. Zero: out_c is in_c, groups is in_c (depthwise).
struct Shape {
  int64_t batch = 1;
  int64_t in_h = 1, in_w = 1, in_c = 1;
  int64_t out_c = 0, groups = 0;
  int64_t filter_h = 3, filter_w = 3;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  Layout layout = Layout::nhwc;
  FilterLayout filter_layout = FilterLayout::hwio;
  Algorithm algorithm = Algorithm::direct;
};

// Padded on all sides such that stride 1 keeps the size ('same' for odd filters).
inline Shape same(Shape shape) {
  shape.pad_top = shape.pad_bottom = (shape.filter_h - 1) * shape.dilation_h / 2;
  shape.pad_left = shape.pad_right = (shape.filter_w - 1) * shape.dilation_w / 2;
  return shape;
}

inline Problem problem_of(const Shape& s) {
  const auto out = [](int64_t in, int64_t pad, int64_t filter, int64_t dilation, int64_t stride) {
    return (in + pad - ((filter - 1) * dilation + 1)) / stride + 1;
  };
  Problem p;
  p.batch = s.batch;
  p.in_h = s.in_h, p.in_w = s.in_w, p.in_c = s.in_c;
  p.out_h = out(s.in_h, s.pad_top + s.pad_bottom, s.filter_h, s.dilation_h, s.stride_h);
  p.out_w = out(s.in_w, s.pad_left + s.pad_right, s.filter_w, s.dilation_w, s.stride_w);
  p.out_c = s.out_c ? s.out_c : s.in_c;
  p.filter_h = s.filter_h, p.filter_w = s.filter_w;
  p.stride_h = s.stride_h, p.stride_w = s.stride_w;
  p.dilation_h = s.dilation_h, p.dilation_w = s.dilation_w;
  p.pad_top = s.pad_top, p.pad_left = s.pad_left;
  p.groups = s.groups ? s.groups : s.in_c;
  p.layout = s.layout;
  p.filter_layout = s.filter_layout;
  p.algorithm = s.algorithm;
  return p;
}

inline std::string describe(const Problem& p) {
  std::ostringstream text;
  text << (p.layout == Layout::nhwc ? "nhwc " : "nchw ") << p.batch << 'x' << p.in_h << 'x' << p.in_w << 'x' << p.in_c
       << " -> " << p.out_h << 'x' << p.out_w << 'x' << p.out_c << " groups " << p.groups
       << (p.filter_layout == FilterLayout::hwio ? " hwio " : " oihw ") << p.filter_h << 'x' << p.filter_w << " stride "
       << p.stride_h << 'x' << p.stride_w << " dilation " << p.dilation_h << 'x' << p.dilation_w << " pad " << p.pad_top
       << ',' << p.pad_left;
  return text.str();
}

enum class Values {
  ordinary,
  // NaN, infinities and denormals among the inputs, and one tap of every filter infinite: an infinite weight
  // over padding leaves the sum finite.
  special,
  // A few inputs NaN, infinite or so large that sums of some overflow; weights as usual.
  few_special,
};

namespace harness {

inline const KernelFamily* find_family(const IsaKernels& isa, const char* name) {
  for (const KernelFamily* const* family = isa.families; *family; ++family) {
    if (std::strcmp((*family)->name, name) == 0) return *family;
  }
  return nullptr;
}

struct Data {
  std::vector<float> input, filter, bias, slopes;
};

inline Data make_data(const Problem& p, bool with_bias, Values values, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  Data data;
  data.input.resize(input_floats(p));
  data.filter.resize(filter_floats(p));
  data.bias.resize(p.out_c);
  data.slopes.resize(p.out_c);
  for (float& x : data.input) x = uniform(random);
  for (float& w : data.filter) w = uniform(random);
  for (float& b : data.bias) b = with_bias ? uniform(random) : 0.0f;
  for (float& s : data.slopes) s = uniform(random);
  if (values == Values::special) {
    constexpr float kSpecial[] = {NAN, INFINITY, -INFINITY, 1e-40f, -3e-45f, 0.0f, -0.0f};
    for (float& x : data.input) {
      const uint32_t draw = random() % 64;
      if (draw < std::size(kSpecial)) x = kSpecial[draw];
    }
    for (int64_t o = 0; o < p.out_c; ++o) {
      for (int64_t i = 0; i < p.in_c / p.groups; ++i) data.filter[reference::filter_index(p, o, i, 0, 0)] = INFINITY;
    }
  }
  if (values == Values::few_special) {
    constexpr float kSpecial[] = {NAN, INFINITY, -INFINITY, 1e37f, -1e37f};
    for (float& x : data.input) {
      const uint32_t draw = random() % 4096;
      if (draw < std::size(kSpecial)) x = kSpecial[draw];
    }
  }
  return data;
}

inline FilterView view(const Problem& p, const float* filter) {
  const int64_t in_c = p.in_c / p.groups, taps = p.filter_h * p.filter_w;
  if (p.filter_layout == FilterLayout::hwio) {
    return {filter, 1, p.out_c, p.filter_w * in_c * p.out_c, in_c * p.out_c};
  }
  return {filter, in_c * taps, taps, p.filter_w, 1};
}

// An empty array may have a null pointer, which memcmp must not be given.
inline bool same_bits(const float* a, const float* b, std::size_t count) {
  return count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0;
}

inline void fill(GuardedFloats& to, const std::vector<float>& from) { std::copy(from.begin(), from.end(), to.data()); }

constexpr std::size_t kVectorAlignment = 64;

inline KernelArgs make_args(const Problem& p, const KernelPlan& plan, const IsaKernels& isa,
                            const Activation& activation) {
  const bool clamps = activation.kind == ActivationKind::relu || activation.kind == ActivationKind::relu6 ||
                      activation.kind == ActivationKind::clip;
  KernelArgs args{};
  args.problem = &p;
  args.plan = &plan;
  args.lo = activation.kind == ActivationKind::clip ? activation.lo : clamps ? 0.0f : -INFINITY;
  args.hi = activation.kind == ActivationKind::clip    ? activation.hi
            : activation.kind == ActivationKind::relu6 ? 6.0f
                                                       : INFINITY;
  args.clamps = clamps;
  args.activate = clamps || activation.kind == ActivationKind::linear ? nullptr : isa.activate;
  args.activation = activation;
  return args;
}

// All outputs, from tiles run first to last (memory ends at guard pages) or last to first (it begins there).
inline std::vector<float> run(const Problem& p, const IsaKernels& isa, const KernelFamily& family,
                              const KernelPlan& plan, const Activation& activation, const Data& data, Flush flush) {
  GuardedFloats input(input_floats(p), flush), filter(filter_floats(p), flush), output(output_floats(p), flush);
  GuardedFloats packed(plan.packed_floats, flush, kVectorAlignment);
  GuardedFloats scratch(plan.scratch_floats, flush, kVectorAlignment);
  GuardedFloats bias(p.out_c + kChannelPad, flush, kVectorAlignment);
  GuardedFloats slopes(p.out_c + kChannelPad, flush, kVectorAlignment);
  fill(input, data.input);
  fill(filter, data.filter);
  std::fill_n(bias.data(), bias.size(), 0.0f);
  std::fill_n(slopes.data(), slopes.size(), 0.0f);
  fill(bias, data.bias);
  fill(slopes, data.slopes);
  if (plan.packed_floats > 0) family.pack(p, plan, view(p, filter.data()), packed.data());

  KernelArgs args = make_args(p, plan, isa, activation);
  args.weights = plan.packed_floats > 0 ? packed.data() : filter.data();
  args.bias = bias.data();
  args.slopes = activation.kind == ActivationKind::prelu ? slopes.data() : nullptr;
  for (int64_t i = 0; i < plan.tiles; ++i) {
    const int64_t tile = flush == Flush::end ? i : plan.tiles - 1 - i;
    scratch.clear();
    // Each tile writes all that it announces, and that is no other's, in whatever order the tiles run.
    if (family.outputs) {
      const OutputRuns runs = family.outputs(args, input.data(), tile);
      for (int64_t r = 0; r < runs.runs; ++r)
        std::fill_n(output.data() + runs.first + r * runs.stride, runs.floats, NAN);
    }
    family.run(args, input.data(), output.data(), tile, scratch.data());
  }

  CHECK(input.surroundings_untouched());
  CHECK(output.surroundings_untouched());
  CHECK(packed.surroundings_untouched());
  CHECK(scratch.surroundings_untouched());
  CHECK(same_bits(input.data(), data.input.data(), data.input.size()));
  return {output.data(), output.data() + output.size()};
}

inline reference::Sums expected_sums(const Problem& p, const Data& data) {
  reference::Sums sums = reference::convolve(p, data.input.data(), data.filter.data(), data.bias.data());
  if (p.algorithm == Algorithm::winograd && p.filter_h == 3 && p.filter_w == 3) {
    reference::allow_winograd(p, data.input.data(), data.filter.data(), data.bias.data(), sums);
  }
  return sums;
}

inline int64_t channel_of(const Problem& p, int64_t index) {
  return p.layout == Layout::nhwc ? index % p.out_c : index / (p.out_h * p.out_w) % p.out_c;
}

// The first output out of bounds, described; empty if there is none.
inline std::string first_error(const Problem& p, const Activation& activation, const Data& data,
                               const reference::Sums& expected, const std::vector<float>& output) {
  const bool linear = activation.kind == ActivationKind::linear || activation.kind == ActivationKind::relu ||
                      activation.kind == ActivationKind::relu6 || activation.kind == ActivationKind::clip;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const double slope = data.slopes[channel_of(p, i)];
    const double want = reference::activate(activation, expected.sum[i], slope);
    const double got = output[i];
    const double error = expected.error[i] * reference::steepness(activation, slope) +
                         (linear ? 0.0 : 1e-6 + 4 * std::ldexp(std::abs(want), -23));
    const bool right = std::isfinite(want) ? std::abs(got - want) <= error
                       : std::isnan(want)  ? std::isnan(got)
                                           : got == want;
    if (!right) {
      std::ostringstream text;
      text << "output[" << i << "] is " << got << ", expected " << want << " +- " << error;
      return text.str();
    }
  }
  return {};
}

}  // namespace harness

struct KernelCheck {
  Activation activation = {ActivationKind::linear, 0.0f, 0.0f, 0.0f};
  bool bias = true;
  Values values = Values::ordinary;
};

// Fails if the family declines the problem; returns the names of the micro-kernels that ran, one per instruction set.
inline std::vector<std::string> check_kernel(const char* family_name, const Shape& shape,
                                             const KernelCheck& options = {}) {
  const Problem p = problem_of(shape);
  CAPTURE(family_name);
  CAPTURE(describe(p));
  REQUIRE(check(p) == nullptr);
  const uint32_t seed = static_cast<uint32_t>(p.in_h * 31 + p.in_w * 37 + p.in_c * 41 + p.out_c * 43 + p.filter_w);
  const harness::Data data = harness::make_data(p, options.bias, options.values, seed);
  const reference::Sums expected = harness::expected_sums(p, data);
  std::vector<std::string> kernels;
  for (const IsaKernels* isa : available_isas()) {
    CAPTURE(isa->name);
    const KernelFamily* family = harness::find_family(*isa, family_name);
    REQUIRE(family != nullptr);
    KernelPlan plan{};
    REQUIRE(family->plan(p, plan));
    CAPTURE(plan.kernel);
    kernels.push_back(plan.kernel);
    const auto run = [&](Flush flush) { return harness::run(p, *isa, *family, plan, options.activation, data, flush); };
    const std::vector<float> output = run(Flush::end);
    CHECK(harness::first_error(p, options.activation, data, expected, output) == "");
    const std::vector<float> again = run(Flush::begin);
    CHECK_MESSAGE(harness::same_bits(output.data(), again.data(), output.size()),
                  "the outputs depend on the order of the tiles or on where the memory lies");
  }
  return kernels;
}

// For families that choose: whether `isa` would give the problem to this family alone.
inline bool accepts(const IsaKernels& isa, const char* family_name, const Shape& shape) {
  const KernelFamily* family = harness::find_family(isa, family_name);
  KernelPlan plan{};
  return family && family->plan(problem_of(shape), plan);
}

}  // namespace depthwise

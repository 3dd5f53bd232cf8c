#include "core/plan.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/execution.h"
#include "core/problem_check.h"
#include "kernel_harness.h"
#include "make_pool.h"

namespace depthwise {
namespace {

LayerSpec spec_of(const Problem& p, ActivationKind activation) {
  return {p.filter_h, p.filter_w, p.in_c / p.groups, p.out_c, p.groups, p.filter_layout, {activation, 0, 0, 0}};
}

std::vector<float> run(ThreadPool& pool, const Plan& plan, const std::vector<float>& input) {
  std::vector<float> output(output_floats(plan.problem()), NAN);
  const Execution execution{&plan, input.data(), output.data()};
  pool.run(execution.work());
  return output;
}

}  // namespace

TEST_CASE("plan: many threads prepare and run one layer, with the same bits whatever the number of threads") {
  const Shape small = same({.batch = 2, .in_h = 20, .in_w = 24, .in_c = 48});
  const Shape large = same({.batch = 1, .in_h = 64, .in_w = 64, .in_c = 48});
  const harness::Data small_data = harness::make_data(problem_of(small), true, Values::ordinary, 1);
  const harness::Data large_data = harness::make_data(problem_of(large), true, Values::ordinary, 1);
  for (const IsaKernels* isa : available_isas()) {
    CAPTURE(isa->name);
    const auto make_layer = [&] {
      return Layer::create(spec_of(problem_of(small), ActivationKind::silu), small_data.filter.data(),
                           small_data.bias.data(), nullptr, FilterOwnership::copy);
    };
    ThreadPool& alone = make_pool(1);
    const auto reference = make_layer();
    const auto want_small = run(alone, *reference->prepare(problem_of(small), *isa), small_data.input);
    const auto want_large = run(alone, *reference->prepare(problem_of(large), *isa), large_data.input);

    ThreadPool& pool = make_pool(3);
    auto layer = make_layer();
    std::atomic<int> wrong = 0;
    std::vector<std::thread> users;
    for (int user = 0; user < 6; ++user) {
      users.emplace_back([&, user] {
        for (int round = 0; round < 4; ++round) {
          const bool is_small = (user + round) % 2 == 0;
          const auto plan = layer->prepare(problem_of(is_small ? small : large), *isa);
          const auto output = run(pool, *plan, is_small ? small_data.input : large_data.input);
          const auto& want = is_small ? want_small : want_large;
          if (std::memcmp(output.data(), want.data(), want.size() * sizeof(float)) != 0) ++wrong;
        }
      });
    }
    for (std::thread& user : users) user.join();
    CHECK(wrong.load() == 0);
  }
}

TEST_CASE("plan: outlives its layer, whose memory grows by packings only") {
  const Problem problem = problem_of(same({.in_h = 9, .in_w = 9, .in_c = 40}));
  const harness::Data data = harness::make_data(problem, true, Values::ordinary, 2);
  const IsaKernels& isa = *available_isas().front();
  auto layer = Layer::create(spec_of(problem, ActivationKind::linear), data.filter.data(), data.bias.data(), nullptr,
                             FilterOwnership::copy);
  const auto plan = layer->prepare(problem, isa);
  const int64_t memory = layer->memory();
  CHECK(memory >= static_cast<int64_t>((data.filter.size() + data.bias.size()) * sizeof(float)));
  layer->prepare(problem, isa);
  CHECK(layer->memory() == memory);
  layer.reset();
  const auto output = run(make_pool(1), *plan, data.input);
  const auto expected = reference::convolve(problem, data.input.data(), data.filter.data(), data.bias.data());
  CHECK(harness::first_error(problem, {ActivationKind::linear, 0, 0, 0}, data, expected, output) == "");
}

TEST_CASE("plan: a depthwise filter that doesn't tell its channels serves inputs of different ones") {
  const auto filter = std::vector<float>(8 * 9, 1.0f);
  const LayerSpec spec{3, 3, 1, 8, 0, FilterLayout::oihw, {ActivationKind::linear, 0, 0, 0}};
  for (const IsaKernels* isa : available_isas()) {
    const auto layer = Layer::create(spec, filter.data(), nullptr, nullptr, FilterOwnership::copy);
    for (const int64_t in_c : {8, 4, 2, 1, 8}) {
      CAPTURE(in_c);
      Shape shape = same({.in_h = 5, .in_w = 6, .in_c = in_c, .out_c = 8});
      shape.filter_layout = FilterLayout::oihw;
      const Problem problem = problem_of(shape);
      harness::Data data = harness::make_data(problem, false, Values::ordinary, 3);
      const auto output = run(make_pool(1), *layer->prepare(problem, *isa), data.input);
      const auto expected = reference::convolve(problem, data.input.data(), filter.data(), nullptr);
      CHECK(harness::first_error(problem, spec.activation, data, expected, output) == "");
    }
  }
}

}  // namespace depthwise

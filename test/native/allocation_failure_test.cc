// Every allocation of the core fails in turn: std::bad_alloc reaches the caller, nothing leaks (AddressSanitizer
// watches) and the next try succeeds.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include "core/execution.h"
#include "core/layer.h"
#include "core/problem_check.h"
#include "kernel_harness.h"
#include "make_pool.h"

namespace {

// Of this thread: how many allocations succeed before one fails; negative: all succeed.
thread_local int until_failure = -1;

bool fails_now() { return until_failure >= 0 && until_failure-- == 0; }

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (fails_now()) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* memory = allocate(size ? size : 1, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The forms that the others are made of. Not replaced one by one: what one form allocates another may free.
void* operator new(std::size_t size) { return allocate_or_throw(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size ? size : 1, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size ? size : 1, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace depthwise {

TEST_CASE("memory: every allocation of a convolution fails once") {
  const Shape shape = same({.in_h = 9, .in_w = 9, .in_c = 24, .out_c = 48, .groups = 6});
  const Problem problem = problem_of(shape);
  const harness::Data data = harness::make_data(problem, true, Values::ordinary, 4);
  const LayerSpec spec{3, 3, 4, 48, 6, problem.filter_layout, {ActivationKind::prelu, 0, 0, 0}};
  for (const IsaKernels* isa : available_isas()) {
    CAPTURE(isa->name);
    ThreadPool& pool = make_pool(2);
    std::vector<float> output(output_floats(problem));
    int failures = 0;
    for (bool done = false; !done; ++failures) {
      REQUIRE(failures < 100);
      until_failure = failures;
      try {
        const auto layer =
            Layer::create(spec, data.filter.data(), data.bias.data(), data.slopes.data(), FilterOwnership::copy);
        const auto plan = layer->prepare(problem, *isa);
        const Execution execution{plan.get(), data.input.data(), output.data()};
        pool.run(execution.work());
        done = until_failure >= 0;  // fewer allocations than that
      } catch (const std::bad_alloc&) {
      }
      until_failure = -1;
    }
    CHECK(failures > 5);
    const auto expected = reference::convolve(problem, data.input.data(), data.filter.data(), data.bias.data());
    CHECK(harness::first_error(problem, spec.activation, data, expected, output) == "");
  }
}

TEST_CASE("memory: a pool that can't start threads leaves the work to the caller, or refuses the job") {
  class NoJob final : public Job {
    void finished(Outcome) noexcept override {}
  };
  ThreadPool& pool = make_pool(3);
  std::vector<int> ran(10);
  const TileWork work{[](const void* context, int64_t tile, float*) {
                        ++(*static_cast<std::vector<int>*>(const_cast<void*>(context)))[tile];
                      },
                      &ran,
                      10,
                      1,
                      0,
                      3};
  NoJob job;
  until_failure = 0;
  CHECK_THROWS(pool.submit(job, work));
  until_failure = 0;
  pool.run(work);
  until_failure = -1;
  for (const int times : ran) CHECK(times == 1);
}

}  // namespace depthwise

#include "async_call.h"

#include <algorithm>

#include "core/huge_pages.h"
#include "core/problem_check.h"

namespace depthwise::binding {
namespace {

// A call that is computed as it is made is given up after so long, and handed over after all: on a CPU that others keep
// busy, or where a rare kernel is slow.
class TimeLimit final : public Interrupt {
 public:
  TimeLimit() : Interrupt(std::chrono::microseconds(400)) {}
  bool raised() noexcept override { return true; }
};

constexpr Failure kAborted = {ErrorClass::error, "ABORTED", "the call was aborted"};
constexpr Failure kOutputChanged = {ErrorClass::type_error, "ERR_INVALID_STATE",
                                    "the output's buffer was detached or resized while the call ran"};

}  // namespace

AsyncCall::AsyncCall(Environment& environment, std::shared_ptr<const Plan> plan, const FloatArray& input,
                     const FloatArray& output, bool is_own, napi_value callback)
    : environment_(environment), plan_(std::move(plan)) {
  const napi_env env = environment.env();
  execution_.plan = plan_.get();

  // Everything that can fail or that a program could do comes before its memory is looked at.
  output_ = Reference(env, output.value);
  if (is_own) {
    execution_.output = output.data;
    execution_.is_fresh = true;
    prefer_huge_pages(output.data, output.length * static_cast<int64_t>(sizeof(float)));
  } else {
    output_data_ = output.data;
    output_length_ = output.length;
    result_ = environment.buffers().take(output.length);
    execution_.output = result_.data();
  }
  callback_ = Reference(env, callback);
  ok(napi_async_init(env, nullptr, to_js(env, "depthwise"), &context_));

  // Once more: what was called since may have run the program.
  const FloatArray source = float_array(env, input.value);
  expect_length(env, source, input.length, "the input changed as the call was made");
  if (plan_->is_brief() && !environment.has_calls() && compute_at_once(source.data)) return;
  if (source.is_shared(env)) {
    input_ = Reference(env, source.value);
    execution_.input = source.data;
  } else {
    input_copy_ = environment.buffers().take(source.length);
    std::copy_n(source.data, source.length, input_copy_.data());
    execution_.input = input_copy_.data();
  }
}

AsyncCall::~AsyncCall() {
  environment_.buffers().give(std::move(input_copy_));
  environment_.buffers().give(std::move(result_));
  if (context_) napi_async_destroy(environment_.env(), context_);
}

bool AsyncCall::compute_at_once(const float* input) {
  execution_.input = input;
  TimeLimit limit;
  computed_ = ThreadPool::process().run(execution_.work(), &limit);
  return computed_;
}

void AsyncCall::submit(uintptr_t number) {
  number_ = number;
  if (computed_) return environment_.post(number);
  ThreadPool::process().submit(*this, execution_.work());
}

void AsyncCall::abort() {
  aborted_ = true;
  ThreadPool::process().abort(*this);
}

void AsyncCall::finished(Outcome outcome) noexcept {
  outcome_ = outcome;
  environment_.post(number_);
}

// The output as the callback gets it, or why there is none.
const Failure* AsyncCall::finish_output(napi_value* result) {
  if (aborted_ || outcome_ == Outcome::aborted) return &kAborted;
  if (outcome_ == Outcome::out_of_memory) return &kOutOfMemory;
  *result = output_.value();
  if (!output_data_) return nullptr;
  const FloatArray output = float_array(environment_.env(), *result);
  if (output.data != output_data_ || output.length != output_length_) return &kOutputChanged;
  std::copy_n(result_.data(), output_length_, output.data);
  return nullptr;
}

void AsyncCall::deliver() {
  const napi_env env = environment_.env();
  napi_value arguments[2] = {nullptr, undefined(env)};
  if (const Failure* failure = finish_output(&arguments[1])) {
    arguments[0] = make_error(env, *failure);
    arguments[1] = undefined(env);
  } else {
    ok(napi_get_null(env, &arguments[0]));
  }
  napi_value global;
  ok(napi_get_global(env, &global));
  if (napi_make_callback(env, context_, global, callback_.value(), 2, arguments, nullptr) == napi_pending_exception) {
    napi_value exception;
    ok(napi_get_and_clear_last_exception(env, &exception));
    ok(napi_fatal_exception(env, exception));
  }
}

}  // namespace depthwise::binding

// The functions of lib/native.ts, which says what each does.
#include <node_api.h>

#include <algorithm>
#include <iterator>
#include <mutex>

#include "arguments.h"
#include "async_call.h"
#include "core/cpu_count.h"
#include "core/elementwise.h"
#include "core/execution.h"
#include "core/freed_memory.h"
#include "core/huge_pages.h"
#include "core/keep_loaded.h"
#include "core/problem_check.h"
#include "core/thread_pool.h"
#include "environment.h"
#include "handles.h"

namespace depthwise::binding {
namespace {

template <std::size_t count>
struct Call {
  Call(napi_env env, napi_callback_info info) {
    std::size_t given = count;
    void* data;
    ok(napi_get_cb_info(env, info, &given, argument, nullptr, &data));  // fills up with undefined
    environment = static_cast<Environment*>(data);
  }
  napi_value argument[count ? count : 1];
  Environment* environment;
};

int threads_argument(napi_env env, napi_value value) {
  double threads;
  if (napi_get_value_double(env, value, &threads) != napi_ok) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "threads must be a number"};
  }
  constexpr double kMost = 4096;
  if (!(threads >= 0) || threads != static_cast<double>(static_cast<int64_t>(std::min(threads, kMost + 1)))) {
    throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "threads must be an integer from 1 to 4096"};
  }
  return static_cast<int>(threads);
}

// '' and 0 leave things as they are. The instruction set is the environment's, the threads are the process's: what
// the first environment asks for stays, later ones (workers that inherit DEPTHWISE_THREADS) don't undo setThreads.
napi_value configure(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  char name[16];
  std::size_t length;
  if (napi_get_value_string_utf8(env, call.argument[0], name, sizeof name, &length) != napi_ok) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "isa must be a string"};
  }
  const int threads = threads_argument(env, call.argument[1]);
  if (length > 0) {
    const IsaKernels* isa = find_isa({name, length});
    if (!isa) throw Failure{ErrorClass::range_error, "ERR_INVALID_ARG_VALUE", "isa must be one that is available"};
    call.environment->set_isa(*isa);
  }
  static std::once_flag configured;
  if (threads > 0) std::call_once(configured, [threads] { ThreadPool::process().set_threads(threads); });
  return nullptr;
}

napi_value isa(napi_env env, napi_callback_info info) { return to_js(env, Call<0>(env, info).environment->isa().name); }

napi_value set_threads(napi_env env, napi_callback_info info) {
  const int threads = threads_argument(env, Call<1>(env, info).argument[0]);
  if (threads < 1) throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "threads must be an integer >= 1"};
  ThreadPool::process().set_threads(threads);
  return nullptr;
}

napi_value get_threads(napi_env env, napi_callback_info) { return to_js(env, ThreadPool::process().threads()); }

napi_value get_default_threads(napi_env env, napi_callback_info) { return to_js(env, default_threads()); }

std::shared_ptr<Layer> make_layer(const LayerSpec& spec, const Weights& weights, FilterOwnership ownership) {
  return Layer::create(spec, weights.filter.data, weights.bias.data, weights.slopes.data, ownership);
}

napi_value create_layer(napi_env env, napi_callback_info info) {
  const Call<4> call(env, info);
  const LayerSpec spec = layer_argument(env, call.argument[0]);
  const Weights weights = weights_argument(env, spec, call.argument[1], call.argument[2], call.argument[3]);
  auto state = std::make_shared<LayerState>(call.environment->shared_from_this(),
                                            make_layer(spec, weights, FilterOwnership::copy));
  return call.environment->wrap(std::make_unique<LayerHandle>(std::move(state)));
}

napi_value dispose_layer(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  call.environment->unwrap<LayerHandle>(call.argument[0]).state()->dispose();
  return nullptr;
}

napi_value prepare(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  const std::shared_ptr<LayerState>& state = call.environment->unwrap<LayerHandle>(call.argument[0]).state();
  const Problem problem = problem_argument(env, call.argument[1]);
  Layer& layer = state->layer();
  expect_match(layer.spec(), problem);
  auto plan = layer.prepare(problem, call.environment->isa());
  return call.environment->wrap(std::make_unique<PlanHandle>(state, std::move(plan)));
}

napi_value explain(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  const Plan& plan = *call.environment->unwrap<PlanHandle>(call.argument[0]).plan();
  const int threads = std::min(plan.max_threads(), ThreadPool::process().threads());
  const auto property = [](const char* name, napi_value value) {
    return napi_property_descriptor{name, nullptr, nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr};
  };
  // Defined, not set: Object.prototype may have setters of these names.
  const napi_property_descriptor properties[] = {
      property("kernel", to_js(env, plan.kernel())),
      property("isa", to_js(env, plan.isa())),
      property("threads", to_js(env, threads)),
      property("flops", to_js(env, flops(plan.problem()))),
      property("bytes", to_js(env, bytes(plan.problem()))),
  };
  napi_value result;
  ok(napi_create_object(env, &result));
  ok(napi_define_properties(env, result, std::size(properties), properties));
  return result;
}

// False where it was left out.
bool is_true(napi_env env, napi_value value) {
  if (type_of(env, value) == napi_undefined) return false;
  bool result;
  if (napi_get_value_bool(env, value, &result) != napi_ok) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "whether the output is its own must be a boolean"};
  }
  return result;
}

// The arrays of a run. `is_own`: the library made the output for this call.
struct RunArrays {
  FloatArray input, output;
  bool is_own;
};

RunArrays run_arguments(napi_env env, const Problem& problem, napi_value input, napi_value output, napi_value is_own) {
  RunArrays arrays{};
  arrays.is_own = is_true(env, is_own);
  arrays.input = float_array(env, input);
  expect_length(env, arrays.input, input_floats(problem), "the input's length doesn't fit the problem");
  arrays.output = float_array(env, output);
  expect_length(env, arrays.output, output_floats(problem), "the output's length doesn't fit the problem");
  expect_disjoint(arrays.output, arrays.input, "out must not overlap the input");
  constexpr int64_t kManyPages = int64_t{1} << 14;
  if (arrays.is_own && arrays.output.length >= kManyPages) keep_freed_memory();
  return arrays;
}

// The end of an environment while its own thread is in here: worker.terminate(), or process.exit of another thread. All
// functions of Node-API that may run JavaScript then refuse; this one runs none.
class Termination final : public Interrupt {
 public:
  explicit Termination(napi_env env) : Interrupt(std::chrono::milliseconds(2)), env_(env), any_(undefined(env)) {}
  bool raised() noexcept override {
    napi_value result;
    return napi_coerce_to_bool(env_, any_, &result) != napi_ok;
  }

 private:
  const napi_env env_;
  const napi_value any_;
};

void run_plan(napi_env env, const Plan& plan, const RunArrays& arrays) {
  const Execution execution{&plan, arrays.input.data, arrays.output.data, arrays.is_own};
  prefer_huge_pages(arrays.output.data, arrays.output.length * static_cast<int64_t>(sizeof(float)));
  Termination termination(env);
  const bool is_done = ThreadPool::process().run(execution.work(), plan.is_long() ? &termination : nullptr);
  if (!is_done) throw NapiFailure{napi_generic_failure};
}

napi_value run(napi_env env, napi_callback_info info) {
  const Call<4> call(env, info);
  const Plan& plan = *call.environment->unwrap<PlanHandle>(call.argument[0]).plan();
  run_plan(env, plan, run_arguments(env, plan.problem(), call.argument[1], call.argument[2], call.argument[3]));
  return nullptr;
}

napi_value start_call(napi_env env, Environment& environment, std::shared_ptr<const Plan> plan, const RunArrays& arrays,
                      napi_value callback) {
  if (type_of(env, callback) != napi_function) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "the callback must be a function"};
  }
  auto call =
      std::make_unique<AsyncCall>(environment, std::move(plan), arrays.input, arrays.output, arrays.is_own, callback);
  return to_js(env, environment.start(std::move(call)));
}

napi_value run_async(napi_env env, napi_callback_info info) {
  const Call<5> call(env, info);
  const std::shared_ptr<const Plan> plan = call.environment->unwrap<PlanHandle>(call.argument[0]).plan();
  const RunArrays arrays = run_arguments(env, plan->problem(), call.argument[1], call.argument[2], call.argument[3]);
  return start_call(env, *call.environment, plan, arrays, call.argument[4]);
}

napi_value abort_call(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  double number;
  if (napi_get_value_double(env, call.argument[0], &number) != napi_ok) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "a job must be one that the addon returned"};
  }
  call.environment->abort(number);
  return nullptr;
}

// A one-shot call: spec, problem, filter, bias, slopes, input, output, whether that is its own.
struct Once {
  std::shared_ptr<const Plan> plan;
  RunArrays arrays;
};

Once once_arguments(napi_env env, Environment& environment, const napi_value* argument, FilterOwnership ownership) {
  const LayerSpec spec = layer_argument(env, argument[0]);
  const Problem problem = problem_argument(env, argument[1]);
  expect_match(spec, problem);
  const Weights weights = weights_argument(env, spec, argument[2], argument[3], argument[4]);
  const RunArrays arrays = run_arguments(env, problem, argument[5], argument[6], argument[7]);
  expect_disjoint(arrays.output, weights.filter, "out must not overlap the filter");
  expect_disjoint(arrays.output, weights.bias, "out must not overlap bias");
  expect_disjoint(arrays.output, weights.slopes, "out must not overlap prelu's alpha");
  return {make_layer(spec, weights, ownership)->prepare(problem, environment.isa()), arrays};
}

napi_value run_once(napi_env env, napi_callback_info info) {
  const Call<8> call(env, info);
  const Once once = once_arguments(env, *call.environment, call.argument, FilterOwnership::borrow);
  run_plan(env, *once.plan, once.arrays);
  return nullptr;
}

napi_value run_once_async(napi_env env, napi_callback_info info) {
  const Call<9> call(env, info);
  Once once = once_arguments(env, *call.environment, call.argument, FilterOwnership::copy);
  return start_call(env, *call.environment, std::move(once.plan), once.arrays, call.argument[8]);
}

float float_argument(napi_env env, napi_value value) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "a bound must be a number"};
  }
  return static_cast<float>(number);
}

// An array whose length divides that of `whole`.
FloatArray period_argument(napi_env env, napi_value value, const FloatArray& whole) {
  const FloatArray array = float_array(env, value);
  if (array.length == 0 ? whole.length > 0 : whole.length % array.length != 0) {
    throw Failure{ErrorClass::range_error, "ERR_SHAPE_MISMATCH", "the arrays' lengths don't fit each other"};
  }
  return array;
}

constexpr char kOtherLength[] = "the output's length isn't the input's";

napi_value clamp(napi_env env, napi_callback_info info) {
  const Call<4> call(env, info);
  const FloatArray x = float_array(env, call.argument[0]);
  const FloatArray out = float_array(env, call.argument[3]);
  expect_length(env, out, x.length, kOtherLength);
  depthwise::clamp(x.data, float_argument(env, call.argument[1]), float_argument(env, call.argument[2]), out.data,
                   x.length);
  return nullptr;
}

napi_value add(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  const FloatArray a = float_array(env, call.argument[0]);
  const FloatArray b = period_argument(env, call.argument[1], a);
  const FloatArray out = float_array(env, call.argument[2]);
  expect_length(env, out, a.length, kOtherLength);
  if (a.length > 0) depthwise::add(a.data, b.data, b.length, out.data, a.length);
  return nullptr;
}

napi_value normalize(napi_env env, napi_callback_info info) {
  const Call<5> call(env, info);
  const FloatArray x = float_array(env, call.argument[0]);
  const FloatArray mean = period_argument(env, call.argument[1], x);
  const FloatArray factor = float_array(env, call.argument[2]);
  const FloatArray offset = float_array(env, call.argument[3]);
  const FloatArray out = float_array(env, call.argument[4]);
  for (const FloatArray* other : {&factor, &offset}) {
    expect_length(env, *other, mean.length, "mean, factor and offset must have one length");
  }
  expect_length(env, out, x.length, kOtherLength);
  if (x.length > 0) depthwise::normalize(x.data, mean.data, factor.data, offset.data, mean.length, out.data, x.length);
  return nullptr;
}

template <void (*pool)(const Pooling&, const float*, float*)>
napi_value run_pooling(napi_env env, napi_callback_info info) {
  const Call<3> call(env, info);
  const PoolingArgument spec = pooling_argument(env, call.argument[0]);
  const FloatArray x = float_array(env, call.argument[1]);
  const FloatArray out = float_array(env, call.argument[2]);
  expect_length(env, x, spec.in_length, "the input's length doesn't fit the pooling");
  expect_length(env, out, spec.out_length, "the output's length doesn't fit the pooling");
  pool(spec.pooling, x.data, out.data);
  return nullptr;
}

napi_value isa_names(napi_env env) {
  napi_value names;
  ok(napi_create_array(env, &names));
  uint32_t index = 0;
  for (const IsaKernels* isa : available_isas()) ok(napi_set_element(env, names, index++, to_js(env, isa->name)));
  return names;
}

void define(napi_env env, napi_value exports, Environment* environment) {
  const auto function = [environment](const char* name, napi_callback callback) {
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_enumerable, environment};
  };
  const auto constant = [](const char* name, napi_value value) {
    return napi_property_descriptor{name, nullptr, nullptr, nullptr, nullptr, value, napi_enumerable, nullptr};
  };
  const napi_property_descriptor properties[] = {
      constant("version", to_js(env, DEPTHWISE_VERSION)),
      constant("availableIsas", isa_names(env)),
      function("configure", guarded<configure>),
      function("isa", guarded<isa>),
      function("setThreads", guarded<set_threads>),
      function("getThreads", guarded<get_threads>),
      function("defaultThreads", guarded<get_default_threads>),
      function("createLayer", guarded<create_layer>),
      function("disposeLayer", guarded<dispose_layer>),
      function("prepare", guarded<prepare>),
      function("explain", guarded<explain>),
      function("run", guarded<run>),
      function("runAsync", guarded<run_async>),
      function("abort", guarded<abort_call>),
      function("runOnce", guarded<run_once>),
      function("runOnceAsync", guarded<run_once_async>),
      function("clamp", guarded<clamp>),
      function("add", guarded<add>),
      function("normalize", guarded<normalize>),
      function("maxPool", guarded<run_pooling<max_pool>>),
      function("averagePool", guarded<run_pooling<average_pool>>),
  };
  ok(napi_define_properties(env, exports, std::size(properties), properties));
}

}  // namespace
}  // namespace depthwise::binding

NAPI_MODULE_INIT() {
  using namespace depthwise;
  try {
    keep_loaded();
    binding::define(env, exports, binding::Environment::create(env).get());
  } catch (...) {
    binding::throw_current_exception(env);
  }
  return exports;
}

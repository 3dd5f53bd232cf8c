#include "arguments.h"

#include <cmath>
#include <cstddef>
#include <functional>

#include "core/problem_check.h"

namespace depthwise::binding {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// The fields of a spec, in order.
class Fields {
 public:
  Fields(napi_env env, napi_value value, std::size_t count) {
    napi_typedarray_type type;
    std::size_t length;
    void* data;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float64_array || length != count) {
      throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "a spec must be a Float64Array of all its fields"};
    }
    next_ = static_cast<const double*>(data);
  }

  float number() { return static_cast<float>(*next_++); }

  int64_t integer() {
    const double value = *next_++;
    if (!(std::abs(value) <= kMaxSafeInteger) || value != std::trunc(value)) {
      throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "a size must be a safe integer"};
    }
    return static_cast<int64_t>(value);
  }

  // An enumeration with `count` values from 0 on.
  template <typename Enum>
  Enum choice(int64_t count) {
    const int64_t value = integer();
    if (value < 0 || value >= count) {
      throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "a format or activation is unknown"};
    }
    return static_cast<Enum>(value);
  }

 private:
  const double* next_;
};

// The product of four sizes, or -1 if one is below 1 or it passes the elements that any array may have.
int64_t checked_product(int64_t a, int64_t b, int64_t c, int64_t d) {
  int64_t product = 1;
  for (const int64_t factor : {a, b, c, d}) {
    if (factor < 1 || product > (int64_t{1} << 53) / factor) return -1;
    product *= factor;
  }
  return product;
}

bool is_undefined(napi_env env, napi_value value) { return type_of(env, value) == napi_undefined; }

}  // namespace

bool FloatArray::is_shared(napi_env env) const {
  bool is_array_buffer;
  ok(napi_is_arraybuffer(env, buffer, &is_array_buffer));
  return !is_array_buffer;
}

FloatArray float_array(napi_env env, napi_value value) {
  FloatArray array{value, nullptr, nullptr, 0};
  napi_typedarray_type type;
  std::size_t length;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &array.buffer, nullptr) != napi_ok ||
      type != napi_float32_array) {
    throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "an array must be a Float32Array"};
  }
  array.data = static_cast<float*>(data);
  array.length = static_cast<int64_t>(length);
  return array;
}

void expect_length(napi_env env, const FloatArray& array, int64_t expected, const char* message) {
  if (array.length == expected) return;
  bool detached = false;
  if (array.length == 0 && !array.is_shared(env)) ok(napi_is_detached_arraybuffer(env, array.buffer, &detached));
  if (detached) throw Failure{ErrorClass::type_error, "ERR_INVALID_STATE", "an array's buffer is detached"};
  throw Failure{ErrorClass::range_error, "ERR_SHAPE_MISMATCH", message};
}

void expect_disjoint(const FloatArray& output, const FloatArray& other, const char* message) {
  const std::less<const float*> before;
  if (output.length > 0 && other.length > 0 && before(output.data, other.data + other.length) &&
      before(other.data, output.data + output.length)) {
    throw Failure{ErrorClass::range_error, "ERR_OVERLAP", message};
  }
}

LayerSpec layer_argument(napi_env env, napi_value value) {
  Fields fields(env, value, 10);
  LayerSpec spec;
  spec.filter_h = fields.integer();
  spec.filter_w = fields.integer();
  spec.in_c_per_group = fields.integer();
  spec.out_c = fields.integer();
  spec.groups = fields.integer();  // 0: each problem says its own
  if (spec.groups < 0 || (spec.groups > 0 && spec.out_c % spec.groups != 0)) {
    throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "groups must divide the output channels"};
  }
  spec.filter_layout = fields.choice<FilterLayout>(2);
  spec.activation.kind = fields.choice<ActivationKind>(static_cast<int64_t>(ActivationKind::clip) + 1);
  spec.activation.alpha = fields.number();
  spec.activation.lo = fields.number();
  spec.activation.hi = fields.number();
  return spec;
}

Problem problem_argument(napi_env env, napi_value value) {
  Fields fields(env, value, 19);
  Problem problem;
  problem.batch = fields.integer();
  problem.in_h = fields.integer();
  problem.in_w = fields.integer();
  problem.in_c = fields.integer();
  problem.out_h = fields.integer();
  problem.out_w = fields.integer();
  problem.out_c = fields.integer();
  problem.filter_h = fields.integer();
  problem.filter_w = fields.integer();
  problem.stride_h = fields.integer();
  problem.stride_w = fields.integer();
  problem.dilation_h = fields.integer();
  problem.dilation_w = fields.integer();
  problem.pad_top = fields.integer();
  problem.pad_left = fields.integer();
  problem.groups = fields.integer();
  problem.layout = fields.choice<Layout>(2);
  problem.filter_layout = fields.choice<FilterLayout>(2);
  problem.algorithm = fields.choice<Algorithm>(2);
  if (const char* wrong = check(problem)) throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", wrong};
  return problem;
}

PoolingArgument pooling_argument(napi_env env, napi_value value) {
  Fields fields(env, value, 12);
  Pooling p;
  bool is_valid = true;
  for (int64_t* size : {&p.batch, &p.in_h, &p.in_w, &p.channels, &p.out_h, &p.out_w, &p.filter_h, &p.filter_w,
                        &p.stride_h, &p.stride_w}) {
    *size = fields.integer();
    is_valid = is_valid && *size >= 1 && *size <= INT32_MAX;
  }
  for (int64_t* size : {&p.top, &p.left}) {
    *size = fields.integer();
    is_valid = is_valid && *size >= 0 && *size <= INT32_MAX;
  }
  // The first window and the last meet the image, and so do those between.
  is_valid = is_valid && p.top < p.filter_h && (p.out_h - 1) * p.stride_h - p.top < p.in_h;
  is_valid = is_valid && p.left < p.filter_w && (p.out_w - 1) * p.stride_w - p.left < p.in_w;
  const int64_t in_length = is_valid ? checked_product(p.batch, p.in_h, p.in_w, p.channels) : -1;
  const int64_t out_length = is_valid ? checked_product(p.batch, p.out_h, p.out_w, p.channels) : -1;
  if (in_length < 0 || out_length < 0) {
    throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "the sizes of a pooling are out of range"};
  }
  return {p, in_length, out_length};
}

void expect_match(const LayerSpec& spec, const Problem& problem) {
  const bool match = spec.filter_h == problem.filter_h && spec.filter_w == problem.filter_w &&
                     spec.in_c_per_group == problem.in_c / problem.groups && spec.out_c == problem.out_c &&
                     (spec.groups == problem.groups || spec.groups == 0) && spec.filter_layout == problem.filter_layout;
  if (!match) throw Failure{ErrorClass::range_error, "ERR_SHAPE_MISMATCH", "the problem doesn't fit the layer"};
}

Weights weights_argument(napi_env env, const LayerSpec& spec, napi_value filter, napi_value bias, napi_value slopes) {
  const int64_t filter_length = checked_product(spec.filter_h, spec.filter_w, spec.in_c_per_group, spec.out_c);
  if (filter_length < 0)
    throw Failure{ErrorClass::range_error, "ERR_OUT_OF_RANGE", "the filter's sizes are out of range"};
  Weights weights{};
  weights.filter = float_array(env, filter);
  expect_length(env, weights.filter, filter_length, "the filter's length doesn't fit its shape");
  if (!is_undefined(env, bias)) {
    weights.bias = float_array(env, bias);
    expect_length(env, weights.bias, spec.out_c, "bias must have one value per output channel");
  }
  if (spec.activation.kind == ActivationKind::prelu) {
    weights.slopes = float_array(env, slopes);
    expect_length(env, weights.slopes, spec.out_c, "prelu's alpha must have one value per output channel");
  }
  return weights;
}

}  // namespace depthwise::binding

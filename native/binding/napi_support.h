// The few things that make N-API readable: failures as exceptions inside the binding, turned into JavaScript's
// at its edge, and values of the types that cross it.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace depthwise::binding {

enum class ErrorClass { error, type_error, range_error };

// Thrown inside the binding; becomes a JavaScript error with `code`. `code` and `message` are literals.
struct Failure {
  ErrorClass error_class;
  const char* code;
  const char* message;
};

// N-API said no, mostly because a JavaScript exception is pending, which then goes on to the caller.
struct NapiFailure {
  napi_status status;
};

inline void ok(napi_status status) {
  if (status != napi_ok) throw NapiFailure{status};
}

inline constexpr Failure kOutOfMemory = {ErrorClass::range_error, "ERR_OUT_OF_MEMORY",
                                         "not enough memory for this convolution"};

// A JavaScript error object of the failure's class. Throws NapiFailure.
napi_value make_error(napi_env env, const Failure& failure);

// Throws the exception being handled as a JavaScript one. Call it in a catch block.
void throw_current_exception(napi_env env) noexcept;

// Wraps `body`, a napi_value(napi_env, napi_callback_info), such that no C++ exception leaves it.
template <napi_value (*body)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) noexcept {
  try {
    return body(env, info);
  } catch (...) {
    throw_current_exception(env);
    return nullptr;
  }
}

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { ok(napi_open_handle_scope(env, &scope_)); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }

 private:
  napi_env env_;
  napi_handle_scope scope_;
};

// A strong reference, or none. To be destroyed on its environment's thread, while that environment exists.
class Reference {
 public:
  Reference() = default;
  Reference(napi_env env, napi_value value) : env_(env) { ok(napi_create_reference(env, value, 1, &ref_)); }
  Reference(Reference&& other) noexcept : env_(other.env_), ref_(std::exchange(other.ref_, nullptr)) {}
  Reference& operator=(Reference&& other) noexcept {
    std::swap(env_, other.env_);
    std::swap(ref_, other.ref_);
    return *this;
  }
  ~Reference() {
    if (ref_) napi_delete_reference(env_, ref_);
  }

  napi_value value() const {
    napi_value value;
    ok(napi_get_reference_value(env_, ref_, &value));
    return value;
  }

 private:
  napi_env env_ = nullptr;
  napi_ref ref_ = nullptr;
};

inline napi_value to_js(napi_env env, double number) {
  napi_value value;
  ok(napi_create_double(env, number, &value));
  return value;
}

inline napi_value to_js(napi_env env, std::string_view text) {
  napi_value value;
  ok(napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

inline napi_value undefined(napi_env env) {
  napi_value value;
  ok(napi_get_undefined(env, &value));
  return value;
}

inline napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type;
  ok(napi_typeof(env, value, &type));
  return type;
}

}  // namespace depthwise::binding

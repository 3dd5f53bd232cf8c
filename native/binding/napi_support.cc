#include "napi_support.h"

#include <new>

namespace depthwise::binding {

napi_value make_error(napi_env env, const Failure& failure) {
  const auto create = failure.error_class == ErrorClass::type_error    ? napi_create_type_error
                      : failure.error_class == ErrorClass::range_error ? napi_create_range_error
                                                                       : napi_create_error;
  napi_value error;
  ok(create(env, to_js(env, failure.code), to_js(env, failure.message), &error));
  return error;
}

void throw_current_exception(napi_env env) noexcept {
  const auto throw_failure = [env](const Failure& failure) noexcept {
    try {
      napi_throw(env, make_error(env, failure));
    } catch (const NapiFailure&) {
      // The environment can't run JavaScript any more: there is nobody to tell.
    }
  };
  try {
    throw;
  } catch (const Failure& failure) {
    throw_failure(failure);
  } catch (const NapiFailure&) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) throw_failure({ErrorClass::error, "ERR_INTERNAL", "a call of Node-API failed"});
  } catch (const std::bad_alloc&) {
    throw_failure(kOutOfMemory);
  } catch (const std::exception& error) {
    throw_failure({ErrorClass::error, "ERR_INTERNAL", error.what()});
  }
}

}  // namespace depthwise::binding

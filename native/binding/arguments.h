// What JavaScript passes, read and checked again: lib/ has found what a user got wrong, but nothing here relies on it.
#pragma once

#include <cstdint>

#include "core/elementwise.h"
#include "core/layer.h"
#include "core/problem.h"
#include "napi_support.h"

namespace depthwise::binding {

// A Float32Array's memory at this moment: any call into JavaScript may detach or resize it.
struct FloatArray {
  napi_value value;   // the typed array itself
  napi_value buffer;  // its ArrayBuffer or SharedArrayBuffer
  float* data;
  int64_t length;

  // Whether it lies in a SharedArrayBuffer, which can neither be detached nor shrink.
  bool is_shared(napi_env env) const;
};

FloatArray float_array(napi_env env, napi_value value);

// Throws unless the array has `expected` elements: ERR_INVALID_STATE where it has lost its buffer,
// else ERR_SHAPE_MISMATCH with this message.
void expect_length(napi_env env, const FloatArray& array, int64_t expected, const char* message);

// Throws ERR_OVERLAP where the two share memory.
void expect_disjoint(const FloatArray& output, const FloatArray& other, const char* message);

// LAYER_FIELDS and PROBLEM_FIELDS of lib/native.ts. problem_argument also checks it.
LayerSpec layer_argument(napi_env env, napi_value value);
Problem problem_argument(napi_env env, napi_value value);

// POOLING_FIELDS of lib/elementwise.ts, checked; the lengths of the arrays that fit it come with it.
struct PoolingArgument {
  Pooling pooling;
  int64_t in_length, out_length;
};
PoolingArgument pooling_argument(napi_env env, napi_value value);

// Throws where the problem isn't one of the layer's.
void expect_match(const LayerSpec& spec, const Problem& problem);

// Filter, bias and slopes of a layer, the latter two null where undefined. Their lengths fit the spec.
struct Weights {
  FloatArray filter, bias, slopes;
};
Weights weights_argument(napi_env env, const LayerSpec& spec, napi_value filter, napi_value bias, napi_value slopes);

}  // namespace depthwise::binding

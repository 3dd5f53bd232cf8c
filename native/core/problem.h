// One convolution as plain numbers. Included by kernels that are compiled once per instruction set,
// so it holds plain data only: an inline member function here would be a weak symbol, and the linker
// could keep the AVX-512 copy of it for every CPU.
#pragma once

#include <cstdint>

namespace depthwise {

enum class Layout : int32_t { nhwc, nchw };

// hwio: [filter_h, filter_w, in_c / groups, out_c]; oihw: [out_c, in_c / groups, filter_h, filter_w].
// A depthwise filter [fh, fw, in_c, multiplier] is hwio with groups = in_c, for out_c = in_c * multiplier.
enum class FilterLayout : int32_t { hwio, oihw };

// winograd: kernels with fewer multiplications and a wider error bound may run where they are faster.
enum class Algorithm : int32_t { direct, winograd };

enum class ActivationKind : int32_t {
  linear,
  relu,
  relu6,
  elu,
  sigmoid,
  tanh,
  silu,
  hard_swish,
  hard_sigmoid,
  gelu,
  leaky_relu,
  prelu,
  clip,
};

// Sizes count elements; strides, dilations and paddings count pixels. Depthwise is groups == in_c.
// Output channel o reads the input channels of group o / (out_c / groups). Padding below and to the
// right is not stored: it is what out_h and out_w reach past the input. Invariants, checked by
// validate() before any kernel sees the problem: every size but batch is >= 1, groups divides in_c
// and out_c, paddings are >= 0, and no index product overflows int64.
struct Problem {
  int64_t batch;
  int64_t in_h, in_w, in_c;
  int64_t out_h, out_w, out_c;
  int64_t filter_h, filter_w;
  int64_t stride_h, stride_w;
  int64_t dilation_h, dilation_w;
  int64_t pad_top, pad_left;
  int64_t groups;
  Layout layout;
  FilterLayout filter_layout;
  Algorithm algorithm;
};

struct Activation {
  ActivationKind kind;
  float alpha;   // leaky_relu's slope
  float lo, hi;  // clip's bounds
};

}  // namespace depthwise

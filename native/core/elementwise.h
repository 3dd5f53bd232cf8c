// What stands between the convolutions of a network, for backends that run whole models: loops over memory, with
// nothing to choose from and no weights to pack. Every function shares its work among the threads of the pool; results
// don't depend on their number. Arrays don't overlap, but `out` may be `x`.
#pragma once

#include <cstdint>

namespace depthwise {

// out[i] = x[i], but at least lo and at most hi. NaN stays; -0 at lo = 0 becomes 0.
void clamp(const float* x, float lo, float hi, float* out, int64_t length);

// out[i] = a[i] + b[i % period]. The period divides the length.
void add(const float* a, const float* b, int64_t period, float* out, int64_t length);

// out[i] = (x[i] - mean[c]) * factor[c] + offset[c] with c = i % channels, which divides the length.
void normalize(const float* x, const float* mean, const float* factor, const float* offset, int64_t channels,
               float* out, int64_t length);

// Windows over images in NHWC. All sizes are positive, `top` and `left` aren't negative, and every window meets the
// image.
struct Pooling {
  int64_t batch, in_h, in_w, channels, out_h, out_w;
  int64_t filter_h, filter_w, stride_h, stride_w, top, left;
};

// The largest value of each window that isn't NaN, or -infinity. `out` is not `x`.
void max_pool(const Pooling& pooling, const float* x, float* out);

// The mean of each window without its padding, summed in double precision. `out` is not `x`.
void average_pool(const Pooling& pooling, const float* x, float* out);

}  // namespace depthwise

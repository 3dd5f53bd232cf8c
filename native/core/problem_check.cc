#include "problem_check.h"

#include <algorithm>
#include <initializer_list>

namespace depthwise {
namespace {

// 16 TiB: above any memory, and far enough below 2^63 that sums of a few such numbers don't overflow. Indices are held
// to it as well, since kernels may form a pointer to a row that lies on padding, which must not wrap around.
constexpr int64_t kMaxFloats = int64_t{1} << 42;
constexpr int64_t kMaxIndex = kMaxFloats;

bool product_within(std::initializer_list<int64_t> factors, int64_t limit) {
  int64_t product = 1;
  for (const int64_t factor : factors) {
    if (factor == 0) return true;
    if (factor > limit / product) return false;
    product *= factor;
  }
  return true;
}

// Rows (or columns) between the first and the last that any tap touches, padding included; negative on overflow.
int64_t span(int64_t out, int64_t stride, int64_t filter, int64_t dilation, int64_t in, int64_t pad) {
  if (!product_within({out, stride}, kMaxIndex) || !product_within({filter, dilation}, kMaxIndex)) return -1;
  if (pad > kMaxIndex || in > kMaxIndex) return -1;
  const int64_t reach = out * stride + filter * dilation;
  return reach > kMaxIndex ? -1 : std::max(reach, in) + pad;
}

// Sum over the taps of one axis of the output positions at which the tap reads the input.
double valid_taps(int64_t out, int64_t stride, int64_t filter, int64_t dilation, int64_t in, int64_t pad) {
  double taps = 0;
  for (int64_t k = 0; k < filter; ++k) {
    const int64_t offset = k * dilation - pad;  // input position of the tap at output 0
    const int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    const int64_t last = in - 1 - offset < 0 ? -1 : std::min(out - 1, (in - 1 - offset) / stride);
    taps += static_cast<double>(std::max<int64_t>(0, last - first + 1));
  }
  return taps;
}

}  // namespace

const char* check(const Problem& p) {
  if (p.batch < 0) return "batch must be >= 0";
  for (const int64_t size : {p.in_h, p.in_w, p.in_c, p.out_h, p.out_w, p.out_c, p.filter_h, p.filter_w, p.stride_h,
                             p.stride_w, p.dilation_h, p.dilation_w, p.groups}) {
    if (size < 1) return "sizes, strides, dilations and groups must be >= 1";
  }
  if (p.pad_top < 0 || p.pad_left < 0) return "padding must be >= 0";
  if (p.in_c % p.groups != 0 || p.out_c % p.groups != 0) return "groups must divide the channels";
  if (!product_within({p.batch, p.in_h, p.in_w, p.in_c}, kMaxFloats) ||
      !product_within({p.in_h, p.in_w, p.in_c}, kMaxFloats)) {
    return "the input is too large";
  }
  if (!product_within({p.batch, p.out_h, p.out_w, p.out_c}, kMaxFloats) ||
      !product_within({p.out_h, p.out_w, p.out_c}, kMaxFloats)) {
    return "the output is too large";
  }
  if (!product_within({p.filter_h, p.filter_w, p.in_c / p.groups, p.out_c}, kMaxFloats)) {
    return "the filter is too large";
  }
  const int64_t rows = span(p.out_h, p.stride_h, p.filter_h, p.dilation_h, p.in_h, p.pad_top);
  const int64_t columns = span(p.out_w, p.stride_w, p.filter_w, p.dilation_w, p.in_w, p.pad_left);
  if (rows < 0 || columns < 0 || !product_within({rows, p.in_w, p.in_c}, kMaxIndex) ||
      !product_within({columns, p.in_c}, kMaxIndex)) {
    return "strides, dilations or padding are too large";
  }
  return nullptr;
}

int64_t input_floats(const Problem& p) { return p.batch * p.in_h * p.in_w * p.in_c; }
int64_t output_floats(const Problem& p) { return p.batch * p.out_h * p.out_w * p.out_c; }
int64_t filter_floats(const Problem& p) { return p.filter_h * p.filter_w * (p.in_c / p.groups) * p.out_c; }

double flops(const Problem& p) {
  const double rows = valid_taps(p.out_h, p.stride_h, p.filter_h, p.dilation_h, p.in_h, p.pad_top);
  const double columns = valid_taps(p.out_w, p.stride_w, p.filter_w, p.dilation_w, p.in_w, p.pad_left);
  const double channels = static_cast<double>(p.out_c) * static_cast<double>(p.in_c / p.groups);
  return 2.0 * static_cast<double>(p.batch) * rows * columns * channels;
}

double bytes(const Problem& p) {
  return 4.0 * static_cast<double>(input_floats(p) + filter_floats(p) + output_floats(p));
}

}  // namespace depthwise

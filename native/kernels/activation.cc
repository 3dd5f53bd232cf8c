// The activations that are more than a clamp, applied in place to outputs that a kernel has just written.
//
//   for (row r) for (i < count) data[r * row_stride + i] = f(data[r * row_stride + i])
//
// A pass of its own, over a tile still in L1, instead of code in every kernel's epilogue: next to the
// exponential its load and store cost little, and the kernels stay free of calls that would make the
// compiler spill the weights they keep in registers.
//
// Error: at most 1e-6 + 4 * 2^-23 * |f(x)| each; NaN passes. The polynomials are minimax fits (Lawson's
// iteration) made for this file; their relative errors are given with each.
#include "../core/kernel.h"
#include "../simd/simd.h"

namespace depthwise {
namespace {

DEPTHWISE_INLINE vec poly(vec, float c) { return set1(c); }

// c0 + c1 x + c2 x^2 + …
template <typename... Rest>
DEPTHWISE_INLINE vec poly(vec x, float c0, Rest... rest) {
  return fma(poly(x, rest...), x, set1(c0));
}

// exp(x) = 2^n (1 + q), with |x - n ln 2| <= ln 2 / 2 and q = exp(x - n ln 2) - 1.
struct Reduced {
  vec n, q;
};

// x is clamped to where exp is neither zero nor infinite; at the bounds it already is.
DEPTHWISE_INLINE Reduced reduce_exp(vec x) {
  x = clamp(x, set1(-110.0f), set1(90.0f));
  const vec n = round(mul(x, set1(1.44269504f)));
  // ln 2 in two parts: the first has few enough bits that n times it is exact.
  vec r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  // (exp(r) - 1 - r) / r^2, error 7e-8
  const vec p = poly(r, 0.500000003f, 0.166665734f, 0.0416663636f, 0.00836376929f, 0.00139421491f);
  return {n, fma(mul(r, r), p, r)};
}

DEPTHWISE_INLINE vec exp(vec x) {
  const Reduced e = reduce_exp(x);
  // 2^n in two factors: n reaches past the exponents of normal numbers on both sides.
  const vec half = round(mul(e.n, set1(0.5f)));
  const vec y = mul(add(e.q, set1(1.0f)), pow2(half));
  return mul(y, pow2(sub(e.n, half)));
}

// For x <= 0, without the cancellation that exp(x) - 1 has near zero.
DEPTHWISE_INLINE vec expm1_negative(vec x) {
  const Reduced e = reduce_exp(max_nan(set1(-87.0f), x));
  const vec scale = pow2(e.n);
  return fma(scale, e.q, sub(scale, set1(1.0f)));
}

DEPTHWISE_INLINE vec one_plus_exp_minus(vec x) { return add(set1(1.0f), exp(sub(zero(), x))); }

DEPTHWISE_INLINE vec tanh(vec x) {
  const vec s = mul(x, x);
  // (tanh(x) / x - 1) / x^2 for x^2 <= 0.42, error 7e-8
  const vec near =
      fma(mul(x, s), poly(s, -0.333333368f, 0.133329667f, -0.0538602707f, 0.0209978249f, -0.00606244577f), x);
  const vec far = sub(set1(1.0f), div(set1(2.0f), add(exp(add(x, x)), set1(1.0f))));
  return select(less(s, set1(0.4f)), near, far);
}

DEPTHWISE_INLINE vec hard_sigmoid(vec x) {
  return mul(clamp(add(x, set1(3.0f)), zero(), set1(6.0f)), set1(1.0f / 6.0f));
}

// gelu(x) = x Phi(x), with Phi(-z) = h(z) exp(-z^2 / 2) and h a polynomial in 1 / (1 + 0.3 z), relative
// error 6e-8. Past z = 14, where the fit ends and Phi(-z) is below 1e-44, it is zero: a large x would magnify any rest.
DEPTHWISE_INLINE vec gelu(vec x) {
  const vec end = set1(14.0f);
  const vec z = min_nan(end, abs(x));
  const vec t = div(set1(1.0f), fma(z, set1(0.3f), set1(1.0f)));
  const vec h = poly(t, 7.16853069e-06f, 0.119487696f, 0.121920282f, 0.0946838003f, 0.142534772f, -0.0765052369f,
                     0.228658863f, -0.169165458f, 0.0383781422f);
  const vec tail = mul(h, exp(mul(mul(z, z), set1(-0.5f))));
  const vec lower = select(less(end, abs(x)), zero(), tail);
  return mul(x, select(less(x, zero()), lower, sub(set1(1.0f), lower)));
}

DEPTHWISE_INLINE vec leaky(vec x, vec slope) { return select(less(x, zero()), mul(x, slope), x); }

// f(x, row, i) for the vector at data[row * row_stride + i].
template <typename F>
DEPTHWISE_INLINE void map_indexed(float* data, int64_t rows, int64_t row_stride, int64_t count, F f) {
  const tail last = tail_of(count % kWidth);
  for (int64_t r = 0; r < rows; ++r, data += row_stride) {
    int64_t i = 0;
    for (; i + kWidth <= count; i += kWidth) store(data + i, f(load(data + i), r, i));
    if (i < count) store_tail(data + i, f(load_tail(data + i, last), r, i), last);
  }
}

template <vec (*f)(vec)>
void map(float* data, int64_t rows, int64_t row_stride, int64_t count) {
  map_indexed(data, rows, row_stride, count, [](vec x, int64_t, int64_t) DEPTHWISE_LAMBDA_INLINE { return f(x); });
}

DEPTHWISE_INLINE vec elu(vec x) { return select(less(x, zero()), expm1_negative(x), x); }
DEPTHWISE_INLINE vec sigmoid(vec x) { return div(set1(1.0f), one_plus_exp_minus(x)); }
DEPTHWISE_INLINE vec silu(vec x) { return div(x, one_plus_exp_minus(x)); }
DEPTHWISE_INLINE vec hard_swish(vec x) { return mul(x, hard_sigmoid(x)); }

void activate(const KernelArgs& args, float* data, int64_t rows, int64_t row_stride, int64_t count, int64_t channel) {
  switch (args.activation.kind) {
    case ActivationKind::elu:
      return map<elu>(data, rows, row_stride, count);
    case ActivationKind::sigmoid:
      return map<sigmoid>(data, rows, row_stride, count);
    case ActivationKind::tanh:
      return map<tanh>(data, rows, row_stride, count);
    case ActivationKind::silu:
      return map<silu>(data, rows, row_stride, count);
    case ActivationKind::hard_swish:
      return map<hard_swish>(data, rows, row_stride, count);
    case ActivationKind::hard_sigmoid:
      return map<hard_sigmoid>(data, rows, row_stride, count);
    case ActivationKind::gelu:
      return map<gelu>(data, rows, row_stride, count);
    case ActivationKind::leaky_relu: {
      const vec slope = set1(args.activation.alpha);
      return map_indexed(data, rows, row_stride, count,
                         [slope](vec x, int64_t, int64_t) DEPTHWISE_LAMBDA_INLINE { return leaky(x, slope); });
    }
    case ActivationKind::prelu: {
      const float* slopes = args.slopes + channel;
      if (args.problem->layout == Layout::nchw) {
        return map_indexed(data, rows, row_stride, count, [slopes](vec x, int64_t r, int64_t) DEPTHWISE_LAMBDA_INLINE {
          return leaky(x, set1(slopes[r]));
        });
      }
      return map_indexed(data, rows, row_stride, count, [slopes](vec x, int64_t, int64_t i) DEPTHWISE_LAMBDA_INLINE {
        return leaky(x, load(slopes + i));
      });
    }
    case ActivationKind::linear:
    case ActivationKind::relu:
    case ActivationKind::relu6:
    case ActivationKind::clip:
      return;
  }
}

}  // namespace

extern const ActivateFn DEPTHWISE_SYMBOL(activation) = &activate;

}  // namespace depthwise

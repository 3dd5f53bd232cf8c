// Any convolution, in either layout; the family of last resort.
//
//   for (each image, output row oy, output column ox, group g, channel o of the group)
//     sum = bias[o]
//     for (each tap (ky, kx) that doesn't fall on padding, input channel i of the group)
//       sum += input[oy * stride + ky * dilation - pad …][i] * filter[ky][kx][i][o]
//     output[oy][ox][o] = clamp(sum)
//
// A vector holds neighbouring output channels of one group; the input is broadcast. A tile is an output row.
#include "../core/kernel.h"
#include "../simd/simd.h"

namespace depthwise {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Packed: [group][block of kWidth outputs][ky][kx][input channel][kWidth], zeros past the group's last output.
int64_t blocks_per_group(const Problem& p) { return ceil_div(p.out_c / p.groups, kWidth); }

bool plan(const Problem& p, KernelPlan& plan) {
  plan.kernel = "generic";
  plan.tiles = p.batch * p.out_h;
  plan.packed_floats = p.groups * blocks_per_group(p) * p.filter_h * p.filter_w * (p.in_c / p.groups) * kWidth;
  return true;
}

void pack(const Problem& p, const KernelPlan&, const FilterView& filter, float* packed) {
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t o = 0; o < blocks_per_group(p) * kWidth; o += kWidth) {
      for (int64_t y = 0; y < p.filter_h; ++y) {
        for (int64_t x = 0; x < p.filter_w; ++x) {
          for (int64_t i = 0; i < in_c; ++i) {
            for (int64_t lane = 0; lane < kWidth; ++lane, ++packed) {
              const float* tap = filter.data + (g * out_c + o + lane) * filter.stride_o + i * filter.stride_i;
              *packed = o + lane < out_c ? tap[y * filter.stride_h + x * filter.stride_w] : 0.0f;
            }
          }
        }
      }
    }
  }
}

void run(const KernelArgs& args, const float* input, float* output, int64_t tile, float*) {
  const Problem& p = *args.problem;
  const bool nhwc = p.layout == Layout::nhwc;
  const int64_t in_c = p.in_c / p.groups, out_c = p.out_c / p.groups;
  const int64_t image = tile / p.out_h, oy = tile % p.out_h;
  // Floats between neighbouring pixels of a row, and between channels of a pixel.
  const int64_t in_pixel = nhwc ? p.in_c : 1, in_channel = nhwc ? 1 : p.in_h * p.in_w;
  const int64_t out_pixel = nhwc ? p.out_c : 1, out_channel = nhwc ? 1 : p.out_h * p.out_w;
  input += image * p.in_h * p.in_w * p.in_c;
  output += image * p.out_h * p.out_w * p.out_c + oy * p.out_w * out_pixel;

  for (int64_t ox = 0; ox < p.out_w; ++ox) {
    const float* weights = args.weights;
    for (int64_t g = 0; g < p.groups; ++g) {
      for (int64_t o = 0; o < out_c; o += kWidth) {
        const int64_t first = g * out_c + o;
        vec sum = load(args.bias + first);
        for (int64_t ky = 0; ky < p.filter_h; ++ky) {
          const int64_t iy = oy * p.stride_h + ky * p.dilation_h - p.pad_top;
          for (int64_t kx = 0; kx < p.filter_w; ++kx, weights += in_c * kWidth) {
            const int64_t ix = ox * p.stride_w + kx * p.dilation_w - p.pad_left;
            if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
            const float* in = input + (iy * p.in_w + ix) * in_pixel + g * in_c * in_channel;
            for (int64_t i = 0; i < in_c; ++i) {
              sum = fma(set1(in[i * in_channel]), load(weights + i * kWidth), sum);
            }
          }
        }
        sum = clamp(sum, set1(args.lo), set1(args.hi));
        float lanes_of_sum[kWidth];
        store(lanes_of_sum, sum);
        const int64_t count = out_c - o < kWidth ? out_c - o : kWidth;
        float* out = output + ox * out_pixel + first * out_channel;
        for (int64_t lane = 0; lane < count; ++lane) out[lane * out_channel] = lanes_of_sum[lane];
      }
    }
  }
  if (args.activate && nhwc) args.activate(args, output, p.out_w, p.out_c, p.out_c, 0);
  if (args.activate && !nhwc) args.activate(args, output, p.out_c, out_channel, p.out_w, 0);
}

}  // namespace

extern const KernelFamily DEPTHWISE_SYMBOL(generic) = {"generic", plan, pack, run};

}  // namespace depthwise

#include "tensors.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>

#include "core/problem_check.h"

namespace bench {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kReadable = 64;  // bytes after the last float

void fill(const Buffer& buffer, std::minstd_rand& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t i = 0; i < buffer.size(); ++i) buffer.data()[i] = uniform(random);
}

}  // namespace

void Buffer::Free::operator()(void* memory) const { std::free(memory); }

Buffer::Buffer(int64_t floats, int64_t misalign) : size_(floats) {
  const int64_t bytes = floats * 4 + misalign + kReadable;
  memory_.reset(std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment));
  if (!memory_) throw std::bad_alloc();
  data_ = reinterpret_cast<float*>(static_cast<char*>(memory_.get()) + misalign);
  std::fill(data_, data_ + size_, 0.0f);
}

Tensors::Tensors(const Workload& work, int64_t misalign)
    : input_nhwc(depthwise::input_floats(work), misalign),
      input_nchw(depthwise::input_floats(work), misalign),
      filter_oihw(depthwise::filter_floats(work), misalign),
      filter_hwio(depthwise::filter_floats(work), misalign),
      filter_ohwi(depthwise::filter_floats(work), misalign),
      bias(work.out_c, misalign),
      output_nhwc(depthwise::output_floats(work), misalign),
      output_nchw(depthwise::output_floats(work), misalign) {
  std::minstd_rand random(1);
  fill(input_nchw, random);
  fill(filter_oihw, random);
  fill(bias, random);
  transpose(input_nchw.data(), input_nhwc.data(), work.batch, work.in_c, work.in_h * work.in_w);
  const int64_t taps = work.filter_h * work.filter_w;
  transpose(filter_oihw.data(), filter_ohwi.data(), work.out_c, work.in_per_group(), taps);
  const int64_t in = work.in_per_group();
  for (int64_t o = 0; o < work.out_c; ++o) {
    for (int64_t i = 0; i < in; ++i) {
      for (int64_t t = 0; t < taps; ++t) {
        filter_hwio.data()[(t * in + i) * work.out_c + o] = filter_oihw.data()[(o * in + i) * taps + t];
      }
    }
  }
}

void transpose(const float* from, float* to, int64_t batch, int64_t channels, int64_t pixels) {
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) to[p * channels + c] = from[c * pixels + p];
    }
    from += channels * pixels;
    to += channels * pixels;
  }
}

}  // namespace bench

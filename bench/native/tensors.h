// One layer's data: made once, read by every competitor.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "workload.h"

namespace bench {

// Floats that begin at a multiple of 64 bytes plus `misalign`, with room after them for the 16 bytes that XNNPACK
// may read past the end of its input.
class Buffer {
 public:
  Buffer(int64_t floats, int64_t misalign);
  float* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Free> memory_;
  float* data_;
  int64_t size_;
};

struct Tensors {
  Tensors(const Workload& work, int64_t misalign);

  Buffer input_nhwc, input_nchw;
  Buffer filter_oihw, filter_hwio, filter_ohwi;  // same weights, each as a library takes them
  Buffer bias;
  // Where competitors write: one per layout, so that all meet the same addresses and caches.
  Buffer output_nhwc, output_nchw;
};

// [batch, channels, pixels] to [batch, pixels, channels], or back with the two numbers swapped.
void transpose(const float* from, float* to, int64_t batch, int64_t channels, int64_t pixels);

}  // namespace bench

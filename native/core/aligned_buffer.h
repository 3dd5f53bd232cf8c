#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace depthwise {

// Uninitialised floats that start at a cache line, so that a full vector never crosses one.
// Throws std::bad_alloc, also for sizes that can't be expressed in bytes.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t floats) : size_(floats) {
    if (floats < 0 || floats > kMaxFloats) throw std::bad_alloc();
    if (floats == 0) return;
    // The operator that returns null: AddressSanitizer's other one ends the process where memory is short.
    data_.reset(static_cast<float*>(::operator new(static_cast<std::size_t>(floats) * sizeof(float),
                                                   std::align_val_t{kAlignment}, std::nothrow)));
    if (!data_) throw std::bad_alloc();
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  int64_t size() const { return size_; }

 private:
  static constexpr int64_t kMaxFloats = PTRDIFF_MAX / static_cast<int64_t>(sizeof(float)) - 64;

  struct Delete {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<float, Delete> data_;
  int64_t size_ = 0;
};

}  // namespace depthwise

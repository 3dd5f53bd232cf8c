#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "huge_pages.h"

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
    // Aligned by hand: glibc before 2.38 rarely finds room again for an aligned allocation in what others of its size
    // have left, and a process that makes and drops buffers grows without end. The operator that returns null:
    // AddressSanitizer's other one ends the process where memory is short.
    const std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float) + kAlignment;
    memory_.reset(::operator new(bytes, std::nothrow));
    if (!memory_) throw std::bad_alloc();
    const auto after = reinterpret_cast<uintptr_t>(memory_.get()) + kAlignment;
    data_ = reinterpret_cast<float*>(after - after % kAlignment);
    prefer_huge_pages(memory_.get(), static_cast<int64_t>(bytes));
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  static constexpr int64_t kMaxFloats = PTRDIFF_MAX / static_cast<int64_t>(sizeof(float)) - 64;

  struct Delete {
    void operator()(void* memory) const { ::operator delete(memory); }
  };
  std::unique_ptr<void, Delete> memory_;
  float* data_ = nullptr;  // within it
  int64_t size_ = 0;
};

}  // namespace depthwise

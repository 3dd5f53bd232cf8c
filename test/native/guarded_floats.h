// Memory for kernels under test: a page that can't be touched follows (or precedes) it directly, so that a
// read or write out of bounds crashes in every build, also by instructions that AddressSanitizer doesn't see.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace depthwise {

enum class Flush { end, begin };  // which end of the memory lies at the guard page

class GuardedFloats {
 public:
  // Filled with NaN: what a kernel reads without having been given it, and outputs that it leaves out, show.
  GuardedFloats(int64_t floats, Flush flush, std::size_t alignment = sizeof(float)) : floats_(floats) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float);
    inner_ = (bytes + page - 1) / page * page;
    mapped_ = inner_ + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    if (inner_ > 0 && mprotect(base_ + page, inner_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    std::memset(base_ + page, kCanary, inner_);
    const std::size_t offset = flush == Flush::end ? (inner_ - bytes) / alignment * alignment : 0;
    first_ = base_ + page;
    data_ = reinterpret_cast<float*>(first_ + offset);
  }
  GuardedFloats(const GuardedFloats&) = delete;
  GuardedFloats& operator=(const GuardedFloats&) = delete;
  ~GuardedFloats() { munmap(base_, mapped_); }

  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return floats_; }
  void clear() { std::memset(data_, kCanary, static_cast<std::size_t>(floats_) * sizeof(float)); }

  // Whether the bytes of the first and last page that don't belong to the array still are what they were.
  bool surroundings_untouched() const {
    const char* begin = reinterpret_cast<const char*>(data_);
    const char* end = reinterpret_cast<const char*>(data_ + floats_);
    for (const char* p = first_; p < begin; ++p) {
      if (*p != kCanary) return false;
    }
    for (const char* p = end; p < first_ + inner_; ++p) {
      if (*p != kCanary) return false;
    }
    return true;
  }

 private:
  static constexpr char kCanary = -1;  // four of them are a NaN

  char* base_;
  char* first_;
  float* data_;
  std::size_t inner_, mapped_;
  int64_t floats_;
};

}  // namespace depthwise

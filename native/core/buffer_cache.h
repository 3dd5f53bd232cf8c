#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "aligned_buffer.h"

namespace depthwise {

// Buffers that calls have used and others may use again: fresh memory costs its first write several times the copy that
// goes into it, and a server's calls are alike. Holds a bounded number of bytes. Belongs to one thread.
class BufferCache {
 public:
  explicit BufferCache(int64_t most_bytes) : most_floats_(most_bytes / static_cast<int64_t>(sizeof(float))) {
    buffers_.reserve(kMostBuffers + 1);  // so that give() can't fail
  }

  // At least so many floats, in a buffer not much larger. Throws std::bad_alloc.
  AlignedBuffer take(int64_t floats) {
    const auto fits = [floats](const AlignedBuffer& b) { return b.size() >= floats && b.size() / 2 <= floats; };
    const auto found = std::find_if(buffers_.rbegin(), buffers_.rend(), fits);
    if (found == buffers_.rend()) return AlignedBuffer(floats);
    AlignedBuffer buffer = std::move(*found);
    buffers_.erase(std::next(found).base());
    floats_ -= buffer.size();
    return buffer;
  }

  // Those that were given first go where there are too many.
  void give(AlignedBuffer buffer) noexcept {
    if (buffer.size() == 0 || buffer.size() > most_floats_) return;
    floats_ += buffer.size();
    buffers_.push_back(std::move(buffer));
    std::size_t dropped = 0;
    for (; floats_ > most_floats_ || buffers_.size() - dropped > kMostBuffers; ++dropped)
      floats_ -= buffers_[dropped].size();
    buffers_.erase(buffers_.begin(), buffers_.begin() + static_cast<std::ptrdiff_t>(dropped));
  }

 private:
  static constexpr std::size_t kMostBuffers = 64;  // looked through one by one

  const int64_t most_floats_;
  int64_t floats_ = 0;  // of all buffers
  std::vector<AlignedBuffer> buffers_;
};

}  // namespace depthwise

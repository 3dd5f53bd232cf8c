#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace depthwise::fuzz {

// The fuzzer's input, read as numbers; zeros once it is used up.
class Bytes {
 public:
  Bytes(const uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }

  // From `least` to `most`.
  int64_t within(int64_t least, int64_t most) {
    const uint64_t drawn = byte() | static_cast<uint64_t>(byte()) << 8;
    return least + static_cast<int64_t>(drawn % static_cast<uint64_t>(most - least + 1));
  }

  // Any number, often a small one or one near a power of two.
  int64_t any() {
    const uint8_t shape = byte();
    if (shape < 128) return shape % 32;
    if (shape < 240) return (int64_t{1} << shape % 63) + within(-2, 2);
    uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8 | byte();
    int64_t number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
  }

 private:
  const uint8_t* data_;
  std::size_t size_;
};

}  // namespace depthwise::fuzz

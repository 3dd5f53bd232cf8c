#include "core/buffer_cache.h"

#include <doctest/doctest.h>

namespace depthwise {

TEST_CASE("buffer cache: gives back what fits and is not much larger, the last first") {
  BufferCache cache(4000);
  const float* large;
  const float* small;
  {
    AlignedBuffer a = cache.take(400), b = cache.take(100);
    large = a.data();
    small = b.data();
    cache.give(std::move(a));
    cache.give(std::move(b));
  }
  const AlignedBuffer eighty = cache.take(80);
  CHECK(eighty.data() == small);
  CHECK(eighty.size() == 100);
  CHECK(cache.take(150).size() == 150);
  const AlignedBuffer all = cache.take(400);
  CHECK(all.data() == large);
  CHECK(cache.take(0).size() == 0);
}

TEST_CASE("buffer cache: holds no more bytes and no more buffers than it may") {
  BufferCache cache(4000);
  cache.give(AlignedBuffer(1001));
  CHECK(cache.take(1001).size() == 1001);  // a new one: that was too large to keep
  for (int i = 0; i < 200; ++i) cache.give(AlignedBuffer(10));
  cache.give(AlignedBuffer());
  cache.give(AlignedBuffer(996));  // drops all of those
  CHECK(cache.take(7).size() == 7);
  CHECK(cache.take(990).size() == 996);
  CHECK(cache.take(990).size() == 990);
}

}  // namespace depthwise

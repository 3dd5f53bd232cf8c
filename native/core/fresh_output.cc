#include "fresh_output.h"

#include <algorithm>

#include "cpu_features.h"
#include "huge_pages.h"

namespace depthwise {

void prepare_fresh_output(float* output, int64_t floats) {
  const int64_t bytes = floats * static_cast<int64_t>(sizeof(float));
  // Less than this is no cheaper zeroed.
  constexpr int64_t kLeast = int64_t{1} << 14;
  if (bytes < kLeast) return;
  if (bytes <= cpu_caches().l2_bytes) {
    std::fill_n(output, floats, 0.0f);
  } else {
    prefer_huge_pages(output, bytes);
  }
}

}  // namespace depthwise

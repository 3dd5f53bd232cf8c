#pragma once

#include <vector>

#include "core/thread_pool.h"

namespace depthwise {

// A pool can't be destroyed: its workers, asleep, go with the process. Kept where the leak checker finds it.
inline ThreadPool& make_pool(int threads) {
  static std::vector<ThreadPool*>& made = *new std::vector<ThreadPool*>;
  made.push_back(new ThreadPool(threads));
  return *made.back();
}

}  // namespace depthwise

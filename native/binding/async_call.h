// One asynchronous convolution, from the call to its callback.
#pragma once

#include <memory>

#include "arguments.h"
#include "core/execution.h"
#include "environment.h"

namespace depthwise::binding {

// Works on memory that no program can take away while it runs: a copy of the input, unless that lies in a
// SharedArrayBuffer, and an output that nobody else sees. A user's output array is written at the end, on the
// JavaScript thread, if it still is what it was.
//
// Handing a call over takes the JavaScript thread 40 us, and the copy of the input. Where computing it takes no longer,
// and no other call is under way that the pool's threads would share the work with, it is computed as it is made, and
// only its callback waits for the event loop: one after another, such calls leave the loop as free as the pool's do.
class AsyncCall final : public Job {
 public:
  // `is_own`: the library made the output for this call, and the program gets it with the callback. It isn't made here:
  // a constructor called from C++ would swallow the end of a script that vm's timeout stops. The arrays' lengths fit.
  AsyncCall(Environment& environment, std::shared_ptr<const Plan> plan, const FloatArray& input,
            const FloatArray& output, bool is_own, napi_value callback);
  ~AsyncCall() override;

  void submit(uintptr_t number);

  // The callback will get ABORTED, even if the work was done before.
  void abort();

  // Calls the callback, on the environment's thread.
  void deliver();

 private:
  void finished(Outcome outcome) noexcept override;
  bool compute_at_once(const float* input);
  const Failure* finish_output(napi_value* result);

  Environment& environment_;
  const std::shared_ptr<const Plan> plan_;
  Execution execution_;
  AlignedBuffer input_copy_;
  AlignedBuffer result_;  // what a user's output gets
  Reference input_;       // of a shared input
  Reference output_;
  Reference callback_;
  napi_async_context context_ = nullptr;
  float* output_data_ = nullptr;  // a user's output as it was at the call
  int64_t output_length_ = 0;
  uintptr_t number_ = 0;
  Outcome outcome_ = Outcome::done;
  bool computed_ = false;  // as it was made
  bool aborted_ = false;
};

}  // namespace depthwise::binding

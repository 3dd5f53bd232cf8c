// What the addon knows of one environment (the main thread, a worker, an Electron window): its handles, its calls
// in flight, and how to reach its thread. All functions but post run on that thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/buffer_cache.h"
#include "core/registry.h"
#include "napi_support.h"

namespace depthwise::binding {

class AsyncCall;
struct FloatArray;

// What an external value of this addon points to. Environment::handle tells it from the externals of others. Destroyed
// on the environment's thread some time after the external was collected.
class Handle {
 public:
  enum class Kind { layer, plan };
  explicit Handle(Kind kind) : kind_(kind) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  virtual ~Handle() = default;
  Kind kind() const { return kind_; }

 private:
  const Kind kind_;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  // Made as the addon is loaded, lives until the environment has ended and all its handles were collected.
  static std::shared_ptr<Environment> create(napi_env env);
  explicit Environment(napi_env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  napi_env env() const { return env_; }

  const IsaKernels& isa() const { return *isa_; }
  void set_isa(const IsaKernels& isa) { isa_ = &isa; }

  // An external value that owns the handle, and the handle of such a value.
  napi_value wrap(std::unique_ptr<Handle> handle);
  template <typename T>
  T& unwrap(napi_value value) const {
    return static_cast<T&>(handle(value, T::kKind));
  }

  // Tells V8 that handles hold so many bytes of native memory more (or fewer), which it can't see.
  void adjust_memory(int64_t bytes) noexcept;

  // Of inputs' copies and outputs on their way.
  BufferCache& buffers() { return buffers_; }

  // Takes a call over and gives it to the thread pool; returns its number. The event loop stays alive until its
  // callback was called.
  double start(std::unique_ptr<AsyncCall> call);
  void abort(double number);
  // Whether calls are under way, or wait to be delivered.
  bool has_calls() const { return !calls_.empty(); }

  // From any thread, once for every call started: it is ready to be delivered. From then on it may be gone.
  void post(uintptr_t number) noexcept;

 private:
  struct Owner;

  Handle& handle(napi_value value, Handle::Kind kind) const;
  void sweep();
  napi_threadsafe_function make_channel(napi_threadsafe_function_call_js call_js);
  void open_channels();
  void receive(int channel, uintptr_t number);
  void call(int channel) noexcept;
  void deliver(uintptr_t number);
  void close() noexcept;

  const napi_env env_;
  const IsaKernels* isa_;
  BufferCache buffers_{int64_t{64} << 20};

  std::unordered_map<const Handle*, Owner*> handles_;
  std::size_t wrapped_ = 0;  // handles and bytes that came since the last sweep
  int64_t grown_ = 0;

  std::unordered_map<uintptr_t, std::unique_ptr<AsyncCall>> calls_;  // in flight: submitted and not yet delivered
  uintptr_t last_number_ = 0;

  // Ways to the environment's thread, opened by the first asynchronous call. Calls that are ready come over the first.
  // Node empties a channel within one turn of the event loop, what arrives meanwhile included: a program that starts a
  // call for each that is done would never get back to its timers and files. So the first delivery of a turn calls over
  // the other channel, which Node comes to once it has left this one. What is ready after kTurn waits until then.
  napi_threadsafe_function channels_[2] = {nullptr, nullptr};
  std::deque<uintptr_t> waiting_;  // ready and not yet delivered
  int end_of_turn_ = -1;           // the channel whose call is the turn's end; -1 between turns
  std::chrono::steady_clock::time_point turn_start_;

  std::mutex mutex_;
  std::condition_variable all_posted_;
  int64_t running_ = 0;  // calls that are with the thread pool
  bool closed_ = false;
};

}  // namespace depthwise::binding

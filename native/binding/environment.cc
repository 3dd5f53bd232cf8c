#include "environment.h"

#include <algorithm>

#include "async_call.h"

namespace depthwise::binding {
namespace {

using Clock = std::chrono::steady_clock;

// After how much of a turn of the event loop nothing more is delivered.
constexpr auto kTurn = std::chrono::milliseconds(1);

}  // namespace

std::shared_ptr<Environment> Environment::create(napi_env env) {
  auto environment = std::make_shared<Environment>(env);
  // Collected when the environment ends; handles that are finalized later still keep it.
  auto* owner = new std::shared_ptr<Environment>(environment);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Environment>*>(data); };
  ok(napi_set_instance_data(env, owner, finalize, nullptr));
  return environment;
}

Environment::Environment(napi_env env) : env_(env), isa_(available_isas().front()) {}

Environment::~Environment() = default;

// Belongs to the external value: what its finalizer gets.
struct Environment::Owner {
  std::shared_ptr<Environment> environment;
  std::unique_ptr<Handle> handle;  // null once swept
  napi_ref external = nullptr;     // a weak reference

  void drop_handle() {
    environment->handles_.erase(handle.get());
    handle.reset();
  }
};

napi_value Environment::wrap(std::unique_ptr<Handle> handle) {
  constexpr std::size_t kHandles = 1024;
  constexpr int64_t kBytes = int64_t{1} << 24;
  if (++wrapped_ > std::max(kHandles, handles_.size() / 2) || grown_ > kBytes) sweep();

  auto owner = std::make_unique<Owner>(Owner{shared_from_this(), std::move(handle)});
  const auto finalize = [](napi_env env, void* data, void*) {
    const std::unique_ptr<Owner> owner(static_cast<Owner*>(data));
    if (owner->handle) owner->drop_handle();
    napi_delete_reference(env, owner->external);
  };
  const Handle* pointer = owner->handle.get();
  handles_.emplace(pointer, owner.get());
  napi_value value;
  try {
    ok(napi_create_external(env_, const_cast<Handle*>(pointer), nullptr, nullptr, &value));
    ok(napi_add_finalizer(env_, value, owner.get(), finalize, nullptr, &owner->external));
  } catch (...) {
    owner->drop_handle();
    throw;
  }
  owner.release();
  return value;
}

// Node calls finalizers from its event loop only: a program that makes and drops layers in one turn of it would fill
// the memory with what V8 has long collected.
void Environment::sweep() {
  const HandleScope scope(env_);
  wrapped_ = 0;
  grown_ = 0;
  for (auto entry = handles_.begin(); entry != handles_.end();) {
    Owner& owner = *(entry++)->second;
    napi_value value = nullptr;
    if (napi_get_reference_value(env_, owner.external, &value) == napi_ok && !value) owner.drop_handle();
  }
}

void Environment::adjust_memory(int64_t bytes) noexcept {
  if (bytes == 0) return;
  grown_ += std::max<int64_t>(bytes, 0);
  int64_t total;
  napi_adjust_external_memory(env_, bytes, &total);
}

Handle& Environment::handle(napi_value value, Handle::Kind kind) const {
  void* pointer;
  if (napi_get_value_external(env_, value, &pointer) == napi_ok) {
    // Another addon's external may point to anything: it is looked up, not looked at.
    auto* handle = static_cast<Handle*>(pointer);
    if (handles_.contains(handle) && handle->kind() == kind) return *handle;
  }
  throw Failure{ErrorClass::type_error, "ERR_INVALID_ARG_TYPE", "a handle must be one that the addon returned"};
}

double Environment::start(std::unique_ptr<AsyncCall> call) {
  if (!channels_[0]) open_channels();
  const uintptr_t number = ++last_number_;
  AsyncCall& started = *call;
  calls_.emplace(number, std::move(call));
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  try {
    started.submit(number);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --running_;
    calls_.erase(number);
    throw;
  }
  if (calls_.size() == 1) ok(napi_ref_threadsafe_function(env_, channels_[0]));
  return static_cast<double>(number);
}

void Environment::abort(double number) {
  if (!(number > 0 && number <= static_cast<double>(last_number_))) return;
  const auto call = calls_.find(static_cast<uintptr_t>(number));
  if (call != calls_.end()) call->second->abort();
}

// Held while the channel is called: close() gives the channels back only once no post() is in here.
void Environment::post(uintptr_t number) noexcept {
  const std::lock_guard lock(mutex_);
  if (!closed_) napi_call_threadsafe_function(channels_[0], reinterpret_cast<void*>(number), napi_tsfn_nonblocking);
  if (--running_ == 0) all_posted_.notify_all();
}

napi_threadsafe_function Environment::make_channel(napi_threadsafe_function_call_js call_js) {
  napi_threadsafe_function channel;
  ok(napi_create_threadsafe_function(env_, nullptr, nullptr, to_js(env_, "depthwise"), 0, 1, nullptr, nullptr, this,
                                     call_js, &channel));
  ok(napi_unref_threadsafe_function(env_, channel));
  return channel;
}

void Environment::open_channels() {
  if (closed_) throw Failure{ErrorClass::type_error, "ERR_INVALID_STATE", "the environment is shutting down"};
  // Without an environment it is shutting down.
  channels_[1] = make_channel([](napi_env env, napi_value, void* context, void*) {
    if (env) static_cast<Environment*>(context)->receive(1, 0);
  });
  channels_[0] = make_channel([](napi_env env, napi_value, void* context, void* number) {
    if (env) static_cast<Environment*>(context)->receive(0, reinterpret_cast<uintptr_t>(number));
  });
  // Hooks run last to first, so this one before those of the channels.
  ok(napi_add_env_cleanup_hook(env_, [](void* self) { static_cast<Environment*>(self)->close(); }, this));
}

void Environment::call(int channel) noexcept {
  if (channels_[channel]) napi_call_threadsafe_function(channels_[channel], nullptr, napi_tsfn_nonblocking);
}

// One call over a channel, which delivers one of those that wait: what the program does next, it does behind it. The
// number is that of a call that is ready, or 0.
void Environment::receive(int channel, uintptr_t number) {
  if (channel == end_of_turn_) end_of_turn_ = -1;
  if (number != 0) {
    try {
      waiting_.push_back(number);
    } catch (const std::bad_alloc&) {
      return deliver(number);
    }
  }
  if (waiting_.empty()) return;
  if (end_of_turn_ < 0) {
    end_of_turn_ = 1 - channel;
    turn_start_ = Clock::now();
    call(end_of_turn_);
  } else if (Clock::now() - turn_start_ > kTurn) {
    return;
  }
  const uintptr_t first = waiting_.front();
  waiting_.pop_front();
  if (number == 0 && !waiting_.empty()) call(channel);
  deliver(first);
}

void Environment::deliver(uintptr_t number) {
  auto call = calls_.extract(number);
  if (call.empty()) return;
  try {
    if (calls_.empty()) ok(napi_unref_threadsafe_function(env_, channels_[0]));
    call.mapped()->deliver();
  } catch (...) {
    // Only an environment that can't run JavaScript any more refuses to make the callback's arguments.
  }
}

// The environment ends: its calls stop after the tile that they are at.
void Environment::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  for (auto& [number, call] : calls_) call->abort();
  {
    std::unique_lock lock(mutex_);
    all_posted_.wait(lock, [this] { return running_ == 0; });
  }
  calls_.clear();
  for (auto& channel : channels_) napi_release_threadsafe_function(std::exchange(channel, nullptr), napi_tsfn_abort);
}

}  // namespace depthwise::binding

// One pool of threads for the whole process, however many environments load the addon.
//
// A job is a number of tiles that may run in any order, on any thread, at the same time. Whoever waits for
// its job works on it too, so a pool of n threads is the caller and n - 1 workers; jobs that nobody waits
// for have all n workers, or one where n is 1.
//
// A job's tiles are dealt out in shares, runs of neighbouring tiles, one for each thread that may join. A thread takes
// its own first, the same one in every job, and then what others have left: so a layer finds in the caches of its core
// what the layer before has written there.
//
// Workers visit the active jobs in turn and stay for a slice of time, so a large job holds a small one up
// by a slice (or a tile, if that is longer), and small jobs run whole, in the order of their arrival.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace depthwise {

struct TileWork {
  void (*run_tile)(const void* context, int64_t tile, float* scratch);  // must not throw
  const void* context;
  int64_t tiles;
  int64_t grain;           // tiles that a thread claims at once; more than 1 where tiles are tiny
  int64_t scratch_floats;  // of each thread, 64-byte aligned
  int max_threads;
};

// Asked between tiles, by the thread that waits for its job, whether the job is to be given up.
class Interrupt {
 public:
  // `period`: how long until it is asked, each time.
  explicit Interrupt(std::chrono::microseconds period) : period_(period) {}
  std::chrono::microseconds period() const { return period_; }
  virtual bool raised() noexcept = 0;

 protected:
  ~Interrupt() = default;

 private:
  const std::chrono::microseconds period_;
};

// A job submitted for others to run. It lives until finished() is called; from then on the pool doesn't touch it.
class Job {
 public:
  enum class Outcome { done, aborted, out_of_memory };

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

 protected:
  // Called exactly once: by the worker that left the job last, or by abort(). Must not throw.
  virtual void finished(Outcome outcome) noexcept = 0;

 private:
  friend class ThreadPool;

  static constexpr int kMostShares = 64;

  // A job's tiles, before anybody takes one.
  void deal(const TileWork& work, int threads);
  // The first tile of a claim, work_.tiles if none is left. `share` is where to look first, and then where it was
  // found.
  int64_t claim(int& share);
  // How many claims are left, or `enough`.
  int64_t left(int64_t enough) const;
  int64_t share_begin(int64_t share) const { return share * claims_ / shares_; }
  // The share for a thread that would like this one, or another that nobody has. Under the pool's mutex.
  int take_share(int wanted);

  TileWork work_{};
  int64_t claims_ = 0;
  int shares_ = 1;
  // The next claim of each share. Threads take them while others poll the fields below: keep them on different cache
  // lines.
  alignas(64) std::atomic<int64_t> next_[kMostShares];
  alignas(64) std::atomic<bool> abort_{false};
  std::atomic<int> participants_{0};  // threads working on it now; written under the pool's mutex

  // Guarded by the pool's mutex.
  bool waited_for_ = false;  // a caller of run() owns it: finished() is not called
  bool listed_ = false;      // among the active jobs: there may be tiles to claim
  bool out_of_memory_ = false;
  uint64_t taken_shares_ = 0;  // a bit for each
  uint64_t taken_cpus_ = 0;    // of the threads that work on it, as they joined
  Job* before_ = nullptr;
  Job* after_ = nullptr;
};

class ThreadPool {
 public:
  explicit ThreadPool(int threads) : threads_(threads) {}

  // Workers are never joined: at the process's exit they may be in the middle of a tile. So a pool must never go.
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() = delete;

  // The pool of this process, made at the first call with the CPUs that the process may use. Anew in a forked child.
  static ThreadPool& process();

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  // May be called while jobs run: workers too many leave after their tile.
  void set_threads(int threads);

  // Runs all tiles and returns true, or false where the interrupt was raised: then some may not have run. Throws
  // std::bad_alloc if there is no memory for the caller's scratch, before any ran.
  bool run(const TileWork& work, Interrupt* interrupt = nullptr);

  // Throws std::system_error if there is no worker and none can be started; then the job was not taken.
  void submit(Job& job, const TileWork& work);

  // A queued job finishes within this call, a running one as soon as its threads are done with their tile.
  // Does nothing to a finished one. The caller sees to it that the job still exists.
  void abort(Job& job);

 private:
  void start_worker();
  void worker(int index);
  bool idle(std::unique_lock<std::mutex>& lock, bool yielding, bool patient);
  void work_on(Job& job, int share, float* scratch, int worker);
  void work_on_own(Job& job, int share, float* scratch, Interrupt* interrupt);
  void leave(Job& job, int share, uint64_t cpu, bool had_scratch, std::unique_lock<std::mutex>& lock);
  Job* pick();
  void list_first(Job& job);
  void list_last(Job& job);
  void listed(Job& job);
  void unlist(Job& job);
  int room(const Job& job) const;
  bool ensure_workers(int wanted);
  int take_wakes(int wanted);
  void wake(int count);

  std::atomic<int> threads_;
  std::atomic<int> listed_jobs_{0};
  std::atomic<uint64_t> submissions_{0};  // spinning workers watch it

  std::mutex mutex_;
  std::condition_variable wake_up_;  // of sleeping workers
  std::condition_variable left_;     // of callers that wait for the last helper to leave
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  std::vector<bool> alive_;  // by a worker's index
  int workers_ = 0;
  int spinning_ = 0;
  int sleeping_ = 0;
  int wakes_ = 0;  // sleepers that were told to wake and haven't yet
};

}  // namespace depthwise

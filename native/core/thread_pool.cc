#include "thread_pool.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>

#include "aligned_buffer.h"
#include "cpu_count.h"
#include "cpu_placement.h"
#include "keep_loaded.h"

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace depthwise {
namespace {

using Clock = std::chrono::steady_clock;

// How long a worker stays with a job while others wait.
constexpr auto kSlice = std::chrono::microseconds(200);

// How long a thread watches for work before it sleeps. Waking a sleeper takes 5 to 50 us, and layers follow
// one another faster than that. Where the program does more between them, a thread that has just slept through less
// than kPatience watches for so long the next time.
constexpr auto kSpin = std::chrono::microseconds(50);
constexpr auto kPatience = std::chrono::microseconds(300);

// A thread keeps its scratch between jobs up to this size.
constexpr int64_t kKeptScratchFloats = int64_t{1} << 20;

// How often a worker may move to another CPU, away from those it works with: that costs it some 20 us.
constexpr auto kBetweenMoves = std::chrono::microseconds(300);

// Every waker wakes this many, and those wake more: one waker alone would be busy for long on a large machine.
constexpr int kFanOut = 2;

// The end of an asynchronous job wakes its JavaScript thread, often on this very CPU, where it would wait for a
// thread that spins without yielding: 40 us against 90 from call to callback. Between the jobs of a caller that
// waits yielding harms: caller and helper can stay on one CPU, each making room for the other.
enum class Manner { insistent, yielding };

void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

// Until done() is true or the time is over; returns done().
template <typename Done>
bool spin(Done done, Manner manner, std::chrono::microseconds most) {
  const Clock::time_point end = Clock::now() + most;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      relax();
    }
    if (manner == Manner::yielding) std::this_thread::yield();
  } while (Clock::now() < end);
  return done();
}

// Asks an interrupt in its period. Null is none.
class InterruptCheck {
 public:
  explicit InterruptCheck(Interrupt* interrupt) : interrupt_(interrupt) {
    if (interrupt) next_ = Clock::now() + interrupt->period();
  }
  bool raised() {
    if (!interrupt_) return false;
    const Clock::time_point now = Clock::now();
    if (now < next_) return false;
    next_ = now + interrupt_->period();
    return interrupt_->raised();
  }

 private:
  Interrupt* const interrupt_;
  Clock::time_point next_;
};

// Working memory of the calling thread for one job. Each thread has its own, so that nothing is allocated
// between jobs that follow one another.
class Scratch {
 public:
  explicit Scratch(int64_t floats) {
    if (buffer_.size() >= floats) return;
    buffer_ = AlignedBuffer();
    buffer_ = AlignedBuffer(floats);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (buffer_.size() > kKeptScratchFloats) buffer_ = AlignedBuffer();
  }
  float* data() { return buffer_.data(); }

 private:
  static thread_local AlignedBuffer buffer_;
};

thread_local AlignedBuffer Scratch::buffer_;

void name_this_thread() {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "depthwise");
#elif defined(__APPLE__)
  pthread_setname_np("depthwise");
#elif defined(_WIN32)
  SetThreadDescription(GetCurrentThread(), L"depthwise");
#endif
}

// A new thread inherits the mask: signals are for the program's own threads.
class BlockSignals {
 public:
#if defined(_WIN32)
  BlockSignals() {}
#else
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

std::atomic<ThreadPool*> process_pool{nullptr};

// The job of a caller that waits for it; lives on the caller's stack.
class WaitedJob final : public Job {
  void finished(Outcome) noexcept override {}
};

}  // namespace

void Job::deal(const TileWork& work, int threads) {
  work_ = work;
  claims_ = (work.tiles + work.grain - 1) / work.grain;
  shares_ = std::clamp(threads, 1, kMostShares);
  for (int share = 0; share < shares_; ++share) next_[share].store(share_begin(share), std::memory_order_relaxed);
}

int64_t Job::claim(int& share) {
  for (int i = 0; i < shares_; ++i, ++share) {
    if (share >= shares_) share = 0;
    const int64_t end = share_begin(share + 1);
    if (next_[share].load(std::memory_order_relaxed) >= end) continue;
    const int64_t claim = next_[share].fetch_add(1, std::memory_order_relaxed);
    if (claim < end) return claim * work_.grain;
  }
  return work_.tiles;
}

int Job::take_share(int wanted) {
  int share = wanted % shares_;
  for (int i = 0; i < shares_ && (taken_shares_ >> share & 1) != 0; ++i) share = (share + 1) % shares_;
  taken_shares_ |= uint64_t{1} << share;
  return share;
}

int64_t Job::left(int64_t enough) const {
  int64_t left = 0;
  for (int share = 0; share < shares_ && left < enough; ++share) {
    left += std::max<int64_t>(share_begin(share + 1) - next_[share].load(std::memory_order_relaxed), 0);
  }
  return std::min(left, enough);
}

ThreadPool& ThreadPool::process() {
  if (ThreadPool* pool = process_pool.load(std::memory_order_acquire)) return *pool;
  static std::mutex creation;
  const std::lock_guard lock(creation);
  ThreadPool* pool = process_pool.load(std::memory_order_acquire);
  if (!pool) {
    pool = new ThreadPool(default_threads());
    process_pool.store(pool, std::memory_order_release);
#if !defined(_WIN32)
    // A child has the memory of the pool but none of its threads.
    pthread_atfork(nullptr, nullptr, [] { process_pool.store(nullptr, std::memory_order_release); });
#endif
  }
  return *pool;
}

void ThreadPool::set_threads(int threads) {
  {
    const std::lock_guard lock(mutex_);
    threads_.store(threads, std::memory_order_relaxed);
    if (first_) ensure_workers(threads);  // jobs that run may have room for more now
    submissions_.fetch_add(1, std::memory_order_relaxed);
    wakes_ = sleeping_;
  }
  wake_up_.notify_all();
}

bool ThreadPool::run(const TileWork& work, Interrupt* interrupt) {
  Scratch scratch(work.scratch_floats);
  const int limit = std::min(work.max_threads, threads());
  if (limit <= 1 || work.tiles <= work.grain) {
    InterruptCheck check(interrupt);
    for (int64_t tile = 0; tile < work.tiles; ++tile) {
      if (check.raised()) return false;
      work.run_tile(work.context, tile, scratch.data());
    }
    return true;
  }

  WaitedJob job;
  int wakes, share;
  {
    const std::lock_guard lock(mutex_);
    job.deal(work, limit);
    job.waited_for_ = true;
    job.taken_cpus_ = current_cpu();
    share = job.take_share(job.shares_ - 1);  // workers begin with the first
    job.participants_.store(1, std::memory_order_relaxed);
    list_first(job);
    ensure_workers(limit - 1);  // helpers are welcome, not needed
    wakes = take_wakes(limit - 1);
  }
  wake(wakes);
  work_on_own(job, share, scratch.data(), interrupt);

  std::unique_lock lock(mutex_);
  if (job.listed_) unlist(job);
  const auto alone = [&job] { return job.participants_.load(std::memory_order_acquire) == 1; };
  if (!alone()) {
    lock.unlock();
    spin(alone, Manner::insistent, kSpin);
    lock.lock();  // also waits for the helper that left last to be done with the job
    left_.wait(lock, alone);
  }
  return !job.abort_.load(std::memory_order_relaxed);
}

void ThreadPool::submit(Job& job, const TileWork& work) {
  if (work.tiles == 0) return job.finished(Job::Outcome::done);
  int wakes;
  {
    const std::lock_guard lock(mutex_);
    const int limit = std::min(work.max_threads, threads());
    job.deal(work, limit);
    if (!ensure_workers(limit)) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                              "no thread can be started");
    }
    list_last(job);
    wakes = take_wakes(limit);
  }
  wake(wakes);
}

void ThreadPool::abort(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    job.abort_.store(true, std::memory_order_relaxed);
    if (!job.listed_) return;
    unlist(job);
    if (job.participants_.load(std::memory_order_relaxed) > 0) return;
  }
  job.finished(Job::Outcome::aborted);
}

// Body of a worker. The mutex is held but while it works, watches or sleeps.
void ThreadPool::worker(int index) {
  name_this_thread();
  bool yielding = false, patient = false;
  Clock::time_point last_move = Clock::now() - kBetweenMoves;
  std::unique_lock lock(mutex_);
  while (index < threads()) {
    Job* job = pick();
    if (!job) {
      patient = idle(lock, yielding, patient);
      continue;
    }
    job->participants_.fetch_add(1, std::memory_order_relaxed);
    const int share = job->take_share(index);
    const uint64_t others_cpus = job->taken_cpus_;
    uint64_t cpu = current_cpu();
    job->taken_cpus_ |= cpu;
    const int wakes = take_wakes(std::max(room(*job), listed_jobs_.load(std::memory_order_relaxed) - 1));
    lock.unlock();
    wake(wakes);
    yielding = !job->waited_for_;
    if ((others_cpus & cpu) != 0 && Clock::now() - last_move >= kBetweenMoves) {
      leave_cpus(others_cpus);
      last_move = Clock::now();
      cpu = current_cpu();
      const std::lock_guard relock(mutex_);
      job->taken_cpus_ |= cpu;
    }
    bool has_scratch = true;
    try {
      Scratch scratch(job->work_.scratch_floats);
      work_on(*job, share, scratch.data(), index);
    } catch (const std::bad_alloc&) {
      has_scratch = false;
    }
    lock.lock();
    leave(*job, share, cpu, has_scratch, lock);
  }
  alive_[index] = false;
  --workers_;
  const int wakes = first_ ? take_wakes(1) : 0;
  lock.unlock();
  wake(wakes);
}

// Claims tiles until there are none, the job is aborted, or a worker has been here for long enough.
void ThreadPool::work_on(Job& job, int share, float* scratch, int worker) {
  const TileWork& work = job.work_;
  const Clock::time_point start = Clock::now();
  for (;;) {
    const int64_t first = job.claim(share);
    const int64_t end = std::min(first + work.grain, work.tiles);
    if (first >= work.tiles) return;
    for (int64_t tile = first; tile < end; ++tile) {
      if (job.abort_.load(std::memory_order_relaxed)) return;
      work.run_tile(work.context, tile, scratch);
    }
    if (worker >= threads()) return;
    if (listed_jobs_.load(std::memory_order_relaxed) > 1 && Clock::now() - start > kSlice) return;
  }
}

// The same for the caller that waits for the job: until there are none, or the interrupt is raised, which aborts it.
void ThreadPool::work_on_own(Job& job, int share, float* scratch, Interrupt* interrupt) {
  const TileWork& work = job.work_;
  InterruptCheck check(interrupt);
  for (;;) {
    const int64_t first = job.claim(share);
    const int64_t end = std::min(first + work.grain, work.tiles);
    if (first >= work.tiles) return;
    if (check.raised()) return job.abort_.store(true, std::memory_order_relaxed);
    for (int64_t tile = first; tile < end; ++tile) work.run_tile(work.context, tile, scratch);
  }
}

void ThreadPool::leave(Job& job, int share, uint64_t cpu, bool had_scratch, std::unique_lock<std::mutex>& lock) {
  const int others = job.participants_.load(std::memory_order_relaxed) - 1;
  if (!had_scratch) {
    // Those who have scratch go on without this thread; if there are none, the job fails.
    job.work_.max_threads = others;
    job.out_of_memory_ = others == 0;
  }
  const bool over = job.out_of_memory_ || job.abort_.load(std::memory_order_relaxed) || job.left(1) == 0;
  if (job.listed_) {
    unlist(job);
    if (!over) list_last(job);  // behind those that came while this thread was here
  }
  job.taken_shares_ &= ~(uint64_t{1} << share);
  job.taken_cpus_ &= ~cpu;
  job.participants_.store(others, std::memory_order_release);
  if (job.waited_for_) {
    if (others == 1) left_.notify_all();
    return;
  }
  if (others > 0 || job.listed_) return;
  const Job::Outcome outcome = job.out_of_memory_                           ? Job::Outcome::out_of_memory
                               : job.abort_.load(std::memory_order_relaxed) ? Job::Outcome::aborted
                                                                            : Job::Outcome::done;
  lock.unlock();
  job.finished(outcome);
  lock.lock();
}

// Nothing to do: watches for a while, then sleeps. As many threads watch as there are CPUs that the thread
// which gives out work leaves free. Returns whether to be patient the next time.
bool ThreadPool::idle(std::unique_lock<std::mutex>& lock, bool yielding, bool patient) {
  const Clock::time_point start = Clock::now();
  if (spinning_ < threads() - 1) {
    const uint64_t seen = submissions_.load(std::memory_order_relaxed);
    const auto submitted = [this, seen] { return submissions_.load(std::memory_order_relaxed) != seen; };
    ++spinning_;
    lock.unlock();
    spin(submitted, yielding ? Manner::yielding : Manner::insistent, patient ? kPatience : kSpin);
    lock.lock();
    --spinning_;
    if (submitted()) return patient;
  }
  ++sleeping_;
  wake_up_.wait(lock, [this] { return wakes_ > 0; });
  --wakes_;
  --sleeping_;
  return !yielding && Clock::now() - start < kPatience;
}

// The next job in turn that has room for one more thread.
Job* ThreadPool::pick() {
  for (Job* job = first_; job; job = job->after_) {
    if (room(*job) <= 0) continue;
    unlist(*job);
    list_last(*job);  // so that the next worker that looks takes another
    return job;
  }
  return nullptr;
}

// How many more threads may join the job.
int ThreadPool::room(const Job& job) const {
  const int limit = std::min(job.work_.max_threads, threads());
  return static_cast<int>(job.left(limit - job.participants_.load(std::memory_order_relaxed)));
}

void ThreadPool::list_first(Job& job) {
  job.before_ = nullptr;
  job.after_ = first_;
  (first_ ? first_->before_ : last_) = &job;
  first_ = &job;
  listed(job);
}

void ThreadPool::list_last(Job& job) {
  job.before_ = last_;
  job.after_ = nullptr;
  (last_ ? last_->after_ : first_) = &job;
  last_ = &job;
  listed(job);
}

void ThreadPool::listed(Job& job) {
  job.listed_ = true;
  listed_jobs_.fetch_add(1, std::memory_order_relaxed);
  submissions_.fetch_add(1, std::memory_order_relaxed);
}

void ThreadPool::unlist(Job& job) {
  (job.before_ ? job.before_->after_ : first_) = job.after_;
  (job.after_ ? job.after_->before_ : last_) = job.before_;
  job.listed_ = false;
  listed_jobs_.fetch_sub(1, std::memory_order_relaxed);
}

// Starts workers until `wanted` are idle or there are as many as there may be. False if there is none at all.
bool ThreadPool::ensure_workers(int wanted) {
  try {
    for (int idle = sleeping_ - wakes_ + spinning_; idle < wanted && workers_ < threads(); ++idle) start_worker();
  } catch (const std::exception&) {
    // No memory or no more threads: those that are there do the work.
  }
  return workers_ > 0;
}

void ThreadPool::start_worker() {
  keep_loaded();
  auto free = std::find(alive_.begin(), alive_.end(), false);
  if (free == alive_.end()) free = alive_.insert(free, false);
  const int index = static_cast<int>(free - alive_.begin());
  const BlockSignals blocked;
  std::thread([this, index] { worker(index); }).detach();
  *free = true;
  ++workers_;
}

// How many sleepers to wake, at most `wanted` less those that watch: call wake() with it once the mutex is free.
int ThreadPool::take_wakes(int wanted) {
  const int count = std::clamp(wanted - spinning_, 0, std::min(sleeping_ - wakes_, kFanOut));
  wakes_ += count;
  return count;
}

void ThreadPool::wake(int count) {
  for (int i = 0; i < count; ++i) wake_up_.notify_one();
}

}  // namespace depthwise

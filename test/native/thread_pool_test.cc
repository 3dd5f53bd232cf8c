#include "core/thread_pool.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/cpu_count.h"
#include "make_pool.h"

#if defined(__SANITIZE_THREAD__)
#define DEPTHWISE_TSAN 1
#endif

namespace depthwise {
namespace {

using std::chrono::milliseconds;

using Tile = std::function<void(int64_t tile, float* scratch)>;

TileWork work_of(const Tile& tile, int64_t tiles, int max_threads = 1024, int64_t grain = 1, int64_t scratch = 0) {
  return {
      [](const void* context, int64_t tile, float* scratch) { (*static_cast<const Tile*>(context))(tile, scratch); },
      &tile,
      tiles,
      grain,
      scratch,
      max_threads};
}

class TestJob final : public Job {
 public:
  TestJob(Tile tile, int64_t tiles, int max_threads = 1024, int64_t grain = 1, int64_t scratch = 0)
      : tile_(std::move(tile)), work_(work_of(tile_, tiles, max_threads, grain, scratch)) {}

  void submit(ThreadPool& pool) { pool.submit(*this, work_); }

  Outcome wait() {
    std::unique_lock lock(mutex_);
    over_.wait(lock, [this] { return times_finished_ > 0; });
    return outcome_;
  }
  bool is_over() {
    const std::lock_guard lock(mutex_);
    return times_finished_ > 0;
  }
  int times_finished() {
    const std::lock_guard lock(mutex_);
    return times_finished_;
  }

 private:
  void finished(Outcome outcome) noexcept override {
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    ++times_finished_;
    over_.notify_all();
  }

  Tile tile_;
  TileWork work_;
  std::mutex mutex_;
  std::condition_variable over_;
  Outcome outcome_ = Outcome::done;
  int times_finished_ = 0;
};

// Counts how often each tile ran.
class Counts {
 public:
  explicit Counts(int64_t tiles) : counts_(tiles) {}
  void count(int64_t tile) { counts_[tile].fetch_add(1, std::memory_order_relaxed); }
  bool each_once() const {
    for (const auto& count : counts_) {
      if (count.load() != 1) return false;
    }
    return true;
  }
  int64_t sum() const {
    int64_t sum = 0;
    for (const auto& count : counts_) sum += count.load();
    return sum;
  }

 private:
  std::vector<std::atomic<int>> counts_;
};

void spin_for(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

double process_cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

TEST_CASE("pool: every tile runs once, whatever the numbers of tiles, threads and tiles a claim") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool& pool = make_pool(threads);
    for (const int64_t tiles : {0, 1, 2, 7, 64, 1000}) {
      for (const int64_t grain : {1, 3, 2000}) {
        for (const int max_threads : {1, 2, 1024}) {
          CAPTURE(threads);
          CAPTURE(tiles);
          CAPTURE(grain);
          Counts counts(tiles);
          const Tile tile = [&](int64_t t, float*) { counts.count(t); };
          pool.run(work_of(tile, tiles, max_threads, grain));
          CHECK(counts.each_once());

          Counts submitted(tiles);
          TestJob job([&](int64_t t, float*) { submitted.count(t); }, tiles, max_threads, grain);
          job.submit(pool);
          CHECK(job.wait() == Job::Outcome::done);
          CHECK(submitted.each_once());
        }
      }
    }
  }
}

TEST_CASE("pool: what tiles write is seen by the caller") {
  ThreadPool& pool = make_pool(4);
  for (int round = 0; round < 300; ++round) {
    std::vector<int64_t> written(50);
    const Tile tile = [&](int64_t t, float*) { written[t] = t + round; };
    pool.run(work_of(tile, 50));
    for (int64_t t = 0; t < 50; ++t) REQUIRE(written[t] == t + round);
  }
}

TEST_CASE("pool: no more threads than the job's limit and the pool's work on a job") {
  ThreadPool& pool = make_pool(4);
  for (const int limit : {1, 2, 3, 100}) {
    std::atomic<int> inside = 0, most = 0;
    const Tile tile = [&](int64_t, float*) {
      const int now = ++inside;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      spin_for(std::chrono::microseconds(20));
      --inside;
    };
    for (int round = 0; round < 20; ++round) pool.run(work_of(tile, 40, limit));
    TestJob job(tile, 200, limit);
    job.submit(pool);
    job.wait();
    CHECK(most.load() <= std::min(limit, 4));
  }
}

TEST_CASE("pool: every thread has scratch of its own, aligned") {
  ThreadPool& pool = make_pool(4);
  const Tile tile = [&](int64_t t, float* scratch) {
    CHECK(reinterpret_cast<uintptr_t>(scratch) % 64 == 0);
    for (int i = 0; i < 1000; ++i) scratch[i] = static_cast<float>(t);
    std::this_thread::yield();
    bool own = true;
    for (int i = 0; i < 1000; ++i) own = own && scratch[i] == static_cast<float>(t);
    CHECK(own);
  };
  for (int round = 0; round < 20; ++round) {
    pool.run(work_of(tile, 100, 1024, 1, 1000));
    TestJob job(tile, 100, 1024, 1, 1000);
    job.submit(pool);
    CHECK(job.wait() == Job::Outcome::done);
  }
}

TEST_CASE("pool: scratch that can't be allocated fails the job before any tile") {
  ThreadPool& pool = make_pool(2);
  std::atomic<int> ran = 0;
  const Tile tile = [&](int64_t, float*) { ++ran; };
  constexpr int64_t kAbsurd = std::numeric_limits<int64_t>::max();
  CHECK_THROWS_AS(pool.run(work_of(tile, 10, 1024, 1, kAbsurd)), std::bad_alloc);
  TestJob job(tile, 10, 1024, 1, kAbsurd);
  job.submit(pool);
  CHECK(job.wait() == Job::Outcome::out_of_memory);
  CHECK(ran.load() == 0);
  pool.run(work_of(tile, 10));
  CHECK(ran.load() == 10);
}

TEST_CASE("pool: many threads call and submit at once") {
  ThreadPool& pool = make_pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&, caller] {
      std::mt19937 random(static_cast<uint32_t>(caller));
      for (int round = 0; round < 150; ++round) {
        const int64_t tiles = random() % 100;
        Counts counts(tiles);
        if (round % 2 == 0) {
          const Tile tile = [&](int64_t t, float*) { counts.count(t); };
          pool.run(work_of(tile, tiles, 1 + static_cast<int>(random() % 4)));
        } else {
          TestJob job([&](int64_t t, float*) { counts.count(t); }, tiles);
          job.submit(pool);
          if (job.wait() != Job::Outcome::done) ++wrong;
        }
        if (!counts.each_once()) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("pool: thousands of jobs submitted at once") {
  ThreadPool& pool = make_pool(4);
  std::atomic<int64_t> ran = 0;
  std::vector<std::unique_ptr<TestJob>> jobs;
  for (int i = 0; i < 3000; ++i) {
    jobs.push_back(std::make_unique<TestJob>([&](int64_t, float*) { ++ran; }, 5));
    jobs.back()->submit(pool);
  }
  for (const auto& job : jobs) CHECK(job->wait() == Job::Outcome::done);
  CHECK(ran.load() == 3000 * 5);
}

TEST_CASE("pool: the number of threads changes while jobs run") {
  ThreadPool& pool = make_pool(2);
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    std::mt19937 random(1);
    while (!stop) {
      pool.set_threads(1 + static_cast<int>(random() % 6));
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int round = 0; round < 200; ++round) {
    Counts called(60), submitted(60);
    TestJob job(
        [&](int64_t t, float*) {
          submitted.count(t);
          spin_for(std::chrono::microseconds(5));
        },
        60);
    job.submit(pool);
    const Tile tile = [&](int64_t t, float*) { called.count(t); };
    pool.run(work_of(tile, 60));
    CHECK(job.wait() == Job::Outcome::done);
    CHECK(called.each_once());
    CHECK(submitted.each_once());
  }
  stop = true;
  changer.join();
}

TEST_CASE("pool: threads that are added help a job that runs") {
  ThreadPool& pool = make_pool(1);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::atomic<bool> enough = false;
  TestJob job(
      [&](int64_t, float*) {
        if (enough) return;
        {
          const std::lock_guard lock(mutex);
          seen.insert(std::this_thread::get_id());
          if (seen.size() == 3) enough = true;
        }
        std::this_thread::sleep_for(milliseconds(1));
      },
      5000);
  job.submit(pool);
  pool.set_threads(3);
  job.wait();
  CHECK(seen.size() == 3);
}

TEST_CASE("pool: a queued job is aborted at once") {
  ThreadPool& pool = make_pool(1);
  std::atomic<bool> go = false;
  TestJob busy(
      [&](int64_t, float*) {
        while (!go) std::this_thread::yield();
      },
      1);
  busy.submit(pool);
  std::atomic<int> ran = 0;
  TestJob queued([&](int64_t, float*) { ++ran; }, 10);
  queued.submit(pool);
  pool.abort(queued);
  CHECK(queued.is_over());
  CHECK(queued.wait() == Job::Outcome::aborted);
  go = true;
  CHECK(busy.wait() == Job::Outcome::done);
  CHECK(ran.load() == 0);
}

TEST_CASE("pool: a running job is aborted at the next tile") {
  for (const int64_t grain : {int64_t{1}, int64_t{1000}}) {
    ThreadPool& pool = make_pool(2);
    std::atomic<int> started = 0;
    std::atomic<bool> go = false;
    TestJob job(
        [&](int64_t, float*) {
          ++started;
          while (!go) std::this_thread::yield();
        },
        100000, 2, grain);
    job.submit(pool);
    while (started < 2) std::this_thread::yield();
    pool.abort(job);
    CHECK_FALSE(job.is_over());
    go = true;
    CHECK(job.wait() == Job::Outcome::aborted);
    CHECK(started.load() == 2);
    pool.abort(job);
    CHECK(job.times_finished() == 1);
  }
}

TEST_CASE("pool: an interrupt is not asked before its period is over, nor behind the last tile") {
  class Raised final : public Interrupt {
   public:
    using Interrupt::Interrupt;
    bool raised() noexcept override { return true; }
  };
  for (const int threads : {1, 3}) {
    ThreadPool& pool = make_pool(threads);
    std::atomic<int64_t> ran = 0;
    const Tile count = [&](int64_t, float*) { ++ran; };
    Raised late(std::chrono::hours(1)), early(std::chrono::microseconds(0));
    CHECK(pool.run(work_of(count, 100), &late));
    CHECK(ran == 100);
    CHECK_FALSE(pool.run(work_of(count, int64_t{1} << 40), &early));
    Raised soon(std::chrono::milliseconds(1));
    const Tile last = [&](int64_t, float*) { spin_for(std::chrono::milliseconds(2)); };
    CHECK(pool.run(work_of(last, 1), &soon));
  }
}

TEST_CASE("pool: a caller gives its job up when the interrupt is raised, and its helpers leave") {
  class RaisedOnSecond final : public Interrupt {
   public:
    RaisedOnSecond() : Interrupt(std::chrono::milliseconds(2)) {}
    bool raised() noexcept override { return ++asked > 1; }
    int asked = 0;
  };
  for (const int threads : {1, 3}) {
    ThreadPool& pool = make_pool(threads);
    std::atomic<int64_t> ran = 0;
    const Tile tile = [&](int64_t, float*) {
      spin_for(std::chrono::microseconds(100));
      ++ran;
    };
    RaisedOnSecond interrupt;
    CHECK_FALSE(pool.run(work_of(tile, int64_t{1} << 40), &interrupt));
    CHECK(interrupt.asked == 2);
    const int64_t at_the_end = ran;
    spin_for(milliseconds(1));
    CHECK(ran == at_the_end);

    Counts counts(1000);
    const Tile counted = [&](int64_t t, float*) { counts.count(t); };
    CHECK(pool.run(work_of(counted, 1000)));
    CHECK(counts.each_once());
  }
}

TEST_CASE("pool: aborts race with the end of jobs") {
  ThreadPool& pool = make_pool(3);
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Counts counts(4);
    TestJob job([&](int64_t t, float*) { counts.count(t); }, 4);
    job.submit(pool);
    spin_for(std::chrono::microseconds(random() % 20));
    pool.abort(job);
    const Job::Outcome outcome = job.wait();
    if (outcome == Job::Outcome::done) CHECK(counts.each_once());
    CHECK(counts.sum() <= 4);
    CHECK(job.times_finished() == 1);
  }
}

// Counted in tiles, and with one worker, whose tiles submit the small jobs: no scheduling by the system comes between.
TEST_CASE("pool: a huge job holds a small one up by a tile") {
  ThreadPool& pool = make_pool(1);
  constexpr int64_t kRounds = 20, kTilesBetween = 10;
  std::vector<std::unique_ptr<TestJob>> small;
  int64_t huge_tiles = 0;
  std::vector<int64_t> submitted_at, ran_at;
  for (int64_t i = 0; i < kRounds; ++i) {
    small.push_back(std::make_unique<TestJob>(
        [&](int64_t t, float*) {
          if (t == 0) ran_at.push_back(huge_tiles);
        },
        3));
  }
  TestJob huge(
      [&](int64_t t, float*) {
        spin_for(std::chrono::microseconds(300));
        if (t % kTilesBetween == 0) {
          submitted_at.push_back(huge_tiles);
          small[t / kTilesBetween]->submit(pool);
        }
        ++huge_tiles;
      },
      kRounds * kTilesBetween);
  huge.submit(pool);
  CHECK(huge.wait() == Job::Outcome::done);
  REQUIRE(ran_at.size() == kRounds);
  for (int64_t i = 0; i < kRounds; ++i) CHECK(ran_at[i] == submitted_at[i] + 1);
}

TEST_CASE("pool: a flood of small jobs doesn't starve a huge one") {
  ThreadPool& pool = make_pool(1);
  std::atomic<bool> flooding = true;
  int64_t during_flood = 0;
  TestJob huge(
      [&](int64_t, float*) {
        spin_for(std::chrono::microseconds(300));
        if (flooding) ++during_flood;
      },
      100);
  huge.submit(pool);
  // Each round of small jobs is submitted before the last one is over.
  std::vector<std::unique_ptr<TestJob>> flood;
  for (int i = 0; i < 500; ++i) {
    flood.push_back(std::make_unique<TestJob>([](int64_t, float*) { spin_for(std::chrono::microseconds(50)); }, 1));
    flood.back()->submit(pool);
    if (i >= 10) flood[i - 10]->wait();
  }
  flooding = false;
  CHECK(during_flood >= 20);
  for (const auto& job : flood) job->wait();
  CHECK(huge.wait() == Job::Outcome::done);
}

TEST_CASE("pool: workers don't take the program's signals") {
  ThreadPool& pool = make_pool(1);
  std::atomic<bool> blocked = false;
  TestJob job(
      [&](int64_t, float*) {
        sigset_t mask;
        pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        blocked = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) && sigismember(&mask, SIGUSR1);
      },
      1);
  job.submit(pool);
  job.wait();
  CHECK(blocked);
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  CHECK_FALSE(sigismember(&mask, SIGUSR1));
}

TEST_CASE("pool: idle threads use no CPU") {
  ThreadPool& pool = make_pool(4);
  const Tile tile = [](int64_t, float*) { spin_for(std::chrono::microseconds(100)); };
  pool.run(work_of(tile, 100));
  std::this_thread::sleep_for(milliseconds(20));
  const double before = process_cpu_seconds();
  std::this_thread::sleep_for(milliseconds(300));
  CHECK(process_cpu_seconds() - before < 0.003);
}

TEST_CASE("pool: the process's own starts with the CPUs that it may use") {
  CHECK(ThreadPool::process().threads() == default_threads());
  CHECK(&ThreadPool::process() == &ThreadPool::process());
}

#if !defined(DEPTHWISE_TSAN)  // which doesn't follow a forked child that starts threads
bool other_threads_sleep() {
  const std::string self = std::to_string(getpid());  // the main thread's
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const size_t end_of_name = stat.rfind(')');
    if (task.path().filename() != self && end_of_name != std::string::npos && stat[end_of_name + 2] != 'S')
      return false;
  }
  return true;
}

TEST_CASE("pool: a forked child gets a pool of its own") {
  ThreadPool::process().set_threads(2);
  const auto run = [] {
    Counts counts(100);
    const Tile tile = [&](int64_t t, float*) { counts.count(t); };
    ThreadPool::process().run(work_of(tile, 100));
    TestJob job([](int64_t, float*) {}, 10);
    job.submit(ThreadPool::process());
    return job.wait() == Job::Outcome::done && counts.each_once();
  };
  CHECK(run());
  // GCC 12's AddressSanitizer, unlike glibc, leaves the locks of its allocator to the child as they are: no worker may
  // hold one, as those do that start or go.
  for (int asleep = 0; asleep < 5;) {
    asleep = other_threads_sleep() ? asleep + 1 : 0;
    std::this_thread::sleep_for(milliseconds(1));
  }
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(run() ? 0 : 1);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(run());
}
#endif

}  // namespace depthwise

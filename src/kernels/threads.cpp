// A team of threads per calling thread, so that two jobs in one process do not wait for each other. Workers
// spin for some microseconds (steps of a network follow each other closely), then sleep: a program that spins
// longer takes the processor from whatever else the artist has open.
#include "kernels/threads.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <immintrin.h>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace maquette::kernels {

namespace {

constexpr int kSpins = 2000;  // about 20 microseconds of pause instructions
constexpr int kMostThreads = 256;

int default_threads() {
  if (const char* text = std::getenv("MAQUETTE_THREADS")) return std::clamp(std::atoi(text), 1, kMostThreads);
  // Counts the processors that this process may run on.
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostThreads);
}

std::atomic<int> g_threads{0};
thread_local bool t_inside = false;  // this thread runs a body

// Waits until `value` differs from `old`.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    _mm_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

class Team {
 public:
  explicit Team(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this, i] { work(i + 1); });
  }
  ~Team() {
    stop_ = true;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // body(thread) on every thread of the team, the caller's as number 0.
  void run(const std::function<void(int)>& body) {
    body_ = &body;
    running_.store(static_cast<uint32_t>(threads_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    call(0);
    for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
         left = running_.load(std::memory_order_acquire)) {
      wait_for_change(running_, left);
    }
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void work(int number) {
    uint32_t seen = 0;
    while (true) {
      wait_for_change(round_, seen);
      seen = round_.load(std::memory_order_acquire);
      if (stop_) return;
      call(number);
      if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
    }
  }
  void call(int number) {
    t_inside = true;
    try {
      (*body_)(number);
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      failure_ = std::current_exception();
    }
    t_inside = false;
  }

  std::vector<std::thread> threads_;
  std::atomic<uint32_t> round_{0};
  std::atomic<uint32_t> running_{0};
  std::atomic<bool> stop_{false};
  const std::function<void(int)>* body_ = nullptr;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

// The calling thread's team, made anew when the number of threads has changed.
Team& team() {
  thread_local std::unique_ptr<Team> own;
  const int wanted = thread_count();
  if (!own || own->size() != wanted) {
    own.reset();
    own = std::make_unique<Team>(wanted - 1);
  }
  return *own;
}

}  // namespace

void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  const int64_t parts = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, thread_count());
  if (parts == 1 || t_inside) {
    body(0, count);
    return;
  }
  team().run([&](int thread) {
    if (thread < parts) body(count * thread / parts, count * (thread + 1) / parts);
  });
}

void parallel_tasks(int64_t count, const std::function<void(int64_t, int)>& body, int64_t most_threads) {
  if (count <= 1 || most_threads <= 1 || t_inside || thread_count() == 1) {
    for (int64_t task = 0; task < count; ++task) body(task, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  team().run([&](int thread) {
    if (thread >= most_threads) return;
    for (int64_t task = next.fetch_add(1); task < count; task = next.fetch_add(1)) body(task, thread);
  });
}

int thread_count() {
  int threads = g_threads.load(std::memory_order_relaxed);
  if (threads == 0) {
    threads = default_threads();
    g_threads.store(threads, std::memory_order_relaxed);
  }
  return threads;
}

void set_thread_count(int threads) { g_threads.store(std::clamp(threads, 1, kMostThreads)); }

}  // namespace maquette::kernels

#include "kernels/threads.h"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <vector>

namespace maquette::kernels {
namespace {

TEST(Threads, every_part_and_task_runs_once) {
  set_thread_count(4);
  std::vector<std::atomic<int>> hits(1000);
  parallel_for(1000, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
  });
  parallel_tasks(1000, [&](int64_t task, int thread) {
    EXPECT_LT(thread, 4);
    ++hits[static_cast<size_t>(task)];
  });
  for (const auto& hit : hits) EXPECT_EQ(hit.load(), 2);
  set_thread_count(2);
}

// Scratch memory is made for so many threads as there were; more must not come.
TEST(Threads, no_more_threads_than_there_is_scratch_for) {
  set_thread_count(8);
  for (const int64_t most : {1, 2, 3, 7}) {
    std::atomic<int> tasks{0};
    const auto body = [&](int64_t, int thread) {
      EXPECT_LT(thread, most);
      ++tasks;
    };
    for (int round = 0; round < 50; ++round) parallel_tasks(20, body, most);
    EXPECT_EQ(tasks, 50 * 20);
  }
  set_thread_count(2);
}

TEST(Threads, nested_calls_run_on_the_caller) {
  std::atomic<int> sum{0};
  parallel_tasks(8, [&](int64_t, int) {
    parallel_for(10, 1, [&](int64_t b, int64_t e) { sum += static_cast<int>(e - b); });
  });
  EXPECT_EQ(sum.load(), 80);
}

TEST(Threads, exceptions_reach_the_caller) {
  EXPECT_THROW(parallel_tasks(8,
                              [](int64_t task, int) {
                                if (task == 5) throw std::runtime_error("x");
                              }),
               std::runtime_error);
  std::atomic<int> after{0};
  parallel_tasks(8, [&](int64_t, int) { ++after; });
  EXPECT_EQ(after.load(), 8);
}

// Two jobs at once, each with a team of its own; changing the number of threads between calls.
TEST(Threads, jobs_do_not_disturb_each_other) {
  const auto job = [] {
    for (int round = 0; round < 200; ++round) {
      std::atomic<int64_t> sum{0};
      parallel_for(100, 1, [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i) sum += i;
      });
      ASSERT_EQ(sum.load(), 4950);
    }
  };
  std::thread other(job);
  job();
  set_thread_count(3);
  job();
  other.join();
  set_thread_count(2);
}

}  // namespace
}  // namespace maquette::kernels

// News reach a listener that was busy when they came.
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "app/studio/studio.h"

namespace maquette::app {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kLong = 20s;
constexpr auto kShort = 5s;

TEST(Newsroom, WhatCameBeforeTheWaitingEndsIt) {
  Newsroom news;
  Newsroom::Heard heard = news.now();
  news.wake();
  const auto start = Clock::now();
  EXPECT_TRUE(news.wait(heard, kLong).empty());
  news.publish("job:progress", "show", {{"progress", 5}});
  EXPECT_EQ(news.wait(heard, kLong).size(), 1u);
  EXPECT_LT(Clock::now() - start, kShort);

  const auto quiet = Clock::now();
  EXPECT_TRUE(news.wait(heard, 100ms).empty()) << "nothing is told twice";
  EXPECT_GE(Clock::now() - quiet, 100ms);
}

// The listener looks (at the database, in the program), then waits. What happens between the two is heard.
TEST(Newsroom, NoWakeUpIsLostBetweenLookingAndWaiting) {
  Newsroom news;
  std::atomic<int> said = 0;
  std::atomic<int> seen = 0;
  constexpr int kRounds = 3000;
  std::thread listener([&, heard = news.now()]() mutable {
    while (seen < kRounds) {
      seen = said.load();
      if (seen < kRounds) news.wait(heard, kLong);
    }
  });
  const auto start = Clock::now();
  for (int round = 1; round <= kRounds; ++round) {
    said = round;
    news.wake();
    while (seen < round) std::this_thread::yield();
  }
  listener.join();
  EXPECT_LT(Clock::now() - start, kShort);
}

}  // namespace
}  // namespace maquette::app

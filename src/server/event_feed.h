// The feed of events: one thread reads the event log and the newsroom for all listeners, so that two hundred
// of them cost the database as much as one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/studio/studio.h"

namespace maquette::server {

struct FeedItem {
  int64_t seq = 0;       // of the event; 0: news without a number
  int64_t position = 0;  // in the feed
  std::string show_id;
  std::string text;  // as server-sent events are written (HTML standard, 9.2)
};

class EventFeed {
 public:
  explicit EventFeed(app::Studio& studio);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // Where the feed is now: the last event and the last position that a new listener has missed nothing of.
  struct Place {
    int64_t seq = 0;
    int64_t position = 0;
  };
  Place place() const;
  // What came after the position, which moves on; waits for it for a while. `lost`: the listener was too
  // slow, what it missed is only in the database now.
  std::vector<FeedItem> wait(int64_t& position, std::chrono::milliseconds longest, bool& lost);
  // Events of the database after seq up to and including `last`, oldest first, at most a few hundred.
  std::vector<FeedItem> replay(int64_t after, int64_t last);
  // Wakes the listeners for good.
  void stop();

 private:
  void run(app::Newsroom::Heard heard);

  app::Studio& studio_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FeedItem> items_;
  int64_t last_seq_ = 0;
  int64_t last_position_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread reader_;
};

}  // namespace maquette::server

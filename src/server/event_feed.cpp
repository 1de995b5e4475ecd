#include "server/event_feed.h"

#include "base/log.h"
#include "provenance/event_log.h"

namespace maquette::server {

namespace {

using namespace std::chrono_literals;

constexpr size_t kKept = 2000;
constexpr int kAtOnce = 500;
// Other processes (the command line, a second server) write events without waking us: we look this often.
constexpr auto kLook = 250ms;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

FeedItem item_of_event(const Json& event) {
  return {.seq = event["seq"].get<int64_t>(),
          .show_id = event["show_id"].get<std::string>(),
          .text = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event["seq"].get<int64_t>(),
                              event["action"].get<std::string>(), dump(event))};
}

FeedItem item_of_news(const app::Newsroom::Item& news) {
  return {.show_id = news.show_id,
          .text = fmt::format("event: {}\ndata: {}\n\n", news.kind, dump(news.data))};
}

}  // namespace

EventFeed::EventFeed(app::Studio& studio) : studio_(studio) {
  const app::Newsroom::Heard heard = studio_.news().now();
  {
    const db::Lease c = studio_.database().connect();
    last_seq_ = provenance::last_event(*c);
  }
  reader_ = std::thread([this, heard] { run(heard); });
}

EventFeed::~EventFeed() {
  stop();
  reader_.join();
}

void EventFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  studio_.news().wake();
}

EventFeed::Place EventFeed::place() const {
  const std::lock_guard lock(mutex_);
  return {last_seq_, last_position_};
}

void EventFeed::run(app::Newsroom::Heard heard) {
  while (!stopping_) {
    try {
      std::vector<FeedItem> fresh;
      for (const app::Newsroom::Item& news : studio_.news().wait(heard, kLook))
        fresh.push_back(item_of_news(news));
      std::vector<Json> events;
      {
        const db::Lease c = studio_.database().connect();
        events = provenance::events(*c, {.after = last_seq_, .limit = kAtOnce});
      }
      for (const Json& event : events) fresh.push_back(item_of_event(event));
      if (fresh.empty()) continue;
      const std::lock_guard lock(mutex_);
      for (FeedItem& item : fresh) {
        item.position = ++last_position_;
        if (item.seq > 0) last_seq_ = item.seq;
        items_.push_back(std::move(item));
      }
      while (items_.size() > kKept) items_.pop_front();
    } catch (const std::exception& problem) {
      log::warning("cannot read the events: {}", problem.what());
      std::this_thread::sleep_for(kLook);
    }
    changed_.notify_all();
  }
}

std::vector<FeedItem> EventFeed::wait(int64_t& position, std::chrono::milliseconds longest, bool& lost) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return last_position_ > position || stopping_; });
  const int64_t first = last_position_ - static_cast<int64_t>(items_.size());
  lost = position < first;
  std::vector<FeedItem> fresh;
  for (auto item = items_.begin() + std::max<int64_t>(0, position - first); item != items_.end(); ++item) {
    fresh.push_back(*item);
  }
  position = last_position_;
  return fresh;
}

std::vector<FeedItem> EventFeed::replay(int64_t after, int64_t last) {
  const db::Lease c = studio_.database().connect();
  std::vector<FeedItem> items;
  for (const Json& event : provenance::events(*c, {.after = after, .limit = kAtOnce})) {
    if (event["seq"].get<int64_t>() > last) break;
    items.push_back(item_of_event(event));
  }
  return items;
}

}  // namespace maquette::server

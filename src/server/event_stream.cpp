// Server-sent events (HTML standard, 9.2): ids are the numbers of the event log, so that a browser that comes
// back with Last-Event-ID gets what it missed from the database, then goes on with the feed.
#include "app/studio/visible.h"
#include "base/text.h"
#include "production/references.h"
#include "server/api.h"
#include "server/http_socket.h"

namespace maquette::server {

namespace {

using namespace std::chrono_literals;

// How often a silent stream says that it is there, and asks whether its listener still may listen.
constexpr auto kHeartbeat = 15s;

}  // namespace

Response Api::open_stream(const Request& request, const Identity& identity) {
  const production::Caller& caller = identity.signed_in.caller;
  if (identity.signed_in.must_change_password)
    throw Error(ErrorCode::refused, "change your password first").with("field", "must_change_password");
  std::string show_id;
  std::string last_id(request.header("last-event-id"));
  for (const auto& [name, value] : parse_query(request.query)) {
    if (name == "show" && !value.empty()) {
      const db::Lease c = studio_.database().connect();
      app::require_visible_show(*c, caller, value);
      show_id = production::find_show(*c, value).text("id");
    } else if (name == "last_event_id") {
      last_id = value;
    }
  }
  if (!show_id.empty() || !caller.may_somewhere(production::Action::event_read))
    production::require(caller, production::Action::event_read, show_id);

  Response response;
  response.set("Content-Type", "text/event-stream")
      .set("Cache-Control", "no-store")
      .set("X-Accel-Buffering", "no");
  const int64_t seen = parse_integer(last_id).value_or(-1);
  response.stream = [this, head = RequestHead(request), show_id, seen](OpenStream& stream) {
    follow_events(stream, Request{head}, show_id, seen);
  };
  return response;
}

void Api::follow_events(OpenStream& stream, const Request& request, const std::string& show_id,
                        int64_t seen) {
  std::optional<production::SignedIn> who = find_signed_in(request);
  const auto allowed = [&](const FeedItem& item) {
    if (!show_id.empty() && item.show_id != show_id) return false;
    return who->caller.role_for(production::Action::event_read, item.show_id).has_value();
  };
  // The place comes first: what happens during the replay is in the feed behind it.
  const EventFeed::Place place = feed_.place();
  int64_t cursor = seen >= 0 ? seen : place.seq;
  stream.write(fmt::format("retry: 2000\nid: {}\n\n", cursor));
  while (cursor < place.seq && who) {
    const std::vector<FeedItem> missed = feed_.replay(cursor, place.seq);
    if (missed.empty()) break;
    std::string text;
    for (const FeedItem& item : missed) {
      if (allowed(item)) text += item.text;
      cursor = item.seq;
    }
    if (!stream.write(text)) return;
  }

  int64_t position = place.position;
  Clock::time_point next_beat = Clock::now() + kHeartbeat;
  while (who && !stream.over()) {
    bool lost = false;
    const std::vector<FeedItem> fresh = feed_.wait(position, 1s, lost);
    if (lost) return;  // the page comes back with the last id that it saw
    std::string text;
    if (Clock::now() >= next_beat) {
      who = find_signed_in(request);
      if (!who) return;
      text = ": still here\n\n";
      next_beat = Clock::now() + kHeartbeat;
    }
    for (const FeedItem& item : fresh) {
      if ((item.seq == 0 || item.seq > cursor) && allowed(item)) text += item.text;
    }
    if (!text.empty() && !stream.write(text)) return;
  }
}

}  // namespace maquette::server

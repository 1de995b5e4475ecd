// Server-sent events: numbered, resumed, filtered by rights, and let go when the server stops.
#include <gtest/gtest.h>
#include <thread>

#include "provenance/event_log.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

using production::Role;
using namespace std::chrono_literals;

class Events : public testing::TestWithParam<db::Backend> {
 protected:
  TestStudio studio_{GetParam()};

  void append(const std::string& action, const std::string& show_id = "") {
    db::Transaction tx(studio_.studio().database());
    provenance::append_event(
        tx, {"", "program"},
        {.action = action, .subject_kind = "thing", .subject_id = "x", .show_id = show_id});
    tx.commit();
    studio_.studio().news().wake();
  }
  std::unique_ptr<Wire> open(const Client& client, const std::string& query = "",
                             const std::string& more = "") {
    auto wire = std::make_unique<Wire>(client.port);
    wire->send(fmt::format("GET /api/v1/events/stream{} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n{}\r\n",
                           query, client.cookie, more));
    return wire;
  }
  std::string make_show(const std::string& code) {
    const std::string id = new_uuid();
    db::Transaction tx(studio_.studio().database());
    tx->insert("shows", {{"id", id},
                         {"code", code},
                         {"name", code},
                         {"root", "x"},
                         {"settings", "{}"},
                         {"created_at", utc_now()}});
    tx.commit();
    return id;
  }
};

INSTANTIATE_TEST_SUITE_P(Databases, Events, testing::ValuesIn(db::test_backends()), [](const auto& each) {
  return each.param == db::Backend::sqlite ? "sqlite" : "postgresql";
});

TEST_P(Events, ArriveWithTheirNumbersAndAreResumed) {
  studio_.add_person("ada", Role::artist);
  const Client client = studio_.signed_in("ada");
  auto stream = open(client);
  const std::string head = stream->receive_until("id: ");
  EXPECT_NE(head.find("text/event-stream"), head.npos) << head;
  append("thing:first");
  const std::string first = stream->receive_until("thing:first\"");
  const size_t at = first.rfind("id: ", first.find("event: thing:first"));
  ASSERT_NE(at, first.npos) << first;
  const std::string id = first.substr(at + 4, first.find('\n', at) - at - 4);
  stream.reset();

  for (int i = 0; i < 700; ++i) append(fmt::format("thing:missed{}", i));
  stream = open(client, "", "Last-Event-ID: " + id + "\r\n");
  const std::string rest = stream->receive_until("event: thing:missed699\n");
  EXPECT_EQ(rest.find("event: thing:first"), rest.npos) << "it was seen";
  size_t from = 0;
  for (int i = 0; i < 700; ++i) {
    from = rest.find(fmt::format("event: thing:missed{}\n", i), from);
    ASSERT_NE(from, rest.npos) << i << " is missing or out of order";
  }
  append("thing:after");
  EXPECT_NE(stream->receive_until("thing:after").find("thing:after"), std::string::npos);
}

TEST_P(Events, AreOnlyThoseThatOneMaySee) {
  const std::string mine = make_show("mine");
  const std::string other = make_show("other");
  studio_.add_person("ada", std::nullopt);
  {
    db::Transaction tx(studio_.studio().database());
    production::give_role({tx, {"", "program"}}, production::find_person(*tx, "ada"), mine, Role::artist);
    tx.commit();
  }
  const Client client = studio_.signed_in("ada");
  auto stream = open(client);
  stream->receive_until("retry: ");
  append("thing:secret", other);
  append("thing:studio");
  studio_.studio().news().publish("job:progress", other, {{"id", "secret-job"}});
  studio_.studio().news().publish("job:progress", mine, {{"id", "job"}, {"progress", 500}});
  append("thing:mine", mine);
  const std::string seen = stream->receive_until("thing:mine\"");
  EXPECT_EQ(seen.find("secret"), seen.npos) << seen;
  EXPECT_EQ(seen.find("thing:studio"), seen.npos) << seen;
  EXPECT_NE(seen.find("event: thing:mine"), seen.npos) << seen;
  EXPECT_EQ(Client(client).get("/api/v1/events/stream?show=other").status, 404);
  EXPECT_EQ(Client(client).get("/api/v1/events/stream?show=none").status, 404);
}

TEST_P(Events, NewsHaveNoNumbers) {
  studio_.add_person("ada", Role::artist);
  auto stream = open(studio_.signed_in("ada"));
  stream->receive_until("id: ");
  std::this_thread::sleep_for(50ms);
  studio_.studio().news().publish("job:progress", "", {{"id", "job"}, {"progress", 500}});
  const std::string text = stream->receive_until("\"progress\":500}");
  EXPECT_NE(text.find("event: job:progress\ndata: "), text.npos) << text;
  // An empty line ends the message before it: no id stands above the news.
  const size_t at = text.find("event: job:progress");
  EXPECT_TRUE(at == 0 || text.substr(at - 2, 2) == "\n\n") << text;
}

TEST_P(Events, TwoHundredListenersAndAServerThatStops) {
  studio_.add_person("ada", Role::artist);
  const Client client = studio_.signed_in("ada");
  std::vector<std::unique_ptr<Wire>> streams;
  for (int i = 0; i < 200; ++i) streams.push_back(open(client));
  for (auto& stream : streams) ASSERT_NE(stream->receive_until("retry: ").find("200 OK"), std::string::npos);
  const auto start = Clock::now();
  append("thing:news");
  for (auto& stream : streams)
    ASSERT_NE(stream->receive_until("thing:news").find("thing:news"), std::string::npos);
  EXPECT_LT(Clock::now() - start, 3s);
  EXPECT_EQ(Client(client).get("/api/v1/me").status, 200) << "others are served beside them";

  const auto stop = Clock::now();
  studio_.server().stop();
  EXPECT_LT(Clock::now() - stop, 4s);
  std::string rest = streams[0]->receive();
  while (!rest.empty()) rest = streams[0]->receive();
}

}  // namespace
}  // namespace maquette::server

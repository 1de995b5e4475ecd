// Clients that are slow, greedy, silent or in a hurry: each costs a bounded time, and others are served.
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

#include "server/http_server.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

using namespace std::chrono_literals;

constexpr size_t kLarge = size_t{64} << 20;

Response answer(Request& request) {
  if (request.path == "/large") return {.body = std::string(kLarge, 'x')};
  if (request.path == "/unread") return {.body = "refused"};
  Response response;
  try {
    response.body = fmt::format("{} {} [{}]", request.method, request.path, request.body->all(1 << 20));
  } catch (const BadRequest& problem) {
    response = {.status = problem.status(), .body = problem.what(), .close = true};
  }
  return response;
}

class Clients : public testing::Test {
 protected:
  Clients() {
    options_.head_time = 400ms;
    options_.idle_time = 600ms;
    options_.stall_time = 400ms;
    options_.body_time = 500ms;
    options_.write_time = 400ms;
    options_.stop_time = 60s;
    server_ = std::make_unique<HttpServer>(options_, answer);
  }
  std::unique_ptr<Wire> wire(const std::string& bytes) {
    auto wire = std::make_unique<Wire>(server_->port());
    wire->send(bytes);
    return wire;
  }
  HttpOptions options_;
  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kLast = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

TEST_F(Clients, ThatSendMuchAtOnceAreAnsweredInTheirOrder) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += fmt::format("GET /get{} HTTP/1.1\r\nHost: a\r\n\r\n", i);
    all += fmt::format("POST /post{} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\r\n", i);
    all += fmt::format("HEAD /head{} HTTP/1.1\r\nHost: a\r\n\r\n", i);
  }
  auto client = wire(all + kLast);
  const std::string answers = client->receive_until("GET /last []");
  size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    at = answers.find(fmt::format("GET /get{} []", i), at);
    ASSERT_NE(at, answers.npos) << i;
    at = answers.find(fmt::format("POST /post{} [a\r\n]HTTP/1.1 200 OK", i), at);
    ASSERT_NE(at, answers.npos) << i;
  }
  EXPECT_EQ(answers.find("HEAD /head"), answers.npos) << "a HEAD has no body";
  const size_t head =
      answers.find(fmt::format("Content-Length: {}\r\n", std::string("HEAD /head0 []").size()));
  EXPECT_NE(head, answers.npos) << "and says how long it would be";
}

TEST_F(Clients, ThatSendNothingMoreGetTheirAnswer) {
  auto whole = wire("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  whole->finish_sending();
  const Answer answer = whole->answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /half [abc]");

  auto part = wire("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nabc");
  part->finish_sending();
  EXPECT_EQ(part->answer().status, 400);
  auto head = wire("GET / HTT");
  head->finish_sending();
  EXPECT_EQ(head->receive(), "");
}

// Each byte comes in time, the whole does not.
TEST_F(Clients, ThatDripAreLetGo) {
  std::vector<std::unique_ptr<Wire>> slow;
  for (const char* begin :
       {"GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x="})
    slow.push_back(wire(begin));
  for (int i = 0; i < 25; ++i) {
    std::this_thread::sleep_for(50ms);
    for (auto& each : slow) each->send("x");
  }
  const auto start = Clock::now();
  for (auto& each : slow) EXPECT_EQ(each->answer().status, 408);
  EXPECT_LT(Clock::now() - start, 10s);
}

TEST_F(Clients, OfWhomManyDripLeaveRoomForOthers) {
  std::vector<std::unique_ptr<Wire>> slow;
  for (int i = 0; i < 100; ++i) slow.push_back(wire("GET / HTTP/1.1\r\nHost"));
  const auto start = Clock::now();
  EXPECT_EQ(wire(kLast)->answer().status, 200);
  EXPECT_LT(Clock::now() - start, 2s);
  for (auto& each : slow) EXPECT_EQ(each->answer().status, 408);
}

TEST_F(Clients, ThatDoNotReadAreLetGo) {
  auto client = wire("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto start = Clock::now();
  std::this_thread::sleep_for(100ms);
  server_->stop();  // waits a minute for who is being answered
  EXPECT_LT(Clock::now() - start, 10s);
}

TEST_F(Clients, ThatReadGetAllOfALargeAnswer) {
  auto client = wire("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  size_t bytes = 0;
  for (std::string part = client->receive(); !part.empty(); part = client->receive()) bytes += part.size();
  EXPECT_GT(bytes, kLarge);
  EXPECT_LT(bytes, kLarge + 1000);
}

TEST_F(Clients, ThatAreSilentAreLetGo) {
  const auto start = Clock::now();
  EXPECT_EQ(wire("")->receive(), "");
  auto client = wire("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client->receive_until("[]").find("/one"), std::string::npos);
  EXPECT_EQ(client->receive(), "");
  EXPECT_LT(Clock::now() - start, 10s);
}

TEST_F(Clients, WhoseBodyWasRefusedCanReadWhy) {
  // They send on while the answer is there already.
  auto client = wire("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n");
  client->send(std::string(8'000'000, 'x'));
  EXPECT_EQ(client->answer().status, 413);
  // One that is too long to be thrown away is not waited for.
  auto silent = wire("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n");
  const auto start = Clock::now();
  EXPECT_NE(silent->receive_until("refused").find("refused"), std::string::npos);
  EXPECT_LT(Clock::now() - start, 300ms);
  // Nobody asks for a body that nobody wants.
  auto polite =
      wire("POST /unread HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 30000000\r\n\r\n");
  const Answer refused = polite->answer();
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.header("connection"), "close");
}

TEST_F(Clients, OfOldVersionsAndOtherWishes) {
  EXPECT_EQ(wire("GET / HTTP/1.0\r\n\r\n")->answer().header("connection"), "close");
  auto kept = wire("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept->receive_until("[]").find("keep-alive"), std::string::npos);
  kept->send(kLast);
  EXPECT_EQ(kept->answer().body, "GET /last []");
  EXPECT_EQ(wire("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")->answer().header("connection"),
            "close");
  EXPECT_EQ(wire("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")->answer().status, 505);
}

}  // namespace
}  // namespace maquette::server

// The protocol: what is read, what is refused, and what the server does with clients that are slow, greedy or
// rude.
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "server/http_grammar.h"
#include "server/http_server.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

using namespace std::chrono_literals;

// text: without the empty line at its end.
RequestHead parse_head(std::string_view text) { return RequestParser(std::string(text) + "\r\n\r\n").head(); }

int status_of_head(std::string_view text) {
  try {
    parse_head(text);
    return 200;
  } catch (const BadRequest& problem) {
    return problem.status();
  }
}

TEST(HttpHead, IsReadStrictly) {
  const RequestHead head =
      parse_head("POST /a%2Fb?x=1 HTTP/1.1\r\nHost: here\r\nX-Thing:  two words \r\nContent-Length: 5");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a%2Fb");
  EXPECT_EQ(head.query, "x=1");
  EXPECT_EQ(head.header("x-thing"), "two words");
  EXPECT_EQ(head.content_length, 5u);

  EXPECT_EQ(status_of_head("GET / HTTP/1.1\r\nHost: a"), 200);
  EXPECT_EQ(status_of_head("GET / HTTP/1.1"), 400) << "no host";
  EXPECT_EQ(status_of_head("GET / HTTP/1.1\r\nHost: a\r\nHost: b"), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/2.0\r\nHost: a"), 505);
  EXPECT_EQ(status_of_head("GET /\x01 HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET http://a/ HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET  / HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/1.1\nHost: a"), 400) << "bare line feeds";
  EXPECT_EQ(status_of_head("GET / HTTP/1.1\r\nHost: a\r\n folded: b"), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/1.1\r\nHost : a"), 400);
  EXPECT_EQ(status_of_head(std::string_view("GET / HTTP/1.1\r\nHost: a\r\nX: \0", 31)), 400);
}

// What two readers could understand differently: request smuggling.
TEST(HttpHead, SaysInOneWayWhereTheBodyEnds) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status_of_head(start + "Content-Length: 5\r\nContent-Length: 6"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 5\r\nTransfer-Encoding: chunked"), 400);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: chunked, identity"), 501);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 501);
  EXPECT_EQ(status_of_head(start + "Content-Length: -5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: +5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 5,5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 99999999999999999999"), 400);
}

TEST(HttpText, EscapesAreDecodedOnceAndHoldText) {
  EXPECT_EQ(percent_decode("lanterns%2Fsq010%3Abg", false), "lanterns/sq010:bg");
  EXPECT_EQ(percent_decode("%252e", false), "%2e");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  EXPECT_EQ(percent_decode("%C3%A9", false), "é");
  for (const char* broken : {"%", "%4", "%zz", "%00", "%1f", "%ff", "%c0%ae", "%ed%a0%80", "a%7f"}) {
    EXPECT_THROW(percent_decode(broken, false), BadRequest) << broken;
  }
}

TEST(HttpText, Ranges) {
  using Range = std::optional<std::pair<uint64_t, uint64_t>>;
  EXPECT_EQ(parse_range("bytes=0-9", 100), (Range{{0, 10}}));
  EXPECT_EQ(parse_range("bytes=90-", 100), (Range{{90, 10}}));
  EXPECT_EQ(parse_range("bytes=-5", 100), (Range{{95, 5}}));
  EXPECT_EQ(parse_range("bytes=50-1000", 100), (Range{{50, 50}}));
  EXPECT_EQ(parse_range("bytes=100-", 100)->first, 100u);
  for (const char* other :
       {"", "bytes=", "bytes=-", "bytes=9-1", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=1-x"}) {
    EXPECT_FALSE(parse_range(other, 100)) << other;
  }
}

// --- over sockets ---

// Tells what it got.
Response echo(Request& request) {
  Response response;
  if (request.path == "/unread") return response.set("X-Seen", "no"), response.body = "refused", response;
  try {
    response.body = fmt::format("{} {} [{}]", request.method, request.path, request.body->all(1 << 20));
  } catch (const BadRequest& problem) {
    response.status = problem.status();
    response.close = true;
  }
  return response;
}

class Http : public testing::Test {
 protected:
  HttpOptions options_{
      .most_connections = 8, .head_time = 400ms, .idle_time = 800ms, .stall_time = 400ms, .stop_time = 500ms};
  HttpServer server_{options_, echo};

  Answer raw(const std::string& bytes) {
    Wire wire(server_.port());
    wire.send(bytes);
    return wire.answer();
  }
};

TEST_F(Http, SeveralRequestsShareAConnection) {
  Wire wire(server_.port());
  wire.send(
      "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST /two HTTP/1.1\r\nHost: "
      "a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\n\r\nGET /three HTTP/1.1\r\nHost: a\r\nConnection: "
      "close\r\n\r\n");
  const std::string all = wire.receive_until("/three");
  EXPECT_NE(all.find("POST /one [abc]"), all.npos) << all;
  EXPECT_NE(all.find("POST /two [def]"), all.npos) << all;
  EXPECT_NE(all.find("GET /three []"), all.npos) << all;
}

TEST_F(Http, ABodyThatNobodyReadIsNoRequest) {
  Wire wire(server_.port());
  wire.send(
      "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: "
      "a\r\n\r\n");
  wire.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string all;
  for (std::string part = wire.receive(); !part.empty(); part = wire.receive()) all += part;
  EXPECT_EQ(all.find("smuggled"), all.npos) << all;
}

TEST_F(Http, HeadsHaveAnEndInSizeAndTime) {
  EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x')).status, 431);
  EXPECT_EQ(raw("GET /" + std::string(20'000, 'x')).status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 150; ++i) many += "X: y\r\n";
  EXPECT_EQ(raw(many + "\r\n").status, 431);

  // One letter at a time keeps no connection open.
  Wire slow(server_.port());
  const auto start = Clock::now();
  for (const char letter : std::string("GET / HTTP/1.1\r\n")) {
    if (!slow.send(std::string(1, letter))) break;
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(slow.answer().status, 408);
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST_F(Http, BodiesHaveAnEndInSizeAndTime) {
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc").status, 408);
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'))
                .status,
            413);
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").status, 400);
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n").status,
            413);
  EXPECT_EQ(raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n").status, 400);
}

TEST_F(Http, AsksForABodyThatWaitsToBeAsked) {
  Wire wire(server_.port());
  wire.send(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  EXPECT_NE(wire.receive_until("\r\n\r\n").find("100 Continue"), std::string::npos);
  wire.send("abc");
  EXPECT_NE(wire.receive_until("[abc]").find("[abc]"), std::string::npos);
}

TEST_F(Http, MoreConnectionsThanAllowedAreTurnedAway) {
  std::vector<std::unique_ptr<Wire>> held;
  for (int i = 0; i < 8; ++i) held.push_back(std::make_unique<Wire>(server_.port()));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(Wire(server_.port()).answer().status, 503);
  held.clear();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200);
}

TEST_F(Http, StopsWhileConnectionsAreOpen) {
  Wire idle(server_.port());
  std::this_thread::sleep_for(50ms);
  const auto start = Clock::now();
  server_.stop();
  EXPECT_LT(Clock::now() - start, 3s);
  EXPECT_EQ(idle.receive(), "");
}

}  // namespace
}  // namespace maquette::server

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
  EXPECT_EQ(status_of_head(std::string_view("GET / HTTP/1.1\r\nHost: a\r\nX: \0", 29)), 400);
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

TEST(HttpHead, RefusesWhatReadersUnderstandDifferently) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status_of_head(start + "Content-Length: 5\r\nContent-Length: 5"), 400) << "twice the same";
  EXPECT_EQ(status_of_head(start + "Content-Length: "), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 5 5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 0x5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length\t: 5"), 400);
  EXPECT_EQ(status_of_head(start + "Content-Length: 18446744073709551615"), 413);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: chunked\r\nContent-Length: 5"), 400);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: gzip"), 501);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: gzip, chunked"), 501);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: xchunked\r\nContent-Length: 5"), 501);
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding:\r\n chunked"), 400) << "folded";
  EXPECT_EQ(status_of_head(start + "Transfer-Encoding: chunked\r\n\tx"), 400) << "folded";
  EXPECT_EQ(status_of_head(start + "X: a\nTransfer-Encoding: chunked"), 400) << "a bare line feed";
  EXPECT_EQ(status_of_head(start + "X: a\rTransfer-Encoding: chunked"), 400) << "a bare carriage return";
  EXPECT_EQ(status_of_head(start + "X: a\x7f"), 400);
  EXPECT_EQ(status_of_head(start + ": a"), 400) << "no name";
  EXPECT_EQ(status_of_head(start + "no colon"), 400);
  EXPECT_EQ(status_of_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked"), 400);
  EXPECT_EQ(status_of_head("GET / HTTP/1.0"), 200) << "a host is of HTTP/1.1";
  EXPECT_EQ(status_of_head("GET / HTTP/1.1 \r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET /\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head(" GET / HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET /#a HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("GET /\xc3\xa9 HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head("AVERYLONGMETHODNAME / HTTP/1.1\r\nHost: a"), 400);
  EXPECT_EQ(status_of_head(""), 400);
}

// The body of these bytes, given so many at a time; how the reading ended: 200, a status, 0 where more must
// come.
std::pair<std::string, int> body_of(const std::string& head, const std::string& bytes, size_t at_once) {
  std::string body;
  try {
    RequestParser parser("POST / HTTP/1.1\r\nHost: a\r\n" + head + "\r\n\r\n");
    size_t begin = 0;
    for (size_t end = std::min(at_once, bytes.size()); !parser.finished();) {
      const RequestParser::Part part = parser.read(std::string_view(bytes).substr(begin, end - begin));
      body += part.body;
      begin += part.used;
      if (part.used > 0) continue;
      if (end == bytes.size()) return {body, 0};
      end = std::min(end + at_once, bytes.size());
    }
    return {body + "|" + bytes.substr(begin), 200};
  } catch (const BadRequest& problem) {
    return {body, problem.status()};
  }
}

TEST(HttpBody, IsTheSameInPiecesOfAnySize) {
  const std::string chunked = "Transfer-Encoding: chunked";
  for (const size_t at_once : {1, 2, 3, 4, 5, 7, 1000}) {
    const auto read = [&](const std::string& head, const std::string& bytes) {
      return body_of(head, bytes, at_once);
    };
    using Read = std::pair<std::string, int>;
    EXPECT_EQ(read("Content-Length: 5", "abcdeGET"), (Read{"abcde|GET", 200})) << at_once;
    EXPECT_EQ(read("Content-Length: 0", "GET"), (Read{"|GET", 200}));
    EXPECT_EQ(read("X: y", "GET"), (Read{"|GET", 200}));
    EXPECT_EQ(read("Content-Length: 5", "abcd"), (Read{"abcd", 0}));
    EXPECT_EQ(read(chunked, "0\r\n\r\nGET"), (Read{"|GET", 200})) << at_once;
    EXPECT_EQ(read(chunked, "3\r\nabc\r\n00A;name=\"value\"\r\n0123456789\r\n0\r\n\r\nGET"),
              (Read{"abc0123456789|GET", 200}))
        << at_once;
    EXPECT_EQ(read(chunked, "1\r\na\r\n0\r\nX-Sum: 5\r\nY: 6\r\n\r\nGET"), (Read{"a|GET", 200})) << at_once;
    EXPECT_EQ(read(chunked, "1\r\na\r\n0\r\n\r"), (Read{"a", 0})) << at_once;
    EXPECT_EQ(read(chunked, "-1\r\nabcdef").second, 400);
    EXPECT_EQ(read(chunked, "0x1\r\n\r\n").second, 400);
    EXPECT_EQ(read(chunked, "1\nabcdef\r\n").second, 400) << "a bare line feed";
    EXPECT_EQ(read(chunked, "1\r\nabc\r\n0\r\n\r\n").second, 400) << "longer than it says";
    EXPECT_EQ(read(chunked, "10000000000000000\r\nabc").second, 400) << "more than 64 bits";
    EXPECT_EQ(read(chunked, "0\r\nContent-Length: 5\r\n\r\n").second, 400) << "behind the body";
    EXPECT_EQ(read(chunked, "1;" + std::string(100'000, 'x')).second, 400) << "without an end";
    EXPECT_EQ(read(chunked, "0\r\n" + std::string(100'000, 'x')).second, 400) << "without an end";
  }
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
  EXPECT_EQ(parse_range("bytes=-0", 100)->first, 100u) << "no bytes at all cannot be had";
  EXPECT_EQ(parse_range("bytes=-500", 100), (Range{{0, 100}}));
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

// The answer does not wait for what the handler does not read; the connection goes on once it came.
TEST_F(Http, AnswersBeforeABodyThatNobodyReadsIsSent) {
  HttpServer server({.stall_time = 10s}, [](Request&) { return Response{.status = 403}; });
  const auto start = Clock::now();
  Wire late(server.port());
  late.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  EXPECT_NE(late.receive_until("\r\n\r\n").find("403"), std::string::npos);
  EXPECT_LT(Clock::now() - start, 5s);
  late.send("abcdeGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(late.receive_until("\r\n\r\n").find("403"), std::string::npos);
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

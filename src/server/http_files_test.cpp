// Files on their way in and out: never whole in memory, in parts where one asks for parts, and nothing left
// of what was refused.
#include <fstream>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "server/http_server.h"
#include "server/replies.h"
#include "server/spool_file.h"
#include "server/test_server.h"

namespace maquette::server {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMiB = uint64_t{1} << 20;

// The most memory that this process had since the last call of forget_peak(), in bytes.
uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  throw std::runtime_error("the system does not say how much memory was used");
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

class Files : public testing::Test {
 protected:
  Files() {
    fs::create_directories(folder_);
    server_ = std::make_unique<HttpServer>(HttpOptions{}, [this](Request& r) { return answer(r); });
  }
  ~Files() override {
    server_.reset();
    fs::remove_all(folder_);
  }
  Response answer(Request& request) {
    try {
      if (request.method != "POST")
        return reply_response({.file = folder_ / "picture", .media_type = "image/png", .immutable = true},
                              request);
      SpoolFile file(folder_);
      file.receive(*request.body, request.content_length, limit_);
      grown_ = peak_memory();
      return {.body = sha256_hex_of_file(file.path())};
    } catch (const Error& error) {
      return error_response(error);
    }
  }
  size_t files_left() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  Answer get(std::string_view more, std::string_view method = "GET") {
    return Client{.port = server_->port()}.send(method, "/", "", more);
  }
  // Sends a body of so many MiB in chunks, no two of them alike; true where the server took it all.
  bool send_chunks(Wire& wire, uint64_t count, Sha256& sum) {
    std::string chunk = fmt::format("{:x}\r\n", kMiB) + std::string(kMiB, 'x') + "\r\n";
    for (uint64_t i = 0; i < count; ++i) {
      const std::string number = fmt::format("{:08}", i);
      std::ranges::copy(number, chunk.begin() + 8);
      sum.update(std::string_view(chunk).substr(8, kMiB));
      if (!wire.send(chunk)) return false;
    }
    return wire.send("0\r\n\r\n");
  }

  fs::path folder_ = fs::temp_directory_path() / ("maquette_files_" + lower_hex(random_bytes(6)));
  std::atomic<uint64_t> limit_ = 1024 * kMiB;
  std::unique_ptr<HttpServer> server_;
  std::atomic<uint64_t> grown_ = 0;
};

constexpr const char* kUpload =
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(Files, OfAGibibyteNeedNoMemory) {
  Wire wire(server_->port());
  Sha256 sum;
  forget_peak();
  const uint64_t before = peak_memory();
  wire.send(kUpload);
  ASSERT_TRUE(send_chunks(wire, 1024, sum));
  const Answer answer = wire.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, sum.hex());
  EXPECT_LT(grown_, before + 64 * kMiB);
  EXPECT_EQ(files_left(), 0u);
}

TEST_F(Files, AboveTheLimitAreRefusedAndNothingIsLeft) {
  limit_ = 32 * kMiB;
  // Announced: refused before a byte of it came.
  Wire announced(server_->port());
  announced.send(fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", limit_ + 1));
  EXPECT_EQ(announced.answer().status, 413);
  EXPECT_EQ(files_left(), 0u);

  Wire wire(server_->port());
  Sha256 sum;
  wire.send(kUpload);
  send_chunks(wire, 64, sum);
  EXPECT_EQ(wire.answer().status, 413);
  EXPECT_EQ(files_left(), 0u);
}

TEST_F(Files, ComeInParts) {
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>('a' + i % 26);
  write_file_atomically(folder_ / "picture", bytes);
  const auto part = [&](const std::string& range, std::string_view more = "") {
    return get(fmt::format("Range: {}\r\n{}", range, more));
  };

  const Answer whole = get("");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, bytes);
  EXPECT_EQ(whole.header("accept-ranges"), "bytes");
  const std::string tag = whole.header("etag");
  EXPECT_EQ(tag, "\"picture\"");

  const Answer first = part("bytes=0-99");
  EXPECT_EQ(first.status, 206);
  EXPECT_EQ(first.body, bytes.substr(0, 100));
  EXPECT_EQ(first.header("content-range"), "bytes 0-99/200000");
  EXPECT_EQ(first.header("content-length"), "100");
  EXPECT_EQ(part("bytes=199990-").body, bytes.substr(199'990));
  EXPECT_EQ(part("bytes=100-999999").body, bytes.substr(100)) << "to its end at most";
  const Answer last = part("bytes=-7");
  EXPECT_EQ(last.status, 206);
  EXPECT_EQ(last.body, bytes.substr(199'993));
  EXPECT_EQ(last.header("content-range"), "bytes 199993-199999/200000");

  for (const char* nowhere : {"bytes=200000-", "bytes=200000-200005", "bytes=-0"}) {
    const Answer refused = part(nowhere);
    EXPECT_EQ(refused.status, 416) << nowhere;
    EXPECT_EQ(refused.header("content-range"), "bytes */200000");
    EXPECT_EQ(refused.body, "");
  }
  // What cannot be understood, or is more than one part, gets the whole.
  for (const char* other : {"bytes=5-2", "bytes=0-1,5-6", "bytes=x-", "chapters=1-2"}) {
    EXPECT_EQ(part(other).status, 200) << other;
    EXPECT_EQ(part(other).body.size(), bytes.size()) << other;
  }
  // Parts of one file only: where it is another one by now, all of it comes.
  EXPECT_EQ(part("bytes=0-9", "If-Range: " + tag + "\r\n").status, 206);
  EXPECT_EQ(part("bytes=0-9", "If-Range: \"another\"\r\n").status, 200);

  const Answer head = get("Range: bytes=0-99\r\n", "HEAD");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("content-length"), "100");
  const Answer same = get("If-None-Match: " + tag + "\r\nRange: bytes=0-99\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
}

TEST_F(Files, GoOutWithoutMemoryToo) {
  constexpr uint64_t kBytes = 512 * kMiB;
  {
    std::ofstream hole(folder_ / "picture");
    hole.seekp(kBytes - 1).put('z');
  }
  Wire wire(server_->port());
  forget_peak();
  const uint64_t before = peak_memory();
  wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  uint64_t bytes = 0;
  char last = 0;
  for (std::string part = wire.receive(); !part.empty(); part = wire.receive()) {
    bytes += part.size();
    last = part.back();
  }
  EXPECT_GT(bytes, kBytes);
  EXPECT_EQ(last, 'z');
  EXPECT_LT(peak_memory() - before, 64 * kMiB);
}

}  // namespace
}  // namespace maquette::server

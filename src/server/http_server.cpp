#include "server/http_server.h"

#include <algorithm>
#include <fstream>

#include "base/log.h"

namespace maquette::server {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kThrownAway =
    256 << 10;  // of a body that the handler did not read, to keep the connection

// What was read from a socket and not used yet.
class Input {
 public:
  Input(Socket& socket, const HttpOptions& options) : socket_(socket), options_(options) {}

  Socket& socket() { return socket_; }
  const HttpOptions& options() const { return options_; }
  bool empty() const { return at_ == buffer_.size(); }
  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }
  void use(size_t bytes) { at_ += bytes; }

  Outcome fill(Clock::time_point end, const Alarm* alarm = nullptr) {
    if (at_ > 0) {
      buffer_.erase(0, at_);
      at_ = 0;
    }
    constexpr size_t kPart = 64 << 10;
    const size_t before = buffer_.size();
    buffer_.resize(before + kPart);
    const Socket::Read read = socket_.read(buffer_.data() + before, kPart, end, alarm);
    buffer_.resize(before + read.bytes);
    return read.outcome;
  }

 private:
  Socket& socket_;
  const HttpOptions& options_;
  std::string buffer_;
  size_t at_ = 0;
};

// The body behind a head, by length or in chunks (RFC 9112, 7.1).
class SocketBody : public BodyReader {
 public:
  SocketBody(Input& input, const RequestHead& head)
      : input_(input),
        left_(head.content_length.value_or(0)),
        chunked_(head.chunked),
        finished_(!head.has_body()),
        must_invite_(head.header("expect") == "100-continue") {}

  bool finished() const { return finished_; }
  bool untouched() const { return must_invite_ && !finished_; }

  std::string_view next() override {
    invite();
    input_.use(std::exchange(given_, 0));
    if (finished_) return {};
    if (chunked_ && left_ == 0 && !begin_chunk()) return {};
    need_more_than(0);
    const std::string_view part =
        input_.rest().substr(0, static_cast<size_t>(std::min<uint64_t>(left_, 64 << 10)));
    left_ -= part.size();
    received_ += part.size();
    given_ = part.size();
    if (left_ == 0) {
      if (chunked_) {
        chunk_ends_ = true;
      } else {
        finished_ = true;
      }
    }
    return part;
  }

  // Reads what the handler left, where that is little. False: the connection cannot go on.
  bool skip_rest() {
    try {
      for (uint64_t thrown = 0; !finished_;) {
        if (untouched()) return false;  // the sender waits to be asked: it will not send
        thrown += next().size();
        if (thrown > kThrownAway) return false;
      }
      input_.use(std::exchange(given_, 0));
      return true;
    } catch (const BadRequest&) {
      return false;
    }
  }

 private:
  void invite() {
    if (!std::exchange(must_invite_, false)) return;
    input_.socket().write("HTTP/1.1 100 Continue\r\n\r\n", Clock::now() + input_.options().write_time);
  }

  // Waits until more than `bytes` are there.
  void need_more_than(size_t bytes) {
    const HttpOptions& options = input_.options();
    while (input_.rest().size() <= bytes) {
      const auto allowed = 30s + std::chrono::milliseconds(received_ * 1000 / options.slowest_body);
      const Clock::time_point end = std::min(Clock::now() + options.stall_time, start_ + allowed);
      const Outcome outcome = input_.fill(end);
      if (outcome == Outcome::late) throw BadRequest(408, "the rest of the request did not come");
      if (outcome != Outcome::done) throw BadRequest(400, "the request ended early");
    }
  }

  std::string line() {
    constexpr size_t kLongest = 1024;
    size_t end = input_.rest().find("\r\n");
    while (end == std::string_view::npos) {
      if (input_.rest().size() > kLongest) throw BadRequest(400, "a chunk of the request has a broken head");
      need_more_than(input_.rest().size());
      end = input_.rest().find("\r\n");
    }
    const std::string text(input_.rest().substr(0, end));
    input_.use(end + 2);
    return text;
  }

  // Reads the size of the next chunk; false after the last one.
  bool begin_chunk() {
    if (std::exchange(chunk_ends_, false) && !line().empty())
      throw BadRequest(400, "a chunk of the request has a broken end");
    std::string size = line();
    size = size.substr(0, size.find(';'));
    if (size.empty() || size.size() > 12 || size.find_first_not_of("0123456789abcdefABCDEF") != size.npos)
      throw BadRequest(400, "a chunk of the request has a broken size");
    left_ = std::stoull(size, nullptr, 16);
    if (left_ > 0) return true;
    for (int trailers = 0; !line().empty();) {
      if (++trailers > 20) throw BadRequest(431, "too many trailer lines");
    }
    finished_ = true;
    return false;
  }

  Input& input_;
  uint64_t left_;  // of the body, or of the chunk
  bool chunked_;
  bool finished_;
  bool must_invite_;
  bool chunk_ends_ = false;
  size_t given_ = 0;  // of the last part: used up when the next one is asked for
  uint64_t received_ = 0;
  Clock::time_point start_ = Clock::now();
};

class SocketStream : public OpenStream {
 public:
  SocketStream(Socket& socket, const HttpOptions& options, const Alarm& stopping)
      : socket_(socket), options_(options), stopping_(stopping) {}
  bool write(std::string_view bytes) override {
    if (!broken_) broken_ = socket_.write(bytes, Clock::now() + options_.write_time) != Outcome::done;
    return !broken_;
  }
  bool over() override { return broken_ || stopping_.raised() || socket_.other_side_left(); }

 private:
  Socket& socket_;
  const HttpOptions& options_;
  const Alarm& stopping_;
  bool broken_ = false;
};

std::string head_of(const Response& response, std::optional<uint64_t> length, bool keep) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  for (const auto& [name, value] : response.headers) {
    // Nothing from outside may begin a line of its own.
    if (value.find_first_of("\r\n") != value.npos) continue;
    head += fmt::format("{}: {}\r\n", name, value);
  }
  if (length && response.status != 304 && response.status != 204)
    head += fmt::format("Content-Length: {}\r\n", *length);
  head += keep ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

// Files go out in parts, so that a large one needs no memory.
bool write_file(Socket& socket, const HttpOptions& options, std::ifstream& file, uint64_t count) {
  std::string part(256 << 10, '\0');
  while (count > 0) {
    file.read(part.data(), static_cast<std::streamsize>(std::min<uint64_t>(count, part.size())));
    const auto bytes = static_cast<size_t>(file.gcount());
    if (bytes == 0) return false;
    if (socket.write(std::string_view(part).substr(0, bytes), Clock::now() + options.write_time) !=
        Outcome::done)
      return false;
    count -= bytes;
  }
  return true;
}

// Answers; false where the connection cannot go on.
bool write_response(Socket& socket, const HttpOptions& options, const Response& response, bool without_body,
                    bool keep) {
  const auto send = [&](std::string_view bytes) {
    return socket.write(bytes, Clock::now() + options.write_time) == Outcome::done;
  };
  if (response.file.empty()) {
    const std::string_view body =
        response.constant.data() ? response.constant : std::string_view(response.body);
    std::string head = head_of(response, body.size(), keep);
    if (without_body) return send(head);
    // Small answers leave in one piece.
    if (body.size() < (64 << 10)) return send(head.append(body));
    return send(head) && send(body);
  }
  std::ifstream file(response.file, std::ios::binary | std::ios::ate);
  const std::streamoff end = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (end < 0) {
    const Response missing{.status = 404, .headers = response.headers};
    return send(head_of(missing, 0, keep));
  }
  const auto size = static_cast<uint64_t>(end);
  const uint64_t first = std::min(response.first, size);
  const uint64_t count = std::min(response.count.value_or(size), size - first);
  if (!send(head_of(response, count, keep))) return false;
  if (without_body) return true;
  file.seekg(static_cast<std::streamoff>(first));
  return write_file(socket, options, file, count);
}

Response plain(const BadRequest& problem) {
  Response response{.status = problem.status(), .body = fmt::format("{}\n", problem.what()), .close = true};
  response.set("Content-Type", "text/plain; charset=utf-8").set("X-Content-Type-Options", "nosniff");
  return response;
}

// The next head; nothing where the connection is over. Throws BadRequest.
std::optional<RequestHead> read_head(Input& input, const Alarm& stopping) {
  const HttpOptions& options = input.options();
  if (input.empty() && input.fill(Clock::now() + options.idle_time, &stopping) != Outcome::done)
    return std::nullopt;
  const Clock::time_point end = Clock::now() + options.head_time;
  // Some clients send an empty line after a body (RFC 9112, 2.2).
  if (input.rest().starts_with("\r\n")) input.use(2);
  while (true) {
    const size_t length = input.rest().find("\r\n\r\n");
    if (length != std::string_view::npos && length <= options.longest_head) {
      RequestHead head = parse_head(input.rest().substr(0, length));
      input.use(length + 4);
      return head;
    }
    if (input.rest().size() > options.longest_head)
      throw BadRequest(431, "the head of the request is too long");
    const Outcome outcome = input.fill(end);
    if (outcome == Outcome::late) throw BadRequest(408, "the head of the request did not come");
    if (outcome != Outcome::done) return std::nullopt;
  }
}

bool wants_to_stay(const RequestHead& head) {
  const std::string_view wish = head.header("connection");
  return head.minor_version == 1 ? wish != "close" : wish == "keep-alive";
}

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : options_(options), handler_(std::move(handler)), listening_(options.host, options.port) {
  accepting_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::stop() {
  stopping_.raise();
  if (accepting_.joinable()) accepting_.join();
  std::unique_lock lock(mutex_);
  if (ended_.wait_for(lock, options_.stop_time, [&] { return open_.empty(); })) return;
  for (Socket* socket : open_) socket->shut_down();
  ended_.wait(lock, [&] { return open_.empty(); });
}

void HttpServer::accept_all() {
  while (std::unique_ptr<Socket> socket = listening_.accept(stopping_)) {
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      full = open_.size() >= static_cast<size_t>(options_.most_connections);
      if (!full) open_.insert(socket.get());
    }
    if (full) {
      socket->write(
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
          "close\r\n\r\n",
          Clock::now());
      continue;
    }
    std::thread([this, socket = std::move(socket)]() mutable {
      try {
        serve(*socket);
      } catch (const std::exception& problem) {
        log::warning("a connection ended: {}", problem.what());
      }
      const std::lock_guard lock(mutex_);
      open_.erase(socket.get());
      socket.reset();
      ended_.notify_all();
    }).detach();
  }
}

void HttpServer::serve(Socket& socket) {
  Input input(socket, options_);
  const std::string address = socket.address();
  try {
    while (!stopping_.raised()) {
      std::optional<RequestHead> head = read_head(input, stopping_);
      if (!head) return;
      Request request{std::move(*head), address};
      SocketBody body(input, request);
      request.body = &body;
      const Response response = handler_(request);
      const bool without_body = request.method == "HEAD";
      if (response.stream) {
        SocketStream stream(socket, options_, stopping_);
        if (stream.write(head_of(response, {}, false)) && !without_body) response.stream(stream);
        return;
      }
      const bool stay = wants_to_stay(request) && !response.close && !stopping_.raised() && body.skip_rest();
      if (!write_response(socket, options_, response, without_body, stay)) return;
      if (!stay) return socket.close_gently();
    }
  } catch (const BadRequest& problem) {
    write_response(socket, options_, plain(problem), false, false);
    socket.close_gently();
  }
}

}  // namespace maquette::server

#include "server/http_server.h"

#include <algorithm>
#include <fstream>

#include "base/log.h"
#include "base/text.h"
#include "server/http_grammar.h"

namespace maquette::server {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kThrownAway =
    256 << 10;  // of a body that the handler did not read, to keep the connection

// Nobody else is let in meanwhile; a new connection takes so little at once.
constexpr auto kTurningAway = 100ms;

// What was read from a socket and not used yet.
class Input {
 public:
  Input(Socket& socket, const HttpOptions& options) : socket_(socket), options_(options) {}

  Socket& socket() { return socket_; }
  const HttpOptions& options() const { return options_; }
  bool empty() const { return at_ == buffer_.size(); }
  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }
  void use(size_t bytes) { at_ += bytes; }

  Outcome fill(Clock::time_point end) { return add(&Socket::read, end); }
  Outcome fill_idle(Clock::time_point end) { return add(&Socket::read_idle, end); }

 private:
  Outcome add(Socket::Read (Socket::*read)(char*, size_t, Clock::time_point), Clock::time_point end) {
    buffer_.erase(0, std::exchange(at_, 0));
    constexpr size_t kPart = 64 << 10;
    const size_t before = buffer_.size();
    buffer_.resize(before + kPart);
    const Socket::Read got = (socket_.*read)(buffer_.data() + before, kPart, end);
    buffer_.resize(before + got.bytes);
    return got.outcome;
  }

  Socket& socket_;
  const HttpOptions& options_;
  std::string buffer_;
  size_t at_ = 0;
};

// The body behind a head.
class SocketBody : public BodyReader {
 public:
  SocketBody(Input& input, RequestParser& parser)
      : input_(input),
        parser_(parser),
        must_invite_(lower_ascii(parser.head().header("expect")) == "100-continue") {}

  std::string_view next() override {
    if (finished()) return {};
    invite();
    input_.use(std::exchange(given_, 0));
    while (!finished()) {
      const RequestParser::Part part = parser_.read(input_.rest());
      if (!part.body.empty()) {
        received_ += part.body.size();
        given_ = part.used;
        return part.body;
      }
      input_.use(part.used);
      if (part.used == 0) wait_for_more();
    }
    return {};
  }

  // The handler left little enough to read it after the answer, so that the connection can go on.
  bool has_short_rest() const {
    if (finished()) return true;
    if (must_invite_) return false;  // the sender waits to be asked: it will not send
    return parser_.head().content_length && *parser_.head().content_length <= received_ + kThrownAway;
  }
  // False: it did not come.
  bool skip_rest() {
    try {
      while (!finished()) next();
    } catch (const BadRequest&) {
      return false;
    }
    input_.use(std::exchange(given_, 0));
    return true;
  }

 private:
  bool finished() const { return parser_.finished(); }

  void invite() {
    if (!std::exchange(must_invite_, false)) return;
    input_.socket().write("HTTP/1.1 100 Continue\r\n\r\n", Clock::now() + input_.options().write_time);
  }

  void wait_for_more() {
    const HttpOptions& options = input_.options();
    const auto allowed =
        options.body_time + std::chrono::milliseconds(received_ * 1000 / options.slowest_body);
    const Outcome outcome = input_.fill(std::min(Clock::now() + options.stall_time, start_ + allowed));
    if (outcome == Outcome::late) throw BadRequest(408, "the rest of the request did not come");
    if (outcome != Outcome::done) throw BadRequest(400, "the request ended early");
  }

  Input& input_;
  RequestParser& parser_;
  bool must_invite_;
  size_t given_ = 0;  // of the last part: used up when the next one is asked for
  uint64_t received_ = 0;
  Clock::time_point start_ = Clock::now();
};

class SocketStream : public OpenStream {
 public:
  SocketStream(Socket& socket, const HttpOptions& options, const std::atomic<bool>& stopping)
      : socket_(socket), options_(options), stopping_(stopping) {}
  bool write(std::string_view bytes) override {
    if (!broken_) broken_ = socket_.write(bytes, Clock::now() + options_.write_time) != Outcome::done;
    return !broken_;
  }
  bool over() override { return broken_ || stopping_ || socket_.other_side_left(); }

 private:
  Socket& socket_;
  const HttpOptions& options_;
  const std::atomic<bool>& stopping_;
  bool broken_ = false;
};

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

// The next request; nothing where the connection is over. Throws BadRequest.
std::unique_ptr<RequestParser> read_head(Input& input) {
  const HttpOptions& options = input.options();
  if (input.empty() && input.fill_idle(Clock::now() + options.idle_time) != Outcome::done) return nullptr;
  const Clock::time_point end = Clock::now() + options.head_time;
  // Some clients send an empty line after a body (RFC 9112, 2.2).
  if (input.rest().starts_with("\r\n")) input.use(2);
  while (true) {
    const size_t length = input.rest().find("\r\n\r\n");
    if (length != std::string_view::npos && length <= options.longest_head) {
      auto parser = std::make_unique<RequestParser>(input.rest().substr(0, length + 4));
      input.use(length + 4);
      return parser;
    }
    if (input.rest().size() > options.longest_head)
      throw BadRequest(431, "the head of the request is too long");
    const Outcome outcome = input.fill(end);
    if (outcome == Outcome::late) throw BadRequest(408, "the head of the request did not come");
    if (outcome != Outcome::done) return nullptr;
  }
}

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : options_(options), handler_(std::move(handler)), listening_(options.host, options.port) {
  allow_connections(options.most_connections);
  accepting_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::stop() {
  stopping_ = true;
  listening_.close();
  if (accepting_.joinable()) accepting_.join();
  std::unique_lock lock(mutex_);
  for (Socket* socket : open_) socket->stop_idling();
  if (ended_.wait_for(lock, options_.stop_time, [&] { return open_.empty(); })) return;
  for (Socket* socket : open_) socket->shut_down();
  ended_.wait(lock, [&] { return open_.empty(); });
}

void HttpServer::accept_all() {
  while (std::unique_ptr<Socket> socket = listening_.accept()) {
    bool full = false;
    {
      const std::lock_guard lock(mutex_);
      full = open_.size() >= static_cast<size_t>(options_.most_connections);
      if (!full) open_.insert(socket.get());
    }
    if (full) {
      const Response busy{.status = 503, .headers = {{"Retry-After", "5"}}};
      socket->write(head_of(busy, 0, false), Clock::now() + kTurningAway);
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
    while (!stopping_) {
      const std::unique_ptr<RequestParser> parser = read_head(input);
      if (!parser) return;
      Request request{parser->head(), address};
      SocketBody body(input, *parser);
      request.body = &body;
      Response response = handler_(request);
      const bool without_body = request.method == "HEAD";
      if (response.stream) {
        SocketStream stream(socket, options_, stopping_);
        if (stream.write(head_of(response, {}, false)) && !without_body) response.stream(stream);
        return;
      }
      const bool stay = request.keep_alive && !response.close && !stopping_ && body.has_short_rest();
      if (!write_response(socket, options_, response, without_body, stay)) return;
      response.until_sent.reset();
      // The answer does not wait for a body that nobody reads.
      if (!stay || !body.skip_rest()) return socket.close_gently();
    }
  } catch (const BadRequest& problem) {
    write_response(socket, options_, plain(problem), false, false);
    socket.close_gently();
  }
}

}  // namespace maquette::server

#include "server/http_socket.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"

namespace maquette::server {

namespace {

using namespace std::chrono_literals;

constexpr int kWaitingConnections = 1024;

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

Outcome wait_for(int descriptor, short events, Clock::time_point end, const Alarm* alarm) {
  while (true) {
    pollfd waited[2] = {{descriptor, events, 0}, {alarm ? alarm->descriptor() : -1, POLLIN, 0}};
    const int ready = poll(waited, alarm ? 2 : 1, milliseconds_until(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Outcome::closed;
    if (waited[0].revents) return Outcome::done;  // also errors: the call that follows tells them
    if (ready > 0) return Outcome::stopped;
    if (Clock::now() >= end) return Outcome::late;
  }
}

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

// --- alarm ---

Alarm::Alarm() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    throw Error(ErrorCode::failed, "cannot make a pipe").with("found", std::strerror(errno));
  read_end_ = ends[0];
  write_end_ = ends[1];
}

Alarm::~Alarm() {
  close(read_end_);
  close(write_end_);
}

void Alarm::raise() {
  // Where the pipe is full, it is raised already.
  [[maybe_unused]] const ssize_t written = ::write(write_end_, "!", 1);
}

bool Alarm::raised() const {
  pollfd waited{read_end_, POLLIN, 0};
  return poll(&waited, 1, 0) > 0;
}

// --- one connection ---

Socket::Socket(Socket&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }

Socket::~Socket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Socket::Read Socket::read(char* to, size_t most, Clock::time_point end, const Alarm* alarm) {
  while (true) {
    const Outcome ready = wait_for(descriptor_, POLLIN, end, alarm);
    if (ready != Outcome::done) return {ready};
    const ssize_t bytes = recv(descriptor_, to, most, 0);
    if (bytes > 0) return {Outcome::done, static_cast<size_t>(bytes)};
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return {Outcome::closed};
  }
}

Outcome Socket::write(std::string_view bytes, Clock::time_point end) {
  while (!bytes.empty()) {
    const ssize_t written = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      const Outcome ready = wait_for(descriptor_, POLLOUT, end, nullptr);
      if (ready != Outcome::done) return ready;
    } else if (written < 0 && errno != EINTR) {
      return Outcome::closed;
    }
  }
  return Outcome::done;
}

void Socket::close_gently() {
  shutdown(descriptor_, SHUT_WR);
  const Clock::time_point end = Clock::now() + 2s;
  char rest[16 * 1024];
  for (size_t thrown = 0; thrown < (size_t{64} << 20);) {
    const Read more = read(rest, sizeof rest, end);
    if (more.outcome != Outcome::done) return;
    thrown += more.bytes;
  }
}

void Socket::shut_down() { shutdown(descriptor_, SHUT_RDWR); }

bool Socket::other_side_left() {
  char byte;
  const ssize_t bytes = recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

std::string Socket::address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return text_of(address);
}

// --- listening ---

ListeningSocket::ListeningSocket(const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status =
      getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (status != 0) {
    throw Error(ErrorCode::usage, "cannot listen on \"{}\"", host).with("found", gai_strerror(status));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::string problem;
  for (const addrinfo* each = found; each && descriptor_ < 0; each = each->ai_next) {
    const int descriptor = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
    if (descriptor < 0) continue;
    const int yes = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(descriptor, each->ai_addr, each->ai_addrlen) == 0 &&
        listen(descriptor, kWaitingConnections) == 0) {
      descriptor_ = descriptor;
    } else {
      problem = std::strerror(errno);
      close(descriptor);
    }
  }
  if (descriptor_ < 0) {
    throw Error(ErrorCode::failed, "cannot listen on {}:{}", host, port)
        .with("found", problem)
        .hint("another program may use this port: choose one with --port");
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  const bool is_v4 = address.ss_family == AF_INET;
  port_ = ntohs(is_v4 ? reinterpret_cast<sockaddr_in&>(address).sin_port
                      : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  const std::string text = text_of(address);
  loopback_only_ = text.starts_with("127.") || text == "::1";
}

ListeningSocket::~ListeningSocket() { close(descriptor_); }

std::unique_ptr<Socket> ListeningSocket::accept(const Alarm& alarm) {
  while (true) {
    if (wait_for(descriptor_, POLLIN, Clock::now() + 1h, &alarm) == Outcome::stopped || alarm.raised())
      return nullptr;
    const int descriptor = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) {
      // Heads and bodies are written one after the other: the second must not wait for an acknowledgement.
      const int yes = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      return std::make_unique<Socket>(descriptor);
    }
    // Out of descriptors: those in use will come back.
    if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(20ms);
  }
}

}  // namespace maquette::server

// Each connection has an io_context of its own, which runs on the connection's thread only while something is
// read or written, and at most until this must be over: what Asio's documentation shows for blocking calls
// with an end in time. Other threads reach a connection by posting to its context.
#include "server/http_socket.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <sys/resource.h>
#include <thread>

#include "base/error.h"

namespace maquette::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorOfAsio = boost::system::error_code;

namespace {

using namespace std::chrono_literals;

constexpr int kWaitingConnections = 1024;
constexpr auto kOutOfDescriptors = 20ms;  // those in use will come back

}  // namespace

// --- one connection ---

struct Socket::State {
  asio::io_context context{1};
  tcp::socket socket{context};
  bool idle = false;        // what is being read may be given up
  bool never_idle = false;  // stop_idling() was called

  // Starts an operation and stays until it, or the time, is over.
  template <class Start>
  Read finish(Clock::time_point end, Start start) {
    bool over = false;
    bool late = false;
    ErrorOfAsio error;
    size_t bytes = 0;
    start([&](const ErrorOfAsio& its_error, size_t its_bytes) {
      over = true;
      error = its_error;
      bytes = its_bytes;
    });
    context.restart();
    while (!over && !late) late = context.run_one_until(end) == 0;
    if (late) {
      ErrorOfAsio ignored;
      socket.cancel(ignored);
      while (!over) context.run_one();
    }
    if (!error) return {Outcome::done, bytes};
    if (error != asio::error::operation_aborted) return {Outcome::closed};
    return {late ? Outcome::late : Outcome::stopped};
  }
};

Socket::Socket() : state_(std::make_unique<State>()) {}
Socket::~Socket() = default;

Socket::Read Socket::read(char* to, size_t most, Clock::time_point end) {
  return state_->finish(
      end, [&](auto done) { state_->socket.async_read_some(asio::buffer(to, most), std::move(done)); });
}

Socket::Read Socket::read_idle(char* to, size_t most, Clock::time_point end) {
  if (state_->never_idle) return {Outcome::stopped};
  state_->idle = true;
  const Read got = read(to, most, end);
  state_->idle = false;
  return got;
}

Outcome Socket::write(std::string_view bytes, Clock::time_point end) {
  const auto all = asio::buffer(bytes.data(), bytes.size());
  return state_->finish(end, [&](auto done) { asio::async_write(state_->socket, all, std::move(done)); })
      .outcome;
}

void Socket::close_gently() {
  ErrorOfAsio ignored;
  state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
  const Clock::time_point end = Clock::now() + 2s;
  char rest[16 * 1024];
  for (size_t thrown = 0; thrown < (size_t{64} << 20);) {
    const Read more = read(rest, sizeof rest, end);
    if (more.outcome != Outcome::done) return;
    thrown += more.bytes;
  }
}

bool Socket::other_side_left() {
  char byte;
  ErrorOfAsio error;
  state_->socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error && error != asio::error::would_block;
}

std::string Socket::address() const {
  ErrorOfAsio error;
  const tcp::endpoint other = state_->socket.remote_endpoint(error);
  return error ? "" : other.address().to_string();
}

void Socket::stop_idling() {
  asio::post(state_->context, [state = state_.get()] {
    state->never_idle = true;
    ErrorOfAsio ignored;
    if (state->idle) state->socket.cancel(ignored);
  });
}

void Socket::shut_down() {
  asio::post(state_->context, [state = state_.get()] {
    ErrorOfAsio ignored;
    state->socket.shutdown(tcp::socket::shutdown_both, ignored);
  });
}

// --- listening ---

struct ListeningSocket::State {
  asio::io_context context{1};
  tcp::acceptor acceptor{context};

  ErrorOfAsio listen_at(const tcp::endpoint& endpoint) {
    ErrorOfAsio error;
    acceptor.open(endpoint.protocol(), error);
    if (error) return error;
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kWaitingConnections, error);
    ErrorOfAsio ignored;
    if (error) acceptor.close(ignored);
    return error;
  }
};

ListeningSocket::ListeningSocket(const std::string& host, int port) : state_(std::make_unique<State>()) {
  ErrorOfAsio error;
  tcp::resolver resolver(state_->context);
  const auto found = resolver.resolve(host, std::to_string(port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) throw Error(ErrorCode::usage, "cannot listen on \"{}\"", host).with("found", error.message());
  for (const auto& each : found) {
    error = state_->listen_at(each.endpoint());
    if (!error) break;
  }
  if (error) {
    throw Error(ErrorCode::failed, "cannot listen on {}:{}", host, port)
        .with("found", error.message())
        .hint("another program may use this port: choose one with --port");
  }
  const tcp::endpoint here = state_->acceptor.local_endpoint();
  port_ = here.port();
  loopback_only_ = here.address().is_loopback();
}

ListeningSocket::~ListeningSocket() = default;

std::unique_ptr<Socket> ListeningSocket::accept() {
  while (state_->acceptor.is_open()) {
    try {
      auto socket = std::make_unique<Socket>();
      ErrorOfAsio error;
      state_->acceptor.async_accept(socket->state_->socket, [&](const ErrorOfAsio& its) { error = its; });
      state_->context.restart();
      state_->context.run();
      if (!error) {
        // Heads and bodies are written one after the other: the second must not wait for an acknowledgement.
        socket->state_->socket.set_option(tcp::no_delay(true));
        socket->state_->socket.non_blocking(true);
        return socket;
      }
      if (error != asio::error::no_descriptors) continue;
    } catch (const boost::system::system_error&) {
      // no descriptors for the context of a connection, or it is over already
    }
    std::this_thread::sleep_for(kOutOfDescriptors);
  }
  return nullptr;
}

void ListeningSocket::close() {
  asio::post(state_->context, [this] {
    ErrorOfAsio ignored;
    state_->acceptor.close(ignored);
  });
}

// A connection takes four: its own, and three with which its io_context waits. A file that is sent or
// received takes one more.
void allow_connections(int connections) {
  constexpr rlim_t kForEach = 5;
  constexpr rlim_t kForTheRest = 256;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, kForEach * static_cast<rlim_t>(connections) + kForTheRest);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace maquette::server

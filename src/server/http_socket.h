// Sockets (Boost.Asio): waiting, reading and writing with an end in time. The only file of the server that
// talks to the system.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace maquette::server {

using Clock = std::chrono::steady_clock;

enum class Outcome { done, closed, late, stopped };

// One connection, used by one thread but where it says otherwise. Closed at the end.
class Socket {
 public:
  Socket();
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Reads what is there, at least one byte, before `end`.
  struct Read {
    Outcome outcome;
    size_t bytes = 0;
  };
  Read read(char* to, size_t most, Clock::time_point end);
  // The same for the first bytes of a request, for which nobody waits any more after stop_idling().
  Read read_idle(char* to, size_t most, Clock::time_point end);
  Outcome write(std::string_view bytes, Clock::time_point end);
  // Nothing more is written; what the other side still sends is thrown away for a moment, so that it can read
  // the answer before the connection breaks.
  void close_gently();
  bool other_side_left();
  std::string address() const;  // "192.168.1.7", "::1"

  // From any thread: ends idle reading, or all reading and writing, now and from now on.
  void stop_idling();
  void shut_down();

 private:
  friend class ListeningSocket;
  struct State;
  std::unique_ptr<State> state_;
};

class ListeningSocket {
 public:
  // host: an address or a name; port 0: any free one. Throws Error.
  ListeningSocket(const std::string& host, int port);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  int port() const { return port_; }
  bool loopback_only() const { return loopback_only_; }
  // The next connection; nothing once it is closed.
  std::unique_ptr<Socket> accept();
  void close();  // from any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
  int port_ = 0;
  bool loopback_only_ = false;
};

// Lets the process have descriptors for so many connections, as far as the system allows it.
void allow_connections(int connections);

}  // namespace maquette::server

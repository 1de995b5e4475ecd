// Sockets: waiting, reading and writing with an end in time. The only file of the server that talks to the
// system.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace maquette::server {

using Clock = std::chrono::steady_clock;

// Wakes whoever waits on a socket: every wait ends as soon as this is raised. Stays raised.
class Alarm {
 public:
  Alarm();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  void raise();
  bool raised() const;
  int descriptor() const { return read_end_; }

 private:
  int read_end_ = -1;
  int write_end_ = -1;
};

enum class Outcome { done, closed, late, stopped };

// One connection. Closed at the end.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  // Reads what is there, at least one byte, before `end`. With an alarm, also ends when this is raised.
  struct Read {
    Outcome outcome;
    size_t bytes = 0;
  };
  Read read(char* to, size_t most, Clock::time_point end, const Alarm* alarm = nullptr);
  Outcome write(std::string_view bytes, Clock::time_point end);
  // Nothing more is written; what the other side still sends is thrown away for a moment, so that it can read
  // the answer before the connection breaks.
  void close_gently();
  // Ends all reading and writing, from another thread.
  void shut_down();
  bool other_side_left();
  std::string address() const;  // "192.168.1.7", "::1"

 private:
  int descriptor_;
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
  // The next connection; nothing once the alarm is raised.
  std::unique_ptr<Socket> accept(const Alarm& alarm);

 private:
  int descriptor_ = -1;
  int port_ = 0;
  bool loopback_only_ = false;
};

}  // namespace maquette::server

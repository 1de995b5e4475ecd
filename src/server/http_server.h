// An HTTP/1.1 server: a thread for each connection, with an end in time and a limit in size for everything
// that the other side may do. Boost.Beast reads and writes the messages, Boost.Asio the sockets:
// docs/decisions/0004-boost-beast.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "server/http_message.h"
#include "server/http_socket.h"

namespace maquette::server {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: any free one
  int most_connections = 512;
  size_t longest_head = size_t{16} << 10;
  std::chrono::milliseconds head_time{10'000};   // for a whole head, from its first byte
  std::chrono::milliseconds idle_time{15'000};   // between two requests
  std::chrono::milliseconds stall_time{15'000};  // between two bytes of a body
  std::chrono::milliseconds body_time{30'000};   // for a whole body, and more for the bytes that came:
  uint64_t slowest_body = 16 << 10;              // as long as so many bytes a second take
  std::chrono::milliseconds write_time{30'000};  // for each part of an answer
  std::chrono::milliseconds stop_time{5'000};    // for what is being answered when the server stops
};

class HttpServer {
 public:
  using Handler = std::function<Response(Request&)>;
  // Listens, and answers from now on; the handler is called from many threads and must not throw. Throws
  // Error.
  HttpServer(const HttpOptions& options, Handler handler);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return listening_.port(); }
  bool loopback_only() const { return listening_.loopback_only(); }
  // No new connections; open streams end, what is being answered may come to its end for a while. Returns
  // when all is over.
  void stop();

 private:
  void accept_all();
  void serve(Socket& socket);

  HttpOptions options_;
  Handler handler_;
  ListeningSocket listening_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<Socket*> open_;
  std::thread accepting_;
};

}  // namespace maquette::server

// The studio's server: the API, the events as they happen, and the page, on one port.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/studio/studio.h"
#include "server/api.h"
#include "server/http_server.h"
#include "server/page.h"

namespace maquette::server {

struct ServerOptions {
  HttpOptions http = {};
  ApiOptions api = {};
  std::vector<std::string> hosts = {};  // names by which browsers may reach it, besides the loopback's
  bool behind_proxy = false;            // the last entry of X-Forwarded-For is who asks
  std::filesystem::path page = {};      // folder; empty: the page in the program
};

class Server {
 public:
  // Answers from now on. Throws Error; Error(usage) where a single user would be reachable from other
  // machines.
  Server(app::Studio& studio, const ServerOptions& options);
  ~Server();
  int port() const { return http_->port(); }
  void stop();

 private:
  Response answer(Request& request);
  Response dispatch(Request& request);
  bool is_known_host(std::string_view host) const;

  ServerOptions options_;
  EventFeed feed_;
  Api api_;
  Page page_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace maquette::server

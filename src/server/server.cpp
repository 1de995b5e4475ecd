#include "server/server.h"

#include <algorithm>

#include "base/log.h"
#include "base/partial_files.h"
#include "base/text.h"
#include "server/replies.h"

namespace maquette::server {

namespace {

constexpr std::string_view kApi = "/api/v1";

// "name:8700" -> "name", "[::1]:8700" -> "[::1]", in lower case.
std::string name_of_host(std::string_view host) {
  const size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
  return lower_ascii(has_port ? host.substr(0, colon) : host);
}

// Browsers say from where a request comes; programs say nothing. Pages of other origins get nothing, so that
// no other site can make a signed-in browser (or this machine's own user) do something.
void refuse_other_origins(const Request& request) {
  const std::string_view origin = request.header("origin");
  const std::string_view host = request.header("host");
  const bool same = origin == fmt::format("http://{}", host) || origin == fmt::format("https://{}", host);
  const std::string_view site = request.header("sec-fetch-site");
  if ((origin.empty() || same) && (site.empty() || site == "same-origin" || site == "none")) return;
  throw Error(ErrorCode::refused, "the request comes from another site")
      .with("found", origin.empty() ? site : origin.substr(0, 200));
}

// Secrets of links stand in the path; they stay out of the log.
std::string printable_path(const Request& request) {
  const size_t shared = request.path.find("/shared/");
  if (shared == request.path.npos) return request.path;
  const size_t begin = shared + 8;
  const size_t end = std::min(request.path.find('/', begin), request.path.size());
  return request.path.substr(0, begin) + "..." + request.path.substr(end);
}

}  // namespace

Server::Server(app::Studio& studio, const ServerOptions& options)
    : options_(options), feed_(studio), api_(studio, feed_, options.api), page_(options.page) {
  for (std::string& host : options_.hosts) host = lower_ascii(host);
  remove_stale_partial_files(studio.spool());
  http_ = std::make_unique<HttpServer>(options_.http, [this](Request& request) { return answer(request); });
  if (options_.api.single_user && !http_->loopback_only()) {
    http_->stop();
    throw Error(ErrorCode::usage, "the single-user mode is for this machine only")
        .with("found", options_.http.host)
        .with("expected", "127.0.0.1 or ::1")
        .hint("leave --single-user out, so that people sign in");
  }
}

Server::~Server() { stop(); }

void Server::stop() {
  feed_.stop();
  http_->stop();
}

bool Server::is_known_host(std::string_view host) const {
  const std::string name = name_of_host(host);
  constexpr std::string_view kLoopback[] = {"localhost", "127.0.0.1", "[::1]"};
  return std::ranges::find(kLoopback, name) != std::end(kLoopback) ||
         name == lower_ascii(options_.http.host) ||
         std::ranges::find(options_.hosts, name) != options_.hosts.end();
}

Response Server::answer(Request& request) {
  const Clock::time_point start = Clock::now();
  if (options_.behind_proxy) {
    const std::string_view forwarded = request.header("x-forwarded-for");
    if (!forwarded.empty()) request.address = trim(forwarded.substr(forwarded.rfind(',') + 1));
  }
  Response response = dispatch(request);
  add_security_headers(response);
  const std::chrono::duration<double, std::milli> taken = Clock::now() - start;
  log::debug("{} {} {} {} {:.1f} ms", request.address, request.method, printable_path(request),
             response.status, taken.count());
  return response;
}

Response Server::dispatch(Request& request) {
  try {
    // A name that we do not know, resolved to our address, is how other sites get around the rule of one
    // origin.
    if (!is_known_host(request.header("host"))) {
      throw Error(ErrorCode::refused, "this server does not go by this name")
          .with("found", request.header("host").substr(0, 200))
          .hint("maquette serve --allow-host NAME");
    }
    if (!request.path.starts_with("/api/")) return page_.answer(request);
    refuse_other_origins(request);
    if (!request.path.starts_with("/api/v1/")) throw Error(ErrorCode::not_found, "the API is at /api/v1");
    return api_.answer(request, std::string_view(request.path).substr(kApi.size()));
  } catch (const Error& error) {
    return error_response(error);
  } catch (const std::exception& problem) {
    log::warning("{}: {}", printable_path(request), problem.what());
    return fault_response();
  }
}

}  // namespace maquette::server

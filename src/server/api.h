// The API under /api/v1: who asks, may they, which operation is it, and its answer.
#pragma once

#include <string>

#include "app/studio/studio.h"
#include "production/accounts_sessions.h"
#include "server/event_feed.h"
#include "server/http_message.h"
#include "server/routes.h"

namespace maquette::server {

struct ApiOptions {
  bool single_user = false;     // whoever reaches the socket is this machine's user
  bool secure_cookies = false;  // behind TLS
  uint64_t upload_limit = uint64_t{1} << 30;
};

class Api {
 public:
  Api(app::Studio& studio, EventFeed& feed, const ApiOptions& options);
  // path: below /api/v1, as sent. Never throws.
  Response answer(Request& request, std::string_view path);

 private:
  struct Identity {
    production::SignedIn signed_in;
    bool by_cookie = false;
    std::string session = {};  // token of the cookie
  };

  Response answer_or_throw(Request& request, std::string_view path);
  // Throws NotSignedIn.
  Identity identify(const Request& request) const;
  std::optional<production::SignedIn> find_signed_in(const Request& request) const;
  void require_csrf(const Request& request, const Identity& identity) const;

  Response sign_in(Request& request);
  Response sign_out(const Request& request);
  Response run(const app::Operation& operation, const Route& route, Request& request,
               const Identity& identity);
  Response open_stream(const Request& request, const Identity& identity);
  void follow_events(OpenStream& stream, const Request& request, const std::string& show_id, int64_t seen);
  Response answer_guest(Request& request, std::string_view path);

  // What /me and signing in answer: the document of the session with the token against cross-site requests.
  Json with_session_fields(Json document, const std::string& csrf) const;
  void set_session_cookie(Response& response, const std::string& token) const;

  app::Studio& studio_;
  EventFeed& feed_;
  ApiOptions options_;
  std::string own_csrf_;  // of the single user, for as long as the program runs
  std::optional<production::Caller> single_user_;
};

}  // namespace maquette::server

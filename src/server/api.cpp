// The order of the checks: where the request comes from (server.cpp), who sends it, the token against
// cross-site requests, the role (app::run_operation, and each operation for its show). A person who must
// change their password may do only that.
#include "server/api.h"

#include <algorithm>

#include "app/picture_record.h"
#include "app/studio/people.h"
#include "base/identifiers.h"
#include "base/log.h"
#include "base/password.h"
#include "base/text.h"
#include "server/openapi.h"
#include "server/replies.h"
#include "server/spool_file.h"

namespace maquette::server {

using app::Operation;
using production::NotSignedIn;

namespace {

constexpr std::string_view kCookie = "maquette_session";
constexpr uint64_t kLargestSignIn = 16 << 10;

bool only_reads(std::string_view method) { return method == "GET" || method == "HEAD"; }

std::string required_text(const Json& body, std::string_view name) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_string()) throw Error(ErrorCode::usage, "\"{}\" is missing", name);
  return found->get<std::string>();
}

// Which operations somebody may use who must change their password first.
bool is_allowed_before_change(const Operation& operation) {
  return operation.name == "me info" || operation.name == "me password";
}

}  // namespace

Api::Api(app::Studio& studio, EventFeed& feed, const ApiOptions& options)
    : studio_(studio), feed_(feed), options_(options), own_csrf_(base64url(random_bytes(32))) {
  if (options_.single_user) single_user_ = app::local_caller(studio_);
}

Response Api::answer(Request& request, std::string_view path) {
  try {
    return answer_or_throw(request, path);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::failed) log::warning("{} {}: {}", request.method, path, error.message());
    std::optional<int64_t> if_match;
    try {
      if_match = if_match_of(request);
    } catch (const BadRequest&) {
      // it is what failed
    }
    return error_response(error, if_match);
  } catch (const std::exception& problem) {
    log::warning("{} {}: {}", request.method, path, problem.what());
    return fault_response();
  }
}

Response Api::answer_or_throw(Request& request, std::string_view path) {
  if (path == "/openapi.json" && only_reads(request.method)) return json_response(200, openapi_document());
  if (path == "/sessions" && request.method == "POST") return sign_in(request);
  if (path.starts_with("/shared/")) return answer_guest(request, path);

  const Route route = find_route(request.method == "HEAD" ? "GET" : request.method, path);
  const bool is_stream = path == "/events/stream" && only_reads(request.method);
  const bool is_sign_out = path == "/sessions/current" && request.method == "DELETE";
  if (!route.operation && !is_stream && !is_sign_out && route.methods.empty())
    throw Error(ErrorCode::not_found, "there is nothing at this address").with("found", path.substr(0, 200));

  const Identity identity = identify(request);
  if (!only_reads(request.method)) require_csrf(request, identity);
  if (is_sign_out) return sign_out(request);
  if (is_stream) return open_stream(request, identity);
  if (!route.operation) {
    Response response =
        error_response(BadRequest(405, "this address has no {}", request.method)
                           .with("expected", fmt::format("{}", fmt::join(route.methods, ", "))));
    return response.set("Allow", fmt::format("{}", fmt::join(route.methods, ", ")));
  }
  return run(*route.operation, route, request, identity);
}

// --- who asks ---

std::optional<production::SignedIn> Api::find_signed_in(const Request& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.header("authorization");
  if (!authorization.empty()) {
    if (!authorization.starts_with(kBearer)) return std::nullopt;
    return production::find_api_token(studio_.database(), authorization.substr(kBearer.size()),
                                      request.address);
  }
  if (single_user_) return production::SignedIn{.caller = *single_user_, .csrf = own_csrf_};
  const std::string_view token = cookie(request, kCookie);
  return token.empty() ? std::nullopt : production::find_session(studio_.database(), token);
}

Api::Identity Api::identify(const Request& request) const {
  auto found = find_signed_in(request);
  if (!found) throw NotSignedIn(ErrorCode::refused, "you are not signed in").hint("sign in, then try again");
  const bool by_cookie = request.header("authorization").empty();
  return {.signed_in = std::move(*found),
          .by_cookie = by_cookie,
          .session = std::string(cookie(request, kCookie))};
}

void Api::require_csrf(const Request& request, const Identity& identity) const {
  if (!identity.by_cookie) return;  // no browser adds an Authorization header by itself
  if (same_secret(request.header("x-csrf-token"), identity.signed_in.csrf)) return;
  throw Error(ErrorCode::refused, "the request does not prove that it comes from this page")
      .with("expected", "the header X-CSRF-Token with the value that GET /me gives")
      .hint("load the page again");
}

// --- sessions ---

Json Api::with_session_fields(Json document, const std::string& csrf) const {
  document["csrf"] = csrf;
  document["single_user"] = single_user_.has_value();
  document["program"] = app::version();
  return document;
}

void Api::set_session_cookie(Response& response, const std::string& token) const {
  constexpr int kWeek = 7 * 24 * 3600;
  response.set("Set-Cookie",
               fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", kCookie, token,
                           token.empty() ? 0 : kWeek, options_.secure_cookies ? "; Secure" : ""));
}

Response Api::sign_in(Request& request) {
  if (single_user_) throw Error(ErrorCode::usage, "there is one user here, who needs not sign in");
  const std::string_view type = request.header("content-type");
  if (lower_ascii(trim(type.substr(0, type.find(';')))) != "application/json")
    throw BadRequest(415, "cannot read a body of this kind").with("expected", "application/json");
  const auto body = parse_json(request.body->all(kLargestSignIn), "the body of the request");
  if (!body || !body->is_object()) throw Error(ErrorCode::usage, "the body of the request is no JSON object");
  refuse_zeros(*body);
  constexpr std::string_view kSignIn[] = {"login", "password"};
  refuse_unknown(*body, kSignIn);
  const production::NewSession session = production::sign_in(
      studio_.database(), required_text(*body, "login"), required_text(*body, "password"), request.address);
  const auto found = production::find_session(studio_.database(), session.token);
  if (!found) throw NotSignedIn(ErrorCode::refused, "you are not signed in");
  studio_.news().wake();
  Response response =
      json_response(201, with_session_fields(app::session_document(studio_, found->caller), session.csrf));
  set_session_cookie(response, session.token);
  return response;
}

Response Api::sign_out(const Request& request) {
  const std::string_view token = cookie(request, kCookie);
  if (!token.empty()) production::sign_out(studio_.database(), token);
  Response response{.status = 204};
  set_session_cookie(response, "");
  return response;
}

// --- operations ---

Response Api::run(const Operation& operation, const Route& route, Request& request,
                  const Identity& identity) {
  const production::Caller& caller = identity.signed_in.caller;
  if (identity.signed_in.must_change_password && !is_allowed_before_change(operation)) {
    throw Error(ErrorCode::refused, "change your password first").with("field", "must_change_password");
  }
  app::Call call{.studio = studio_,
                 .caller = caller,
                 .arguments = read_arguments(operation, route, request),
                 .if_match = if_match_of(request),
                 .address = request.address};
  std::optional<SpoolFile> upload;
  if (operation.takes_file) {
    // The role is asked before a byte is stored.
    app::require_somewhere(caller, operation);
    upload.emplace(studio_.spool());
    upload->receive(*request.body, request.content_length, options_.upload_limit);
    call.upload = app::Upload{.file = upload->path(),
                              .name = percent_decode(request.header("x-file-name"), false),
                              .media_type = std::string(request.header("content-type"))};
  }
  // Somebody without any role must be able to see just that.
  app::Reply reply = operation.name == "me info" ? operation.run(call) : app::run_operation(operation, call);
  if (!operation.name.starts_with("me ")) return reply_response(reply, request);

  const bool new_session = operation.name == "me password" && identity.by_cookie && !single_user_;
  std::string csrf = identity.signed_in.csrf;
  production::NewSession session;
  if (new_session) {
    // The change ended every session of the person, this one too.
    session = production::open_session(studio_.database(), caller.person_id);
    csrf = session.csrf;
  }
  reply.body = with_session_fields(std::move(reply.body), csrf);
  Response response = reply_response(reply, request);
  if (new_session) set_session_cookie(response, session.token);
  return response;
}

}  // namespace maquette::server

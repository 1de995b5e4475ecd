#include "server/replies.h"

#include <algorithm>

#include "base/text.h"
#include "production/accounts_sessions.h"

namespace maquette::server {

namespace fs = std::filesystem;

namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return 400;
    case ErrorCode::refused: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::bad_file:
    case ErrorCode::weights: return 422;
    default: return 500;
  }
}

// production::require_version says which version it expected.
bool is_stale(const Error& error, const std::optional<int64_t>& if_match) {
  if (!if_match || error.code() != ErrorCode::conflict) return false;
  const auto expected = std::pair<std::string, std::string>("expected", fmt::format("version {}", *if_match));
  return std::ranges::find(error.fields(), expected) != error.fields().end();
}

// Pictures are shown; anything else is for saving, so that no upload ever runs as a page of ours.
bool is_picture(std::string_view media_type) {
  constexpr std::string_view kShown[] = {"image/png", "image/jpeg", "image/webp", "image/gif"};
  return std::ranges::find(kShown, media_type) != std::end(kShown);
}

bool names_tag(std::string_view header, std::string_view tag) {
  if (header == "*") return true;
  for (const std::string& each : split(header, ',')) {
    std::string_view text = trim(each);
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text == tag) return true;
  }
  return false;
}

std::string tag_of(const app::Reply& reply) {
  if (reply.immutable) return fmt::format("\"{}\"", reply.file.filename().string());
  std::error_code error;
  const auto size = fs::file_size(reply.file, error);
  const auto time = fs::last_write_time(reply.file, error).time_since_epoch().count();
  return fmt::format("\"{:x}-{:x}\"", error ? 0 : size, time);
}

std::shared_ptr<void> removed_at_the_end(const fs::path& file) {
  return {nullptr, [file](void*) {
            std::error_code error;
            fs::remove(file, error);
          }};
}

Response file_response(const app::Reply& reply, const RequestHead& request) {
  Response response{.file = reply.file};
  if (reply.passing) response.until_sent = removed_at_the_end(reply.file);
  const std::string tag = tag_of(reply);
  response.set("ETag", tag);
  response.set("Cache-Control",
               reply.immutable ? "private, max-age=31536000, immutable" : "private, no-cache");
  if (names_tag(request.header("if-none-match"), tag)) {
    response.status = 304;
    response.file.clear();
    return response;
  }
  response.set("Content-Type", reply.media_type.empty() ? "application/octet-stream" : reply.media_type);
  response.set("Content-Disposition", is_picture(reply.media_type) ? "inline" : "attachment");
  response.set("Accept-Ranges", "bytes");
  std::error_code error;
  const uint64_t size = fs::file_size(reply.file, error);
  if (error)
    throw Error(ErrorCode::not_found, "this file is not there any more")
        .hint("maquette doctor names what is missing");
  const std::string_view only_if = request.header("if-range");
  const auto range =
      only_if.empty() || only_if == tag ? parse_range(request.header("range"), size) : std::nullopt;
  if (!range) return response;
  if (range->first >= size) {
    Response refused{.status = 416};
    return refused.set("Content-Range", fmt::format("bytes */{}", size));
  }
  response.status = 206;
  response.first = range->first;
  response.count = range->second;
  response.set("Content-Range",
               fmt::format("bytes {}-{}/{}", range->first, range->first + range->second - 1, size));
  return response;
}

}  // namespace

Response json_response(int status, const Json& body) {
  Response response{.status = status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
  response.set("Content-Type", "application/json").set("Cache-Control", "no-store");
  return response;
}

Response error_response(const Error& error, const std::optional<int64_t>& if_match) {
  Json fields = Json::object();
  for (const auto& [field, value] : error.fields()) fields[field] = value;
  const Json body = {{"error",
                      {{"code", name(error.code())},
                       {"what", error.what()},
                       {"fields", fields},
                       {"hint", error.hint_text()}}}};
  if (const auto* bad = dynamic_cast<const BadRequest*>(&error)) return json_response(bad->status(), body);
  if (const auto* many = dynamic_cast<const production::TooManyAttempts*>(&error)) {
    Response response = json_response(429, body);
    return response.set("Retry-After", std::to_string(many->seconds()));
  }
  if (dynamic_cast<const production::NotSignedIn*>(&error)) return json_response(401, body);
  return json_response(is_stale(error, if_match) ? 412 : status_of(error.code()), body);
}

Response fault_response() {
  return error_response(Error(ErrorCode::failed, "the server made a mistake").hint("its log says more"));
}

Response reply_response(const app::Reply& reply, const RequestHead& request) {
  if (!reply.file.empty()) return file_response(reply, request);
  Response response = json_response(reply.created ? 201 : 200, reply.body);
  if (reply.version) response.set("ETag", fmt::format("\"{}\"", *reply.version));
  return response;
}

std::optional<int64_t> if_match_of(const RequestHead& request) {
  const std::string_view header = trim(request.header("if-match"));
  if (header.empty() || header == "*") return std::nullopt;
  if (header.starts_with("W/")) return -1;
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') {
    if (const auto version = parse_integer(header.substr(1, header.size() - 2))) return *version;
  }
  throw BadRequest(400, "cannot read If-Match").with("found", header.substr(0, 80)).with("expected", "\"5\"");
}

void add_security_headers(Response& response) {
  const bool is_page = std::ranges::any_of(response.headers, [](const auto& header) {
    return header.first == "Content-Type" && header.second.starts_with("text/html");
  });
  response.set(
      "Content-Security-Policy",
      is_page ? "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
                "connect-src 'self'; font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri "
                "'none'; form-action 'self'; frame-ancestors 'none'"
              : "default-src 'none'; frame-ancestors 'none'; sandbox");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace maquette::server

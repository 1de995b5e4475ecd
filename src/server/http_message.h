// Requests and responses of HTTP/1.1 (RFC 9110, RFC 9112), as the handlers of the server see them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error_kind.h"

namespace maquette::server {

// What the protocol itself refuses, before any handler: answered with this status, then the connection ends.
class BadRequest : public ErrorKind<BadRequest> {
 public:
  template <typename... Args>
  BadRequest(int status, fmt::format_string<Args...> what, Args&&... args)
      : ErrorKind(ErrorCode::usage, what, std::forward<Args>(args)...), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

// The bytes behind a request's head, read as they come.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Some more bytes; empty at the end. Throws BadRequest: 400 where the framing is broken or the sender left,
  // 408 where it is too slow.
  virtual std::string_view next() = 0;
  // The whole of it. Throws BadRequest(413) above the limit.
  std::string all(uint64_t limit);
};

struct RequestHead {
  std::string method;
  std::string path;                                          // as sent, percent-encoded; begins with "/"
  std::string query;                                         // as sent, what follows "?"
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;  // the sender may have more to ask on this connection

  std::string_view header(std::string_view lower_name) const;  // empty where there is none
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

struct Request : RequestHead {
  std::string address;  // of the sender
  BodyReader* body = nullptr;
};

// An answer that goes on until one of the sides has enough.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  virtual bool write(std::string_view bytes) = 0;  // false: over
  virtual bool over() = 0;                         // the other side left, or the server stops
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string_view constant = {};                // in place of `body`: bytes that stay
  std::filesystem::path file = {};               // in place of `body`: the bytes of this file
  uint64_t first = 0;                            // of the file: from here
  std::optional<uint64_t> count = {};            // this many; to the end where it is not set
  std::function<void(OpenStream&)> stream = {};  // in place of all these
  bool close = false;                            // the connection ends with this answer
  std::shared_ptr<void> until_sent = {};         // what must stay until the answer was sent

  Response& set(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

// Throws BadRequest where an escape is broken, or what comes out holds control characters or is no UTF-8.
std::string percent_decode(std::string_view text, bool plus_is_space);
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
// The value of a cookie; empty where there is none.
std::string_view cookie(const RequestHead& request, std::string_view name);
bool is_utf8(std::string_view text);

// "bytes=0-99" of a file of so many bytes: first and count. Nothing where the header asks for something else
// (the whole file is sent then); first >= size: the range cannot be had.
std::optional<std::pair<uint64_t, uint64_t>> parse_range(std::string_view header, uint64_t size);

}  // namespace maquette::server

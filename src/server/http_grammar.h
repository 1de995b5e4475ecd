// The grammar of HTTP/1.1 (RFC 9112), as Boost.Beast reads and writes it, without sockets: bytes to requests,
// heads of answers to bytes. The limits in size are here; those in time are in http_server.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http_message.h"

namespace maquette::server {

// One request: its head at once, its body in parts as the bytes come.
class RequestParser {
 public:
  // head: all of it, up to and with the empty line at its end. Throws BadRequest.
  explicit RequestParser(std::string_view head);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  const RequestHead& head() const;
  // The whole body, with what frames it, has been read.
  bool finished() const;
  // Reads on at the start of these bytes. Where none were used, more have to come behind them: the next call
  // has the same ones again. Throws BadRequest.
  struct Part {
    size_t used = 0;
    std::string_view body = {};  // of the bytes given, those of the body
  };
  Part read(std::string_view bytes);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

// The head of an answer. length: of what follows; nothing where this ends with the connection.
std::string head_of(const Response& response, const std::optional<uint64_t>& length, bool keep_alive);

}  // namespace maquette::server

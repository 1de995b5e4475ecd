// Any bytes on a connection are a request or refused. What is taken says in one way only where it ends,
// whatever reads it next: the rules are looked for in the bytes here, by other means than the parser's. A
// body is the same in one piece and byte by byte.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "server/http_grammar.h"

namespace {

using maquette::server::BadRequest;
using maquette::server::RequestHead;
using maquette::server::RequestParser;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_head(std::string_view text, const RequestHead& head) {
  size_t lengths = 0;
  size_t encodings = 0;
  size_t hosts = 0;
  size_t lines = 0;
  while (!text.empty()) {
    const size_t end = text.find("\r\n");
    const std::string line = maquette::lower_ascii(text.substr(0, end));
    text.remove_prefix(end + 2);
    require(line.find_first_of(std::string_view("\r\n\0", 3)) == line.npos);
    require(!line.starts_with(' ') && !line.starts_with('\t'));
    if (lines > 0) {
      lengths += line.starts_with("content-length");
      encodings += line.starts_with("transfer-encoding");
      hosts += line.starts_with("host:");
    }
    if (line.empty()) break;
    ++lines;
  }
  require(text.empty());
  require(head.headers.size() + 1 == lines);
  // Names that only begin like these are other headers.
  for (const auto& [name, value] : head.headers) {
    lengths -= name.starts_with("content-length") && name != "content-length";
    encodings -= name.starts_with("transfer-encoding") && name != "transfer-encoding";
  }
  require(lengths + encodings <= 1 && hosts <= 1);
  require(head.content_length.has_value() == (lengths == 1) && head.chunked == (encodings == 1));
  require(head.path.starts_with('/') && head.path.find_first_of("? \r\n") == head.path.npos);
}

// What handlers do with a head.
void use_head(const RequestHead& head) {
  maquette::server::cookie(head, "maquette_session");
  if (const auto range = maquette::server::parse_range(head.header("range"), 1000))
    require(range->first <= 1000 && range->second <= 1000 - range->first);
  try {
    require(maquette::server::is_utf8(maquette::server::percent_decode(head.path, false)));
    maquette::server::parse_query(head.query);
  } catch (const BadRequest&) {
  }
}

struct Body {
  std::string bytes = {};
  size_t used = 0;
  bool finished = false;
  bool refused = false;
};

Body read_body(std::string_view head, std::string_view rest, size_t at_once) {
  Body body;
  RequestParser parser(head);
  try {
    for (size_t end = std::min(at_once, rest.size()); !parser.finished();) {
      const RequestParser::Part part = parser.read(rest.substr(body.used, end - body.used));
      require(part.used <= end - body.used && part.body.size() <= part.used);
      body.bytes += part.body;
      body.used += part.used;
      if (part.used > 0) continue;
      if (end == rest.size()) break;
      end = std::min(end + at_once, rest.size());
    }
  } catch (const BadRequest& problem) {
    require(problem.status() >= 400 && problem.status() < 600);
    body.refused = true;
  }
  body.finished = parser.finished();
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find("\r\n\r\n");
  if (end == text.npos) return 0;
  const std::string_view head = text.substr(0, end + 4);
  const std::string_view rest = text.substr(end + 4);
  try {
    const RequestParser parser(head);
    check_head(head, parser.head());
    use_head(parser.head());
  } catch (const BadRequest& problem) {
    require(problem.status() >= 400 && problem.status() < 600);
    return 0;
  }

  const Body whole = read_body(head, rest, std::max<size_t>(rest.size(), 1));
  const Body bytewise = read_body(head, rest, 1);
  require(whole.finished == bytewise.finished);
  if (whole.finished) {
    require(whole.used == bytewise.used && whole.bytes == bytewise.bytes);
  } else {
    // How much of a body without its end is handed on may differ by what it waits with; never what it is.
    require(whole.bytes.starts_with(bytewise.bytes) || bytewise.bytes.starts_with(whole.bytes));
  }
  return 0;
}

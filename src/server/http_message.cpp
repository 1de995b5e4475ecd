// The grammar is that of RFC 9112, read strictly: lines end with CR LF, names are tokens without spaces
// around them, lengths are digits, and a message says in one way only where it ends. What two readers could
// understand differently is refused.
#include "server/http_message.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::server {

namespace {

constexpr size_t kMostHeaders = 100;

bool is_token_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_letter); }

bool is_field_letter(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 32 && c != 127); }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

uint64_t parse_length(std::string_view text) {
  if (text.empty() || text.size() > 18 ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    throw BadRequest(400, "cannot read the content length");
  return std::stoull(std::string(text));
}

void parse_request_line(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) throw BadRequest(400, "cannot read the request line");
  head.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!is_token(head.method) || head.method.size() > 16) throw BadRequest(400, "cannot read the method");
  if (!version.starts_with("HTTP/") || version.size() != 8)
    throw BadRequest(400, "cannot read the request line");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") throw BadRequest(505, "this server speaks HTTP/1.1");
  head.minor_version = version.back() - '0';
  const auto visible = [](char c) { return c > 32 && c < 127; };
  if (!target.starts_with('/') || !std::ranges::all_of(target, visible) || target.find('#') != target.npos)
    throw BadRequest(400, "cannot read the address");
  const size_t question = target.find('?');
  head.path = target.substr(0, question);
  if (question != target.npos) head.query = target.substr(question + 1);
}

void parse_header(std::string_view line, RequestHead& head) {
  const size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon)) || !std::ranges::all_of(line, is_field_letter))
    throw BadRequest(400, "cannot read a header line");
  if (head.headers.size() == kMostHeaders) throw BadRequest(431, "too many header lines");
  head.headers.emplace_back(lower_ascii(line.substr(0, colon)), trim_blanks(line.substr(colon + 1)));
}

// RFC 9112, 6.3: where a message ends must be clear.
void find_body(RequestHead& head) {
  int hosts = 0;
  for (const auto& [name, value] : head.headers) {
    if (name == "content-length") {
      const uint64_t length = parse_length(value);
      if (head.content_length && *head.content_length != length) throw BadRequest(400, "two content lengths");
      head.content_length = length;
    } else if (name == "transfer-encoding") {
      if (lower_ascii(value) != "chunked" || head.chunked)
        throw BadRequest(501, "cannot read this transfer encoding");
      head.chunked = true;
    } else if (name == "host") {
      ++hosts;
    }
  }
  if (head.chunked && (head.content_length || head.minor_version == 0))
    throw BadRequest(400, "both a content length and a transfer encoding");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) throw BadRequest(400, "a request names one host");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string BodyReader::all(uint64_t limit) {
  std::string bytes;
  for (std::string_view part = next(); !part.empty(); part = next()) {
    if (bytes.size() + part.size() > limit) {
      throw BadRequest(413, "the request is too large")
          .with("expected", fmt::format("at most {} bytes", limit));
    }
    bytes.append(part);
  }
  return bytes;
}

std::string_view RequestHead::header(std::string_view lower_name) const {
  const auto found =
      std::ranges::find(headers, lower_name, [](const auto& each) { return std::string_view(each.first); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

RequestHead parse_head(std::string_view text) {
  RequestHead head;
  bool first = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    if (first) {
      parse_request_line(line, head);
    } else {
      parse_header(line, head);
    }
    first = false;
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  if (first) throw BadRequest(400, "there is no request line");
  find_body(head);
  return head;
}

bool is_utf8(std::string_view text) {
  // Table 3-7 of the Unicode standard: lengths by the first byte, no overlong forms, no surrogates.
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0; };
    const unsigned char a = byte(i);
    if (a < 0x80) {
      ++i;
      continue;
    }
    const size_t length = a >= 0xC2 && a <= 0xDF   ? 2
                          : a >= 0xE0 && a <= 0xEF ? 3
                          : a >= 0xF0 && a <= 0xF4 ? 4
                                                   : 0;
    if (length == 0) return false;
    const unsigned char lowest = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
    const unsigned char highest = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
    if (byte(i + 1) < lowest || byte(i + 1) > highest) return false;
    for (size_t k = 2; k < length; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return false;
    }
    i += length;
  }
  return true;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) throw BadRequest(400, "a broken escape in the address");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t') || c == 127;
  };
  if (std::ranges::any_of(decoded, is_control) || !is_utf8(decoded))
    throw BadRequest(400, "the address holds bytes that are no text");
  return decoded;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    pairs.emplace_back(percent_decode(part.substr(0, equals), true),
                       equals < part.size() ? percent_decode(part.substr(equals + 1), true) : "");
  }
  return pairs;
}

std::string_view cookie(const RequestHead& request, std::string_view name) {
  for (const auto& [header, value] : request.headers) {
    if (header != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view part = trim_blanks(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (part.starts_with(name) && part.size() > name.size() && part[name.size()] == '=')
        return part.substr(name.size() + 1);
    }
  }
  return {};
}

std::optional<std::pair<uint64_t, uint64_t>> parse_range(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != header.npos) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == header.npos) return std::nullopt;
  const auto number = [](std::string_view text) -> std::optional<uint64_t> {
    if (text.empty() || text.size() > 18 ||
        !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
      return std::nullopt;
    return std::stoull(std::string(text));
  };
  const auto from = number(header.substr(0, dash));
  const auto to = number(header.substr(dash + 1));
  if (!from && !to) return std::nullopt;
  if (!from) {
    if (dash != 0) return std::nullopt;
    const uint64_t count = std::min(*to, size);
    return std::pair{count == 0 ? size : size - count, count};
  }
  if (dash + 1 < header.size() && !to) return std::nullopt;
  if (to && *to < *from) return std::nullopt;
  if (*from >= size) return std::pair{size, uint64_t{0}};
  const uint64_t last = std::min(to.value_or(size - 1), size - 1);
  return std::pair{*from, last - *from + 1};
}

}  // namespace maquette::server

#include "server/http_message.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::server {

namespace {

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
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

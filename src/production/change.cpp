#include "production/change.h"

#include <algorithm>

#include "base/hash.h"

namespace maquette::production {

IdList::IdList(const std::vector<std::string>& ids) {
  for (size_t i = 0; i < ids.size(); ++i) names_.push_back(fmt::format("id{}", i));
  for (size_t i = 0; i < ids.size(); ++i) bindings_.push_back({names_[i], db::Value(ids[i])});
  text_ = fmt::format(":{}", fmt::join(names_, ", :"));
}

void require_version(const db::Row& row, const std::optional<int64_t>& seen) {
  require_version(row.integer("version"), seen);
}

void require_version(int64_t now, const std::optional<int64_t>& seen) {
  if (!seen || *seen == now) return;
  throw Error(ErrorCode::conflict, "somebody else changed it meanwhile")
      .with("found", fmt::format("version {}", now))
      .with("expected", fmt::format("version {}", *seen))
      .hint("read it again, then change it");
}

int64_t version_of(const Json& document) {
  // 48 bits: programs that keep numbers as doubles keep it whole.
  return std::stoll(sha256_hex(document.dump()).substr(0, 12), nullptr, 16);
}

void require_code(std::string_view code, std::string_view what) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!code.empty() && code.size() <= 64 && code.front() != '.' && code.back() != '.' &&
      std::ranges::all_of(code, fits)) {
    return;
  }
  throw Error(ErrorCode::usage, "cannot use this code for {}", what)
      .with("found", code.substr(0, 80))
      .with("expected", "letters, digits, \"-\", \"_\" and \".\", at most 64, no dot at the ends")
      .hint("the code becomes part of file names; the name may be anything");
}

void require_name(std::string_view name, std::string_view what) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
  const bool blank = name.find_first_not_of(' ') == name.npos;
  if (!blank && name.size() <= 600 && std::ranges::none_of(name, is_control)) return;
  throw Error(ErrorCode::usage, "cannot use this name for {}", what)
      .with("found", blank ? "nothing" : fmt::format("{} bytes", name.size()))
      .with("expected", "one line of text of at most 200 characters");
}

std::string contains_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

Json json_of(const db::Row& row, std::string_view column) {
  return row.is_null(column) ? Json() : Json::parse(row.text(column), nullptr, false);
}

Json text_or_null(const db::Row& row, std::string_view column) {
  return row.is_null(column) ? Json() : Json(row.text(column));
}

}  // namespace maquette::production

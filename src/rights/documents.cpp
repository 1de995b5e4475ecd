#include "rights/documents.h"

#include <algorithm>

#include "base/hash.h"
#include "base/identifiers.h"

namespace maquette::rights {

namespace {

Error wrong(std::string_view what, std::string_view field, std::string_view expected) {
  return Error(ErrorCode::usage, "cannot use \"{}\" of {}", field, what).with("expected", expected);
}

}  // namespace

Fields::Fields(const Json& document, std::string_view what, std::span<const std::string_view> known)
    : document_(document), what_(what) {
  if (!document.is_object()) throw Error(ErrorCode::usage, "{} is no object", what);
  for (const auto& [field, value] : document.items()) {
    if (std::ranges::find(known, field) != known.end()) continue;
    throw Error(ErrorCode::usage, "{} has no \"{}\"", what, field.substr(0, 80))
        .with("expected", fmt::format("{}", fmt::join(known, ", ")));
  }
}

const Json& Fields::value(std::string_view field) const {
  static const Json kNull;
  const auto found = document_.find(field);
  return found == document_.end() ? kNull : *found;
}

std::string Fields::text(std::string_view field, std::string_view otherwise) const {
  const Json& found = value(field);
  if (found.is_null()) return std::string(otherwise);
  if (!found.is_string()) throw wrong(what_, field, "a text");
  return found.get<std::string>();
}

std::optional<bool> Fields::flag(std::string_view field) const {
  const Json& found = value(field);
  if (found.is_null()) return std::nullopt;
  if (!found.is_boolean()) throw wrong(what_, field, "true or false");
  return found.get<bool>();
}

std::optional<int64_t> Fields::integer(std::string_view field) const {
  const Json& found = value(field);
  if (found.is_null()) return std::nullopt;
  if (!found.is_number_integer() || (found.is_number_unsigned() && found.get<uint64_t>() > INT64_MAX))
    throw wrong(what_, field, "a whole number");
  return found.get<int64_t>();
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view field) const {
  const Json& found = value(field);
  if (found.is_null()) return std::nullopt;
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (!found.is_array() || !std::ranges::all_of(found, is_text)) throw wrong(what_, field, "a list of texts");
  return found.get<std::vector<std::string>>();
}

void require_date(std::string_view date, std::string_view what) {
  const bool plain = date.size() == 10 && date[4] == '-' && date[7] == '-';
  if (!plain) {
    throw Error(ErrorCode::usage, "cannot use this date of {}", what)
        .with("found", date.empty() ? "nothing" : date.substr(0, 40))
        .with("expected", "a date as in 2026-11-24");
  }
  parse_utc(date);
}

void require_sha256(std::string_view hash, std::string_view what) {
  if (is_sha256(hash)) return;
  throw Error(ErrorCode::usage, "cannot use this hash of {}", what)
      .with("found", hash.empty() ? "nothing" : hash.substr(0, 80))
      .with("expected", "SHA-256: 64 digits of lower-case hexadecimal");
}

}  // namespace maquette::rights

// Reading the JSON documents of the registers: every field by its name and kind, nothing unknown.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace maquette::rights {

// Fields of one object. Everything throws Error(usage) that names the document, the field and what is wrong.
class Fields {
 public:
  // Refuses what is no object, and fields that are not in `known`.
  Fields(const Json& document, std::string_view what, std::span<const std::string_view> known);

  std::string text(std::string_view field, std::string_view otherwise = "") const;
  std::optional<bool> flag(std::string_view field) const;
  std::optional<int64_t> integer(std::string_view field) const;
  std::optional<std::vector<std::string>> texts(std::string_view field) const;
  const Json& value(std::string_view field) const;  // null where it is absent

 private:
  const Json& document_;
  std::string_view what_;
};

// A date as "2026-11-24". Throws Error(usage); empty texts are refused too.
void require_date(std::string_view date, std::string_view what);
// 64 digits of lower-case hexadecimal. Throws Error(usage).
void require_sha256(std::string_view hash, std::string_view what);

}  // namespace maquette::rights

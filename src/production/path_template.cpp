#include "production/path_template.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::production {

namespace {

Error bad_template(std::string_view path_template, std::string_view found) {
  return Error(ErrorCode::usage, "cannot make a file name of the show's template")
      .with("template", path_template)
      .with("found", found)
      .with("expected",
            "{show} {episode} {sequence} {shot} {asset} {path} {task} {name} {version:03} {take:02}");
}

std::string value_of(std::string_view path_template, std::string_view field, const NameFields& fields) {
  const std::string_view name = field.substr(0, field.find(':'));
  const std::string_view digits = field.size() > name.size() ? field.substr(name.size() + 1) : "";
  if (const auto text = fields.texts.find(name); text != fields.texts.end() && digits.empty())
    return text->second;
  const auto number = fields.numbers.find(name);
  const auto width = digits.empty() ? std::optional<long long>(0) : parse_integer(digits);
  if (number == fields.numbers.end() || !width || *width < 0 || *width > 9)
    throw bad_template(path_template, "{" + std::string(field) + "}");
  return fmt::format("{:0{}}", number->second, *width);
}

}  // namespace

std::string file_name(std::string_view path_template, const NameFields& fields) {
  std::string name;
  for (size_t i = 0; i < path_template.size(); ++i) {
    if (path_template[i] != '{') {
      name += path_template[i];
      continue;
    }
    const size_t end = path_template.find('}', i);
    if (end == path_template.npos) throw bad_template(path_template, "a brace that does not close");
    const std::string value = value_of(path_template, path_template.substr(i + 1, end - i - 1), fields);
    if (value.empty() && !name.empty() && (name.back() == '_' || name.back() == '-')) name.pop_back();
    name += value;
    i = end;
  }
  const auto is_safe = [](char c) {
    return static_cast<unsigned char>(c) >= 32 && c != '/' && c != '\\' && c != ':' && c != '*' && c != '?' &&
           c != '"' && c != '<' && c != '>' && c != '|';
  };
  const bool safe =
      !name.empty() && name.size() <= 200 && name.front() != '.' && std::ranges::all_of(name, is_safe);
  if (!safe) throw bad_template(path_template, name.substr(0, 100));
  return name;
}

}  // namespace maquette::production

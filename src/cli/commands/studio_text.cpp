// Replies for people. Columns are the fields that say something to a person: names before ids, and ids only
// where nothing else names a line.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/studio_commands.h"

namespace maquette::cli {

namespace {

constexpr size_t kMostColumns = 8;
constexpr size_t kWidest = 48;

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// One line; what is too wide ends with an ellipsis.
std::string shortened(const std::string& text, size_t widest) {
  std::string line;
  size_t width = 0;
  for (const char letter : text) {
    if ((letter & 0xC0) != 0x80 && ++width > widest) return line + "…";
    line += static_cast<unsigned char>(letter) < 32 || letter == 127 ? ' ' : letter;
  }
  return line;
}

// What a value says in one cell: nested documents by what they are called.
std::string cell_of(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_object()) {
    for (const char* name : {"code", "login", "path", "name", "label"}) {
      if (value.contains(name) && value[name].is_string()) return value[name].get<std::string>();
    }
  }
  if (value.is_array() && std::ranges::none_of(value, [](const Json& each) { return each.is_array(); })) {
    std::vector<std::string> parts;
    for (const Json& each : value) parts.push_back(cell_of(each));
    return fmt::format("{}", fmt::join(parts, ", "));
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_for_programs(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"id", "seq", "version", "sha256", "thumbnail", "color"};
  return std::ranges::find(kNames, name) != kNames.end() || name.ends_with("_id");
}

// Documents that are called nothing (settings, counts) are for looking at one resource.
bool is_for_a_table(const Json& value) { return !value.is_object() || !cell_of(value).starts_with('{'); }

bool is_named(const Json& item) {
  return std::ranges::any_of(std::array{"reference", "code", "login", "path", "label", "name"},
                             [&](const char* name) { return item.contains(name); });
}

std::vector<std::string> columns_of(const Json& items) {
  std::vector<std::string> columns;
  for (const auto& [name, value] : items[0].items()) {
    if (is_for_programs(name) && !(name == "id" && !is_named(items[0]))) continue;
    const bool empty = std::ranges::all_of(items, [&](const Json& item) {
      return !item.contains(name) || cell_of(item[name]).empty() || !is_for_a_table(item[name]);
    });
    if (!empty && columns.size() < kMostColumns) columns.push_back(name);
  }
  return columns;
}

std::string table(const Json& items) {
  const std::vector<std::string> columns = columns_of(items);
  std::vector<std::vector<std::string>> lines = {columns};
  for (const Json& item : items) {
    std::vector<std::string> line;
    for (const std::string& name : columns)
      line.push_back(item.contains(name) ? shortened(cell_of(item[name]), kWidest) : "");
    lines.push_back(std::move(line));
  }
  std::string text;
  for (const std::vector<std::string>& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) {
      size_t widest = 0;
      for (const auto& each : lines) widest = std::max(widest, width_of(each[i]));
      row += line[i];
      if (i + 1 < line.size()) row.append(widest - width_of(line[i]) + 2, ' ');
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  text.pop_back();
  return text;
}

std::string block(const Json& document) {
  size_t widest = 0;
  for (const auto& [name, value] : document.items()) widest = std::max(widest, width_of(name));
  std::string text;
  for (const auto& [name, value] : document.items()) {
    if (value.is_null() || (value.is_structured() && value.empty())) continue;
    const std::string cell = shortened(cell_of(value), 400);
    if (!cell.empty()) text += fmt::format("{:<{}}  {}\n", name, widest, cell);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

std::string readable(const Json& body) {
  if (body.is_array()) return body.empty() ? "none" : table(body);
  if (!body.is_object()) return body.is_null() ? "" : cell_of(body);
  const auto items = body.find("items");
  if (items == body.end() || !items->is_array()) return block(body);
  if (items->empty()) return "none";
  std::string text = (*items)[0].is_object() ? table(*items) : cell_of(*items);
  const auto next = body.find("next");
  if (next != body.end() && next->is_string())
    text += fmt::format("\nmore: --after {}", next->get<std::string>());
  return text;
}

}  // namespace maquette::cli

// The table is a map behind a lock that readers share. Documents are checked as a whole before any of it is
// used: a table is believed entirely or not at all.
#include "kernels/choice.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "base/hash.h"
#include "kernels/cpu.h"

namespace maquette::kernels {

namespace {

constexpr std::string_view kSchema = "maquette.kernels";
constexpr int kVersion = 1;
constexpr size_t kMostChoices = 20000;  // a network of one size has about 100
constexpr size_t kLongestName = 200;
constexpr size_t kHashDigits = 12;

std::shared_mutex g_mutex;
ChoiceTable g_table;
std::atomic<bool> g_has_choices{false};  // spares those without a table the names of their problems

DType type_by_processor() { return cpu().avx512_bf16 || cpu().amx_bf16 ? DType::bf16 : DType::f32; }

Error refused(std::string_view what, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot use a table of kernels")
      .with("where", what)
      .with("found", found.substr(0, kLongestName));
}

// A member of a document as T; nothing where it is missing or of another kind.
template <typename T>
std::optional<T> member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return {};
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string() || found->template get_ref<const std::string&>().size() > kLongestName) return {};
  } else if (!found->is_number()) {
    return {};
  }
  return found->template get<T>();
}

std::optional<Choice> choice_from_json(const Json& json) {
  if (!json.is_object()) return {};
  const auto by_list = member<std::string>(json, "list");
  const auto fastest = member<std::string>(json, "fastest");
  const auto ratio = member<double>(json, "ratio");
  if (!by_list || !fastest || !ratio || !(*ratio > 0 && *ratio <= 1)) return {};
  return Choice{.by_list = *by_list, .fastest = *fastest, .ratio = *ratio};
}

}  // namespace

std::string ChoiceTable::hash() const {
  std::string effects;
  for (const auto& [problem, choice] : choices) {
    if (choice.fastest != choice.by_list) effects += fmt::format("{}\t{}\n", problem, choice.fastest);
  }
  if (fastest_type && *fastest_type != type_by_processor()) effects += name(*fastest_type);
  return effects.empty() ? "" : sha256_hex(effects).substr(0, kHashDigits);
}

Json to_json(const ChoiceTable& table) {
  Json json{{"schema", kSchema}, {"version", kVersion}};
  if (table.fastest_type) json["precision"] = name(*table.fastest_type);
  Json& choices = json["choices"] = Json::object();
  for (const auto& [problem, choice] : table.choices) {
    choices[problem] = {{"list", choice.by_list}, {"fastest", choice.fastest}, {"ratio", choice.ratio}};
  }
  return json;
}

Result<ChoiceTable> choice_table_from_json(const Json& json) {
  if (!json.is_object() || member<std::string>(json, "schema") != kSchema) {
    return refused("schema", "another kind of document");
  }
  if (member<int>(json, "version") != kVersion) return refused("version", "another version of the table");
  ChoiceTable table;
  if (json.contains("precision")) {
    const auto type = member<std::string>(json, "precision");
    if (type != "f32" && type != "bf16") return refused("precision", type.value_or("no name"));
    table.fastest_type = *type == "f32" ? DType::f32 : DType::bf16;
  }
  const auto choices = json.find("choices");
  if (choices == json.end() || !choices->is_object() || choices->size() > kMostChoices) {
    return refused("choices", "no list of problems");
  }
  for (const auto& [problem, entry] : choices->items()) {
    const std::optional<Choice> choice = choice_from_json(entry);
    if (!choice || problem.size() > kLongestName)
      return refused(problem.substr(0, kLongestName), entry.dump());
    table.choices.emplace(problem, *choice);
  }
  return table;
}

ChoiceTable choice_table() {
  const std::shared_lock lock(g_mutex);
  return g_table;
}

void set_choice_table(ChoiceTable table) {
  const std::lock_guard lock(g_mutex);
  g_table = std::move(table);
  g_has_choices = !g_table.choices.empty();
}

bool has_choices() { return g_has_choices.load(std::memory_order_relaxed); }

std::optional<Choice> find_choice(std::string_view problem, std::string_view by_list) {
  const std::shared_lock lock(g_mutex);
  const auto found = g_table.choices.find(problem);
  if (found == g_table.choices.end() || found->second.by_list != by_list) return {};
  return found->second;
}

void remember_choice(const std::string& problem, const Choice& choice) {
  const std::lock_guard lock(g_mutex);
  g_table.choices[problem] = choice;
  g_has_choices = true;
}

void remember_fastest_type(DType type) {
  const std::lock_guard lock(g_mutex);
  g_table.fastest_type = type;
}

DType fastest_type() {
  const std::shared_lock lock(g_mutex);
  return g_table.fastest_type.value_or(type_by_processor());
}

}  // namespace maquette::kernels

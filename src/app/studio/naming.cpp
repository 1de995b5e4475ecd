// Names are compared as words: runs of letters and digits in lower case, cut where a letter follows a digit,
// so that "SQ010SH020_BG-v003" is sq010 sh020 bg v003.
#include "app/studio/naming.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "production/change.h"
#include "production/references.h"
#include "production/shows.h"

namespace maquette::app {

namespace {

using Words = std::vector<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Words words_of(std::string_view text) {
  Words words;
  bool inside = false;
  for (const char each : lower_ascii(text)) {
    const bool letter = (each >= 'a' && each <= 'z') || (each & 0x80) != 0;
    if (!letter && !is_digit(each)) {
      inside = false;
      continue;
    }
    if (!inside || (letter && is_digit(words.back().back()))) words.emplace_back();
    words.back() += each;
    inside = true;
  }
  return words;
}

// Where `part` stands in `words` from `from` on; npos where it does not.
size_t place_of(const Words& part, const Words& words, size_t from) {
  const auto found = std::search(words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())),
                                 words.end(), part.begin(), part.end());
  return found == words.end() || part.empty() ? std::string::npos
                                              : static_cast<size_t>(found - words.begin());
}

// "bg" for "background": the first letter, and all letters in their order.
bool is_short_for(std::string_view word, std::string_view whole) {
  if (word.size() < 2 || whole.empty() || word.front() != whole.front()) return false;
  size_t next = 0;
  for (const char letter : whole) {
    if (next < word.size() && letter == word[next]) ++next;
  }
  return next == word.size();
}

// "v#" stands for v and a number.
bool fits(std::string_view word, std::string_view wanted) {
  if (!wanted.ends_with('#')) return word == wanted;
  wanted.remove_suffix(1);
  return word.starts_with(wanted) && word.size() > wanted.size() &&
         std::ranges::all_of(word.substr(wanted.size()), is_digit);
}

// Words of the template's name for a task, with "#" for the numbers of a take.
Words template_words(const std::string& path_template, production::NameFields fields) {
  constexpr int64_t kVersion = 987654321, kTake = 876543219;  // numbers that stand in no code
  fields.numbers = {{"version", kVersion}, {"take", kTake}};
  Words words;
  try {
    words = words_of(production::file_name(path_template, fields));
  } catch (const Error&) {
    return {};  // then codes only
  }
  for (std::string& word : words) {
    for (const int64_t number : {kVersion, kTake}) {
      const std::string digits = fmt::format("{}", number);
      if (word.ends_with(digits)) word.replace(word.size() - digits.size(), digits.size(), "#");
    }
  }
  return words;
}

std::string path_template_of(const db::Row& show) {
  return production::json_of(show, "settings")
      .value("path_template", production::default_settings()["path_template"].get<std::string>());
}

std::string listed(const auto& tasks) {
  constexpr size_t kMost = 5;
  std::vector<std::string> names;
  for (const auto* task : tasks) {
    if (names.size() < kMost) names.push_back(task->reference);
  }
  return fmt::format("{}{}", fmt::join(names, ", "), tasks.size() > kMost ? ", ..." : "");
}

}  // namespace

production::NameFields name_fields(db::Connection& c, const db::Row& show, const db::Row& task,
                                   const TakeNumber& take) {
  const db::Row entity = production::find_entity(c, task.text("entity_id"));
  std::string path = entity.text("path");
  std::ranges::replace(path, '/', '_');
  production::NameFields fields{
      .texts = {{"show", show.text("code")}, {"path", path}, {"name", entity.text("name")}},
      .numbers = {{"version", take.revision}, {"take", take.number}}};
  for (const char* kind : {"episode", "sequence", "shot", "asset"}) fields.texts[kind] = "";
  fields.texts[entity.text("kind")] = entity.text("code");
  for (std::string above = entity.text("parent_id"); !above.empty();) {
    const db::Row row = production::find_entity(c, above);
    fields.texts[row.text("kind")] = row.text("code");
    above = row.text("parent_id");
  }
  const auto type = c.first("SELECT code FROM task_types WHERE id = :t", {{"t", task.text("task_type_id")}});
  fields.texts["task"] = type->text("code");
  return fields;
}

std::string name_of_take(db::Connection& c, const db::Row& show, const db::Row& take) {
  const db::Row task = production::find_task(c, take.text("task_id"));
  return production::file_name(
      path_template_of(show), name_fields(c, show, task, {take.integer("revision"), take.integer("number")}));
}

TaskNames::TaskNames(db::Connection& c, const db::Row& show) {
  const std::string path_template = path_template_of(show);
  for (const db::Row& type :
       c.query("SELECT code FROM task_types WHERE show_id = :s AND archived = 0", {{"s", show.text("id")}})) {
    types_.push_back(words_of(type.text("code")));
  }
  for (const db::Row& row :
       c.query("SELECT * FROM tasks WHERE show_id = :s ORDER BY entity_path, id", {{"s", show.text("id")}})) {
    const production::NameFields fields = name_fields(c, show, row, {});
    Task task{.id = row.text("id"),
              .reference = production::task_reference(show.text("code"), row.text("entity_path"),
                                                      fields.texts.at("task")),
              .entity = row.text("entity_path"),
              .by_template = template_words(path_template, fields),
              .type = words_of(fields.texts.at("task"))};
    for (const std::string& code : split(task.entity, '/')) task.codes.push_back(words_of(code));
    tasks_.push_back(std::move(task));
  }
}

std::vector<const TaskNames::Task*> TaskNames::named_by_template(const Words& words) const {
  std::vector<const Task*> found;
  for (const Task& task : tasks_) {
    if (!task.by_template.empty() && std::ranges::equal(words, task.by_template, fits))
      found.push_back(&task);
  }
  return found;
}

// The tasks of the entity whose codes stand in the name: its own, and as many of those above it as there are.
// `used`: the words that are codes.
std::vector<const TaskNames::Task*> TaskNames::named_by_codes(const Words& words,
                                                              std::vector<bool>& used) const {
  std::vector<const Task*> best;
  size_t best_score = 0;
  for (const Task& task : tasks_) {
    std::vector<bool> marks(words.size());
    size_t score = 0, from = 0;
    bool own = false;
    for (const Words& code : task.codes) {
      const size_t place = place_of(code, words, from);
      own = place != std::string::npos;
      if (!own) continue;
      from = place + code.size();
      score += code.size();
      std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(place), code.size(), true);
    }
    if (!own || score < best_score) continue;
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(&task);
    used = marks;
  }
  return best;
}

TaskNames::Found TaskNames::find(std::string_view name) const {
  const size_t slash = name.rfind('/');
  std::string_view stem = slash == name.npos ? name : name.substr(slash + 1);
  const std::string_view whole = name.substr(0, name.rfind('.'));
  stem = stem.substr(0, stem.rfind('.'));
  const auto answer = [](const std::vector<const Task*>& tasks) -> Found {
    if (tasks.size() == 1) return {.task_id = tasks[0]->id, .reference = tasks[0]->reference};
    return {.why = "several tasks could be meant: " + listed(tasks)};
  };
  if (const auto tasks = named_by_template(words_of(stem)); !tasks.empty()) return answer(tasks);

  const Words words = words_of(whole);
  std::vector<bool> used(words.size());
  std::vector<const Task*> tasks = named_by_codes(words, used);
  if (tasks.empty()) return {.why = "the name holds the code of no shot or asset that has a task"};
  // What is left may say which of its tasks: whole words before shortened ones.
  Words left;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!used[i]) left.push_back(words[i]);
  }
  const auto says = [&](const Words& type) { return place_of(type, left, 0) != std::string::npos; };
  const auto shortens = [&](const Words& type) {
    const std::string joined = fmt::format("{}", fmt::join(type, ""));
    return std::ranges::any_of(left, [&](const std::string& word) { return is_short_for(word, joined); });
  };
  const auto only = [&](const auto& wanted) {
    std::vector<const Task*> some;
    std::ranges::copy_if(tasks, std::back_inserter(some), [&](const Task* t) { return wanted(t->type); });
    return some;
  };
  if (const auto named = only(says); !named.empty()) return answer(named);
  if (std::ranges::any_of(types_, says))
    return {.why = "the name asks for another task than there is: " + listed(tasks)};
  if (const auto named = only(shortens); !named.empty()) return answer(named);
  return answer(tasks);
}

}  // namespace maquette::app

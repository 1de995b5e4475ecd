#include "production/take_search.h"

#include <algorithm>

#include "base/identifiers.h"
#include "production/references.h"
#include "production/take_words.h"

namespace maquette::production {

namespace {

constexpr std::string_view kPrivate = "\uE000";
constexpr size_t kLongestText = 20'000;  // bytes
constexpr size_t kMostWords = 12;

std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

std::vector<std::string> facet_words(const TakeFacets& facets) {
  std::vector<std::string> words;
  const auto add = [&](std::string_view name, const std::string& value) {
    words.push_back(fmt::format("{}{}{}", kPrivate, name, value));
  };
  if (!facets.show_id.empty()) add("show", without_dashes(facets.show_id));
  if (!facets.task_id.empty()) add("task", without_dashes(facets.task_id));
  if (!facets.origin.empty()) add("origin", facets.origin);
  if (!facets.model.empty()) add("model", lower_hex(facets.model));
  if (!facets.created_by.empty()) add("by", without_dashes(facets.created_by));
  if (facets.withdrawn) add("withdrawn", "");
  if (facets.purged) add("purged", "");
  if (facets.approved) add("approved", "");
  if (facets.validated) add("validated", "");
  if (facets.rejected) add("rejected", "");
  return words;
}

// Words of a search: letters and digits only, so that none of them means anything to the search engines.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const unsigned char u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || u >= 128) {
      word += static_cast<char>(u < 128 ? std::tolower(u) : u);
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  words.resize(std::min(words.size(), kMostWords));
  return words;
}

TakeFacets asked_facets(const TakeQuery& query) {
  return {.origin = query.origin,
          .model = query.model,
          .created_by = query.person_id,
          .approved = query.state == "approved",
          .withdrawn = query.state == "withdrawn",
          .purged = query.state == "purged",
          .validated = query.verdict == "validated",
          .rejected = query.verdict == "rejected"};
}

}  // namespace

std::string take_facets(const TakeFacets& facets) {
  return fmt::format("{}", fmt::join(facet_words(facets), " "));
}

std::string take_search_text(std::string_view task, std::string_view title, std::string_view prompt,
                             std::string_view model, std::string_view seed) {
  // The prompt is last: it alone may be long. A cut in the middle of a letter is no letter to the databases.
  std::string text = fmt::format("{} {} {} {} ", task, title, model, seed);
  size_t length = std::min(prompt.size(), kLongestText);
  while (length > 0 && length < prompt.size() && (static_cast<unsigned char>(prompt[length]) & 0xC0) == 0x80)
    --length;
  return text + std::string(prompt.substr(0, length));
}

void refresh_take_search(const Change& change, std::string_view take_id) {
  const db::Row take = find_take(*change, take_id);
  const db::Row task = find_task(*change, take.text("task_id"));
  TakeFacets facets{.show_id = take.text("show_id"),
                    .task_id = take.text("task_id"),
                    .origin = take.text("origin"),
                    .model = take.text("model"),
                    .created_by = take.text("created_by"),
                    .approved = task.text("approved_take_id") == take.text("id"),
                    .withdrawn = !take.is_null("withdrawn_at"),
                    .purged = !take.is_null("purged_at")};
  for (const db::Row& mark :
       change->query("SELECT DISTINCT verdict FROM marks WHERE take_id = :t", {{"t", take.text("id")}})) {
    facets.validated |= mark.text("verdict") == "validated";
    facets.rejected |= mark.text("verdict") == "rejected";
  }
  const std::string words = take_search_text(task_name(*change, task), take.text("title"),
                                             take.text("prompt"), take.text("model"), take.text("seed"));
  const std::string now = take_facets(facets);
  if (words == take.text("search_text") && now == take.text("facets")) return;
  change->update("takes", {{"search_text", words}, {"facets", now}}, {"id", take.text("id")});
}

TakeSource add_take_search(Conditions& where, db::Connection& c, const TakeQuery& query) {
  TakeFacets asked = asked_facets(query);
  const std::vector<std::string> words = words_of(query.search);
  // The newest takes of a show are read in their own order; a task or a job has so few that looking at each
  // is quicker.
  const bool few = !query.task_id.empty() || !query.job_id.empty();
  if (words.empty() && (facet_words(asked).empty() || few)) return {"takes t", "t.seq"};
  asked.show_id = query.show_id;
  asked.task_id = query.task_id;
  const std::vector<std::string> facets = facet_words(asked);
  if (c.backend() == db::Backend::sqlite) {
    // Every word must begin some word of the take.
    std::vector<std::string> terms;
    for (const std::string& facet : facets) terms.push_back(fmt::format("\"{}\"", facet));
    for (const std::string& word : words) terms.push_back(fmt::format("\"{}\"*", word));
    where.add("takes_search MATCH :search", "search", fmt::format("{}", fmt::join(terms, " AND ")));
    // CROSS: SQLite keeps this order, and does not search for each take of the show by itself.
    return {"takes_search CROSS JOIN takes t ON t.seq = takes_search.rowid", "takes_search.rowid", true};
  }
  TakeWords sought{.facets = facets, .words = words};
  if (few) {
    where.add("(SELECT words FROM takes_search s WHERE s.seq = t.seq) @@ to_tsquery('simple', :search)",
              "search", sought.words_query());
    return {"takes t", "t.seq"};
  }
  // What takes() asks of the rows themselves, as words.
  const auto withdrawn = facet_words({.withdrawn = true}), approved = facet_words({.approved = true});
  if (query.state.empty() || query.state == "proposed") sought.without = withdrawn;
  if (query.state == "proposed")
    sought.without.insert(sought.without.end(), approved.begin(), approved.end());
  return {fmt::format("({}) s JOIN takes t ON t.seq = s.seq", found_takes(where, c, sought, query)), "t.seq",
          true};
}

}  // namespace maquette::production

// How takes are found: by the beginnings of words (path, title, prompt, model, seed) and by what they are.
// What a take is ("composite", "approved", filed by somebody) is kept as words too, in its facets, so that
// one table, takes_search, answers any mixture of both in about the same time, however rare it is: full-text
// search of SQLite (FTS5) or of PostgreSQL (tsvectors under GIN, see take_words.h). Triggers keep it.
#pragma once

#include "production/change.h"
#include "production/takes.h"

namespace maquette::production {

// What lists filter takes by.
struct TakeFacets {
  std::string show_id = {};
  std::string task_id = {};
  std::string origin = {};
  std::string model = {};
  std::string created_by = {};
  bool approved = false;
  bool withdrawn = false;
  bool purged = false;
  bool validated = false;  // by anybody
  bool rejected = false;
};

// "Xshow0193… Xorigingenerated Xmodel6d6f… Xby0193…", X being U+E000, a private character: nobody types it.
std::string take_facets(const TakeFacets& facets);
// The words that a take is found by; cut where a prompt is longer than anybody searches in.
std::string take_search_text(std::string_view task, std::string_view title, std::string_view prompt,
                             std::string_view model, std::string_view seed);
// Brings both up to date after the take, its approval or its marks changed.
void refresh_take_search(const Change& change, std::string_view take_id);

// Where takes that the query asks for are read from, newest first.
struct TakeSource {
  std::string from;        // for kTakeQuestion
  std::string order;       // the column that pages go by
  bool by_facets = false;  // the index has answered the filters
};
// Adds what the index answers to the conditions.
TakeSource add_take_search(Conditions& where, db::Connection& c, const TakeQuery& query);

}  // namespace maquette::production

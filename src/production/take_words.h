// How PostgreSQL finds takes by words: from the table takes_search, which holds of each take its number, its
// show and its words only. It is so narrow that reading it in the order of lists, newest first, takes a
// quarter of a microsecond for a take, in memory; its index of words (GIN) gives all takes that have a word,
// in no order. The first is quick for what many takes have, the second for what few have: a small sample of
// the table says which it is.
#pragma once

#include <string>
#include <vector>

#include "production/change.h"
#include "production/takes.h"

namespace maquette::production {

// What is sought. Words are of letters and digits only; facets are those of take_facets().
struct TakeWords {
  std::vector<std::string> facets;        // that the take must have
  std::vector<std::string> words;         // each must begin some word of the take
  std::vector<std::string> without = {};  // facets that it must not have

  std::string words_query() const;   // for to_tsquery('simple', ...)
  std::string facets_query() const;  // as a tsquery, with what it must not have
};

// A question whose column `seq` is the takes of one page, newest first; its values are bound in `where`.
std::string found_takes(Conditions& where, db::Connection& c, const TakeWords& sought,
                        const TakeQuery& query);

}  // namespace maquette::production

// Cost, with n takes of which a share f has all that is sought: in the order of the list 50/f takes are
// looked at, 0.25 us each; through the index f*n takes are fetched, 3 us each, and sorted. With a sample of
// 500 takes in which fewer than 3 fit going through the index, either way costs some 30 ms at most for a
// million takes.
//
// The index is asked for rare words only. It would collect every take of a frequent beginning before it
// compares (30 ms for a word of every second take); the takes that it gives are looked at for the other
// words.
#include "production/take_words.h"

#include "base/text.h"

namespace maquette::production {

namespace {

constexpr int64_t kSample = 500;
constexpr int64_t kFrequent = 3;  // of the sample, all that is sought together: read in the list's order
constexpr int64_t kRare = kSample / 10;  // of the sample, one word: asked of the index

struct Term {
  std::string tsquery;  // with its value's name in the place of {}
  std::string value;
};

std::vector<Term> terms_of(const TakeWords& sought) {
  std::vector<Term> terms;
  for (const std::string& facet : sought.facets)
    terms.push_back({"CAST(:{} AS tsquery)", fmt::format("'{}'", facet)});
  for (const std::string& word : sought.words)
    terms.push_back({"to_tsquery('simple', :{})", fmt::format("'{}':*", word)});
  return terms;
}

// "(CAST(:NAME_facets AS tsquery) && to_tsquery('simple', :NAME_words))"
std::string bound_query(Conditions& where, const std::string_view (&names)[2], const TakeWords& sought) {
  std::vector<std::string> parts;
  if (!sought.facets.empty() || !sought.without.empty()) {
    parts.push_back(fmt::format("CAST(:{} AS tsquery)", names[0]));
    where.bind(names[0], sought.facets_query());
  }
  if (!sought.words.empty()) {
    parts.push_back(fmt::format("to_tsquery('simple', :{})", names[1]));
    where.bind(names[1], sought.words_query());
  }
  return fmt::format("({})", fmt::join(parts, " && "));
}

struct Shares {
  int64_t all = 0;            // of the sample, takes that have everything
  std::vector<int64_t> each;  // that have one facet or word, in their order
};

// Takes all over the table, the same ones each time, so that they stay in memory: number i is at the golden
// section of the one before, which no rhythm of the data repeats.
Shares sample(db::Connection& c, const TakeWords& sought) {
  Conditions values;
  std::string counts = fmt::format("count(*) FILTER (WHERE s.words @@ {}) AS n",
                                   bound_query(values, {"facets", "words"}, sought));
  const std::vector<Term> terms = terms_of(sought);
  std::vector<std::string> names;
  for (size_t i = 0; i < terms.size(); ++i) names.push_back(fmt::format("term{}", i));
  for (size_t i = 0; i < terms.size(); ++i) {
    const std::string term = fmt::format(fmt::runtime(terms[i].tsquery), names[i]);
    // A term of signs alone is no word: everything has it.
    counts += fmt::format(", count(*) FILTER (WHERE numnode({0}) = 0 OR s.words @@ {0}) AS n{1}", term, i);
    values.bind(names[i], terms[i].value);
  }
  const db::Row row = *c.first(
      fmt::format("SELECT {} FROM (SELECT i * CAST(0.6180339887498949 AS float8) AS at FROM "
                  "generate_series(1, {}) i) g JOIN takes_search s ON s.seq = 1 + CAST(floor((g.at - "
                  "floor(g.at)) * (SELECT max(seq) FROM takes_search)) AS bigint)",
                  counts, kSample),
      values.bindings());
  Shares shares{.all = row.integer("n"), .each = {}};
  for (size_t i = 0; i < terms.size(); ++i) shares.each.push_back(row.integer(fmt::format("n{}", i)));
  return shares;
}

// The terms that few takes have; all of them where none is rare.
TakeWords rare_terms(const TakeWords& sought, const Shares& shares) {
  TakeWords rare;
  for (size_t i = 0; i < shares.each.size(); ++i) {
    if (shares.each[i] > kRare) continue;
    const size_t facets = sought.facets.size();
    if (i < facets) {
      rare.facets.push_back(sought.facets[i]);
    } else {
      rare.words.push_back(sought.words[i - facets]);
    }
  }
  if (rare.facets.empty() && rare.words.empty()) return {.facets = sought.facets, .words = sought.words};
  return rare;
}

}  // namespace

std::string TakeWords::words_query() const { return fmt::format("'{}':*", fmt::join(words, "':* & '")); }

std::string TakeWords::facets_query() const {
  std::vector<std::string> parts;
  for (const std::string& facet : facets) parts.push_back(fmt::format("'{}'", facet));
  for (const std::string& facet : without) parts.push_back(fmt::format("!'{}'", facet));
  return fmt::format("{}", fmt::join(parts, " & "));
}

std::string found_takes(Conditions& where, db::Connection& c, const TakeWords& sought,
                        const TakeQuery& query) {
  const Shares shares = sample(c, sought);
  // IS TRUE: no index is chosen for it.
  Conditions of_source;
  of_source.add(
      fmt::format("(s.words @@ {}) IS TRUE", bound_query(where, {"sought_facets", "sought_words"}, sought)));
  if (!query.show_id.empty()) {
    of_source.add("s.show_id = :sought_show");
    where.bind("sought_show", query.show_id);
  }
  if (query.revision > 0) {
    of_source.add("EXISTS (SELECT 1 FROM takes r WHERE r.seq = s.seq AND r.revision = :sought_revision)");
    where.bind("sought_revision", query.revision);
  }
  if (const auto after = parse_integer(query.page.after)) {
    of_source.add("s.seq < :sought_after");
    where.bind("sought_after", int64_t{*after});
  }
  const bool in_order = shares.all >= kFrequent;
  if (!in_order) {
    of_source.add(fmt::format("s.words @@ {}",
                              bound_query(where, {"rare_facets", "rare_words"}, rare_terms(sought, shares))));
  }
  where.bind("sought_limit", int64_t{query.page.limit} + 1);
  return fmt::format("SELECT s.seq FROM takes_search s{} ORDER BY s.seq{} DESC LIMIT :sought_limit",
                     of_source.where(), in_order ? "" : " + 0");
}

}  // namespace maquette::production

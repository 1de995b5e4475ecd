// Cost, in microseconds, for n takes of which a share f has all that is sought: in the order of the list 50/f
// takes are looked at, 0.25 each; through the index the lists of the words asked for are read, 0.16 for each
// take in them, and the takes common to them fetched, 3 each. The shares come from a sample; for a million
// takes the cheaper way takes some 25 ms at most.
//
// The index is asked for the rarer words only: it collects every take of a word before it compares. The takes
// that it gives are looked at for the other words.
#include "production/take_words.h"

#include <algorithm>

#include "base/text.h"

namespace maquette::production {

namespace {

constexpr int64_t kSample = 1500;                            // takes
constexpr double kLook = 0.25, kCollect = 0.16, kFetch = 3;  // microseconds a take, all in memory

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
  double takes = 0;          // in the table
  double all = 0;            // share of them that has everything
  std::vector<double> each;  // that has one facet or word, in their order
};

// Takes all over the table, the same ones each time, so that they stay in memory: number i is at the golden
// section of the one before, which no rhythm of the data repeats.
Shares sample(db::Connection& c, const TakeWords& sought) {
  Conditions values;
  std::string counts = fmt::format("max(s.seq) AS last, count(*) FILTER (WHERE s.words @@ {}) AS n",
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
  // What the sample has none of may be there all the same: half a take of it.
  const auto share = [&](const std::string& name) {
    return std::max(0.5, static_cast<double>(row.integer(name))) / static_cast<double>(kSample);
  };
  Shares shares{.takes = static_cast<double>(row.integer("last")), .all = share("n"), .each = {}};
  for (size_t i = 0; i < terms.size(); ++i) shares.each.push_back(share(fmt::format("n{}", i)));
  // So few are chance: then as if the words came independently of each other, where that is less. Looking for
  // takes that are not there is the dearest mistake.
  double independent = 1;
  for (const double each : shares.each) independent *= each;
  if (row.integer("n") < 5) shares.all = std::min(shares.all, independent);
  return shares;
}

struct IndexPlan {
  TakeWords words;  // that the index is asked for
  double cost = 0;  // microseconds
};

// The rarest word, and each other whose list is read in less time than the takes are fetched that it spares.
IndexPlan plan_index(const TakeWords& sought, const Shares& shares) {
  const double rarest = *std::ranges::min_element(shares.each);
  IndexPlan plan;
  double listed = 0, fetched = 1;
  for (size_t i = 0; i < shares.each.size(); ++i) {
    const double share = shares.each[i];
    if (share > rarest && kCollect * share > kFetch * rarest * (1 - share)) continue;
    listed += share;
    fetched *= share;
    const size_t facets = sought.facets.size();
    if (i < facets) {
      plan.words.facets.push_back(sought.facets[i]);
    } else {
      plan.words.words.push_back(sought.words[i - facets]);
    }
  }
  plan.cost = shares.takes * (kCollect * listed + kFetch * std::max(fetched, shares.all));
  return plan;
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
  // CASE: PostgreSQL neither chooses an index for it nor guesses how many takes fit, and so goes the way that
  // is asked for here.
  Conditions of_source;
  of_source.add(fmt::format("CASE WHEN s.words @@ {} THEN TRUE END",
                            bound_query(where, {"sought_facets", "sought_words"}, sought)));
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
  const IndexPlan index = plan_index(sought, shares);
  const bool in_order = kLook * static_cast<double>(query.page.limit + 1) / shares.all < index.cost;
  if (!in_order) {
    of_source.add(
        fmt::format("s.words @@ {}", bound_query(where, {"rare_facets", "rare_words"}, index.words)));
  }
  where.bind("sought_limit", int64_t{query.page.limit} + 1);
  return fmt::format("SELECT s.seq FROM takes_search s{} ORDER BY s.seq{} DESC LIMIT :sought_limit",
                     of_source.where(), in_order ? "" : " + 0");
}

}  // namespace maquette::production

// Reading takes: lists with search, one take with everything around it, and lineage.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "production/references.h"
#include "production/take_search.h"
#include "production/takes.h"

namespace maquette::production {

namespace {

constexpr std::string_view kTakeQuestion =
    "SELECT t.*, k.entity_path, k.approved_take_id, w.code AS show_code, y.code AS type_code, p.name AS "
    "person_name FROM {} JOIN tasks k "
    "ON k.id = t.task_id JOIN shows w ON w.id = t.show_id JOIN task_types y ON y.id = k.task_type_id JOIN "
    "people p ON p.id = t.created_by";

std::string state_of(const db::Row& row) {
  if (!row.is_null("purged_at")) return "purged";
  if (!row.is_null("withdrawn_at")) return "withdrawn";
  return row.text("approved_take_id") == row.text("id") ? "approved" : "proposed";
}

Json document_of(const db::Row& row) {
  const std::string label = take_label(row.integer("revision"), row.integer("number"));
  return {
      {"id", row.text("id")},
      {"show_id", row.text("show_id")},
      {"task_id", row.text("task_id")},
      {"reference",
       task_reference(row.text("show_code"), row.text("entity_path"), row.text("type_code")) + "/" + label},
      {"revision", row.integer("revision")},
      {"number", row.integer("number")},
      {"label", label},
      {"origin", row.text("origin")},
      {"title", row.text("title")},
      {"sha256", row.text("sha256")},
      {"thumbnail", row.text("thumbnail")},
      {"width", row.integer("width")},
      {"height", row.integer("height")},
      {"seed", row.text("seed")},
      {"model", row.text("model")},
      {"prompt", row.text("prompt")},
      {"job_id", text_or_null(row, "job_id")},
      {"state", state_of(row)},
      {"marks",
       {{"stars", nullptr},
        {"validated", 0},
        {"rejected", 0},
        {"mine", {{"stars", 0}, {"verdict", "neutral"}}}}},
      {"parents", Json::array()},
      {"proof", json_of(row, "proof")},
      {"created_by", {{"id", row.text("created_by")}, {"name", row.text("person_name")}}},
      {"created_at", row.text("created_at")},
      {"version", row.integer("version")}};
}

// Marks and parents of a whole page, one question each.
void add_marks_and_parents(db::Connection& c, std::vector<Json>& items, const std::string& reader_id) {
  if (items.empty()) return;
  std::map<std::string, Json*> by_id;
  std::vector<std::string> ids;
  for (Json& item : items) {
    ids.push_back(item["id"]);
    by_id[ids.back()] = &item;
  }
  const IdList list(ids);
  struct Sum {
    int64_t stars = 0, people = 0;
  };
  std::map<std::string, Sum> sums;
  for (const db::Row& row :
       c.query(fmt::format("SELECT * FROM marks WHERE take_id IN ({})", list.text()), list.bindings())) {
    Json& marks = (*by_id[row.text("take_id")])["marks"];
    const int64_t stars = row.integer("stars");
    if (stars > 0) sums[row.text("take_id")].stars += stars, ++sums[row.text("take_id")].people;
    if (row.text("verdict") == "validated") marks["validated"] = marks["validated"].get<int>() + 1;
    if (row.text("verdict") == "rejected") marks["rejected"] = marks["rejected"].get<int>() + 1;
    if (row.text("person_id") == reader_id)
      marks["mine"] = {{"stars", stars}, {"verdict", row.text("verdict")}};
  }
  for (const auto& [id, sum] : sums) {
    (*by_id[id])["marks"]["stars"] = static_cast<double>(sum.stars) / static_cast<double>(sum.people);
  }
  for (const db::Row& row : c.query(fmt::format("SELECT x.take_id, x.relation, t.id, t.revision, t.number, "
                                                "t.thumbnail FROM take_parents x JOIN takes t ON t.id "
                                                "= x.parent_id WHERE x.take_id IN ({}) ORDER BY t.seq",
                                                list.text()),
                                    list.bindings())) {
    (*by_id[row.text("take_id")])["parents"].push_back(
        {{"id", row.text("id")},
         {"label", take_label(row.integer("revision"), row.integer("number"))},
         {"relation", row.text("relation")},
         {"thumbnail", row.text("thumbnail")}});
  }
}

// What facets do not say: which takes are there to choose from.
void add_state(Conditions& where, const std::string& state, bool by_facets) {
  if (state.empty() || state == "proposed") where.add("t.withdrawn_at IS NULL");
  constexpr std::string_view kApproved =
      "EXISTS (SELECT 1 FROM tasks a WHERE a.id = t.task_id AND a.approved_take_id = t.id)";
  if (state == "proposed") where.add(fmt::format("NOT {}", kApproved));
  if (by_facets) return;
  if (state == "approved") where.add(kApproved);
  if (state == "withdrawn") where.add("t.withdrawn_at IS NOT NULL");
  if (state == "purged") where.add("t.purged_at IS NOT NULL");
}

// What the facets say, of takes that are looked at one by one.
void add_filters(Conditions& where, const TakeQuery& query) {
  if (!query.origin.empty()) where.add("t.origin = :origin", "origin", query.origin);
  if (!query.model.empty()) where.add("t.model = :model", "model", query.model);
  if (!query.person_id.empty()) where.add("t.created_by = :person", "person", query.person_id);
  if (!query.verdict.empty()) {
    where.add("EXISTS (SELECT 1 FROM marks m WHERE m.take_id = t.id AND m.verdict = :verdict)", "verdict",
              query.verdict);
  }
}

}  // namespace

Page takes(db::Connection& c, const TakeQuery& query) {
  if (!query.origin.empty()) require_one_of(kTakeOrigins, query.origin, "origin of a take");
  if (!query.state.empty()) require_one_of(kTakeStates, query.state, "state of takes");
  if (!query.verdict.empty()) require_one_of(kTakeVerdicts, query.verdict, "verdict");
  Conditions where;
  const TakeSource source = add_take_search(where, c, query);
  if (!source.by_facets) add_filters(where, query);
  if (!query.show_id.empty()) where.add("t.show_id = :show", "show", query.show_id);
  if (!query.task_id.empty()) where.add("t.task_id = :task", "task", query.task_id);
  if (!query.job_id.empty()) where.add("t.job_id = :job", "job", query.job_id);
  if (query.revision > 0) where.add("t.revision = :revision", "revision", query.revision);
  add_state(where, query.state, source.by_facets);
  if (const auto after = parse_integer(query.page.after))
    where.add(fmt::format("{} < :after", source.order), "after", int64_t{*after});
  // First the takes of the page alone, then what stands around them: so neither database is tempted to join
  // first.
  const std::string page_of_takes = fmt::format("(SELECT t.* FROM {}{} ORDER BY {} DESC LIMIT :limit) t",
                                                source.from, where.where(), source.order);
  const auto rows = c.query(fmt::format(fmt::runtime(kTakeQuestion), page_of_takes) + " ORDER BY t.seq DESC",
                            where.bindings(query.page));
  Page page = page_of(rows, query.page, "seq", document_of);
  add_marks_and_parents(c, page.items, query.reader_id);
  return page;
}

Json take_document(db::Connection& c, const db::Row& take, const std::string& reader_id) {
  std::vector<Json> one = {document_of(*c.first(
      fmt::format(fmt::runtime(kTakeQuestion), "takes t") + " WHERE t.id = :id", {{"id", take.text("id")}}))};
  add_marks_and_parents(c, one, reader_id);
  return one[0];
}

std::vector<Json> take_files(db::Connection& c, const db::Row& take) {
  std::vector<Json> list;
  for (const db::Row& row : c.query(
           "SELECT f.representation, f.name, f.sha256, s.bytes, s.media_type, s.purged_at FROM take_files f "
           "JOIN files s ON "
           "s.sha256 = f.sha256 AND s.show_id = :s WHERE f.take_id = :t ORDER BY f.representation, f.name",
           {{"s", take.text("show_id")}, {"t", take.text("id")}})) {
    list.push_back({{"representation", row.text("representation")},
                    {"name", row.text("name")},
                    {"sha256", row.text("sha256")},
                    {"bytes", row.integer("bytes")},
                    {"media_type", row.text("media_type")},
                    {"purged_at", text_or_null(row, "purged_at")}});
  }
  return list;
}

// Walks upwards and downwards from the take, not sideways: what it is made of and what was made of it.
Json lineage(db::Connection& c, const db::Row& take, const std::string& reader_id) {
  constexpr size_t kMost = 500;
  std::set<std::string> seen = {take.text("id")};
  Json edges = Json::array();
  bool cut = false;
  for (const bool upwards : {true, false}) {
    std::vector<std::string> open = {take.text("id")};
    while (!open.empty() && !cut) {
      const std::string id = open.back();
      open.pop_back();
      for (const db::Row& row : c.query(
               fmt::format("SELECT * FROM take_parents WHERE {} = :id", upwards ? "take_id" : "parent_id"),
               {{"id", id}})) {
        edges.push_back({{"take", row.text("take_id")},
                         {"parent", row.text("parent_id")},
                         {"relation", row.text("relation")}});
        const std::string next = row.text(upwards ? "parent_id" : "take_id");
        if (seen.insert(next).second) open.push_back(next);
      }
      cut = seen.size() > kMost;
    }
  }
  Json list = Json::array();
  for (const std::string& id : seen) list.push_back(take_document(c, find_take(c, id), reader_id));
  return {{"takes", list}, {"edges", edges}, {"complete", !cut}};
}

}  // namespace maquette::production

#include "provenance/event_log.h"

#include <algorithm>
#include <iterator>

#include "base/identifiers.h"

namespace maquette::provenance {

namespace {

db::Value text_or_null(const Json& value) { return value.is_null() ? db::Value() : db::Value(value.dump()); }

Json parsed(const db::Row& row, std::string_view column) {
  return row.is_null(column) ? Json() : Json::parse(row.text(column));
}

Json document_of(const db::Row& row) {
  Json person;
  if (!row.text("person_id").empty()) person = {{"id", row.text("person_id")}, {"name", row.text("name")}};
  return {{"seq", row.integer("seq")},
          {"id", row.text("id")},
          {"show_id", row.text("show_id")},
          {"at", row.text("at")},
          {"person", person},
          {"role", row.text("role")},
          {"action", row.text("action")},
          {"subject_kind", row.text("subject_kind")},
          {"subject_id", row.text("subject_id")},
          {"subject_name", row.text("subject_name")},
          {"before", parsed(row, "before_value")},
          {"after", parsed(row, "after_value")}};
}

}  // namespace

void append_event(db::Transaction& tx, const Actor& actor, const Event& event) {
  tx.take_turn();
  tx->insert("events", {{"id", new_uuid()},
                        {"show_id", event.show_id},
                        {"at", utc_now()},
                        {"person_id", actor.person_id},
                        {"role", actor.role},
                        {"action", std::string(event.action)},
                        {"subject_kind", std::string(event.subject_kind)},
                        {"subject_id", std::string(event.subject_id)},
                        {"subject_name", event.subject_name},
                        {"before_value", text_or_null(event.before)},
                        {"after_value", text_or_null(event.after)}});
}

namespace {

// The actions that begin so ("take:"), as they occur: jumps from one to the next in an index.
std::vector<std::string> actions_beginning(db::Connection& connection, const EventQuery& query) {
  const std::string of_show = query.show_id.empty() ? "" : "show_id = :show AND ";
  db::Bindings bindings = {{"from", query.action},
                           {"end", query.action.substr(0, query.action.size() - 1) + ";"}};
  if (!query.show_id.empty()) bindings.push_back({"show", query.show_id});
  std::vector<std::string> actions;
  for (const db::Row& row : connection.query(
           fmt::format(
               "WITH RECURSIVE a(action) AS (SELECT min(action) FROM events WHERE {0}action >= :from AND "
               "action < "
               ":end UNION ALL SELECT (SELECT min(action) FROM events WHERE {0}action > a.action AND action "
               "< "
               ":end) FROM a WHERE a.action IS NOT NULL) SELECT action FROM a WHERE action IS NOT NULL",
               of_show),
           bindings)) {
    actions.push_back(row.text("action"));
  }
  return actions;
}

std::vector<Json> events_of_action(db::Connection& connection, const EventQuery& query) {
  std::string where;
  db::Bindings bindings = {{"limit", int64_t{query.limit}}};
  const auto add = [&](std::string_view condition, std::string_view name, db::Value value) {
    where += fmt::format("{} {}", where.empty() ? " WHERE" : " AND", condition);
    bindings.push_back({name, std::move(value)});
  };
  if (!query.show_id.empty()) add("e.show_id = :show", "show", query.show_id);
  if (!query.subject_id.empty()) add("e.subject_id = :subject", "subject", query.subject_id);
  if (!query.person_id.empty()) add("e.person_id = :person", "person", query.person_id);
  if (!query.action.empty()) add("e.action = :action", "action", query.action);
  if (query.before > 0) add("e.seq < :before", "before", query.before);
  if (query.after >= 0) add("e.seq > :after", "after", query.after);

  std::vector<Json> found;
  for (const db::Row& row : connection.query(
           fmt::format(
               "SELECT e.*, p.name FROM events e LEFT JOIN people p ON p.id = e.person_id{} ORDER BY e.seq "
               "{} LIMIT :limit",
               where, query.after >= 0 ? "ASC" : "DESC"),
           bindings)) {
    found.push_back(document_of(row));
  }
  return found;
}

}  // namespace

std::vector<Json> events(db::Connection& connection, const EventQuery& query) {
  if (!query.action.ends_with(':')) return events_of_action(connection, query);
  // A page of each action, and of these the first ones.
  std::vector<Json> all;
  for (const std::string& action : actions_beginning(connection, query)) {
    EventQuery one = query;
    one.action = action;
    std::ranges::move(events_of_action(connection, one), std::back_inserter(all));
  }
  const bool oldest_first = query.after >= 0;
  std::ranges::sort(all, [&](const Json& a, const Json& b) {
    return oldest_first ? a["seq"] < b["seq"] : a["seq"] > b["seq"];
  });
  if (all.size() > static_cast<size_t>(query.limit)) all.resize(static_cast<size_t>(query.limit));
  return all;
}

int64_t last_event(db::Connection& connection) {
  return connection.first("SELECT max(seq) AS seq FROM events")->integer("seq");
}

}  // namespace maquette::provenance

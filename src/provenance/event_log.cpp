#include "provenance/event_log.h"

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

std::vector<Json> events(db::Connection& connection, const EventQuery& query) {
  std::string where;
  db::Bindings bindings = {{"limit", int64_t{query.limit}}};
  const auto add = [&](std::string_view condition, std::string_view name, db::Value value) {
    where += fmt::format("{} {}", where.empty() ? " WHERE" : " AND", condition);
    bindings.push_back({name, std::move(value)});
  };
  if (!query.show_id.empty()) add("e.show_id = :show", "show", query.show_id);
  if (!query.subject_id.empty()) add("e.subject_id = :subject", "subject", query.subject_id);
  if (!query.person_id.empty()) add("e.person_id = :person", "person", query.person_id);
  if (query.action.ends_with(':')) {
    add("e.action >= :action", "action", query.action);
    add("e.action < :action_end", "action_end", query.action.substr(0, query.action.size() - 1) + ";");
  } else if (!query.action.empty()) {
    add("e.action = :action", "action", query.action);
  }
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

int64_t last_event(db::Connection& connection) {
  return connection.first("SELECT max(seq) AS seq FROM events")->integer("seq");
}

}  // namespace maquette::provenance

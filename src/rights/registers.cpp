#include "rights/registers.h"

#include <algorithm>

#include "base/hash.h"
#include "base/identifiers.h"

namespace maquette::rights {

namespace {

constexpr int64_t kAll = 1'000'000;  // lines: no show has more

Json document_of(const db::Row& row) { return Json::parse(row.text("document")); }

StoredModel model_of(const db::Row& row) {
  return {.record = model_record_from_json(document_of(row)), .version = row.integer("version")};
}

Entry entry_of(const db::Row& row) {
  return {.id = row.text("id"),
          .kind = row.text("kind"),
          .document = document_of(row),
          .name_key = row.text("name_key"),
          .ended_on = row.text("ended_on"),
          .created_by = row.text("created_by"),
          .created_at = row.text("created_at"),
          .seq = row.integer("seq")};
}

// The log keeps hashes of what may name people.
Json trace_of(const Json& document) { return {{"document_sha256", sha256_hex(document.dump())}}; }

}  // namespace

// --- models ---

std::optional<StoredModel> find_model_record(db::Connection& c, std::string_view name) {
  const auto row = c.first("SELECT * FROM model_records WHERE name = :n", {{"n", std::string(name)}});
  if (!row) return std::nullopt;
  return model_of(*row);
}

std::vector<StoredModel> model_records(db::Connection& c, const std::string& after, int limit) {
  std::vector<StoredModel> list;
  for (const db::Row& row : c.query("SELECT * FROM model_records WHERE name > :a ORDER BY name LIMIT :l",
                                    {{"a", after}, {"l", int64_t{limit}}}))
    list.push_back(model_of(row));
  return list;
}

Register load_register(db::Connection& c, const std::vector<std::string>& names) {
  Register models;
  std::vector<std::string> open = names;
  std::set<std::string> seen;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (!seen.insert(name).second) continue;
    const auto found = find_model_record(c, name);
    if (!found) continue;
    const ModelRecord& record = models.emplace(name, found->record).first->second;
    if (record.bases) open.insert(open.end(), record.bases->begin(), record.bases->end());
    open.insert(open.end(), record.datasets.begin(), record.datasets.end());
  }
  return models;
}

void save_model_record(const Writer& writer, const ModelRecord& record) {
  Register models = load_register(*writer.tx, {record.name});
  Register others = load_register(*writer.tx, record.bases.value_or(std::vector<std::string>()));
  models.merge(others);
  models.insert_or_assign(record.name, record);
  lineage_of(record, models);
  const auto before = find_model_record(*writer.tx, record.name);
  const Json document = to_json(record);
  if (before) {
    writer.tx->update("model_records", {{"document", document.dump()}, {"version", before->version + 1}},
                      {"name", record.name});
  } else {
    writer.tx->insert("model_records", {{"name", record.name},
                                        {"document", document.dump()},
                                        {"created_by", writer.actor.person_id},
                                        {"created_at", utc_now()}});
  }
  provenance::append_event(writer.tx, writer.actor,
                           {.action = before ? "model:set" : "model:add",
                            .subject_kind = "model",
                            .subject_id = record.name,
                            .subject_name = record.name,
                            .before = before ? to_json(before->record) : Json(),
                            .after = document});
}

std::string keep_licence_text(const Writer& writer, const std::string& text) {
  const std::string sha256 = sha256_hex(text);
  if (writer.tx->first("SELECT sha256 FROM licence_texts WHERE sha256 = :s", {{"s", sha256}})) return sha256;
  writer.tx->insert("licence_texts", {{"sha256", sha256},
                                      {"text", text},
                                      {"created_by", writer.actor.person_id},
                                      {"created_at", utc_now()}});
  return sha256;
}

// --- names ---

void watch_name(const Writer& writer, const WatchedName& name) {
  if (name.key.empty())
    throw Error(ErrorCode::usage, "cannot watch for this name").with("found", "no letter in it");
  if (writer.tx->first("SELECT name FROM watched_names WHERE name_key = :k", {{"k", name.key}}))
    throw Error(ErrorCode::conflict, "this name is watched already").with("found", name.name);
  writer.tx->insert("watched_names", {{"name_key", name.key},
                                      {"name", name.name},
                                      {"kind", name.kind},
                                      {"created_by", writer.actor.person_id},
                                      {"created_at", utc_now()}});
  provenance::append_event(
      writer.tx, writer.actor,
      {.action = "name:add", .subject_kind = "name", .subject_id = sha256_hex(name.key)});
}

void forget_name(const Writer& writer, const std::string& key) {
  if (writer.tx->execute("DELETE FROM watched_names WHERE name_key = :k", {{"k", key}}) == 0)
    throw Error(ErrorCode::not_found, "this name is not watched");
  provenance::append_event(writer.tx, writer.actor,
                           {.action = "name:remove", .subject_kind = "name", .subject_id = sha256_hex(key)});
}

std::vector<WatchedName> watched_names(db::Connection& c, const std::string& after, int limit) {
  std::vector<WatchedName> list;
  for (const db::Row& row :
       c.query("SELECT * FROM watched_names WHERE name_key > :a ORDER BY name_key LIMIT :l",
               {{"a", after}, {"l", int64_t{limit}}}))
    list.push_back({.name = row.text("name"), .key = row.text("name_key"), .kind = row.text("kind")});
  return list;
}

// --- a show ---

std::optional<StoredProfile> find_profile(db::Connection& c, const std::string& show_id) {
  const auto row = c.first("SELECT * FROM production_profiles WHERE show_id = :s", {{"s", show_id}});
  if (!row) return std::nullopt;
  return StoredProfile{.profile = profile_from_json(document_of(*row)), .version = row->integer("version")};
}

void save_profile(const Writer& writer, const std::string& show_id, const ProductionProfile& profile) {
  const auto before = find_profile(*writer.tx, show_id);
  const Json document = to_json(profile);
  const db::Bindings said = {{"document", document.dump()},
                             {"created_by", writer.actor.person_id},
                             {"created_at", utc_now()},
                             {"version", before ? before->version + 1 : int64_t{1}}};
  if (before) {
    writer.tx->update("production_profiles", said, {"show_id", show_id});
  } else {
    db::Bindings row = said;
    row.push_back({"show_id", show_id});
    writer.tx->insert("production_profiles", row);
  }
  provenance::append_event(writer.tx, writer.actor,
                           {.action = "profile:set",
                            .subject_kind = "show",
                            .subject_id = show_id,
                            .show_id = show_id,
                            .before = before ? to_json(before->profile) : Json(),
                            .after = document});
}

Entry add_entry(const Writer& writer, const std::string& show_id, const std::string& kind,
                const Json& document, const std::string& name_key) {
  const std::string id = new_uuid();
  writer.tx->insert("rights_entries", {{"id", id},
                                       {"show_id", show_id},
                                       {"kind", kind},
                                       {"name_key", name_key},
                                       {"document", document.dump()},
                                       {"created_by", writer.actor.person_id},
                                       {"created_at", utc_now()}});
  provenance::append_event(writer.tx, writer.actor,
                           {.action = kind + ":add",
                            .subject_kind = kind,
                            .subject_id = id,
                            .show_id = show_id,
                            .after = trace_of(document)});
  return entry_of(*writer.tx->first("SELECT * FROM rights_entries WHERE id = :i", {{"i", id}}));
}

std::vector<Entry> entries(db::Connection& c, const std::string& show_id, const std::string& kind,
                           int64_t before, int limit) {
  std::vector<Entry> list;
  for (const db::Row& row :
       c.query("SELECT * FROM rights_entries WHERE show_id = :s AND kind = :k AND seq < :b "
               "ORDER BY seq DESC LIMIT :l",
               {{"s", show_id}, {"k", kind}, {"b", before > 0 ? before : INT64_MAX}, {"l", int64_t{limit}}}))
    list.push_back(entry_of(row));
  return list;
}

Entry end_entry(const Writer& writer, const std::string& show_id, const std::string& kind,
                const std::string& id, const std::string& date) {
  const db::Bindings which = {{"i", id}, {"s", show_id}, {"k", kind}};
  constexpr std::string_view kQuestion =
      "SELECT * FROM rights_entries WHERE id = :i AND show_id = :s AND kind = :k";
  const auto row = writer.tx->first(kQuestion, which);
  if (!row) throw Error(ErrorCode::not_found, "there is no {} \"{}\"", kind, id.substr(0, 80));
  if (!row->is_null("ended_on"))
    throw Error(ErrorCode::conflict, "it was ended before").with("found", row->text("ended_on"));
  writer.tx->update("rights_entries", {{"ended_on", date}}, {"id", id});
  provenance::append_event(writer.tx, writer.actor,
                           {.action = kind + ":revoke",
                            .subject_kind = kind,
                            .subject_id = id,
                            .show_id = show_id,
                            .after = {{"ended_on", date}}});
  return entry_of(*writer.tx->first(kQuestion, which));
}

// --- the gate ---

namespace {

// Only names that the words may hold, so that a long list costs nothing.
std::vector<WatchedName> names_in(db::Connection& c, const std::vector<std::string>& words) {
  constexpr size_t kAtOnce = 500;  // values of one question
  const std::set<std::string, std::less<>> keys = keys_in(words);
  std::vector<WatchedName> found;
  for (auto key = keys.begin(); key != keys.end();) {
    std::vector<std::string> names;
    db::Bindings values;
    names.reserve(kAtOnce);  // the bindings refer to them
    for (; key != keys.end() && names.size() < kAtOnce; ++key) {
      names.push_back(fmt::format("k{}", names.size()));
      values.push_back({names.back(), *key});
    }
    const std::string sql =
        fmt::format("SELECT * FROM watched_names WHERE name_key IN (:{})", fmt::join(names, ", :"));
    for (const db::Row& row : c.query(sql, values))
      found.push_back({.name = row.text("name"), .key = row.text("name_key"), .kind = row.text("kind")});
  }
  return found;
}

}  // namespace

GateRecords load_for_gate(db::Connection& c, const std::string& show_id, const RecipeFacts& facts) {
  GateRecords records;
  const auto profile = find_profile(c, show_id);
  if (!profile) return records;
  records.profile = profile->profile;
  std::vector<std::string> names;
  for (const UsedModel& model : facts.models) names.push_back(model.name);
  records.models = load_register(c, names);
  records.people.names = names_in(c, facts.words);
  for (const Entry& entry : entries(c, show_id, "notice", 0, kAll))
    records.people.notices.push_back(notice_from_json(entry.document));
  if (!records.people.names.empty()) {
    for (const Entry& entry : entries(c, show_id, "consent", 0, kAll)) {
      Consent consent = consent_from_json(entry.document);
      consent.key = entry.name_key;
      if (!entry.ended_on.empty()) consent.revoked = entry.ended_on;
      records.people.consents.push_back(std::move(consent));
    }
  }
  for (const Entry& entry : entries(c, show_id, "clearance", 0, kAll)) {
    if (entry.ended_on.empty()) records.statements.push_back(statement_from_json(entry.document));
  }
  return records;
}

}  // namespace maquette::rights

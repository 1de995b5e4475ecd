// Registers: where records, profiles, consents and approvals are kept. Whoever writes gives the transaction
// and who acts; every change is a line of the event log, which names no person but by id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provenance/event_log.h"
#include "rights/gate.h"

namespace maquette::rights {

struct Writer {
  db::Transaction& tx;
  provenance::Actor actor;
};

// --- models ---

struct StoredModel {
  ModelRecord record;
  int64_t version = 0;
};
std::optional<StoredModel> find_model_record(db::Connection& c, std::string_view name);
// By name, those after `after`.
std::vector<StoredModel> model_records(db::Connection& c, const std::string& after, int limit);
// These and everything they come from, as far as it is in the register.
Register load_register(db::Connection& c, const std::vector<std::string>& names);
// New, or in place of the one of this name. Throws Error(refused) where it would come from itself.
void save_model_record(const Writer& writer, const ModelRecord& record);
// Keeps the text of a licence; returns its SHA-256.
std::string keep_licence_text(const Writer& writer, const std::string& text);

// --- names ---

// Throws Error(conflict) where the name is watched already, Error(usage) where its key is empty.
void watch_name(const Writer& writer, const WatchedName& name);
// Throws Error(not_found).
void forget_name(const Writer& writer, const std::string& key);
std::vector<WatchedName> watched_names(db::Connection& c, const std::string& after, int limit);

// --- a show ---

struct StoredProfile {
  ProductionProfile profile;
  int64_t version = 0;
};
std::optional<StoredProfile> find_profile(db::Connection& c, const std::string& show_id);
void save_profile(const Writer& writer, const std::string& show_id, const ProductionProfile& profile);

// Something that was written down for a show: a notice, a consent or a clearance.
struct Entry {
  std::string id, kind;
  Json document;
  std::string name_key;  // of who consents
  std::string ended_on;  // empty: not ended
  std::string created_by, created_at;
  int64_t seq = 0;
};
Entry add_entry(const Writer& writer, const std::string& show_id, const std::string& kind,
                const Json& document, const std::string& name_key = "");
// Newest first, below `before` (0: all).
std::vector<Entry> entries(db::Connection& c, const std::string& show_id, const std::string& kind,
                           int64_t before, int limit);
// Throws Error(not_found), and Error(conflict) where it was ended before.
Entry end_entry(const Writer& writer, const std::string& show_id, const std::string& kind,
                const std::string& id, const std::string& date);

// --- the gate ---

// What the gate must see of the registers for these facts.
struct GateRecords {
  Register models;
  std::optional<ProductionProfile> profile;
  People people;
  std::vector<Statement> statements;
};
// Without a profile nothing else is looked up.
GateRecords load_for_gate(db::Connection& c, const std::string& show_id, const RecipeFacts& facts);

}  // namespace maquette::rights

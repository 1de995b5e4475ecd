// Entities: episodes, sequences, shots and assets of a show, and which assets a shot is cast with.
#pragma once

#include "production/change.h"

namespace maquette::production {

inline constexpr std::string_view kEntityKinds[] = {"episode", "sequence", "shot", "asset"};

struct NewEntity {
  std::string kind;       // one of kEntityKinds
  std::string parent_id;  // an episode for a sequence, an episode or a sequence for a shot; may be empty
  std::string code;
  std::string name;
  std::string brief;
  std::string asset_type;  // code; for assets only
  Json data = Json::object();
};

// Returns the id. Throws Error(usage) where the parent cannot hold it, Error(conflict) where the code is
// taken.
std::string create_entity(const Change& change, const db::Row& show, const NewEntity& entity);

struct EntityUpdate {
  std::optional<std::string> name, brief, status, asset_type;
  Json data;  // only what changes; a null value removes
  std::optional<int64_t> seen_version;
};
void update_entity(const Change& change, const db::Row& entity, const EntityUpdate& update);

// After a task of the entity was made or changed its status: what the board filters by.
void refresh_task_states(const Change& change, std::string_view entity_id);

Json entity_document(db::Connection& c, const db::Row& entity);

struct EntityQuery {
  std::string show_id;
  std::string kind = {};
  std::string parent_id = {};
  std::string asset_type = {};
  std::string status = {};
  std::string search = {};  // in codes and names
  PageQuery page = {};      // by path
};
Page entities(db::Connection& c, const EntityQuery& query);

// Shots (or assets, sequences) with their tasks, for the board.
struct BoardQuery {
  std::string show_id;
  std::string kind = "shot";
  std::string search = {};
  std::string task_type_id = {};
  std::string status_id = {};  // of a task
  PageQuery page = {};
  int64_t offset = 0;  // lines to pass over, for jumps in long lists
};
struct Board {
  Page page;
  int64_t total = 0;  // lines of all pages
};
Board board(db::Connection& c, const BoardQuery& query);

// The assets of a shot, or the shots of an asset: {entity, count, label}.
std::vector<Json> casting(db::Connection& c, const db::Row& entity);
// count 0 takes it out.
void cast(const Change& change, const db::Row& shot, const db::Row& asset, int64_t count,
          const std::string& label);

}  // namespace maquette::production

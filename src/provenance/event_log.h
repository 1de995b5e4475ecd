// The event log: one line for every change, written in the transaction that makes the change, never altered
// afterwards (the database refuses). What the log of rights and provenance builds on.
//
// Lines name people by their id only, so that a person can be forgotten without touching the log: `before`
// and `after` must not hold names, addresses or texts about a person.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "db/database.h"

namespace maquette::provenance {

// Who acts, and in which role the rule allowed it.
struct Actor {
  std::string person_id;  // empty: a guest, or the program itself
  std::string role;       // "art-director"; "guest", "program"
};

struct Event {
  std::string_view action;        // "<entity>:<action>": "take:approve"
  std::string_view subject_kind;  // "take"
  std::string_view subject_id;
  std::string subject_name = {};  // as it was called then: "lanterns/sq010/sh020:background/v001/t02"
  std::string show_id = {};       // empty: of the whole studio
  Json before = {};               // what changed; null where there is nothing to say
  Json after = {};
};

// Appends a line. Numbers of lines are in the order of their commits: readers that have seen line n miss
// nothing by asking for lines above n.
void append_event(db::Transaction& tx, const Actor& actor, const Event& event);

struct EventQuery {
  std::string show_id = {};  // empty: all
  std::string subject_id = {};
  std::string action = {};  // "take:approve", or "take:" for all of takes
  std::string person_id = {};
  int64_t before = 0;  // newest first, below this number; 0: from the newest
  int64_t after = -1;  // oldest first, above this number; -1: newest first
  int limit = 50;
};

// {seq, id, show_id, at, person{id, name}|null, role, action, subject_kind, subject_id, subject_name, before,
// after}
std::vector<Json> events(db::Connection& connection, const EventQuery& query);

// Number of the newest line; 0 where there is none.
int64_t last_event(db::Connection& connection);

}  // namespace maquette::provenance

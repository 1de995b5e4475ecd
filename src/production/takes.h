// Takes: the pictures proposed for a task. A take belongs to a revision of its task (v003) and has a number
// in it (t02) that is never used twice; its files are representations (png, ora, strokes...). Nothing is
// deleted: a withdrawn take keeps its row and its files, a purged one its row.
#pragma once

#include "production/change.h"

namespace maquette::production {

inline constexpr std::string_view kTakeOrigins[] = {"generated", "edited", "imported", "composite"};
inline constexpr std::string_view kTakeStates[] = {"proposed", "approved", "withdrawn", "purged", "all"};
inline constexpr std::string_view kTakeVerdicts[] = {"validated",
                                                     "rejected"};  // and "neutral", which is none

struct TakeFile {
  std::string representation;  // png, exr, ora, psd, layer, strokes, mask, init, control
  std::string name;
  std::string sha256;
};

struct TakeParent {
  std::string take_id;
  std::string relation;  // init, source, mask, control, layer, retake
};

struct NewTake {
  std::string origin;  // generated, edited, imported, composite
  std::string title = {};
  std::string sha256;     // the picture; registered as a file of the show
  std::string thumbnail;  // so is this
  int64_t width = 0;
  int64_t height = 0;
  Json recipe = {};  // as the engine wrote it; null where there is none
  std::string seed = {};
  std::string model = {};
  std::string prompt = {};
  Json proof = {};  // what was measured: pixels outside the mask, drift at the seam
  std::string job_id = {};
  std::vector<TakeFile> files = {};
  std::vector<TakeParent> parents = {};
};

// Gives the next number and files the take. Returns its id.
std::string file_take(const Change& change, const db::Row& task, const NewTake& take);

void rename_take(const Change& change, const db::Row& take, const std::string& title,
                 std::optional<int64_t> seen_version);
void add_take_file(const Change& change, const db::Row& take, const TakeFile& file);
void set_proof(const Change& change, const db::Row& take, const Json& proof);

// What one person thinks of it.
void mark_take(const Change& change, const db::Row& take, std::optional<int64_t> stars,
               const std::optional<std::string>& verdict);

// Exactly one take of a task is approved, or none. Approving another one moves it; the history is kept.
void approve_take(const Change& change, const db::Row& take, const std::string& reason);
void unapprove(const Change& change, const db::Row& task, const std::string& reason);
// An approved take cannot be withdrawn.
void withdraw_take(const Change& change, const db::Row& take, const std::string& reason);
void restore_take(const Change& change, const db::Row& take, const std::string& reason);
// Marks the take, and returns the files that no other take needs: the caller removes them from the disk after
// the transaction. Only a withdrawn take can be purged.
std::vector<std::string> purge_take(const Change& change, const db::Row& take, const std::string& reason);
// That the take was painted again from its record, and what came out: evidence, whatever the answer.
void log_replay(const Change& change, const db::Row& take, const Json& outcome);

std::vector<Json> approvals(db::Connection& c, const db::Row& task);

struct TakeQuery {
  std::string show_id = {};
  std::string task_id = {};
  std::string origin = {};
  std::string model = {};
  std::string person_id = {};
  std::string verdict = {};  // of anybody
  std::string state = {};    // proposed, approved, withdrawn, purged; empty: all but withdrawn and purged
  std::string search = {};   // words of paths, titles, prompts, models, seeds
  std::string job_id = {};
  int64_t revision = 0;        // 0: all
  std::string reader_id = {};  // whose marks are "mine"
  PageQuery page = {};         // newest first
};
Page takes(db::Connection& c, const TakeQuery& query);
Json take_document(db::Connection& c, const db::Row& take, const std::string& reader_id);
std::vector<Json> take_files(db::Connection& c, const db::Row& take);

// Everything the take was made from and everything made from it: {takes, edges{take, parent, relation}}.
Json lineage(db::Connection& c, const db::Row& take, const std::string& reader_id);

}  // namespace maquette::production

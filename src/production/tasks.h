// Tasks: what is to be painted for a shot or asset. A status changes by a comment only; comments are never
// altered, and one that is dated back never rewinds the task.
#pragma once

#include "production/change.h"

namespace maquette::production {

struct NewTask {
  std::string task_type;  // code or id
  std::string brief;
  std::vector<std::string> assignees;  // logins or ids
  int64_t priority = 0;
  std::optional<std::string> due_at;
};
std::string create_task(const Change& change, const db::Row& entity, const NewTask& task);

struct TaskUpdate {
  std::optional<std::string> brief, due_at;
  std::optional<int64_t> priority;
  std::optional<int64_t> max_retakes;  // -1: the show's
  std::optional<std::vector<std::string>> assignees;
  std::optional<int64_t> seen_version;
};
void update_task(const Change& change, const db::Row& task, const TaskUpdate& update);

struct TaskQuery {
  std::string show_id;
  std::string status_id = {};
  std::string task_type_id = {};
  std::string assignee_id = {};
  std::string entity_id = {};
  std::string search = {};  // in paths
  PageQuery page = {};
};
Page tasks(db::Connection& c, const TaskQuery& query);
Json task_document(db::Connection& c, const db::Row& task);

// Pictures that a brief points to; they are files of the show.
void set_reference(const Change& change, const db::Row& task, const std::string& sha256,
                   const std::string& name);
void remove_reference(const Change& change, const db::Row& task, const std::string& sha256);

struct NewComment {
  std::string text;
  std::string status = {};  // code or id; empty: none
  std::string take_id = {};
  std::string annotation_id = {};
  std::string guest = {};           // instead of a person
  std::string said_at = {};         // empty: now
  bool may_set_any_status = false;  // else those for artists only
};
// Returns the comment's id. Entering a retake status counts a retake and begins the next revision; throws
// Error(refused) above the cap.
std::string comment(const Change& change, const db::Row& task, const NewComment& comment);
Page comments(db::Connection& c, std::string_view task_id, const PageQuery& page);

}  // namespace maquette::production

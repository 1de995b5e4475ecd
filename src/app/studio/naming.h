// Names of files for people: the show's template (production/path_template.h) filled in, and the way back,
// from the name of a file that somebody brings to the task that it is for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "production/path_template.h"

namespace maquette::app {

struct TakeNumber {
  int64_t revision = 1;
  int64_t number = 1;
};
production::NameFields name_fields(db::Connection& c, const db::Row& show, const db::Row& task,
                                   const TakeNumber& take);
// Without extension. Throws Error(usage) where the show's template makes no file name.
std::string name_of_take(db::Connection& c, const db::Row& show, const db::Row& take);

// Knows the tasks of a show by their names.
class TaskNames {
 public:
  TaskNames(db::Connection& c, const db::Row& show);

  struct Found {
    std::string task_id;    // empty: none
    std::string reference;  // "lanterns/sq010/sh020:background"
    std::string why;        // where there is none, or more than one
  };
  // `name`: of the file, with the folders above it as far as they were brought along
  // ("sq010/sh020_bg_v003.png"). A name of the show's template comes first; else the codes of the shot or the
  // asset must stand in it, and its type, where the shot has several tasks: whole or shortened ("bg").
  Found find(std::string_view name) const;

 private:
  using Words = std::vector<std::string>;
  struct Task {
    std::string id, reference, entity;
    Words by_template;         // numbers end with "#"
    std::vector<Words> codes;  // from the top: {{"sq010"}, {"sh020"}}
    Words type;
  };
  std::vector<const Task*> named_by_template(const Words& words) const;
  std::vector<const Task*> named_by_codes(const Words& words, std::vector<bool>& used) const;

  std::vector<Task> tasks_;
  std::vector<Words> types_;  // of the show
};

}  // namespace maquette::app

// Importing: pictures from outside, by the folder, as takes of a task or of the tasks that their names tell.
// Each becomes a take with everything that belongs to it, or is named with the reason and left alone.
#pragma once

#include <functional>

#include "app/studio/studio.h"

namespace maquette::app {

struct ImportRequest {
  std::string task;    // reference or id; empty: by name
  std::string show;    // whose tasks are meant, by name
  std::string parent;  // the take that the pictures were made from; empty: none
  std::string relation;
  std::string origin = "imported";
  std::string title;  // empty: the file's name
  bool dry_run = false;
};

// A picture to bring in; `name` is its path below the folder that was given.
struct ImportFile {
  std::filesystem::path file;
  std::string name;
  bool in_folder = false;
};
// Files as they are given, folders with everything below them, by name; hidden files are passed over. Throws
// Error(not_found).
std::vector<ImportFile> files_to_import(const std::vector<std::string>& paths);

struct ImportResult {
  // Of each file: {file, state, task, take, recipe, notes, why}. state: "imported"; "ready" (of a dry run);
  // "known": the task has a take with the same bytes; "skipped": no picture by its name, in a folder;
  // "failed". recipe: "maquette", "a1111", "comfyui" or "none". take: the document, where there is one.
  std::vector<Json> files;
  size_t failed = 0;
  std::optional<Error> error = {};  // of the first that failed
};
using ImportReport = std::function<void(const Json& file)>;
// Throws Error(usage, not_found, refused) where the request itself cannot be met.
ImportResult import_pictures(Studio& studio, const production::Caller& caller, const ImportRequest& request,
                             const std::vector<ImportFile>& files, const ImportReport& report = {});

}  // namespace maquette::app

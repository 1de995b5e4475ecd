#include "app/studio/importing.h"

#include <algorithm>

#include "app/picture_audits.h"
#include "app/picture_recipe.h"
#include "app/studio/naming.h"
#include "app/studio/operation.h"
#include "app/studio/spool_copy.h"
#include "base/hash.h"
#include "base/text.h"
#include "media/image_io.h"
#include "production/references.h"

namespace maquette::app {

namespace {

class Importer {
 public:
  Importer(Studio& studio, const production::Caller& caller, const ImportRequest& request)
      : studio_(studio), caller_(caller), request_(request) {
    const db::Lease c = studio.database().connect();
    db::Row show;
    if (request.task.empty()) {
      show = production::find_show(*c, request.show);
    } else {
      const db::Row task = production::find_task(*c, request.task);
      show = production::find_show(*c, task.text("show_id"));
      task_ = {.task_id = task.text("id"), .reference = production::task_name(*c, task)};
    }
    production::require(caller, production::Action::take_file, show.text("id"));
    if (request.task.empty()) names_.emplace(*c, show);
    if (!request.parent.empty()) parent_ = production::find_take(*c, request.parent).text("id");
  }

  // Fills in what becomes of the file. Throws Error where nothing does.
  void bring_in(const ImportFile& file, Json& line) {
    const PictureRecipe known = recipe_of_picture(file.file).take();
    line["recipe"] = name(known.source);
    if (!known.notes.empty()) line["notes"] = known.notes;
    const TaskNames::Found task = names_ ? names_->find(file.name) : task_;
    if (task.task_id.empty())
      throw Error(ErrorCode::not_found, "no task for this picture").with("found", task.why);
    line["task"] = task.reference;
    if (const auto take = take_with_bytes_of(file.file, task.task_id)) {
      line["state"] = "known";
      line["take"] = *take;
      return;
    }
    if (request_.dry_run) {
      const MappedFile mapped = MappedFile::open(file.file).take();
      media::decode_image8(mapped.bytes()).take();
      line["state"] = "ready";
      return;
    }
    line["take"] = file_take(file, task.task_id);
    line["state"] = "imported";
  }

 private:
  std::optional<Json> take_with_bytes_of(const fs::path& file, const std::string& task_id) {
    const db::Lease c = studio_.database().connect();
    const auto row = c->first(
        "SELECT id, revision, number FROM takes WHERE task_id = :t AND sha256 = :h AND withdrawn_at IS NULL",
        {{"t", task_id}, {"h", sha256_hex_of_file(file)}});
    if (!row) return std::nullopt;
    const std::string label = production::take_label(row->integer("revision"), row->integer("number"));
    return Json{{"id", row->text("id")}, {"label", label}};
  }

  Json file_take(const ImportFile& file, const std::string& task_id) {
    const SpoolCopy copy(studio_.spool(), file.file);
    Call call{.studio = studio_, .caller = caller_, .arguments = {{"task", task_id}}};
    const std::string title =
        request_.title.empty() ? fs::path(file.name).filename().string() : request_.title;
    call.arguments.update({{"origin", request_.origin}, {"title", title}});
    if (!parent_.empty()) call.arguments["parent"] = parent_;
    if (!request_.relation.empty()) call.arguments["relation"] = request_.relation;
    call.upload = Upload{.file = copy.path(), .name = file.name};
    return run_operation(*find_operation("take import"), call).body;
  }

  Studio& studio_;
  const production::Caller& caller_;
  const ImportRequest& request_;
  TaskNames::Found task_;
  std::optional<TaskNames> names_;
  std::string parent_;
};

}  // namespace

std::vector<ImportFile> files_to_import(const std::vector<std::string>& paths) {
  std::vector<ImportFile> files;
  for (const std::string& path : paths) {
    if (fs::is_regular_file(path)) {
      files.push_back({path, fs::path(path).filename().string()});
      continue;
    }
    if (!fs::is_directory(path)) throw Error(ErrorCode::not_found, "there is no file or folder \"{}\"", path);
    std::vector<ImportFile> below;
    for (auto each = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied);
         each != fs::recursive_directory_iterator(); ++each) {
      const bool hidden = each->path().filename().string().starts_with('.');
      if (hidden && each->is_directory()) each.disable_recursion_pending();
      if (!hidden && each->is_regular_file())
        below.push_back({each->path(), each->path().lexically_relative(path).generic_string(), true});
    }
    std::ranges::sort(below, {}, &ImportFile::name);
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

ImportResult import_pictures(Studio& studio, const production::Caller& caller, const ImportRequest& request,
                             const std::vector<ImportFile>& files, const ImportReport& report) {
  Importer importer(studio, caller, request);
  ImportResult result;
  for (const ImportFile& file : files) {
    Json line = {{"file", file.file.string()}, {"state", "skipped"}};
    try {
      // A picture that was named is tried whatever its name; in folders lie other things, too.
      if (!file.in_folder || is_picture_name(file.file)) importer.bring_in(file, line);
    } catch (const Error& error) {
      line["state"] = "failed";
      std::string why = error.what();
      for (const auto& [field, value] : error.fields()) why += "; " + value;
      line["why"] = why;
      ++result.failed;
      if (!result.error) result.error = error;
    }
    if (report) report(line);
    result.files.push_back(std::move(line));
  }
  return result;
}

}  // namespace maquette::app

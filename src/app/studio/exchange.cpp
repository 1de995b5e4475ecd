#include "app/studio/archive.h"
#include "app/studio/doctor.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "app/studio/tables.h"
#include "base/file.h"
#include "base/identifiers.h"
#include "media/unicode.h"
#include "production/file_store.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};

Reply export_table(Call& call) {
  const db::Row show = show_of(call);
  const fs::path file = call.studio.spool() / fmt::format("export-{}.csv", new_uuid());
  write_file_atomically(file, export_csv(*call.studio.database().connect(), show, call.text("what")));
  return {.file = file, .media_type = "text/csv; charset=utf-8", .passing = true};
}

Reply import(Call& call) {
  const db::Row show = show_of(call, Action::structure_edit);
  constexpr size_t kMost = size_t{64} << 20;
  const std::string text = read_text_file(call.upload->file, kMost).take();
  if (!media::is_utf8(text))
    throw Error(ErrorCode::bad_file, "cannot read the table")
        .with("found", "no UTF-8")
        .hint("save it as UTF-8");
  return {.body = changing(call, Action::structure_edit, show.text("id"), [&](const Change& change) {
            return import_table(change, show, call.text("what"), text);
          })};
}

Reply doctor(Call& call) {
  const std::string show = call.text("show");
  if (show.empty()) {
    production::require(call.caller, Action::studio_check, "");
  } else {
    show_of(call, Action::studio_check);
  }
  return {.body = examine(call.studio, call.text("show"), call.flag("quick"))};
}

Reply backup(Call& call) {
  production::require(call.caller, Action::studio_backup, "");
  std::string name = call.text("name");
  if (name.empty()) {
    name = "backup-" + utc_now().substr(0, 19);
    std::erase_if(name, [](char c) { return c == ':'; });
  }
  production::require_code(name, "a backup");
  const fs::path folder = call.studio.folder() / "backups" / name;
  fs::create_directories(folder.parent_path());
  std::optional<db::Row> show;
  if (call.has("show")) show = show_of(call);
  const Json made = show ? back_up_show(call.studio, *show, folder) : back_up(call.studio, folder);
  changing(call, Action::studio_backup, "", [&](const Change& change) {
    change.log({.action = show ? "show:backup" : "studio:backup",
                .subject_kind = show ? "show" : "studio",
                .subject_id = show ? show->text("id") : "studio",
                .show_id = show ? show->text("id") : "",
                .after = {{"name", name}, {"files", made["files"]}}});
  });
  return {.body = made, .created = true};
}

}  // namespace

std::vector<Operation> exchange_operations() {
  return {
      {"export",
       "GET",
       "/shows/{show}/export",
       Action::show_read,
       "a table of the show (CSV)",
       "maquette export lanterns --what shots --out shots.csv",
       {kShow, {"what", Place::query, Kind::text, "shots, assets, casting, tasks or takes", true}},
       false,
       export_table},
      {"import",
       "POST",
       "/shows/{show}/import",
       Action::structure_edit,
       "bring in a table (Kitsu's CSV columns) or an edit decision list",
       "maquette import lanterns shots.csv --what shots",
       {kShow, {"what", Place::query, Kind::text, "shots, assets, casting or edl", true}},
       true,
       import},
      {"doctor",
       "GET",
       "/doctor",
       Action::studio_check,
       "find every missing, altered or orphaned file",
       "maquette doctor",
       {{"show", Place::query, Kind::text, "only of this show"},
        {"quick", Place::query, Kind::flag, "compare sizes only"}},
       false,
       doctor},
      {"backup",
       "POST",
       "/backups",
       Action::studio_backup,
       "copy the studio, or one show, while it runs",
       "maquette backup --name before-delivery\nmaquette backup --show lanterns --name lanterns-final",
       {{"name", Place::body, Kind::text, "of the folder inside STUDIO/backups; left out: the time"},
        {"show", Place::body, Kind::text, "only this show, for another studio"}},
       false,
       backup},
  };
}

}  // namespace maquette::app

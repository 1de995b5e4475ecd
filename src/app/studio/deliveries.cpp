// Deliveries: handing over approved takes, and fetching what was handed over.
#include "app/studio/delivery.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "base/file.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};
constexpr Parameter kDelivery = {"delivery", Place::path, Kind::text, "its name", true};

Reply deliver(Call& call) {
  const db::Row show = show_of(call, Action::delivery_make);
  std::vector<std::string> takes;
  for (const std::string& take : call.list("takes"))
    takes.push_back(production::find_take(*call.studio.database().connect(), take).text("id"));
  const Json made = deliver(call.studio, show,
                            {.name = call.text("name"),
                             .formats = call.list("formats"),
                             .takes = takes,
                             .path = call.text("path")});
  changing(call, Action::delivery_make, show.text("id"), [&](const Change& change) {
    change.log({.action = "show:deliver",
                .subject_kind = "show",
                .subject_id = show.text("id"),
                .subject_name = show.text("code"),
                .show_id = show.text("id"),
                .after = {{"name", made["name"]}, {"files", made["files"]}}});
  });
  return {.body = made, .created = true};
}

Reply list(Call& call) { return list_reply(deliveries_of(call.studio, show_of(call))); }

std::string_view media_type_of(const fs::path& file) {
  const std::string ending = file.extension().string();
  if (ending == ".png") return "image/png";
  if (ending == ".tif") return "image/tiff";
  if (ending == ".exr") return "image/x-exr";
  if (ending == ".ora") return "image/openraster";
  if (ending == ".psd") return "image/vnd.adobe.photoshop";
  if (ending == ".json") return "application/json";
  return "application/octet-stream";
}

Reply file(Call& call) {
  const fs::path path = delivered_file(call.studio, show_of(call), call.text("delivery"), call.text("file"));
  return {.file = path, .media_type = std::string(media_type_of(path))};
}

Reply archive(Call& call) {
  return {.file = delivery_archive(call.studio, show_of(call), call.text("delivery")),
          .media_type = "application/zip",
          .passing = true};
}

}  // namespace

std::vector<Operation> delivery_operations() {
  return {
      {"deliver",
       "POST",
       "/shows/{show}/deliveries",
       Action::delivery_make,
       "hand over approved takes as files",
       "maquette deliver lanterns --formats exr,psd --name reel1\nmaquette deliver lanterns --path sq010",
       {kShow,
        {"takes", Place::body, Kind::list, "left out: every approved take"},
        {"path", Place::body, Kind::text, "only of this sequence, shot or asset and what is below it"},
        {"formats", Place::body, Kind::list, "png16 (left out), tiff16, exr, ora, psd"},
        {"name", Place::body, Kind::text, "of the folder; left out: the time"}},
       false,
       deliver},
      {"delivery list",
       "GET",
       "/shows/{show}/deliveries",
       Action::show_read,
       "what was handed over",
       "maquette delivery list lanterns",
       {kShow},
       false,
       list},
      {"delivery file",
       "GET",
       "/shows/{show}/deliveries/{delivery}/files/{file}",
       Action::show_read,
       "a file of a delivery",
       "maquette delivery file lanterns reel1 manifest.json",
       {kShow,
        kDelivery,
        {"file", Place::path, Kind::text, "as the manifest names it, or manifest.json", true}},
       false,
       file},
      {"delivery archive",
       "GET",
       "/shows/{show}/deliveries/{delivery}/archive",
       Action::show_read,
       "all of a delivery as one zip archive",
       "maquette delivery archive lanterns reel1 --out reel1.zip",
       {kShow, kDelivery},
       false,
       archive},
  };
}

}  // namespace maquette::app

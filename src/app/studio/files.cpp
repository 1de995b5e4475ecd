#include "app/studio/filing.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kShow = {"show", Place::path, Kind::text, "code or id of the show", true};

Reply upload(Call& call) {
  const db::Row show = production::find_show(*call.studio.database().connect(), call.text("show"));
  const std::string show_id = show.text("id");
  production::require(call.caller, Action::take_file, show_id);
  const production::FileStore store = store_of(call.studio, show);
  const StoredFile file = store_file(store, call.upload->file);
  changing(call, Action::take_file, show_id, [&](const Change& change) {
    register_stored(change, store, show_id, file);
    change.log({.action = "file:upload",
                .subject_kind = "file",
                .subject_id = file.sha256,
                .show_id = show_id,
                .after = {{"bytes", file.bytes}, {"media_type", file.media_type}}});
  });
  return document_reply({{"sha256", file.sha256},
                         {"bytes", file.bytes},
                         {"media_type", file.media_type},
                         {"width", file.width},
                         {"height", file.height}},
                        true);
}

Reply content(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  const db::Row file = production::find_file(*c, show.text("id"), call.text("sha256"));
  const production::FileStore store = store_of(call.studio, show);
  store.require(file.text("sha256"));
  return {.file = store.path(file.text("sha256")), .media_type = file.text("media_type"), .immutable = true};
}

}  // namespace

std::vector<Operation> file_operations() {
  return {
      {"file upload",
       "POST",
       "/shows/{show}/uploads",
       Action::take_file,
       "put a picture or a document into the show's store",
       "maquette file upload lanterns mask.png",
       {kShow},
       true,
       upload},
      {"file get",
       "GET",
       "/shows/{show}/files/{sha256}",
       Action::show_read,
       "a file of the show by its SHA-256",
       "maquette file get lanterns HASH --out mask.png",
       {kShow, {"sha256", Place::path, Kind::text, "64 hexadecimal digits", true}},
       false,
       content},
  };
}

}  // namespace maquette::app

#include "app/studio/left_overs.h"

#include "base/file.h"
#include "base/identifiers.h"
#include "base/partial_files.h"
#include "base/text.h"

namespace maquette::app {

namespace {

// "<job>-<index>.png", "<job>-<index>.journal" and "<job>.jpg" (queue.cpp). A failed job keeps its journal:
// it may be tried again.
bool is_needed(db::Connection& c, const fs::path& file) {
  constexpr size_t kUuidLength = 36;
  const std::string stem = file.stem().string();
  const auto job =
      c.first("SELECT state, made FROM jobs WHERE id = :i", {{"i", stem.substr(0, kUuidLength)}});
  if (!job) return false;
  const std::string state = job->text("state");
  if (state == "done" || state == "canceled") return false;
  const bool of_a_picture = stem.size() > kUuidLength;
  return !of_a_picture || parse_integer(stem.substr(kUuidLength + 1)).value_or(0) >= job->integer("made");
}

void sweep_spool(Studio& studio) {
  const db::Lease c = studio.database().connect();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(studio.spool(), error)) {
    const fs::path& file = entry.path();
    const std::string extension = file.extension().string();
    const bool of_a_job = is_uuid(file.filename().string().substr(0, 36)) &&
                          (extension == ".png" || extension == ".journal" || extension == ".jpg");
    if (of_a_job && !is_needed(*c, file)) fs::remove(file, error);
  }
}

}  // namespace

void remove_left_overs(Studio& studio) {
  remove_stale_partial_files(studio.spool());
  std::vector<db::Row> shows;
  {
    const db::Lease c = studio.database().connect();
    shows = c->query("SELECT root FROM shows");
  }
  for (const db::Row& show : shows) {
    const fs::path folder = studio.show_folder(show.text("root"));
    remove_stale_partial_files(folder);
    remove_stale_partial_files(folder / "files");
  }
  sweep_spool(studio);
}

}  // namespace maquette::app

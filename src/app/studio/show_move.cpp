// The marker file in the new folder says which show is on its way there and from where; it is written first
// and removed last, so that a second run knows what a first one left.
#include "app/studio/show_move.h"

#include "app/studio/filing.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "production/references.h"
#include "production/shows.h"

namespace maquette::app {

namespace {

constexpr const char* kMarker = ".maquette-move.json";

// Where the show comes from: the marker's word, where a run before got beyond the switch.
fs::path begin(const fs::path& from, const fs::path& to, const std::string& show_id) {
  const fs::path marker = to / kMarker;
  if (const auto text = read_text_file(marker)) {
    const auto said = parse_json(*text, marker.string());
    if (said && said->value("show", "") == show_id) return said->value("from", "");
  }
  if (from == to) return {};
  if (fs::exists(to) && !fs::is_empty(to))
    throw Error(ErrorCode::conflict, "there is something else at the new place").with("where", to.string());
  const fs::path below = fs::weakly_canonical(to).lexically_relative(fs::weakly_canonical(from));
  if (!below.empty() && *below.begin() != "..")
    throw Error(ErrorCode::usage, "a show cannot be moved into itself").with("where", to.string());
  fs::create_directories(to);
  write_file_atomically(marker, Json{{"show", show_id}, {"from", from.string()}}.dump() + "\n");
  return from;
}

// Files of the store by their names, others by both contents.
bool is_same(const fs::path& old_file, const fs::path& new_file) {
  std::error_code error;
  const auto size = fs::file_size(new_file, error);
  if (error || size != fs::file_size(old_file)) return false;
  const std::string name = old_file.filename().string();
  const std::string wanted = is_sha256(name) ? name : sha256_hex_of_file(old_file);
  return sha256_hex_of_file(new_file) == wanted;
}

struct Copied {
  int64_t files = 0;
  int64_t bytes = 0;
};

Copied copy_all(const fs::path& from, const fs::path& to) {
  Copied copied;
  if (!fs::exists(from)) return copied;  // a run before removed it
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const fs::path place = to / entry.path().lexically_relative(from);
    ++copied.files;
    copied.bytes += static_cast<int64_t>(entry.file_size());
    if (is_same(entry.path(), place)) continue;
    fs::create_directories(place.parent_path());
    {
      AtomicFile writing(place);
      fs::copy_file(entry.path(), writing.temporary(), fs::copy_options::overwrite_existing);
      writing.commit();
    }
    if (is_same(entry.path(), place)) continue;
    throw Error(ErrorCode::bad_file, "a file of the show is not what its name says")
        .with("where", entry.path().string())
        .hint("\"maquette doctor\" lists all of them; the show stays where it was");
  }
  return copied;
}

// Returns how many files stay.
int64_t remove_moved(const fs::path& from, const fs::path& to) {
  if (!fs::exists(from)) return 0;
  std::vector<fs::path> files, folders = {from};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from))
    (entry.is_directory() ? folders : files).push_back(entry.path());
  int64_t left = 0;
  for (const fs::path& file : files) {
    std::error_code error;
    const bool moved = is_same(file, to / file.lexically_relative(from)) && fs::remove(file, error);
    if (!moved) ++left;
  }
  // The deepest first; a folder that holds something stays.
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    std::error_code not_empty;
    fs::remove(*folder, not_empty);
  }
  return left;
}

void switch_root(Studio& studio, const production::Caller& caller, const std::string& show_id,
                 const fs::path& to) {
  const production::Role role = production::require(caller, production::Action::show_edit, show_id);
  db::Transaction tx(studio.database());
  tx.lock_row("shows", show_id);
  if (tx->first("SELECT id FROM jobs WHERE show_id = :s AND state = 'running'", {{"s", show_id}}))
    throw Error(ErrorCode::conflict, "pictures of this show are being made")
        .hint("run it again when they are done: what is copied stays copied");
  const fs::path inside = to.lexically_relative(studio.folder());
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  production::update_show({tx, {caller.person_id, std::string(production::name(role))}},
                          production::find_show(*tx, show_id),
                          {.root = is_inside ? inside.generic_string() : to.string()});
  tx.commit();
}

}  // namespace

Json move_show(Studio& studio, const production::Caller& caller, const std::string& reference,
               const fs::path& place) {
  const db::Row show = production::find_show(*studio.database().connect(), reference);
  const std::string show_id = show.text("id");
  production::require(caller, production::Action::show_edit, show_id);
  const fs::path to = fs::absolute(place).lexically_normal();
  const fs::path now = studio.show_folder(show.text("root")).lexically_normal();
  const fs::path from = begin(now, to, show_id);
  if (from.empty()) throw Error(ErrorCode::usage, "the show is there already").with("where", to.string());

  Copied copied = copy_all(from, to);
  if (now != to) {
    switch_root(studio, caller, show_id, to);
    // What was filed between the copy and the switch.
    copied = copy_all(from, to);
  }
  const int64_t left = remove_moved(from, to);
  if (left == 0) fs::remove(to / kMarker);
  return {{"show", show.text("code")}, {"from", from.string()}, {"to", to.string()},
          {"files", copied.files},     {"bytes", copied.bytes}, {"left", left}};
}

}  // namespace maquette::app

#include "app/studio/studio.h"

#include <cstdlib>
#include <unistd.h>

#include "base/identifiers.h"
#include "provenance/event_log.h"

namespace maquette::app {

namespace fs = std::filesystem;

// --- news ---

void Newsroom::publish(std::string kind, std::string show_id, Json data) {
  constexpr size_t kKept = 500;
  {
    const std::lock_guard lock(mutex_);
    items_.push_back({++last_.item, std::move(kind), std::move(show_id), std::move(data)});
    if (items_.size() > kKept) items_.pop_front();
  }
  changed_.notify_all();
}

void Newsroom::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++last_.wakes;
  }
  changed_.notify_all();
}

Newsroom::Heard Newsroom::now() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::vector<Newsroom::Item> Newsroom::wait(Heard& heard, std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return last_.item > heard.item || last_.wakes > heard.wakes; });
  std::vector<Item> fresh;
  for (const Item& item : items_) {
    if (item.number > heard.item) fresh.push_back(item);
  }
  heard = last_;
  return fresh;
}

// --- studio ---

namespace {

// Sheets and tables that were made to be sent once.
void remove_old_answers(const fs::path& spool) {
  std::error_code error;
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const fs::directory_entry& entry : fs::directory_iterator(spool, error)) {
    const std::string name = entry.path().filename().string();
    const bool answer = name.starts_with("export-") || name.starts_with("sheet-");
    if (answer && entry.last_write_time(error) < old) fs::remove(entry.path(), error);
  }
}

}  // namespace

Studio::Studio(const StudioOptions& options) : folder_(fs::absolute(options.folder)) {
  std::error_code error;
  fs::create_directories(folder_ / "shows", error);
  fs::create_directories(folder_ / "spool", error);
  if (error) {
    throw Error(ErrorCode::failed, "cannot make the studio's folder")
        .with("where", folder_.string())
        .with("found", error.message());
  }
  remove_old_answers(spool());
  database_ =
      db::Database::open(options.database.empty() ? (folder_ / "studio.db").string() : options.database);
}

Studio::~Studio() = default;

fs::path Studio::show_folder(const std::string& root) const {
  return fs::path(root).is_absolute() ? fs::path(root) : folder_ / root;
}

production::Caller local_caller(Studio& studio) {
  const char* user = std::getenv("USER");
  const std::string login = user && *user ? user : "local";
  production::Caller caller{.login = login, .name = login};
  for (const production::Role role : production::all_roles()) caller.roles[""].insert(role);
  {
    const db::Lease c = studio.database().connect();
    if (const auto row = c->first("SELECT id, name FROM people WHERE login = :login", {{"login", login}})) {
      caller.person_id = row->text("id");
      caller.name = row->text("name");
      return caller;
    }
  }
  db::Transaction tx(studio.database());
  caller.person_id = new_uuid();
  tx->insert("people",
             {{"id", caller.person_id}, {"login", login}, {"name", login}, {"created_at", utc_now()}});
  provenance::append_event(
      tx, {caller.person_id, "program"},
      {.action = "person:create", .subject_kind = "person", .subject_id = caller.person_id});
  tx.commit();
  return caller;
}

}  // namespace maquette::app

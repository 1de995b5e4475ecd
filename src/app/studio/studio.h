// Studio: the folder and the database that the operations work on, and what its users hear while they work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "db/database.h"
#include "production/permissions.h"

namespace maquette::app {

// Short-lived news (progress, previews) for whoever listens in this process; what is lost is lost. Lasting
// news are the events of the database.
class Newsroom {
 public:
  struct Item {
    int64_t number = 0;
    std::string kind;  // "job:progress", "job:preview"
    std::string show_id;
    Json data;
  };
  void publish(std::string kind, std::string show_id, Json data);
  // Wakes the listeners because the event log grew.
  void wake();
  // How far a listener has heard. What happens after now(), also before wait(), ends the waiting.
  struct Heard {
    int64_t item = 0;
    int64_t wakes = 0;
  };
  Heard now() const;
  // Waits until there is something after `heard`, which moves on, or the time is over.
  std::vector<Item> wait(Heard& heard, std::chrono::milliseconds longest);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;  // the last few hundred
  Heard last_;
};

struct StudioOptions {
  std::filesystem::path folder = "studio";  // studio.db, shows/, spool/
  std::string database = {};                // empty: studio.db in the folder; else postgresql://...
};

class Studio {
 public:
  // Opens, or makes, the studio. Throws Error.
  explicit Studio(const StudioOptions& options);
  ~Studio();

  db::Database& database() { return *database_; }
  Newsroom& news() { return news_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path spool() const { return folder_ / "spool"; }  // unfinished work: uploads, journals
  // The folder of a show, from its `root`.
  std::filesystem::path show_folder(const std::string& root) const;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<db::Database> database_;
  Newsroom news_;
};

// What the command line acts as on this machine: somebody with all roles, by the name of the system's user.
// Made a person of the studio at the first use.
production::Caller local_caller(Studio& studio);

}  // namespace maquette::app

#include "large_studio.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "app/studio/operation.h"
#include "base/hash.h"
#include "production/references.h"
#include "production/take_search.h"

namespace maquette::bench {

namespace {

constexpr size_t kWords = 4000;
constexpr std::string_view kTime = "2026-11-23T12:00:00.000Z";

// Rows of one table, sent a few hundred at a time. Values are written into the text: all of them are made
// here.
class Rows {
 public:
  Rows(db::Connection& c, std::string_view table, std::string_view columns)
      : c_(c), head_(fmt::format("INSERT INTO {} ({}) VALUES ", table, columns)) {}
  ~Rows() { send(); }
  void add(const std::string& values) {
    text_ += fmt::format("{}({})", text_.empty() ? "" : ",", values);
    if (++count_ == 400) send();
  }

 private:
  void send() {
    if (count_ > 0) c_.execute(head_ + text_);
    text_.clear();
    count_ = 0;
  }
  db::Connection& c_;
  std::string head_, text_;
  int count_ = 0;
};

int64_t below(std::mt19937_64& random, int64_t end) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(end));
}

// Writes rows 0 to n, a transaction for each hundred thousand of them.
template <typename Write>
void in_parts(db::Database& database, std::string_view what, int64_t n, const Write& write) {
  constexpr int64_t kPart = 100'000;
  for (int64_t begin = 0; begin < n; begin += kPart) {
    db::Transaction tx(database);
    write(*tx, begin, std::min(n, begin + kPart));
    tx.commit();
    fmt::print(stderr, "{}: {} of {}\n", what, std::min(n, begin + kPart), n);
  }
}

struct Show {
  std::string id;
  std::string task_type;
  std::vector<std::string> statuses;
};

Show make_show(app::Studio& studio) {
  const production::Caller caller = app::local_caller(studio);
  app::Call call{studio, caller, {{"code", "large"}, {"name", "Large"}}};
  Show show;
  show.id = app::run_operation(*app::find_operation("show create"), call).body["id"];
  const db::Lease c = studio.database().connect();
  show.task_type = production::find_type(*c, "task_types", show.id, "background").text("id");
  for (const db::Row& row :
       c->query("SELECT id FROM task_statuses WHERE show_id = :s ORDER BY position", {{"s", show.id}}))
    show.statuses.push_back(row.text("id"));
  return show;
}

void add_people(db::Database& database) {
  in_parts(database, "people", LargeStudio::kPeople, [](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "people", "id, login, name, created_at");
    for (int64_t i = begin; i < end; ++i)
      rows.add(fmt::format("'{}', 'person{:03}', 'Person {}', '{}'", id_of('p', i), i, i, kTime));
  });
}

// Few are in work or in review, many are done: the last statuses of the list. In the order of the tasks.
std::vector<size_t> statuses_of_tasks(const Show& show, const LargeStudio& size) {
  std::mt19937_64 random(2);
  std::vector<size_t> all;
  for (int64_t i = 0; i < size.tasks(); ++i)
    all.push_back(below(random, 100) < 6 ? static_cast<size_t>(below(random, 4)) : show.statuses.size() - 2);
  return all;
}

// As production::refresh_task_states() has it: "TYPE:STATUS;", the last 12 letters of their ids, of the
// shot's one task or two.
std::string task_states(int64_t shot, const Show& show, const LargeStudio& size,
                        const std::vector<size_t>& statuses) {
  std::string states;
  for (int64_t task = shot; task < size.tasks(); task += size.shots()) {
    const std::string type = task < size.shots() ? show.task_type : id_of('y', 0);
    states +=
        fmt::format("{}:{};", type.substr(24), show.statuses[statuses[static_cast<size_t>(task)]].substr(24));
  }
  return states;
}

void add_entities(db::Database& database, const Show& show, const LargeStudio& size, const Words& words) {
  constexpr std::string_view kColumns =
      "id, show_id, parent_id, kind, asset_type, code, path, name, search_text, task_states, created_at";
  const int64_t sequences = (size.shots() + 99) / 100;
  in_parts(database, "sequences", sequences, [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "entities", kColumns);
    for (int64_t i = begin; i < end; ++i)
      rows.add(fmt::format(
          "'{0}', '{1}', NULL, 'sequence', '', 'sq{2:04}', 'sq{2:04}', '', 'sq{2:04}\n', '', '{3}'",
          id_of('q', i), show.id, i, kTime));
  });
  const std::vector<size_t> statuses = statuses_of_tasks(show, size);
  std::mt19937_64 random(1);
  in_parts(database, "shots", size.shots(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "entities", kColumns);
    for (int64_t i = begin; i < end; ++i) {
      const std::string name = words.draw(random) + " " + words.draw(random);
      rows.add(
          fmt::format("'{0}', '{1}', '{2}', 'shot', '', 'sh{3:04}', '{4}', '{5}', '{4}\n{5}', '{6}', '{7}'",
                      id_of('s', i), show.id, id_of('q', i / 100), i % 100 * 10, shot_path(i), name,
                      task_states(i, show, size, statuses), kTime));
    }
  });
  in_parts(database, "assets", LargeStudio::kAssets, [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "entities", kColumns);
    for (int64_t i = begin; i < end; ++i)
      rows.add(fmt::format(
          "'{0}', '{1}', NULL, 'asset', '{2}', 'asset{3:04}', 'asset{3:04}', '{4}', 'asset{3:04}\n{4}', "
          "'', '{5}'",
          id_of('a', i), show.id, i % 3 ? "texture" : "background", i, words.draw(random), kTime));
  });
  in_parts(database, "castings", size.shots(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "castings", "shot_id, asset_id, count");
    for (int64_t i = begin; i < end; ++i)
      rows.add(fmt::format("'{}', '{}', 2", id_of('s', i), id_of('a', below(random, LargeStudio::kAssets))));
  });
}

// The task of take i: takes of a task come in runs, as they are made.
int64_t task_of_take(int64_t take, const LargeStudio& size) { return take / 8 % size.tasks(); }

// Every second task has an approved take; -1: none.
int64_t approved_take(int64_t task) { return task % 2 == 0 ? task * 8 + 3 : -1; }
bool is_withdrawn(int64_t take) { return take % 40 == 9; }
bool is_purged(int64_t take) { return take % 4000 == 9; }
// Every third take has a mark.
std::string_view verdict_on(int64_t take) {
  if (take % 30 == 0) return "rejected";
  return take % 12 == 0 ? "validated" : "neutral";
}

// Tasks are those of the shots in turn; shots have one, and every fourth a second, of an asset instead.
void add_tasks(db::Database& database, const Show& show, const LargeStudio& size) {
  std::mt19937_64 random(2);
  const std::vector<size_t> statuses = statuses_of_tasks(show, size);
  const auto second_type = id_of('y', 0);
  {
    db::Transaction tx(database);
    tx->insert("task_types",
               {{"id", second_type}, {"show_id", show.id}, {"code", "matte"}, {"name", "Matte"}});
    tx.commit();
  }
  in_parts(database, "tasks", size.tasks(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(
        c, "tasks",
        "id, show_id, entity_id, entity_path, task_type_id, status_id, brief, take_count, approved_take_id, "
        "status_at, created_at");
    for (int64_t i = begin; i < end; ++i) {
      const size_t status = statuses[static_cast<size_t>(i)];
      const int64_t approved = approved_take(i);
      rows.add(fmt::format("'{}', '{}', '{}', '{}', '{}', '{}', 'a brief', 8, {}, '{}', '{}'", id_of('k', i),
                           show.id, id_of('s', i % size.shots()), shot_path(i % size.shots()),
                           i < size.shots() ? show.task_type : second_type, show.statuses[status],
                           approved < 0 ? "NULL" : fmt::format("'{}'", id_of('t', approved)), kTime, kTime));
    }
  });
  in_parts(database, "assignees", size.tasks(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "task_assignees", "task_id, person_id");
    for (int64_t i = begin; i < end; ++i)
      rows.add(fmt::format("'{}', '{}'", id_of('k', i), id_of('p', below(random, LargeStudio::kPeople))));
  });
}

std::string facets_of_take(int64_t take, const Show& show, const LargeStudio& size, const std::string& origin,
                           const std::string& model, const std::string& person) {
  const int64_t task = task_of_take(take, size);
  return production::take_facets({.show_id = show.id,
                                  .task_id = id_of('k', task),
                                  .origin = origin,
                                  .model = model,
                                  .created_by = person,
                                  .approved = approved_take(task) == take,
                                  .withdrawn = is_withdrawn(take),
                                  .purged = is_purged(take),
                                  .validated = verdict_on(take) == "validated",
                                  .rejected = verdict_on(take) == "rejected"});
}

void add_takes(db::Database& database, const Show& show, const LargeStudio& size, const Words& words) {
  std::mt19937_64 random(3);
  in_parts(database, "takes", size.takes, [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows takes(c, "takes",
               "id, show_id, task_id, revision, number, origin, sha256, thumbnail, width, height, recipe, "
               "seed, model, "
               "prompt, job_id, search_text, facets, created_by, created_at, withdrawn_at, purged_at");
    for (int64_t i = begin; i < end; ++i) {
      std::string prompt;
      for (int64_t w = 6 + below(random, 20); w > 0; --w) prompt += words.draw(random) + (w > 1 ? " " : "");
      const int64_t task = task_of_take(i, size);
      // The first models and people do most of the work.
      const std::string model = model_name(std::min(below(random, LargeStudio::kModels), below(random, 40)));
      const int64_t person = std::min(below(random, LargeStudio::kPeople), below(random, 400));
      const char* origin = i % 1000 == 7 ? "composite"
                           : i % 50 == 3 ? "imported"
                           : i % 9 == 5  ? "edited"
                                         : "generated";
      const std::string sha = sha256_hex(fmt::format("take {}", i));
      const bool withdrawn = is_withdrawn(i), purged = is_purged(i);
      takes.add(fmt::format(
          "'{}', '{}', '{}', {}, {}, '{}', '{}', '{}', 1024, 576, '{{\"steps\" : 20}}', '{}', '{}', '{}', "
          "'{}', "
          "'large/{} background {} {} {}', '{}', '{}', '{}', {}, {}",
          id_of('t', i), show.id, id_of('k', task), 1 + i / 8 / size.tasks(), 1 + i % 8, origin, sha, sha,
          i * 7919, model, prompt, id_of('j', i / 7), shot_path(task % size.shots()), prompt, model, i * 7919,
          facets_of_take(i, show, size, origin, model, id_of('p', person)), id_of('p', person), kTime,
          withdrawn ? fmt::format("'{}'", kTime) : "NULL", purged ? fmt::format("'{}'", kTime) : "NULL"));
    }
  });
  in_parts(database, "marks and parents", size.takes, [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows marks(c, "marks", "take_id, person_id, stars, verdict, updated_at");
    Rows parents(c, "take_parents", "take_id, parent_id, relation");
    for (int64_t i = begin; i < end; ++i) {
      const std::string id = id_of('t', i);
      if (i % 3 == 0) {
        marks.add(fmt::format("'{}', '{}', {}, '{}', '{}'", id, id_of('p', below(random, 20)), i % 5 + 1,
                              verdict_on(i), kTime));
      }
      if (i % 8 != 0 && i % 5 == 0) parents.add(fmt::format("'{}', '{}', 'retake'", id, id_of('t', i - 1)));
    }
  });
}

void add_talk(db::Database& database, const Show& show, const LargeStudio& size) {
  std::mt19937_64 random(4);
  in_parts(database, "comments", size.comments(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "comments", "id, show_id, task_id, person_id, text, said_at, created_at");
    for (int64_t i = begin; i < end; ++i) {
      // One task in a thousand has a long discussion.
      const int64_t task = i % 20 == 0 ? i / 20 % 25 * 1000 % size.tasks() : below(random, size.tasks());
      rows.add(fmt::format("'{}', '{}', '{}', '{}', 'warmer, please', '{}', '{}'", id_of('c', i), show.id,
                           id_of('k', task), id_of('p', below(random, LargeStudio::kPeople)), kTime, kTime));
    }
  });
  in_parts(database, "jobs", size.jobs(), [&](db::Connection& c, int64_t begin, int64_t end) {
    Rows rows(c, "jobs",
              "id, show_id, task_id, kind, priority, state, request, model, count, made, created_by, role, "
              "created_at");
    for (int64_t i = begin; i < end; ++i) {
      const char* state = i + 300 > size.jobs() ? "queued"
                          : i % 50 == 1         ? "failed"
                          : i % 333 == 1        ? "canceled"
                                                : "done";
      rows.add(fmt::format("'{}', '{}', '{}', 'generate', 20, '{}', '{{}}', '{}', 8, 8, '{}', 'artist', '{}'",
                           id_of('j', i), show.id, id_of('k', task_of_take(i * 7, size)), state,
                           model_name(below(random, LargeStudio::kModels)),
                           id_of('p', below(random, LargeStudio::kPeople)), kTime));
    }
  });
  in_parts(database, "playlists", LargeStudio::kPlaylists,
           [&](db::Connection& c, int64_t begin, int64_t end) {
             Rows rows(c, "playlists", "id, show_id, name, created_by, created_at");
             Rows items(c, "playlist_items", "playlist_id, position, take_id");
             for (int64_t i = begin; i < end; ++i) {
               rows.add(fmt::format("'{}', '{}', 'dailies {}', '{}', '{}'", id_of('l', i), show.id, i,
                                    id_of('p', 0), kTime));
             }
           });
  in_parts(database, "playlist items", LargeStudio::kPlaylists,
           [&](db::Connection& c, int64_t begin, int64_t end) {
             Rows items(c, "playlist_items", "playlist_id, position, take_id");
             for (int64_t i = begin; i < end; ++i) {
               for (int k = 0; k < 20; ++k)
                 items.add(fmt::format("'{}', {}, '{}'", id_of('l', i), k,
                                       id_of('t', (i * 997 + k * 31) % size.takes)));
             }
           });
}

void add_events(db::Database& database, const Show& show, const LargeStudio& size) {
  std::mt19937_64 random(5);
  in_parts(
      database, "events", size.takes + size.takes / 2, [&](db::Connection& c, int64_t begin, int64_t end) {
        Rows rows(
            c, "events",
            "id, show_id, at, person_id, role, action, subject_kind, subject_id, subject_name, after_value");
        for (int64_t i = begin; i < end; ++i) {
          const int64_t take = i * 2 / 3;
          const char* action = i % 3           ? "take:new"
                               : i % 9 == 0    ? "take:approve"
                               : i % 3000 == 3 ? "task:update"
                                               : "task:comment";
          const bool of_take = i % 3 != 0 || i % 9 == 0;
          rows.add(
              fmt::format("'{}', '{}', '{}', '{}', 'artist', '{}', '{}', '{}', 'large', '{{\"n\" : {}}}'",
                          id_of('e', i), show.id, kTime, id_of('p', below(random, LargeStudio::kPeople)),
                          action, of_take ? "take" : "task",
                          of_take ? id_of('t', take) : id_of('k', task_of_take(take, size)), i));
        }
      });
}

}  // namespace

Words::Words() {
  constexpr std::string_view kFirst[] = {"ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu",
                                         "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo", "zu"};
  constexpr std::string_view kLast[] = {"rn", "lt", "sk", "ma", "ter", "lin", "do", "ves", "th", "pra"};
  for (size_t i = 0; i < kWords; ++i)
    words_.push_back(fmt::format("{}{}{}", kFirst[i % 20], kFirst[i / 20 % 20], kLast[i / 400]));
  double sum = 0;
  for (size_t i = 0; i < kWords; ++i) weights_.push_back(sum += 1.0 / static_cast<double>(i + 3));
}

const std::string& Words::draw(std::mt19937_64& random) const {
  const double at = std::uniform_real_distribution<double>(0, weights_.back())(random);
  const auto found = std::ranges::lower_bound(weights_, at);
  return words_[static_cast<size_t>(std::min<ptrdiff_t>(found - weights_.begin(), kWords - 1))];
}

std::string id_of(char table, int64_t number) {
  return fmt::format("{:02x}000000-0000-7000-8000-{:012x}", static_cast<int>(table), number);
}

std::string shot_path(int64_t shot) { return fmt::format("sq{:04}/sh{:04}", shot / 100, shot % 100 * 10); }
std::string model_name(int64_t model) { return fmt::format("model{:02}", model); }

void fill(app::Studio& studio, const LargeStudio& size) {
  const Words words;
  db::Database& database = studio.database();
  const Show show = make_show(studio);
  add_people(database);
  add_entities(database, show, size, words);
  add_tasks(database, show, size);
  add_takes(database, show, size, words);
  add_talk(database, show, size);
  add_events(database, show, size);
  // PostgreSQL does so by itself within a minute; SQLite has no statistics in a studio either.
  if (database.backend() == db::Backend::postgresql) database.connect()->execute("VACUUM ANALYZE");
}

}  // namespace maquette::bench

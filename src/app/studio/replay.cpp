#include "app/studio/replay.h"

#include "app/picture_record.h"
#include "app/studio/comparing.h"
#include "app/studio/filing.h"
#include "app/studio/job_recipe.h"
#include "app/worker_process.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "production/references.h"
#include "production/takes.h"

namespace maquette::app {

namespace {

// Removes the picture at the end, whatever that is.
struct Scratch {
  fs::path file;
  ~Scratch() {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
};

// Byte 25 of a PNG file is its bit depth.
int bits_of(const fs::path& png) {
  const MappedFile file = MappedFile::open(png).take();
  constexpr size_t kDepth = 24;
  return file.bytes().size() > kDepth && file.bytes()[kDepth] == std::byte{16} ? 16 : 8;
}

// Returns the record that the new picture carries.
Json paint(const WorkerJob& job, const ReplayRequest& request) {
  WorkerOptions options;
  if (request.threads > 0) options.threads = request.threads;
  WorkerProcess worker(options);
  worker.run(job);
  while (true) {
    const auto event = worker.next(std::chrono::milliseconds(200));
    if (!event) continue;
    if (event->kind == WorkerEvent::Kind::progress && request.progress) {
      const std::string phase = event->body.value("phase", "");
      if (!request.progress(
              {.phase = phase, .done = event->body.value("step", 0), .total = event->body.value("steps", 0)}))
        worker.cancel(job.id);
    }
    if (event->kind == WorkerEvent::Kind::failed || event->kind == WorkerEvent::Kind::ended)
      throw event->error.value_or(Error(ErrorCode::failed, "the worker ended"));
    if (event->kind == WorkerEvent::Kind::done) {
      worker.quit();
      return parse_json(event->body.at("record").get<std::string>(), "the record").take();
    }
  }
}

// What the bytes depend on besides the recipe, where it is another now.
Json changed_environment(const Json& then, const Json& now) {
  Json changes = Json::array();
  for (const Json& field :
       recipe_difference(then.value("environment", Json()), now.value("environment", Json())))
    changes.push_back({{"name", field["name"]}, {"then", field["a"]}, {"now", field["b"]}});
  return changes;
}

// The comparison becomes a line of the event log, also where another picture came out.
void log_outcome(Studio& studio, const provenance::Actor& actor, const db::Row& take, const Json& answer) {
  db::Transaction tx(studio.database());
  production::log_replay({tx, actor}, take,
                         {{"sha256", take.text("sha256")},
                          {"same_bytes", answer["same_bytes"]},
                          {"same_pixels", answer["same_pixels"]},
                          {"max_difference", answer["pictures"].value("max_difference", Json())},
                          {"program", version()}});
  tx.commit();
}

}  // namespace

Json replay_take(Studio& studio, const production::Caller& caller, const ReplayRequest& request) {
  std::optional<db::Row> take, show;
  {
    const db::Lease c = studio.database().connect();
    take = production::find_take(*c, request.take);
    show = production::find_show(*c, take->text("show_id"));
  }
  const production::Role role = production::require(caller, production::Action::show_read, show->text("id"));
  const Json record = take->is_null("recipe") ? Json() : production::json_of(*take, "recipe");
  if (take->text("origin") != "generated" || !record.is_object())
    throw Error(ErrorCode::not_found, "this take has no recipe that was run here")
        .with("found", fmt::format("a take that was {}", take->text("origin")));
  const production::FileStore store = store_of(studio, *show);
  const std::string sha256 = take->text("sha256");
  store.require(sha256);

  const Scratch scratch{studio.spool() / fmt::format("replay-{}.png", new_uuid())};
  const Json now = paint({.id = "replay",
                          .recipe = recipe_for_worker(recipe_of_record(record).take(), store, 0),
                          .out = scratch.file,
                          .journal = {},
                          .preview = {},
                          .bits = bits_of(store.path(sha256))},
                         request);
  const Json pictures = difference_of_files(store.path(sha256), scratch.file);
  Json answer = {{"take", take->text("id")},
                 {"same_bytes", sha256_hex_of_file(scratch.file) == sha256},
                 {"same_pixels", pictures.value("max_difference", 1.0) == 0},
                 {"pictures", pictures},
                 {"environment", changed_environment(record, now)}};
  log_outcome(studio, {caller.person_id, std::string(production::name(role))}, *take, answer);
  if (!request.out.empty()) {
    AtomicFile writing(request.out);
    fs::copy_file(scratch.file, writing.temporary(), fs::copy_options::overwrite_existing);
    writing.commit();
    answer["file"] = request.out.string();
  }
  return answer;
}

}  // namespace maquette::app

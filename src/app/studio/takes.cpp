#include "production/takes.h"

#include "app/studio/comparing.h"
#include "app/studio/filing.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "base/file.h"
#include "production/references.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;

constexpr Parameter kTask = {"task", Place::path, Kind::text, "id, or SHOW/PATH:TYPE", true};
constexpr Parameter kTake = {"take", Place::path, Kind::text,
                             "id, or TASK/vNNN/tNN as in lanterns/sq010/sh020:background/v001/t02", true};
constexpr Parameter kReason = {"reason", Place::body, Kind::text, "why"};

db::Row take_of(const Call& call, db::Connection& c, std::string_view parameter = "take") {
  db::Row row = production::find_take(c, call.text(parameter));
  require_reading(call, row.text("show_id"));
  return row;
}

db::Row found_take(const Call& call) {
  return production::find_take(*call.studio.database().connect(), call.text("take"));
}

Reply take_reply(const Call& call, const Change& change, const std::string& id, bool created = false) {
  return document_reply(
      production::take_document(*change, production::find_take(*change, id), call.caller.person_id), created);
}

// Runs `work` on the take and answers with what it is then.
template <typename Work>
Reply change_take(const Call& call, Action action, const Work& work) {
  const db::Row row = found_take(call);
  return changing(call, action, row.text("show_id"), [&](const Change& change) {
    change.tx.lock_row("tasks", row.text("task_id"));
    const db::Row now = production::find_take(*change, row.text("id"));
    production::require_version(now, call.if_match);
    work(change, now);
    return take_reply(call, change, row.text("id"));
  });
}

// --- reading ---

production::TakeQuery query_of(const Call& call, db::Connection& c) {
  production::TakeQuery query{.origin = call.text("origin"),
                              .model = call.text("model"),
                              .verdict = call.text("verdict"),
                              .state = call.text("state"),
                              .search = call.text("search"),
                              .revision = call.integer("revision"),
                              .reader_id = call.caller.person_id,
                              .page = page_query(call)};
  if (call.has("person")) query.person_id = production::find_person(c, call.text("person")).text("id");
  return query;
}

Reply list_of_task(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row task = production::find_task(*c, call.text("task"));
  require_reading(call, task.text("show_id"));
  production::TakeQuery query = query_of(call, *c);
  query.task_id = task.text("id");
  return list_reply(production::takes(*c, query));
}

Reply list_of_show(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row show = production::find_show(*c, call.text("show"));
  require_reading(call, show.text("id"));
  production::TakeQuery query = query_of(call, *c);
  query.show_id = show.text("id");
  return list_reply(production::takes(*c, query));
}

Reply info(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return document_reply(production::take_document(*c, take_of(call, *c), call.caller.person_id));
}

// The recipe inside the record that was filed with the take; null where there is none.
Json recipe_of(const db::Row& take) {
  Json record = production::json_of(take, "recipe");
  return record.is_object() && record.contains("recipe") ? record["recipe"] : record;
}

Reply recipe(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row row = take_of(call, *c);
  if (row.is_null("recipe"))
    throw Error(ErrorCode::not_found, "this take has no recipe")
        .with("found", fmt::format("a take that was {}", row.text("origin")));
  return {.body = recipe_of(row)};
}

Reply files(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return list_reply(production::take_files(*c, take_of(call, *c)));
}

Reply lineage(Call& call) {
  const db::Lease c = call.studio.database().connect();
  return {.body = production::lineage(*c, take_of(call, *c), call.caller.person_id)};
}

Reply difference(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row a = take_of(call, *c);
  const db::Row b = take_of(call, *c, "other");
  if (a.text("show_id") != b.text("show_id"))
    throw Error(ErrorCode::usage, "the takes belong to different shows");
  const production::FileStore store = store_of(call.studio, production::find_show(*c, a.text("show_id")));
  const auto side = [&](const db::Row& row) {
    const Json document = production::take_document(*c, row, call.caller.person_id);
    return Json{{"id", document["id"]},
                {"reference", document["reference"]},
                {"origin", document["origin"]},
                {"created_by", document["created_by"]},
                {"created_at", document["created_at"]},
                {"state", document["state"]}};
  };
  return {.body = {{"a", side(a)},
                   {"b", side(b)},
                   {"fields", recipe_difference(recipe_of(a), recipe_of(b))},
                   {"pictures", picture_difference(store, a.text("sha256"), b.text("sha256"))}}};
}

Reply seam(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const db::Row row = take_of(call, *c);
  return {.body = seams_of(store_of(call.studio, production::find_show(*c, row.text("show_id"))),
                           row.text("sha256"))};
}

Reply file_reply(const Call& call, const db::Row& take, std::string_view column, std::string media_type) {
  const db::Lease c = call.studio.database().connect();
  const production::FileStore store = store_of(call.studio, production::find_show(*c, take.text("show_id")));
  const std::string sha256 = take.text(column);
  if (media_type.empty())
    media_type = production::find_file(*c, take.text("show_id"), sha256).text("media_type");
  store.require(sha256);
  return {.file = store.path(sha256), .media_type = media_type, .immutable = true};
}

Reply picture(Call& call) {
  return file_reply(call, take_of(call, *call.studio.database().connect()), "sha256", "");
}
Reply thumbnail(Call& call) {
  return file_reply(call, take_of(call, *call.studio.database().connect()), "thumbnail", "image/jpeg");
}

// --- changing ---

Reply create(Call& call) {
  const db::Row task = production::find_task(*call.studio.database().connect(), call.text("task"));
  const std::string show_id = task.text("show_id");
  production::require(call.caller, Action::take_file, show_id);
  const db::Row show = production::find_show(*call.studio.database().connect(), show_id);

  // Beyond this point the picture is on the disk; then it gets its rows.
  const PictureOrigin known = origin_of(call.upload->file);
  const production::FileStore store = store_of(call.studio, show);
  const StoredPicture picture = store_picture(store, call.upload->file);
  return changing(call, Action::take_file, show_id, [&](const Change& change) {
    production::NewTake take{.origin = call.text("origin", "imported"),
                             .title = call.text("title"),
                             .recipe = known.recipe,
                             .seed = known.seed,
                             .model = known.model,
                             .prompt = known.prompt};
    if (take.origin == "generated")
      throw Error(ErrorCode::usage, "pictures from outside are imported, edited or composites")
          .hint("jobs make generated takes");
    if (call.has("parent")) {
      take.parents = {{.take_id = production::find_take(*change, call.text("parent")).text("id"),
                       .relation = call.text("relation", "source")}};
    }
    register_picture(change, store, show_id, picture, take);
    return take_reply(call, change, production::file_take(change, task, take), true);
  });
}

Reply rename(Call& call) {
  return change_take(call, Action::take_file, [&](const Change& change, const db::Row& row) {
    production::rename_take(change, row, call.text("title"), {});
  });
}

Reply add_file(Call& call) {
  return change_take(call, Action::take_file, [&](const Change& change, const db::Row& row) {
    production::add_take_file(change, row,
                              {.representation = call.text("representation"),
                               .name = call.text("name"),
                               .sha256 = call.text("sha256")});
  });
}

Reply mark(Call& call) {
  return change_take(call, Action::take_mark, [&](const Change& change, const db::Row& row) {
    production::mark_take(
        change, row,
        call.arguments.value("stars", Json()).is_null() ? std::nullopt : std::optional(call.integer("stars")),
        call.optional_text("verdict"));
  });
}

Reply approve(Call& call) {
  return change_take(call, Action::take_approve, [&](const Change& change, const db::Row& row) {
    production::approve_take(change, row, call.text("reason"));
  });
}

// Artists may take back what they filed themselves.
Action withdrawing(const Call& call) {
  const db::Row row = found_take(call);
  const bool own = !call.caller.person_id.empty() && row.text("created_by") == call.caller.person_id;
  return own ? Action::take_file : Action::take_withdraw;
}

Reply withdraw(Call& call) {
  return change_take(call, withdrawing(call), [&](const Change& change, const db::Row& row) {
    production::withdraw_take(change, row, call.text("reason"));
  });
}

Reply restore(Call& call) {
  return change_take(call, withdrawing(call), [&](const Change& change, const db::Row& row) {
    production::restore_take(change, row, call.text("reason"));
  });
}

Reply purge(Call& call) {
  std::vector<std::string> freed;
  const Reply reply = change_take(call, Action::take_purge, [&](const Change& change, const db::Row& row) {
    freed = production::purge_take(change, row, call.text("reason"));
  });
  // The rows say so; now the disk. What a kill leaves here, the doctor names.
  const db::Row show =
      production::find_show(*call.studio.database().connect(), reply.body["show_id"].get<std::string>());
  for (const std::string& file : freed) {
    production::remove_purged(call.studio.database(), store_of(call.studio, show), show.text("id"), file);
  }
  return reply;
}

Reply prove(Call& call) {
  const db::Row row = found_take(call);
  const std::string show_id = row.text("show_id");
  production::require(call.caller, Action::take_file, show_id);
  Json proof;
  {
    const db::Lease c = call.studio.database().connect();
    const db::Row parent = production::find_take(*c, call.text("parent"));
    if (parent.text("show_id") != show_id)
      throw Error(ErrorCode::usage, "the parent take belongs to another show");
    const std::string mask = call.text("mask");
    if (!mask.empty()) production::find_file(*c, show_id, mask);
    proof = proof_of(store_of(call.studio, production::find_show(*c, show_id)), row.text("sha256"),
                     parent.text("sha256"), mask);
    proof["parent"] = parent.text("id");
  }
  return change_take(call, Action::take_file, [&](const Change& change, const db::Row& now) {
    production::set_proof(change, now, proof);
  });
}

std::vector<Parameter> filters(Parameter of) {
  return with_paging({of,
                      {"revision", Place::query, Kind::integer, "only of this revision"},
                      {"state", Place::query, Kind::text,
                       "proposed, approved, withdrawn, purged or all; left out: not withdrawn"},
                      {"origin", Place::query, Kind::text, "generated, edited, imported or composite"},
                      {"model", Place::query, Kind::text, "only of this model"},
                      {"person", Place::query, Kind::text, "only filed by this person"},
                      {"verdict", Place::query, Kind::text, "validated or rejected by anybody"},
                      {"search", Place::query, Kind::text,
                       "beginnings of words of the path, title, prompt, model and seed"}});
}

}  // namespace

std::vector<Operation> take_operations() {
  const std::string_view take = "maquette take info lanterns/sq010/sh020:background/v001/t02";
  return {
      {"take list", "GET", "/tasks/{task}/takes", Action::show_read, "the takes of a task, newest first",
       "maquette take list lanterns/sq010/sh020:background", filters(kTask), false, list_of_task},
      {"take search", "GET", "/shows/{show}/takes", Action::show_read, "takes of a whole show",
       "maquette take search lanterns --search \"dusk harb\"",
       filters({"show", Place::path, Kind::text, "code or id of the show", true}), false, list_of_show},
      {"take import",
       "POST",
       "/tasks/{task}/takes",
       Action::take_file,
       "file a picture as a take",
       "maquette take import lanterns/sq010/sh020:background paintover.png --origin edited --parent "
       "lanterns/sq010/sh020:background/v001/t02",
       {kTask,
        {"origin", Place::query, Kind::text, "imported (left out), edited or composite"},
        {"title", Place::query, Kind::text, "as people see it"},
        {"parent", Place::query, Kind::text, "the take that it was made from"},
        {"relation", Place::query, Kind::text, "how: source (left out), init, mask, control, layer, retake"}},
       true,
       create},
      {"take info", "GET", "/takes/{take}", Action::show_read, "a take", take, {kTake}, false, info},
      {"take rename",
       "PATCH",
       "/takes/{take}",
       Action::take_file,
       "give a take a title",
       "maquette take rename lanterns/sq010/sh020:background/v001/t02 --title \"the calm one\"",
       {kTake, {"title", Place::body, Kind::text, "as people see it", true}},
       false,
       rename},
      {"take recipe",
       "GET",
       "/takes/{take}/recipe",
       Action::show_read,
       "how it was made",
       "maquette take recipe lanterns/sq010/sh020:background/v001/t02 --json",
       {kTake},
       false,
       recipe},
      {"take files",
       "GET",
       "/takes/{take}/files",
       Action::show_read,
       "its files beside the picture",
       "maquette take files lanterns/sq010/sh020:background/v001/t02",
       {kTake},
       false,
       files},
      {"take file-add",
       "PUT",
       "/takes/{take}/files/{representation}/{name}",
       Action::take_file,
       "add a layer or another representation",
       "maquette take file-add lanterns/sq010/sh020:background/v001/t02 layer sky HASH",
       {kTake,
        {"representation", Place::path, Kind::text, "exr, ora, psd, layer, strokes, mask, ...", true},
        {"name", Place::path, Kind::text, "as people see it", true},
        {"sha256", Place::body, Kind::text, "a file of the show", true}},
       false,
       add_file},
      {"take picture",
       "GET",
       "/takes/{take}/picture",
       Action::show_read,
       "its picture",
       "maquette take picture lanterns/sq010/sh020:background/v001/t02 --out a.png",
       {kTake},
       false,
       picture},
      {"take thumbnail",
       "GET",
       "/takes/{take}/thumbnail",
       Action::show_read,
       "its picture, small",
       "maquette take thumbnail lanterns/sq010/sh020:background/v001/t02 --out a.jpg",
       {kTake},
       false,
       thumbnail},
      {"take mark",
       "PUT",
       "/takes/{take}/mark",
       Action::take_mark,
       "your stars and verdict",
       "maquette take mark lanterns/sq010/sh020:background/v001/t02 --stars 4 --verdict validated",
       {kTake,
        {"stars", Place::body, Kind::integer, "0 to 5"},
        {"verdict", Place::body, Kind::text, "neutral, validated or rejected"}},
       false,
       mark},
      {"take approve",
       "POST",
       "/takes/{take}/approve",
       Action::take_approve,
       "make it the one approved take of its task",
       "maquette take approve lanterns/sq010/sh020:background/v001/t02",
       {kTake, kReason},
       false,
       approve},
      {"take withdraw",
       "POST",
       "/takes/{take}/withdraw",
       Action::take_file,
       "put it aside; nothing is deleted",
       "maquette take withdraw lanterns/sq010/sh020:background/v001/t03 --reason \"wrong season\"",
       {kTake, kReason},
       false,
       withdraw,
       Action::take_withdraw},
      {"take restore",
       "POST",
       "/takes/{take}/restore",
       Action::take_file,
       "bring a withdrawn take back",
       "maquette take restore lanterns/sq010/sh020:background/v001/t03",
       {kTake, kReason},
       false,
       restore,
       Action::take_withdraw},
      {"take purge",
       "POST",
       "/takes/{take}/purge",
       Action::take_purge,
       "free the disk space of a withdrawn take; its record stays",
       "maquette take purge lanterns/sq010/sh020:background/v001/t03 --reason \"disk full\"",
       {kTake, kReason},
       false,
       purge},
      {"take lineage",
       "GET",
       "/takes/{take}/lineage",
       Action::show_read,
       "what it was made from, and what was made from it",
       "maquette take lineage lanterns/sq010/sh020:background/v002/t01",
       {kTake},
       false,
       lineage},
      {"take diff",
       "GET",
       "/takes/{take}/difference/{other}",
       Action::show_read,
       "how two takes differ: settings, pictures, people",
       "maquette take diff lanterns/sq010/sh020:background/v001/t01 lanterns/sq010/sh020:background/v001/t02",
       {kTake, {"other", Place::path, Kind::text, "the other take", true}},
       false,
       difference},
      {"take prove",
       "POST",
       "/takes/{take}/prove",
       Action::take_file,
       "measure that nothing outside a mask changed",
       "maquette take prove lanterns/sq010/sh020:background/v002/t01 --parent "
       "lanterns/sq010/sh020:background/v001/t02 --mask HASH",
       {kTake,
        {"parent", Place::body, Kind::text, "the take before", true},
        {"mask", Place::body, Kind::text, "a file of the show; left out: the whole picture is compared"}},
       false,
       prove},
      {"take seam",
       "GET",
       "/takes/{take}/seam",
       Action::show_read,
       "how visible its seams are when it is repeated",
       "maquette take seam lanterns/wet-stone:texture/v001/t01",
       {kTake},
       false,
       seam},
  };
}

}  // namespace maquette::app

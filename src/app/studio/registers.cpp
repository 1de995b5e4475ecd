// The register of models, adapters and data sets, and the names that prompts are searched for. A record is of
// a name of the library; what the file says about itself is a claim like any other.
#include <algorithm>

#include "app/models_folder.h"
#include "app/studio/gate.h"
#include "app/studio/handlers.h"
#include "app/studio/library.h"
#include "app/studio/operations.h"
#include "base/file.h"
#include "base/text.h"
#include "diffusion/file_hashes.h"
#include "media/unicode.h"
#include "text/folding.h"
#include "weights/checkpoint.h"
#include "weights/hashes.h"

namespace maquette::app {

namespace {

using production::Action;
using production::Change;
using rights::ModelRecord;

constexpr Parameter kModel = {"model", Place::path, Kind::text, "name in the library", true};

rights::Writer writer_of(const Change& change) { return {change.tx, change.actor}; }

// The record, or the built-in one; version 0: nobody has written it down.
rights::StoredModel find_record(db::Connection& c, const std::string& name) {
  if (auto found = rights::find_model_record(c, name)) return *found;
  if (name == starter_record().name) return {.record = starter_record()};
  throw Error(ErrorCode::not_found, "the register has no model \"{}\"", name.substr(0, 200))
      .hint("maquette model add NAME, maquette dataset add NAME");
}

std::vector<std::string> unknown_of(const ModelRecord& record) {
  std::vector<std::string> unknown;
  const auto add = [&](bool missing, const char* what) {
    if (missing) unknown.emplace_back(what);
  };
  add(record.licence.id.empty() || rights::find_licence(record.licence.id) == nullptr, "licence");
  add(record.licence.snapshot_sha256.empty(), "licence snapshot");
  add(record.training == rights::Training::unknown, "training data");
  add(!record.bases && record.kind != "dataset", "what it was made from");
  add(record.source.empty(), "source");
  add(record.sha256.empty() && record.kind != "dataset", "hash");
  return unknown;
}

std::vector<std::string> warnings_of(const ModelRecord& record) {
  std::vector<std::string> warnings;
  if (!record.claimed_tensors.empty() && record.claimed_tensors != record.tensors) {
    warnings.push_back(
        fmt::format("THE FILE LIES ABOUT ITSELF: it says that its tensors hash to {}, they hash to {}",
                    record.claimed_tensors, record.tensors));
  }
  return warnings;
}

Json document_of(db::Connection& c, const rights::StoredModel& stored) {
  std::vector<std::string> bases = stored.record.bases.value_or(std::vector<std::string>());
  bases.insert(bases.end(), stored.record.datasets.begin(), stored.record.datasets.end());
  rights::Register models = rights::load_register(c, bases);
  models.try_emplace(starter_record().name, starter_record());
  models.insert_or_assign(stored.record.name, stored.record);
  const rights::Lineage lineage = rights::lineage_of(stored.record, models);
  const rights::Opacity opacity = rights::opacity_of(lineage);
  Json document = rights::to_json(stored.record);
  document["terms"] = rights::to_json(rights::terms_of(lineage));
  document["opacity"] = {{"score", opacity.score}, {"reasons", opacity.reasons}};
  document["unknown"] = unknown_of(stored.record);
  document["warnings"] = warnings_of(stored.record);
  document["version"] = stored.version;
  return document;
}

// --- what a file says about itself ---

std::string value_of(const std::map<std::string, std::string>& metadata, std::string_view key) {
  const auto found = metadata.find(std::string(key));
  return found == metadata.end() ? "" : std::string(trim(found->second));
}

// A model of the library, by its name or by its file.
LibraryModel library_model(const std::string& given) {
  std::error_code error;
  for (const LibraryModel& model : library_models()) {
    if (model.name == given || fs::equivalent(model.path, given, error)) return model;
  }
  throw Error(ErrorCode::not_found, "the library has no model \"{}\"", given.substr(0, 200))
      .hint("recipes of a studio name models of the library: MAQUETTE_MODELS names its folders");
}

ModelRecord read_model(const LibraryModel& model) {
  ModelRecord record{.name = model.name, .kind = model.kind};
  if (fs::is_regular_file(model.path)) {
    const weights::FileHashes hashes = weights::hash_file(model.path).take();
    record.sha256 = hashes.sha256;
    record.tensors = hashes.tensors;
  } else {
    record.sha256 = diffusion::FileHashes().of(model.path, true);
  }
  const auto metadata = weights::open_checkpoint(model.path).take().metadata;
  record.claimed_tensors = lower_ascii(value_of(metadata, "modelspec.hash_sha256"));
  if (!record.claimed_tensors.empty() && !record.claimed_tensors.starts_with("0x"))
    record.claimed_tensors = "0x" + record.claimed_tensors;
  if (const std::string licence = value_of(metadata, "modelspec.license"); !licence.empty()) {
    record.licence = {.id = rights::licence_id(licence),
                      .claimed_by = "the file's own modelspec",
                      .where = fs::path(model.path).filename().string()};
  }
  std::vector<std::string> bases;
  for (const std::string& name : split(value_of(metadata, "modelspec.merged_from"), ',')) {
    if (!trim(name).empty()) bases.emplace_back(trim(name));
  }
  if (!bases.empty()) record.bases = bases;
  return record;
}

// --- operations ---

std::vector<Parameter> with_facts(std::vector<Parameter> parameters) {
  const std::initializer_list<Parameter> facts = {
      {"source", Place::body, Kind::text, "where it was got"},
      {"licence", Place::body, Kind::text, "SPDX or LicenseRef- id, or the licence's usual name"},
      {"claimed_by", Place::body, Kind::text, "who says so"},
      {"where", Place::body, Kind::text, "address or document"},
      {"training", Place::body, Kind::text,
       "how much is known of the training data: disclosed, partly, undisclosed, contested, unknown"},
      {"evidence", Place::body, Kind::list, "addresses: summaries, certificates, complaints"},
      {"bases", Place::body, Kind::list, "names of records that it was made from: base, merged models"},
      {"from_scratch", Place::body, Kind::flag, "it was made from no other model"},
      {"datasets", Place::body, Kind::list, "names of records of data sets"},
      {"notes", Place::body, Kind::text, "anything else"}};
  parameters.insert(parameters.end(), facts.begin(), facts.end());
  return parameters;
}

// What the caller says, over what was known.
ModelRecord with_facts_of(const Call& call, ModelRecord record) {
  record.source = call.text("source", record.source);
  if (call.has("licence")) {
    // Another licence than the one whose text was kept: the text no longer counts.
    const std::string id = rights::licence_id(call.text("licence"));
    if (id != record.licence.id) record.licence = {.id = id};
  }
  record.licence.claimed_by = call.text("claimed_by", record.licence.claimed_by);
  record.licence.where = call.text("where", record.licence.where);
  if (call.has("training")) record.training = rights::training_named(call.text("training"));
  if (call.has("evidence")) record.evidence = call.list("evidence");
  if (call.has("bases")) record.bases = call.list("bases");
  if (call.flag("from_scratch")) {
    if (!call.list("bases").empty())
      throw Error(ErrorCode::usage, "made from bases and from scratch at once");
    record.bases = std::vector<std::string>();
  }
  if (call.has("datasets")) record.datasets = call.list("datasets");
  record.notes = call.text("notes", record.notes);
  return record;
}

Reply save(Call& call, const ModelRecord& record, bool created) {
  return changing(call, Action::register_edit, "", [&](const Change& change) {
    const auto before = rights::find_model_record(*change, record.name);
    if (created && before)
      throw Error(ErrorCode::conflict, "the register has \"{}\" already", record.name)
          .hint("maquette model set");
    production::require_version(before ? before->version : 0, call.if_match);
    rights::save_model_record(writer_of(change), record);
    return document_reply(document_of(*change, *rights::find_model_record(*change, record.name)), created);
  });
}

Reply add(Call& call) {
  production::require(call.caller, Action::register_edit, "");
  return save(call, with_facts_of(call, read_model(library_model(call.text("model")))), true);
}

Reply add_dataset(Call& call) {
  production::require(call.caller, Action::register_edit, "");
  const std::string name = call.text("name");
  production::require_name(name, "a data set");
  return save(call, with_facts_of(call, {.name = name, .kind = "dataset"}), true);
}

Reply set(Call& call) {
  production::require(call.caller, Action::register_edit, "");
  ModelRecord record = find_record(*call.studio.database().connect(), call.text("model")).record;
  if (call.flag("read_again")) {
    const ModelRecord now = read_model(library_model(record.name));
    record.sha256 = now.sha256;
    record.tensors = now.tensors;
    record.claimed_tensors = now.claimed_tensors;
  }
  return save(call, with_facts_of(call, std::move(record)), false);
}

Reply set_licence(Call& call) {
  production::require(call.caller, Action::register_edit, "");
  constexpr size_t kMost = size_t{1} << 20;
  const std::string text = read_text_file(call.upload->file, kMost).take();
  if (trim(text).empty() || !media::is_utf8(text))
    throw Error(ErrorCode::bad_file, "cannot read the licence's text").with("expected", "UTF-8 text");
  return changing(call, Action::register_edit, "", [&](const Change& change) {
    rights::StoredModel stored = find_record(*change, call.text("model"));
    production::require_version(stored.version, call.if_match);
    stored.record.licence = {.id = rights::licence_id(call.text("licence")),
                             .claimed_by = call.text("claimed_by"),
                             .where = call.text("where"),
                             .snapshot_sha256 = rights::keep_licence_text(writer_of(change), text),
                             .snapshot_date = today()};
    rights::save_model_record(writer_of(change), stored.record);
    return document_reply(document_of(*change, *rights::find_model_record(*change, stored.record.name)));
  });
}

Reply show(Call& call) {
  production::require(call.caller, Action::rights_read, "");
  const db::Lease c = call.studio.database().connect();
  return document_reply(document_of(*c, find_record(*c, call.text("model"))));
}

Reply records(Call& call) {
  production::require(call.caller, Action::rights_read, "");
  const production::PageQuery query = page_query(call);
  const db::Lease c = call.studio.database().connect();
  std::vector<rights::StoredModel> list = rights::model_records(*c, query.after, query.limit + 1);
  production::Page page;
  if (list.size() > static_cast<size_t>(query.limit)) {
    list.pop_back();
    page.next = list.back().record.name;
  }
  for (const rights::StoredModel& each : list) page.items.push_back(document_of(*c, each));
  return list_reply(page);
}

// --- names ---

std::string key_of_name(const std::string& name) { return rights::key_of(text::folded_words(name)); }

Reply add_name(Call& call) {
  const rights::WatchedName name{
      .name = call.text("name"), .key = key_of_name(call.text("name")), .kind = call.text("kind", "artist")};
  production::require_name(name.name, "an artist or performer");
  constexpr std::string_view kKinds[] = {"artist", "performer"};
  require_one_of(kKinds, name.kind, "kind of name");
  changing(call, Action::rights_edit, "",
           [&](const Change& change) { rights::watch_name(writer_of(change), name); });
  return document_reply({{"name", name.name}, {"kind", name.kind}}, true);
}

Reply list_names(Call& call) {
  production::require(call.caller, Action::rights_read, "");
  const production::PageQuery query = page_query(call);
  std::vector<rights::WatchedName> list =
      rights::watched_names(*call.studio.database().connect(), query.after, query.limit + 1);
  production::Page page;
  if (list.size() > static_cast<size_t>(query.limit)) {
    list.pop_back();
    page.next = list.back().key;
  }
  for (const rights::WatchedName& name : list)
    page.items.push_back({{"name", name.name}, {"kind", name.kind}});
  return list_reply(page);
}

Reply remove_name(Call& call) {
  changing(call, Action::rights_edit, "", [&](const Change& change) {
    rights::forget_name(writer_of(change), key_of_name(call.text("name")));
  });
  return document_reply({{"done", true}});
}

}  // namespace

std::vector<Operation> register_operations() {
  return {
      {"model add", "POST", "/registers/models", Action::register_edit,
       "put a model or adapter of the library into the register: what its file says is read, the rest stays "
       "unknown",
       "maquette model add loras/harbour --source https://models.example/harbour --training undisclosed",
       with_facts({{"model", Place::body, Kind::text, "name in the library, or its file", true}}), false,
       add},
      {"model records", "GET", "/registers/models", Action::rights_read,
       "the register of models, adapters and data sets", "maquette model records", with_paging({}), false,
       records},
      {"model show",
       "GET",
       "/registers/models/{model}",
       Action::rights_read,
       "what the register knows of a model, with what it comes from",
       "maquette model show starter",
       {kModel},
       false,
       show},
      {"model set", "PATCH", "/registers/models/{model}", Action::register_edit,
       "say more about a model, an adapter or a data set",
       "maquette model set loras/harbour --training contested --evidence https://court.example/case",
       with_facts({kModel, {"read_again", Place::body, Kind::flag, "hash its file again: it was replaced"}}),
       false, set},
      {"model licence",
       "PUT",
       "/registers/models/{model}/licence",
       Action::register_edit,
       "say under which licence a model is, and keep the licence's text",
       "maquette model licence loras/harbour LICENSE.txt --licence Apache-2.0 --claimed-by \"the model's "
       "page\"",
       {kModel,
        {"licence", Place::query, Kind::text, "SPDX or LicenseRef- id, or the licence's usual name", true},
        {"claimed_by", Place::query, Kind::text, "who says so"},
        {"where", Place::query, Kind::text, "address or document"}},
       true,
       set_licence},
      {"dataset add", "POST", "/registers/datasets", Action::register_edit,
       "put a data set into the register",
       "maquette dataset add harbour-photos --licence CC-BY-NC-4.0 --source https://photos.example",
       with_facts({{"name", Place::body, Kind::text, "what records call it", true}}), false, add_dataset},
      {"name add",
       "POST",
       "/registers/names",
       Action::rights_edit,
       "watch for the name of a living artist or performer in prompts",
       "maquette name add \"Zoe Maler\" --kind artist",
       {{"name", Place::body, Kind::text, "as it is written", true},
        {"kind", Place::body, Kind::text, "artist (left out) or performer"}},
       false,
       add_name},
      {"name list", "GET", "/registers/names", Action::rights_read, "the names that prompts are searched for",
       "maquette name list", with_paging({}), false, list_names},
      {"name remove",
       "DELETE",
       "/registers/names/{name}",
       Action::rights_edit,
       "watch for a name no more",
       "maquette name remove \"Zoe Maler\"",
       {{"name", Place::path, Kind::text, "as it is written", true}},
       false,
       remove_name},
  };
}

}  // namespace maquette::app

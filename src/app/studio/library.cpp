#include "app/studio/library.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "app/inspect.h"
#include "app/models_folder.h"
#include "app/studio/handlers.h"
#include "app/studio/operations.h"
#include "app/studio/studio.h"
#include "base/log.h"
#include "base/text.h"
#include "production/accounts_models.h"
#include "production/references.h"
#include "weights/detect.h"

namespace maquette::app {

namespace fs = std::filesystem;
using production::Action;

namespace {

constexpr std::string_view kExtensions[] = {".safetensors", ".ckpt", ".gguf", ".pt", ".pth", ".bin"};
constexpr int kDeepest = 3;  // folders inside a models folder

struct Found {
  fs::path path;
  std::string name;
};

void collect(const fs::path& top, const fs::path& folder, int depth, std::vector<Found>& found) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const fs::path& path = entry.path();
    if (path.filename().string().starts_with(".")) continue;
    const std::string relative = path.lexically_relative(top).string();
    if (entry.is_directory(error)) {
      if (fs::exists(path / "model_index.json", error)) {
        found.push_back({path, relative});
      } else if (depth < kDeepest) {
        collect(top, path, depth + 1, found);
      }
    } else if (std::ranges::find(kExtensions, path.extension().string()) != std::end(kExtensions)) {
      const bool usual = path.extension() == ".safetensors";
      found.push_back(
          {path, usual ? relative.substr(0, relative.size() - path.extension().string().size()) : relative});
    }
  }
}

// Size and time of a file, or of everything in a folder: another stamp means another model.
struct Stamp {
  uint64_t bytes = 0;
  int64_t newest = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const fs::path& path) {
  Stamp stamp;
  std::error_code error;
  const auto add = [&](const fs::path& file) {
    const uint64_t bytes = fs::file_size(file, error);
    if (error) return;
    stamp.bytes += bytes;
    stamp.newest =
        std::max<int64_t>(stamp.newest, fs::last_write_time(file, error).time_since_epoch().count());
  };
  if (!fs::is_directory(path, error)) {
    add(path);
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
      if (entry.is_regular_file(error)) add(entry.path());
    }
  }
  return stamp;
}

std::string kind_of(const weights::Checkpoint& checkpoint) {
  if (checkpoint.find("unet")) return "checkpoint";
  return checkpoint.components.empty() ? "unknown" : checkpoint.components.front().kind;
}

std::optional<LibraryModel> look_into(const Found& found, uint64_t bytes) {
  auto checkpoint = weights::open_checkpoint(found.path);
  if (!checkpoint) {
    log::debug("{}: {}", found.path.string(), checkpoint.error().what());
    return std::nullopt;
  }
  return LibraryModel{.name = found.name,
                      .path = found.path.string(),
                      .family = std::string(weights::name(weights::describe(*checkpoint).family)),
                      .kind = kind_of(*checkpoint),
                      .bytes = bytes};
}

}  // namespace

std::vector<LibraryModel> library_models() {
  static std::mutex mutex;
  static std::map<std::string, std::pair<Stamp, std::optional<LibraryModel>>> known;
  std::vector<Found> found;
  for (const fs::path& folder : models_folders()) collect(folder, folder, 0, found);

  const std::lock_guard lock(mutex);
  std::vector<LibraryModel> models;
  std::set<std::string> names;
  for (const Found& each : found) {
    if (!names.insert(each.name).second) continue;  // an earlier folder has it: find_model() takes that one
    const Stamp stamp = stamp_of(each.path);
    const auto entry = known.find(each.path.string());
    if (entry == known.end() || entry->second.first != stamp) {
      known.insert_or_assign(each.path.string(), std::pair{stamp, look_into(each, stamp.bytes)});
    }
    if (const auto& model = known.at(each.path.string()).second) models.push_back(*model);
  }
  std::ranges::sort(models, {}, &LibraryModel::name);
  return models;
}

namespace {

Reply model_list(Call& call) {
  std::string show_id;
  production::ModelLimits limits;
  if (!call.text("show").empty()) {
    const db::Lease c = call.studio.database().connect();
    show_id = production::find_show(*c, call.text("show")).text("id");
    limits = production::model_limits(*c, show_id);
  }
  production::require(call.caller, Action::library_read, show_id);
  const std::string kind = call.text("kind");
  Json items = Json::array();
  for (const LibraryModel& model : library_models()) {
    if (!kind.empty() && model.kind != kind) continue;
    items.push_back({{"name", model.name},
                     {"path", model.path},
                     {"family", model.family},
                     {"kind", model.kind},
                     {"bytes", model.bytes},
                     {"allowed", production::may_use_model(limits, call.caller, show_id, model.name)}});
  }
  return {.body = {{"items", items}, {"next", nullptr}}};
}

Json document_of(const production::ModelLimits& limits) {
  Json document = Json::object();
  for (const auto& [role, models] : limits) document[std::string(production::name(role))] = models;
  return document;
}

Reply limits_reply(const production::ModelLimits& limits) {
  Json document = document_of(limits);
  const int64_t version = production::version_of(document);
  return {.body = std::move(document), .version = version};
}

Reply limits(Call& call) {
  const db::Lease c = call.studio.database().connect();
  const std::string show_id = production::find_show(*c, call.text("show")).text("id");
  production::require(call.caller, Action::library_read, show_id);
  return limits_reply(production::model_limits(*c, show_id));
}

Reply set_limits(Call& call) {
  const std::string show_id =
      production::find_show(*call.studio.database().connect(), call.text("show")).text("id");
  production::ModelLimits wanted;
  for (const production::Role role : production::all_roles()) {
    if (!call.has(production::name(role))) continue;
    const std::vector<std::string> models = call.list(production::name(role));
    for (const std::string& model : models) production::require_name(model, "a model");
    wanted[role] = {models.begin(), models.end()};
  }
  return changing(call, Action::library_edit, show_id, [&](const production::Change& change) {
    change.tx.lock_row("shows", show_id);
    production::require_version(
        production::version_of(document_of(production::model_limits(*change, show_id))), call.if_match);
    production::set_model_limits(change, show_id, wanted);
    return limits_reply(wanted);
  });
}

std::vector<Parameter> limit_parameters() {
  std::vector<Parameter> list = {{"show", Place::path, Kind::text, "code or id of the show", true}};
  for (const production::Role role : production::all_roles()) {
    list.push_back({production::name(role), Place::body, Kind::list,
                    "all that this role may use; an empty list: nothing; left out: everything"});
  }
  return list;
}

Reply sampler_list(Call&) { return {.body = list_samplers().json}; }

Reply count_tokens(Call& call) {
  const std::string prompt = call.text("prompt");
  const Json facts = show_tokens(prompt, call.text("dialect", "diffusers"), 20).json;
  // Words of the first text of the first part: what stands before the first AND, at the first step.
  const Json& chunks = facts["parts"][0]["variants"][0]["chunks"];
  Json words = Json::array();
  for (const Json& chunk : chunks) {
    for (const Json& token : chunk) words.push_back({{"text", token["text"]}, {"weight", token["weight"]}});
  }
  Json body = {
      {"tokens", facts["tokens"]}, {"limit", facts["capacity"]}, {"chunks", chunks.size()}, {"words", words}};
  if (facts.contains("truncated")) body["truncated"] = facts["truncated"];
  return {.body = std::move(body)};
}

}  // namespace

std::vector<Operation> library_operations() {
  return {
      {"model list",
       "GET",
       "/models",
       Action::library_read,
       "list the models and adapters of this machine, and whether one may use them in a show",
       "maquette model list --show lanterns",
       {{"show", Place::query, Kind::text, "whose limits count"},
        {"kind", Place::query, Kind::text, "checkpoint, lora, upscaler, controlnet, ..."}},
       false,
       model_list},
      {"model limits",
       "GET",
       "/shows/{show}/model-limits",
       Action::library_read,
       "which models each role may use in a show",
       "maquette model limits lanterns",
       {{"show", Place::path, Kind::text, "code or id of the show", true}},
       false,
       limits},
      {"model limit", "PUT", "/shows/{show}/model-limits", Action::library_edit,
       "say which models each role may use in a show",
       "maquette model limit lanterns --artist starter --trainer starter,sd15.safetensors",
       limit_parameters(), false, set_limits},
      {"library samplers",
       "GET",
       "/samplers",
       Action::library_read,
       "list the samplers and schedules",
       "maquette library samplers",
       {},
       false,
       sampler_list},
      {"library tokens",
       "POST",
       "/count-tokens",
       Action::library_read,
       "count the tokens of a prompt",
       "maquette library tokens \"a (red:1.3) rock\" --dialect a1111",
       {{"prompt", Place::body, Kind::text, "the text", true},
        {"dialect", Place::body, Kind::text, "diffusers, a1111 or comfy (default diffusers)"}},
       false,
       count_tokens},
  };
}

}  // namespace maquette::app

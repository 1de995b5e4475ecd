#include "app/studio/job_recipe.h"

#include <algorithm>
#include <functional>

#include "app/models_folder.h"
#include "app/studio/library.h"
#include "production/accounts_models.h"
#include "text/prompt.h"

namespace maquette::app {

namespace {

constexpr std::string_view kPrefix = "sha256:";

// Every file that a recipe names, told apart by where it comes from.
void visit_files(Recipe& recipe, const std::function<void(FileRef&)>& picture,
                 const std::function<void(FileRef&)>& model) {
  for (FileRef* file : {&recipe.init, &recipe.mask}) picture(*file);
  for (Recipe::Region& region : recipe.regions) picture(region.mask);
  for (FileRef* file : {&recipe.model, &recipe.vae, &recipe.image_encoder, &recipe.upscale}) model(*file);
  for (Recipe::Control& control : recipe.controls) {
    picture(control.image);
    model(control.model);
  }
  for (Recipe::Adapter& lora : recipe.loras) model(lora.file);
  for (FileRef& embedding : recipe.embeddings) model(embedding);
}

// "model": "starter" means "model": {"path": "starter"}.
void write_out(Json& value) {
  static const std::vector<std::string> kFiles = {"init",          "mask",    "model", "vae",
                                                  "image_encoder", "upscale", "image", "file"};
  if (value.is_array()) {
    for (Json& item : value) write_out(item);
  }
  if (!value.is_object()) return;
  for (auto& [name, item] : value.items()) {
    const bool file = std::ranges::find(kFiles, name) != kFiles.end() && item.is_string();
    if (file) {
      item = {{"path", item.get<std::string>()}};
    } else if (item.is_structured()) {
      write_out(item);
    }
  }
}

void require_picture(db::Connection& c, const std::string& show_id, const FileRef& file) {
  if (file.empty()) return;
  if (!file.path.starts_with(kPrefix)) {
    throw Error(ErrorCode::usage, "pictures of a job are files of its show")
        .with("found", file.path)
        .with("expected", "sha256: and the hash of an uploaded file or of a take");
  }
  production::find_file(c, show_id, file.path.substr(kPrefix.size()));
}

void require_model(const production::ModelLimits& limits, const production::Caller& caller,
                   const std::string& show_id, const FileRef& file) {
  if (file.empty()) return;
  const std::vector<LibraryModel> models = library_models();
  if (std::ranges::find(models, file.path, &LibraryModel::name) == models.end()) {
    std::vector<std::string_view> names;
    for (const LibraryModel& model : models) names.push_back(model.name);
    throw Error(ErrorCode::not_found, "the library has no model \"{}\"", file.path)
        .with("expected", names.empty() ? "none yet" : fmt::format("{}", fmt::join(names, ", ")))
        .hint("MAQUETTE_MODELS names the folders of the library");
  }
  if (production::may_use_model(limits, caller, show_id, file.path)) return;
  throw Error(ErrorCode::refused, "your role may not use the model \"{}\" in this show", file.path)
      .hint("the technician decides which roles may");
}

// The worker would find the files of <lora:NAME:...> by itself, whatever the limits say. Here each name means
// a model of the library, which is then checked like the others.
void add_tagged_loras(Recipe& recipe) {
  if (recipe.dialect != Dialect::a1111) return;
  for (const text::ExtraNetwork& network : text::extra_networks_of(recipe.prompt)) {
    if (network.kind != "lora" && network.kind != "lyco") continue;
    const std::string tag = text::read_lora_tag(network).take().name;
    if (std::ranges::find(recipe.loras, tag, &Recipe::Adapter::tag) != recipe.loras.end()) continue;
    const std::vector<LibraryModel> models = library_models();
    const auto found = std::ranges::find_if(
        models, [&](const LibraryModel& model) { return fs::path(model.path).stem() == tag; });
    if (found == models.end()) {
      throw Error(ErrorCode::not_found, "the library has no LoRA \"{}\"", tag)
          .with("where", "the prompt")
          .hint("maquette model list --kind lora");
    }
    recipe.loras.push_back({.file = {.path = found->name}, .tag = tag});
  }
}

}  // namespace

Recipe checked_recipe(Studio& studio, const production::Caller& caller, const db::Row& show,
                      const Json& document) {
  Json written = {{"schema", "maquette.recipe"}, {"version", Recipe::kVersion}};
  if (!document.is_object()) throw Error(ErrorCode::usage, "\"recipe\" is no object");
  written.update(document);
  if (written.contains("embeddings") && written["embeddings"].is_array()) {
    for (Json& item : written["embeddings"]) {
      if (item.is_string()) item = {{"path", item.get<std::string>()}};
    }
  }
  write_out(written);
  auto read = recipe_from_json(written);
  if (!read) throw read.error();
  Recipe recipe = *std::move(read);
  if (recipe.model.empty()) throw Error(ErrorCode::usage, "the recipe names no model");
  if (!recipe.lora_folder.empty())
    throw Error(ErrorCode::usage, "jobs have no folder of LoRAs").hint("name them in \"loras\"");

  add_tagged_loras(recipe);

  const std::string show_id = show.text("id");
  const db::Lease c = studio.database().connect();
  const production::ModelLimits limits = production::model_limits(*c, show_id);
  visit_files(
      recipe, [&](FileRef& file) { require_picture(*c, show_id, file); },
      [&](FileRef& file) { require_model(limits, caller, show_id, file); });
  return recipe;
}

std::vector<std::string> model_names_of(const Recipe& recipe) {
  Recipe copy = recipe;
  std::vector<std::string> names;
  visit_files(
      copy, [](FileRef&) {},
      [&](FileRef& file) {
        if (!file.empty() && std::ranges::find(names, file.path) == names.end()) names.push_back(file.path);
      });
  return names;
}

bool has_input_pictures(const Recipe& recipe) {
  Recipe copy = recipe;
  bool any = false;
  visit_files(
      copy, [&](FileRef& file) { any = any || !file.empty(); }, [](FileRef&) {});
  return any;
}

Recipe recipe_for_worker(Recipe recipe, const production::FileStore& store, int64_t index) {
  visit_files(
      recipe,
      [&](FileRef& file) {
        if (file.empty()) return;
        const std::string sha256 = file.path.substr(kPrefix.size());
        store.require(sha256);
        file = {.path = store.path(sha256).string(), .sha256 = sha256};
      },
      [](FileRef& file) {
        if (!file.empty()) file.path = find_model(file.path);
      });
  recipe.seed += static_cast<uint64_t>(index);
  return recipe;
}

Recipe with_names_of(Recipe made, Recipe asked) {
  std::vector<std::string> names;
  const auto remember = [&](FileRef& file) { names.push_back(file.path); };
  visit_files(asked, remember, remember);
  // Files that the engine added (a LoRA of the prompt's tags) keep their own names.
  size_t count = 0;
  const auto counting = [&](FileRef&) { ++count; };
  visit_files(made, counting, counting);
  if (count != names.size()) return made;
  size_t next = 0;
  const auto rename = [&](FileRef& file) {
    const std::string& name = names[next++];
    if (!name.empty()) file.path = name;
  };
  visit_files(made, rename, rename);
  return made;
}

}  // namespace maquette::app

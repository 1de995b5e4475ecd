// A diffusers folder: model_index.json, and one folder for each component with its configuration and its
// weights, whose file names vary with the library's age, the precision ("variant") and the size.

#include <algorithm>
#include <array>

#include "weights/component.h"

namespace maquette::weights {

namespace {

constexpr auto kParts = std::to_array<std::string_view>(
    {"unet", "vae", "text_encoder", "text_encoder_2", "controlnet", "image_encoder"});

struct ClassKind {
  std::string_view class_name;
  std::string_view kind;
};
constexpr auto kClasses = std::to_array<ClassKind>({
    {"UNet2DConditionModel", "unet"},
    {"AutoencoderKL", "vae"},
    {"AutoencoderTiny", "taesd"},
    {"ControlNetModel", "controlnet"},
    {"CLIPTextModel", "text_encoder"},
    {"CLIPTextModelWithProjection", "text_encoder_2"},
    {"CLIPVisionModelWithProjection", "image_encoder"},
    {"T2IAdapter", "t2i_adapter"},
});

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// An empty object where there is no such file.
Result<Json> read_json(const fs::path& path) {
  if (!is_file(path)) return Json(Json::object());
  Result<std::string> text = read_text_file(path, size_t{4} << 20);
  if (!text) return text.error();
  Result<Json> json = parse_json(*text, path.string());
  if (json && !json->is_object()) {
    return Error(ErrorCode::bad_file, "cannot read \"{}\"", path.string()).with("expected", "a JSON object");
  }
  return json;
}

std::string text_field(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// diffusers writes _class_name, transformers architectures.
std::string class_of(const Json& config) {
  if (std::string name = text_field(config, "_class_name"); !name.empty()) return name;
  const auto found = config.find("architectures");
  if (found == config.end() || !found->is_array() || found->empty() || !found->front().is_string()) return "";
  return found->front().get<std::string>();
}

std::string kind_of_class(std::string_view class_name) {
  const auto found = std::ranges::find(kClasses, class_name, &ClassKind::class_name);
  return found == kClasses.end() ? "" : std::string(found->kind);
}

// Every name that the weights may have, best first.
std::vector<std::string> candidate_files(const std::string& variant) {
  std::vector<std::string> variants = {variant};
  if (variant.empty()) variants = {"", "fp16", "bf16", "non_ema"};
  std::vector<std::string> files;
  for (const char* form : {"safetensors", "bin"}) {
    for (const std::string& v : variants) {
      const std::string dotted = v.empty() ? "" : "." + v;
      for (const char* stem : {"diffusion_pytorch_model", "model", "pytorch_model"}) {
        files.push_back(fmt::format("{}{}.{}", stem, dotted, form));
        files.push_back(fmt::format("{}.{}.index{}.json", stem, form, dotted));
        files.push_back(fmt::format("{}{}.{}.index.json", stem, dotted, form));
      }
    }
  }
  return files;
}

// The only file with one of our extensions, for folders that follow no convention.
std::optional<fs::path> only_weight_file(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".safetensors" || extension == ".gguf") found.push_back(entry.path());
  }
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

// Opens FOLDER as one component and adds it; `kind` may be left empty where the configuration tells.
std::optional<Error> add_folder(const fs::path& folder, std::string kind, const OpenOptions& options,
                                Checkpoint& checkpoint) {
  Result<Json> config = read_json(folder / "config.json");
  if (!config) return config.error();
  if (const std::string told = kind_of_class(class_of(*config)); told == "taesd" || kind.empty()) kind = told;
  Result<SharedWeightFile> file = open_component_weights(folder, options.variant);
  if (!file) return file.error();
  NameSet names;
  for (const TensorInfo& info : (*file)->tensors()) names.insert(info.name);
  if (kind.empty()) kind = recognise(names).value_or("");
  if (kind.empty()) {
    return Error(ErrorCode::weights, "cannot tell what network is in \"{}\"", folder.string())
        .with("found", class_of(*config).empty() ? "no class in config.json" : class_of(*config));
  }
  Component& component = component_of_kind(checkpoint, kind);
  component.config = std::move(*config);
  add_group(*file, {.kind = kind, .prefix = "", .names = names}, component, checkpoint);
  checkpoint.files.push_back(*file);
  checkpoint.metadata.insert((*file)->metadata().begin(), (*file)->metadata().end());
  return std::nullopt;
}

// Whether model_index.json says that the pipeline has this part. [null, null] stands for a part left out.
bool is_listed(const Json& index, const std::string& part) {
  const auto found = index.find(part);
  return found != index.end() && found->is_array() && !found->empty() && !found->back().is_null();
}

}  // namespace

Result<SharedWeightFile> open_component_weights(const fs::path& folder, const std::string& variant) {
  for (const std::string& name : candidate_files(variant)) {
    const fs::path path = folder / name;
    if (!is_file(path)) continue;
    return name.ends_with(".json") ? open_safetensors_index(path) : open_weight_file(path);
  }
  if (const auto only = variant.empty() ? only_weight_file(folder) : std::nullopt)
    return open_weight_file(*only);
  Error error(ErrorCode::not_found, "no weights in \"{}\"", folder.string());
  error.with("expected", variant.empty()
                             ? "diffusion_pytorch_model.safetensors, model.safetensors or their .bin forms"
                             : fmt::format("weights of the variant \"{}\"", variant));
  return error;
}

Result<Checkpoint> open_folder(const fs::path& folder, const OpenOptions& options) {
  Checkpoint checkpoint{.path = folder, .layout = CheckpointLayout::diffusers_folder};
  Result<Json> index = read_json(folder / "model_index.json");
  if (!index) return index.error();
  checkpoint.model_index = std::move(*index);
  Result<Json> scheduler = read_json(folder / "scheduler" / "scheduler_config.json");
  if (!scheduler) return scheduler.error();
  checkpoint.scheduler_config = std::move(*scheduler);

  // The parts of a pipeline; one that the index lists must be there.
  for (const std::string_view part : kParts) {
    const fs::path path = folder / part;
    std::error_code error;
    const bool there = fs::is_directory(path, error);
    const bool listed = is_listed(checkpoint.model_index, std::string(part));
    if (!there && !listed) continue;
    if (!checkpoint.model_index.empty() && !listed) continue;
    if (auto problem = add_folder(path, std::string(part), options, checkpoint)) return *problem;
  }

  // A folder of one component: config.json and weights side by side.
  if (checkpoint.components.empty()) {
    if (auto problem = add_folder(folder, "", options, checkpoint)) return *problem;
    checkpoint.layout = CheckpointLayout::component;
  }
  return checkpoint;
}

}  // namespace maquette::weights

// A single file is taken apart in three steps: a wrapper around all names ("state_dict.") is cut off; names
// with the prefix of a component go to it; a file without such prefixes is one component, recognised by its
// names.

#include "weights/checkpoint.h"

#include <algorithm>
#include <array>

#include "weights/component.h"

namespace maquette::weights {

std::string_view name(CheckpointLayout layout) {
  switch (layout) {
    case CheckpointLayout::original_file: return "original single file";
    case CheckpointLayout::diffusers_folder: return "diffusers folder";
    case CheckpointLayout::component: return "single component";
  }
  return "?";
}

const Component* Checkpoint::find(std::string_view kind) const {
  for (const Component& component : components) {
    if (component.kind == kind) return &component;
  }
  return nullptr;
}

namespace {

struct Prefix {
  std::string_view text;
  std::string_view kind;
};

// Longer ones before the ones that they start with. The refiner's only encoder is the second one of SDXL.
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"model.diffusion_model.", "unet"},
    {"first_stage_model.", "vae"},
    {"cond_stage_model.transformer.", "text_encoder"},
    {"cond_stage_model.model.", "text_encoder"},
    {"cond_stage_model.1.transformer.", "text_encoder_2"},
    {"cond_stage_model.1.model.", "text_encoder_2"},
    {"conditioner.embedders.0.transformer.", "text_encoder"},
    {"conditioner.embedders.0.model.", "text_encoder_2"},
    {"conditioner.embedders.1.transformer.", "text_encoder_2"},
    {"conditioner.embedders.1.model.", "text_encoder_2"},
    {"text_encoders.clip_l.transformer.", "text_encoder"},
    {"text_encoders.clip_g.transformer.", "text_encoder_2"},
    {"control_model.", "controlnet"},
    // Networks under diffusers' names, joined into one file.
    {"unet.", "unet"},
    {"vae.", "vae"},
    {"tae.", "taesd"},
    {"text_encoder_2.", "text_encoder_2"},
    {"text_encoder.", "text_encoder"},
    {"controlnet.", "controlnet"},
    {"image_encoder.", "image_encoder"},
});

constexpr auto kWrappers = std::to_array<std::string_view>(
    {"state_dict.", "params_ema.", "params.", "model_state_dict.", "module."});

// Tensors whose presence is the message.
constexpr auto kMarkers = std::to_array<std::string_view>(
    {"v_pred", "ztsnr", "edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min"});

// What training programs leave in their checkpoints.
constexpr auto kLeftoverNames = std::to_array<std::string_view>(
    {"betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
     "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod",
     "posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2",
     "lvlb_weights", "logvar", "scale_factor"});
constexpr auto kLeftoverPrefixes =
    std::to_array<std::string_view>({"model_ema.", "denoiser.", "loss.", "embedding_manager.", "optimizer.",
                                     "model.decay", "model.num_updates"});

bool is_leftover(std::string_view name) {
  return std::ranges::find(kLeftoverNames, name) != kLeftoverNames.end() ||
         std::ranges::any_of(kLeftoverPrefixes, [&](std::string_view p) { return name.starts_with(p); });
}

// The wrapper of most of the names; everything beside it is no weight of the network.
std::string_view wrapper_of(const NameSet& names) {
  for (const std::string_view wrapper : kWrappers) {
    const auto inside =
        std::ranges::count_if(names, [&](const std::string& n) { return n.starts_with(wrapper); });
    if (inside > 0 && (wrapper == "params_ema." || static_cast<size_t>(inside) * 2 > names.size()))
      return wrapper;
  }
  return "";
}

Error not_supported(const SharedWeightFile& file, const NameSet& names) {
  Error error(ErrorCode::weights, "cannot tell what network is in \"{}\"", file->path().string());
  const auto has = [&](std::string_view part) {
    return std::ranges::any_of(names,
                               [&](const std::string& n) { return n.find(part) != std::string::npos; });
  };
  if (has("joint_blocks.") || has("double_blocks.") || has("single_transformer_blocks.")) {
    error.with("found", "a diffusion transformer (Stable Diffusion 3, Flux or a relative)");
    error.with("expected", "Stable Diffusion 1, 2, XL, or one of their components");
    return error;
  }
  std::vector<std::string> first;
  for (const std::string& name : names) {
    if (first.size() == 3) break;
    first.push_back(printable(name));
  }
  error.with("found", names.empty()
                          ? "no tensors"
                          : fmt::format("{} tensors: {}, ...", names.size(), fmt::join(first, ", ")));
  return error;
}

// Distributes the names over components by their prefixes; returns those that have none.
NameSet take_prefixed(const SharedWeightFile& file, const NameSet& names, std::string_view wrapper,
                      Checkpoint& checkpoint) {
  std::vector<NameGroup> groups(kPrefixes.size());
  NameSet rest;
  for (const std::string& name : names) {
    const auto found =
        std::ranges::find_if(kPrefixes, [&](const Prefix& p) { return name.starts_with(p.text); });
    if (found == kPrefixes.end()) {
      rest.insert(name);
      continue;
    }
    groups[static_cast<size_t>(found - kPrefixes.begin())].names.insert(name.substr(found->text.size()));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    NameGroup& group = groups[i];
    if (group.names.empty()) continue;
    group.kind = kPrefixes[i].kind;
    group.prefix = std::string(wrapper) + std::string(kPrefixes[i].text);
    checkpoint.prefixes.emplace_back(kPrefixes[i].text);
    // A file of the tiny autoencoder may call it "vae.".
    if (group.kind == "vae" && recognise(group.names) == "taesd") group.kind = "taesd";
    add_group(file, group, component_of_kind(checkpoint, group.kind), checkpoint);
  }
  return rest;
}

// A file that is one component: the kind comes from the names, or from a record that says it.
bool take_whole(const SharedWeightFile& file, const NameSet& names, std::string_view wrapper,
                Checkpoint& checkpoint) {
  std::optional<std::string> kind = recognise(names);
  if (const auto told = file->metadata().find("maquette.kind"); told != file->metadata().end())
    kind = told->second;
  if (!kind) return false;
  const NameGroup group{.kind = *kind, .prefix = std::string(wrapper), .names = names};
  add_group(file, group, component_of_kind(checkpoint, *kind), checkpoint);
  return true;
}

}  // namespace

Result<Checkpoint> checkpoint_of(const SharedWeightFile& file) {
  Checkpoint checkpoint{.path = file->path(), .metadata = file->metadata(), .files = {file}};
  NameSet all;
  for (const TensorInfo& info : file->tensors()) all.insert(info.name);

  // Adapters name the layers that they change; those names must not be taken for the networks themselves.
  if (const auto adapter = recognise_adapter(all)) {
    const NameGroup group{.kind = *adapter, .prefix = "", .names = all};
    add_group(file, group, component_of_kind(checkpoint, *adapter), checkpoint);
    return checkpoint;
  }

  // Cut off the wrapper, set aside what only says something or is not needed.
  const std::string_view wrapper = wrapper_of(all);
  NameSet names;
  for (const std::string& full : all) {
    if (!full.starts_with(wrapper)) {
      checkpoint.ignored.push_back(full);
      continue;
    }
    const std::string_view name = std::string_view(full).substr(wrapper.size());
    if (std::ranges::find(kMarkers, name) != kMarkers.end())
      checkpoint.markers.emplace_back(name);
    else if (is_leftover(name))
      checkpoint.ignored.push_back(full);
    else
      names.emplace(name);
  }

  // Components by prefix, or one component without any.
  const NameSet rest = take_prefixed(file, names, wrapper, checkpoint);
  if (checkpoint.components.empty()) {
    if (!take_whole(file, rest, wrapper, checkpoint)) return not_supported(file, names);
  } else {
    for (const std::string& name : rest) checkpoint.unexpected.push_back(std::string(wrapper) + name);
  }
  const bool whole = checkpoint.components.size() > 1 && checkpoint.find("unet");
  checkpoint.layout = whole ? CheckpointLayout::original_file : CheckpointLayout::component;
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(const fs::path& path, const OpenOptions& options) {
  std::error_code error;
  if (fs::is_directory(path, error)) return open_folder(path, options);
  Result<SharedWeightFile> file = open_weight_file(path);
  if (!file) return file.error();
  return checkpoint_of(*file);
}

}  // namespace maquette::weights

// Checkpoint: a model as published (one file in the original layout, a diffusers folder, or a single
// component) opened as components whose tensors go by this program's names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "weights/weight_map.h"

namespace maquette::weights {

struct Component {
  // unet, vae, taesd, text_encoder, text_encoder_2, image_encoder, controlnet, control_lora, t2i_adapter,
  // ip_adapter, upscaler, lora, textual_inversion. taesd holds the halves that are there (encoder.layers,
  // decoder.layers). The last six keep the names of their file.
  std::string kind;
  // How the file names the tensors: "ldm", "diffusers", "transformers", "openclip" or "own". For a text
  // encoder without a configuration "openclip" also says that its activation is GELU, not quick GELU.
  std::string layout;
  WeightMap weights;
  Json config = Json::object();  // config.json of a diffusers folder; empty otherwise
};

enum class CheckpointLayout : uint8_t { original_file, diffusers_folder, component };
std::string_view name(
    CheckpointLayout layout);  // "original single file", "diffusers folder", "single component"

struct Checkpoint {
  fs::path path;
  CheckpointLayout layout = CheckpointLayout::component;
  std::vector<Component> components;
  std::map<std::string, std::string> metadata;  // of the files: modelspec.*, global_step, general.*
  Json scheduler_config = Json::object();       // scheduler/scheduler_config.json
  Json model_index = Json::object();
  std::vector<std::string>
      prefixes{};  // of the original layout that were found, for example "conditioner.embedders.1.model."
  std::vector<std::string> markers;     // tensors that only say something: v_pred, ztsnr, edm_mean, ...
  std::vector<std::string> unexpected;  // names in the files that belong to no component
  std::vector<std::string>
      ignored{};  // names that are known and not needed: schedules, EMA copies, position ids
  std::vector<SharedWeightFile> files;

  const Component* find(std::string_view kind) const;
};

struct OpenOptions {
  std::string
      variant{};  // of a diffusers folder: "fp16" for model.fp16.safetensors; empty: the plain one, then any
};

// Errors: not found, damaged, not a weight file, a network that is not of the supported kinds.
Result<Checkpoint> open_checkpoint(const fs::path& path, const OpenOptions& options = {});
// A single file that is open already (tests, fuzzers, files inside a folder).
Result<Checkpoint> checkpoint_of(const SharedWeightFile& file);

// The token vectors of one textual inversion.
struct Embedding {
  std::string token;    // the name in the file; empty where it has none (the file's name is meant then)
  std::string encoder;  // text_encoder or text_encoder_2
  Tensor vectors;       // [vectors, width] f32
};
// Reads .pt {string_to_param}, safetensors emb_params or clip_l + clip_g, and diffusers' learned_embeds. A
// width of 1280 is text_encoder_2's unless the file says otherwise.
Result<std::vector<Embedding>> read_textual_inversion(const fs::path& path);
Result<std::vector<Embedding>> textual_inversion_of(const SharedWeightFile& file);

}  // namespace maquette::weights

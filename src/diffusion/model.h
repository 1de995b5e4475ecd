// Model: a checkpoint loaded for making pictures, whatever its family: networks, tokenisers, and the
// conventions that go with them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/recipe.h"
#include "diffusion/codec.h"
#include "diffusion/conditioning.h"
#include "models/unet/unet.h"
#include "nn/parameters.h"
#include "weights/checkpoint.h"

namespace maquette::diffusion {

enum class Family { sd1, sd2, sdxl, sdxl_refiner, custom };
std::string_view name(Family family);

// A decision, and why: shown to the artist, kept in the record.
struct Decision {
  std::string value;
  std::string reason;
};

struct ModelOptions {
  std::string family;      // override; empty: detected
  std::string prediction;  // override: "epsilon", "v_prediction", "sample"
  fs::path vae;            // another VAE or a TAESD
};

struct Model {
  fs::path path;
  Family family = Family::sd1;
  Decision family_decision;
  Decision prediction;    // "epsilon", "v_prediction" or "sample"
  Json scheduler_config;  // the folder's own, or what the family's published folders have
  bool zero_terminal_snr = false;

  std::optional<models::UNet> unet;
  std::optional<Codec> codec;
  TextSide text;
  // By component ("unet", "text_encoder", "text_encoder_2"): what adapters may change.
  std::map<std::string, nn::Parameters> parameters;

  // Pixels per side that the model was trained with.
  int64_t native_height = 512;
  int64_t native_width = 512;
  models::SizeWaves size_waves;  // SDXL
  bool zero_empty_negative = false;
  bool aesthetic_score = false;    // refiner: the size conditions end with it
  weights::Checkpoint checkpoint;  // as opened: metadata, files, what was unexpected or ignored

  // latent channels that the sampler works on; the UNet may take more (mask, picture).
  int64_t latent_channels() const { return codec->latent_channels(); }
  bool inpainting() const { return unet->in_channels() == 2 * latent_channels() + 1; }
  bool editing() const { return unet->in_channels() == 2 * latent_channels(); }
};

// The VAE or TAESD of a file; `scaling_factor` where the file does not say one. Throws Error(not_found,
// bad_file, weights).
Codec load_codec(const fs::path& path, std::optional<float> scaling_factor);

// Reads, detects, builds. Throws Error(not_found, bad_file, weights).
std::unique_ptr<Model> load_model(const fs::path& path, const ModelOptions& options);

}  // namespace maquette::diffusion

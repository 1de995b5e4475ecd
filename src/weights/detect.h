// What a checkpoint is: family, prediction type, input kind, precisions, each with the reason, from names,
// shapes and records alone (no tensor is read, no network is run).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/hashes.h"

namespace maquette::weights {

enum class Family : uint8_t { unknown, sd1, sd2, sdxl_base, sdxl_refiner };
std::string_view name(Family family);  // "sd1", "sdxl-base", ...

// What the network's output means. edm and edm_v are the same two under EDM's preconditioning
// (Playground 2.5, CosXL).
enum class Prediction : uint8_t { undecided, epsilon, v_prediction, sample, edm, edm_v };
std::string_view name(Prediction prediction);  // "epsilon", "v_prediction", ...

enum class InputKind : uint8_t { plain, inpaint, edit, other };
std::string_view name(InputKind kind);

// The UNet's own figures; level 0 is the finest.
struct UnetFigures {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t context_width = 0;                // of the text; 0 without cross attention
  int64_t size_embedding_width = 0;         // input of SDXL's added embedding; 0 where there is none
  bool guidance_embedding = false;          // full LCM models take the guidance scale as an input
  bool linear_projections = false;          // around the transformers; convolutions 1x1 otherwise
  std::vector<int64_t> channels;            // of each level
  std::vector<int> layers;                  // residual blocks of each level on the way down
  std::vector<int> depths;                  // transformer blocks of each level's attentions; 0: none
  std::vector<std::vector<int>> up_depths;  // of each attention on the way up, coarsest level first
  int middle_depth = 0;
};

struct ComponentReport {
  std::string kind;
  std::string layout;
  std::string file;
  std::string precision;  // the stored type of most of its elements
  uint64_t tensors = 0;
  uint64_t parameters = 0;
  uint64_t bytes = 0;                          // in the file
  std::map<std::string, uint64_t> precisions;  // elements of each stored type
};

struct ModelReport {
  fs::path path;
  CheckpointLayout layout = CheckpointLayout::component;
  Family family = Family::unknown;
  std::string family_reason;
  // "standard" for the published size of the family; "ssd-1b", "vega", "bk-sdm" for known smaller ones; else
  // "custom".
  std::string variant;
  Prediction prediction = Prediction::undecided;
  std::string prediction_reason;
  bool zero_terminal_snr = false;
  InputKind input = InputKind::plain;
  std::optional<UnetFigures> unet;
  // Factor between the VAE's latents and what the UNet sees, with where it comes from.
  double latent_scale = 0;
  std::string latent_scale_reason;
  std::vector<ComponentReport> components;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> markers;
  std::vector<std::string> unexpected;
  size_t ignored = 0;
  std::optional<FileHashes> hashes;

  Json to_json() const;
};

// Everything but the hashes (fill `hashes` by hash_file, which reads the file).
ModelReport describe(const Checkpoint& checkpoint);
// The figures of a UNet's weights.
UnetFigures figures_of(const WeightMap& unet);

}  // namespace maquette::weights

// Recipe: everything that decides one picture, as a plain record. The engine makes pictures from it, every
// picture carries it as JSON, and a take of a production stores it; whoever holds a recipe can make the
// picture again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dialect.h"
#include "base/json.h"
#include "base/result.h"

namespace maquette {

// A file that took part. The hash is that of the bytes that were used; an empty one is filled in by the
// engine.
struct FileRef {
  std::string path;
  std::string sha256;

  bool empty() const { return path.empty(); }
  bool operator==(const FileRef&) const = default;
};

// Where the noise comes from: torch's CPU generator, or Philox as on graphics cards ("GPU" and "NV"
// elsewhere).
enum class NoiseSourceKind { torch, philox };
enum class Precision { automatic, f32, bf16 };
enum class MaskFill { original, fill, noise, nothing };
// Whether the prompt or the control picture leads. Both of the others fade the control towards the picture's
// details; under `control` (diffusers' guess mode, A1111's "ControlNet is more important") negative prompts
// do not see it, so that guidance strengthens what it says.
enum class ControlMode { balanced, prompt, control };

struct Recipe {
  static constexpr int kVersion = 1;

  FileRef model;
  std::string model_family;  // override of the detected family; empty: detected
  std::string prediction;    // override: "epsilon", "v_prediction", "sample"; empty: detected
  FileRef vae;               // instead of the model's own
  std::string prompt;
  std::optional<std::string> negative;  // absent is not the same as empty: see docs/dialects.md
  int width = 0;                        // pixels; 0: the model's own size
  int height = 0;
  int steps = 0;              // 0: the dialect's default
  std::optional<double> cfg;  // absent: the dialect's default
  double guidance_rescale = 0;
  std::string sampler;   // empty: the model's scheduler configuration
  std::string schedule;  // empty: likewise
  std::optional<double> eta;
  Json scheduler_config;   // instead of the model's own (diffusers' keys); null: the model's own
  double image_cfg = 1.5;  // edit models: how strongly the init picture counts
  // SDXL's size conditions, height before width; absent: the picture's own size, nothing cropped.
  std::vector<double> original_size, crop, target_size;
  double aesthetic_score = 6;  // refiner
  double negative_aesthetic_score = 2.5;
  uint64_t seed = 0;
  int start_step = 0;  // steps before it are skipped; the init picture then counts as the state there
  int end_step = 0;    // steps from it on are left out; 0: none
  // Fractions of the training schedule, for two models that share a picture (SDXL base and refiner).
  std::optional<double> denoising_start;
  std::optional<double> denoising_end;
  Dialect dialect = Dialect::diffusers;
  NoiseSourceKind rng = NoiseSourceKind::torch;
  Precision precision = Precision::automatic;
  int clip_skip = 0;  // as the dialect counts; 0: not given

  FileRef init;  // img2img, inpainting: a picture, or a latent (.safetensors)
  std::optional<double> strength;
  FileRef mask;  // white is repainted
  struct Inpaint {
    MaskFill fill = MaskFill::original;
    int feather = 0;        // pixels of blur at the mask's edge
    int padding = -1;       // only the masked part, with so many pixels around; below 0: the whole picture
    bool soft = false;      // keep grey mask values instead of rounding them
    bool composite = true;  // put the original pixels back outside the mask
    bool operator==(const Inpaint&) const = default;
  } inpaint;
  struct Outpaint {
    int left = 0, right = 0, top = 0, bottom = 0;  // pixels added
    bool any() const { return left > 0 || right > 0 || top > 0 || bottom > 0; }
    bool operator==(const Outpaint&) const = default;
  } outpaint;

  struct Control {
    std::string kind;  // "canny", "lineart", "depth", ... preprocessor and display; "none" as given
    FileRef model;
    FileRef image;
    double weight = 1;
    double start = 0;  // fractions of the steps
    double end = 1;
    ControlMode mode = ControlMode::balanced;
    bool operator==(const Control&) const = default;
  };
  std::vector<Control> controls;
  FileRef image_encoder;  // CLIP's picture encoder, for picture prompts (IP-Adapter)

  struct Adapter {
    FileRef file;
    double unet_weight = 1;
    double text_weight = 1;
    std::string tag;  // found for <lora:TAG:...> of the prompt, which decides the weights; empty: asked for
    bool operator==(const Adapter&) const = default;
  };
  std::vector<Adapter> loras;
  std::string lora_folder;          // where <lora:...> tags are looked for first
  std::vector<FileRef> embeddings;  // textual inversions; the name is the file's stem
  bool allow_unmatched = false;     // go on where an adapter's keys match nothing

  struct Region {
    std::string prompt;
    FileRef mask;
    double weight = 1;
    bool operator==(const Region&) const = default;
  };
  std::vector<Region> regions;

  bool tile_x = false;
  bool tile_y = false;

  // Feature caching (DeepCache, Ma et al. 2023): the whole network runs at one in `every` evaluations, and at
  // the others its `depth` outermost layers alone, over what the deeper ones said last.
  struct FeatureCache {
    int every = 1;  // 1: always the whole network
    int depth = 3;  // layers on the way up, each with its skip connection
    bool operator==(const FeatureCache&) const = default;
  } feature_cache;

  struct HiRes {
    double scale = 0;  // 0: off
    int steps = 0;     // 0: as the first pass
    double strength = 0.5;
    bool operator==(const HiRes&) const = default;
  } hires;
  int tile_size = 0;  // tiled sampling: pixels of a tile; 0: whole picture
  FileRef upscale;

  bool operator==(const Recipe&) const = default;
};

std::string_view name(NoiseSourceKind kind);
std::string_view name(Precision precision);
std::string_view name(MaskFill fill);
std::string_view name(ControlMode mode);
// Throw Error(usage) naming the choices.
NoiseSourceKind parse_noise_source(std::string_view text);
Precision parse_precision(std::string_view text);
MaskFill parse_mask_fill(std::string_view text);
ControlMode parse_control_mode(std::string_view text);

// {"schema": "maquette.recipe", "version": 1, ...}. Fields at their defaults are left out.
Json to_json(const Recipe& recipe);
// Upgrades older versions. Errors: another schema, a newer version, wrong types, unknown fields.
Result<Recipe> recipe_from_json(const Json& json);
// SHA-256 of the canonical JSON text: the recipe's identity.
std::string recipe_hash(const Recipe& recipe);

}  // namespace maquette

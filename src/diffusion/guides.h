// Guides: what steers a picture besides words, brought to the size and form that sampling needs.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/recipe.h"
#include "diffusion/guidance.h"
#include "diffusion/model.h"
#include "diffusion/pictures.h"
#include "media/image.h"
#include "media/mask_ops.h"
#include "sampling/sampling.h"

namespace maquette::diffusion {

// The pixels that a recipe starts from, at working size (pixels, multiples of the codec's factor).
struct PictureInput {
  int64_t height = 0;
  int64_t width = 0;
  media::Image init;   // RGB; undefined: none
  media::Image mask;   // one channel, 1: repainted; undefined: none
  Tensor init_latent;  // where the recipe names a latent file: [1, C, h, w]

  // The whole picture and its mask, and the part of it that is worked on, where only the masked part is (all
  // of it otherwise). What is repainted goes back there; nothing else changes.
  media::Image whole;
  media::Image whole_mask;
  media::Region part;

  bool has_init() const { return init.pixels.defined() || init_latent.defined(); }
  bool has_mask() const { return mask.pixels.defined(); }
};

// Reads init and mask and resizes them as the dialect does. Throws Error(bad_file, usage).
PictureInput read_picture_input(const Recipe& recipe, const Model& model, const Pictures& pictures);

// The finished picture: the decoded part [1, 3, H, W] in [-1, 1] put back into the whole, pixels outside the
// mask untouched. Without a mask, the decoded picture itself.
struct FinishedPicture {
  media::Image8 image8;
  media::Image image;  // the same, not rounded
};
FinishedPicture put_back(const PictureInput& input, const Recipe& recipe, const Tensor& decoded);

// The latents made of it.
struct LatentInput {
  Tensor clean;  // [1, C, h, w]; undefined without an init picture
  Tensor mask;   // [1, 1, h, w], 1: repainted; undefined without a mask
  Tensor extra;  // channels of inpainting and edit models; undefined for others
  Tensor noise;  // [1, C, h, w]: the first noise
};

// Whether the kept part of a masked picture is held in place while sampling: diffusers leaves it to
// inpainting models themselves.
bool holds_kept_part(Dialect dialect, const Model& model);

struct EncodeSettings {
  const Model& model;
  const Recipe& recipe;
  TileOptions tiles;
  bool from_noise = true;  // strength 1: the init picture is not the start
};

// Encodes with the codec and draws the first noise, in the order in which the dialect's program draws.
LatentInput make_latent_input(kernels::Exec& ex, const PictureInput& picture, sampling::NoiseSource& noise,
                              const EncodeSettings& settings);

// How the kept part of a masked picture is held in place during sampling, by dialect. The hooks keep
// references to `input`.
void add_mask_hooks(Dialect dialect, const LatentInput& input, const sampling::SamplingPlan& plan,
                    sampling::SamplingHooks& hooks);
// And after it: A1111 puts the kept part of the clean latent back at the end.
void finish_masked(Dialect dialect, const LatentInput& input, Tensor& latent);

}  // namespace maquette::diffusion

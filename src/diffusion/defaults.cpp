// What arguments mean that were not given: the defaults of the program whose dialect is spoken.
#include "diffusion/engine.h"
#include "diffusion/pass.h"

namespace maquette::diffusion {

namespace {

double default_cfg(const Recipe& recipe, const ModelFacts& facts) {
  switch (recipe.dialect) {
    case Dialect::diffusers:
      if (facts.latent_consistency) return 8.5;
      // SDXL's inpainting pipeline guides more, the one with ControlNets does not.
      return facts.sdxl && (recipe.mask.empty() || under_control(recipe)) ? 5.0 : 7.5;
    case Dialect::a1111: return 7;
    case Dialect::comfy: return 8;
  }
  return 7.5;
}

int default_steps(const Recipe& recipe, const ModelFacts& facts) {
  if (recipe.dialect != Dialect::diffusers) return 20;
  return facts.latent_consistency ? 4 : facts.editing ? 100 : 50;
}

double default_strength(const Recipe& recipe, const ModelFacts& facts) {
  const bool inpaint = !recipe.mask.empty() || recipe.outpaint.any();
  switch (recipe.dialect) {
    case Dialect::diffusers:
      if (inpaint) return facts.sdxl ? 0.9999 : 1.0;
      return facts.sdxl && !under_control(recipe) ? 0.3 : 0.8;
    case Dialect::a1111: return 0.75;
    case Dialect::comfy: return 1;
  }
  return 0.8;
}

}  // namespace

Recipe with_defaults(const Recipe& recipe, const ModelFacts& facts) {
  Recipe full = recipe;
  if (full.steps == 0) full.steps = default_steps(recipe, facts);
  if (!full.cfg) full.cfg = default_cfg(recipe, facts);
  if (!full.init.empty() && !full.strength && !full.denoising_start && full.start_step == 0) {
    full.strength = default_strength(recipe, facts);
  }
  if (full.init.empty()) {
    if (full.width == 0) full.width = static_cast<int>(facts.native_width);
    if (full.height == 0) full.height = static_cast<int>(facts.native_height);
  }
  return full;
}

}  // namespace maquette::diffusion

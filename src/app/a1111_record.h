// Recipes in the words of A1111's "parameters" text: written into every picture, and read from pictures of
// other programs so that they can be painted here.
#pragma once

#include "base/recipe.h"
#include "media/a1111_parameters.h"

namespace maquette::app {

// What the picture is known by besides its recipe.
struct PictureFacts {
  std::string sampler;   // as it was run: "dpm++2m"
  std::string schedule;  // "karras"; "configured" where a configuration decided
};

media::A1111Parameters parameters_of(const Recipe& recipe, const PictureFacts& facts);

// In the a1111 dialect; the model is left to the caller. What names files that are not known here (init
// pictures, ControlNets) is left out and said in `notes`. Throws Error(bad_file) where the numbers cannot be
// read.
Recipe recipe_of_parameters(const media::A1111Parameters& parameters, std::vector<std::string>& notes);

}  // namespace maquette::app

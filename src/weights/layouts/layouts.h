// Layouts: how the names of the published checkpoint forms translate to the names of this program, which are
// those of diffusers (networks) and transformers (text encoders).
//
// Every function takes the names of one network, without the prefix that it has in a whole checkpoint, and
// returns the translation of those it knows; names left out have no meaning in that layout. The walk is over
// the names that are there, never over a table of known models: any depth and any pruning goes through.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "weights/weight_map.h"

namespace maquette::weights {

using NameSet = std::set<std::string, std::less<>>;

struct Renamed {
  std::string from;
  std::string to;
  Transform transform = Transform::none;
  int part = 0;
  int parts = 1;
};
using Renames = std::vector<Renamed>;

// The original latent-diffusion layout ("ldm", also "sgm"): input_blocks, middle_block, output_blocks.
Renames unet_from_ldm(const NameSet& names);
Renames controlnet_from_ldm(const NameSet& names);
// encoder.down, decoder.up (counted from the picture's end), mid.attn_1 as 1x1 convolutions.
Renames vae_from_ldm(const NameSet& names);
// diffusers' own names; older files call the attention's layers query, key, value and proj_attn.
Renames vae_from_diffusers(const NameSet& names);
// transformers' names, with or without "text_model.", with or without a leading "transformer.".
Renames clip_from_transformers(const NameSet& names);
// OpenCLIP: resblocks, q, k and v in one matrix.
Renames clip_from_openclip(const NameSet& names);
// The tiny autoencoder as first published (numbered layers) and diffusers' encoder.layers / decoder.layers.
Renames taesd_from_original(const NameSet& encoder, const NameSet& decoder);
// T2I-Adapter as first published: body.N with two blocks a level.
Renames t2i_adapter_from_original(const NameSet& names);

// The other way round, for adapters whose keys are flattened original names (kohya's SDXL files): from a
// UNet's canonical names to ldm names, by the same structural walk. Names without a counterpart are left out.
Renames unet_to_ldm(const NameSet& canonical_names);

// The NameSet of a network that is already known by canonical names.
NameSet canonical_names(const WeightMap& map);

}  // namespace maquette::weights

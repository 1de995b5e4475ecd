// Encoding and decoding of pictures too large to go through the VAE at once, in overlapping tiles.
#pragma once

#include <functional>

#include "models/vae/vae.h"

namespace maquette::diffusion {

struct TileOptions {
  int64_t tile = 64;     // latent pixels per side
  int64_t overlap = 16;  // latent pixels shared by neighbours, faded linearly from one to the other
  std::function<void(int done, int total)> progress;
};

// Tiles cross the edges that ex.wrap joins, so that textures stay seamless. A picture that fits one tile goes
// through whole. Shapes as Vae::decode and Vae::encode.
Tensor decode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& latent,
                    const TileOptions& options);
models::Moments encode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& picture,
                             const TileOptions& options);

}  // namespace maquette::diffusion

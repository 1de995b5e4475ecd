// Pictures of latents while they are sampled: by a TAESD where there is one, otherwise latents mapped to
// colours.
#pragma once

#include <optional>
#include <string>

#include "diffusion/codec.h"
#include "diffusion/preview.h"

namespace maquette::diffusion {

// Keeps what it loaded and fitted.
class Previews {
 public:
  void forget_model() { fitted_.reset(); }

  struct Request {
    const Codec& codec;          // the model's own
    const std::string& decoder;  // a TAESD file; empty: the model's own codec where it is one
    TileOptions tiles;
  };
  // denoised [1, C, h, w] as it is sampled -> [1, 3, H, W] in [-1, 1]. Throws Error(not_found, bad_file,
  // weights).
  Tensor make(kernels::Exec& ex, const Tensor& denoised, const Request& request);

 private:
  // Null where latents are to be mapped to colours.
  const Codec* decoder_of(const Request& request);

  std::optional<LatentPreview> fitted_;
  std::string taesd_path_;
  std::optional<Codec> taesd_;
};

}  // namespace maquette::diffusion

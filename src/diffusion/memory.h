// How much memory a job will take, told before it begins, so that it is tiled or refused instead of being
// killed.
#pragma once

#include <cstdint>

#include "diffusion/model.h"

namespace maquette::diffusion {

struct MemoryEstimate {
  uint64_t sampling = 0;  // activations of one guided step
  uint64_t decoding = 0;  // activations of decoding at once
};

// For pictures of `height` x `width` pixels, computed in `type`. About: within a third of what is measured.
MemoryEstimate estimate_memory(const Model& model, int64_t height, int64_t width, DType type);

// Bytes that the cached features of a picture of `height` x `width` pixels take at most (feature_cache.h).
uint64_t cached_bytes(const Recipe& recipe, const Model& model, int64_t height, int64_t width, DType type);

// The denoising network's weights in `type`, as the kernels pack them at its first step; bytes.
uint64_t packed_weights(const Model& model, DType type);

// What the system could give to this process now; MAQUETTE_MEMORY (bytes) overrides it.
uint64_t available_memory();

// The largest VAE tile (latent pixels) whose decoding fits `available` bytes; 0 where the whole picture does.
int64_t decoding_tile(const Model& model, int64_t height, int64_t width, DType type, uint64_t available);

}  // namespace maquette::diffusion

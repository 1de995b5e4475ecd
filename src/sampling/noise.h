// The noise of one job: the first latent and the noise inside the steps, drawn in the order and from the
// generators of the program whose dialect the job speaks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/dialect.h"
#include "sampling/brownian.h"
#include "sampling/random.h"
#include "tensor/tensor.h"

namespace maquette::sampling {

// How a batch of several images draws.
enum class BatchRule {
  one_draw,  // one generator draws the whole [N, C, h, w] at once
  per_image  // image i has its own generator and draws [1, C, h, w]
};

struct NoiseSettings {
  RandomKind kind = RandomKind::torch_cpu;
  BatchRule rule = BatchRule::one_draw;
  std::vector<uint64_t> seeds{0};  // per_image: one per image; one_draw: the first
  // Where set, the noise inside the steps comes from generators of its own, seeded with seed + this; of this
  // kind.
  std::optional<uint64_t> step_seed_delta;
  RandomKind step_kind = RandomKind::torch_cpu;
  // A second noise for image i (seeds as above), mixed into the first latent by spherical interpolation.
  std::vector<uint64_t> variation_seeds;
  float variation_strength = 0;
};

// The rules of a dialect for `count` images:
//   a1111      image i draws from its own generator, seed + i; the steps continue it
//   comfy      one draw for the batch, always from torch's CPU generator, as are Brownian motions; the steps
//   have a new
//              generator, of seed + 1 on a CPU (torch_cpu) or of seed on a GPU (philox)
//   diffusers  one generator for everything
NoiseSettings noise_settings(Dialect dialect, RandomKind kind, uint64_t seed, int count);

class NoiseSource {
 public:
  explicit NoiseSource(NoiseSettings settings);

  // The first latent's noise [N, C, h, w], variation included. A1111's eta noise seed delta takes effect
  // after it.
  Tensor first(const Shape& shape);
  // Noise for anything that draws from the main generators around the sampling (a VAE's latent distribution).
  Tensor next(const Shape& shape);
  // Noise inside the steps.
  Tensor step(const Shape& shape);
  // The Brownian noise of an SDE sampler between two noise levels; seeded by the job's seeds, whatever was
  // drawn.
  BrownianNoise brownian(const Shape& shape, float sigma_min, float sigma_max) const;

  const NoiseSettings& settings() const { return settings_; }

 private:
  using Generators = std::vector<std::unique_ptr<RandomGenerator>>;
  Generators make_generators(const std::vector<uint64_t>& seeds, RandomKind kind) const;
  Tensor draw(Generators& generators, const Shape& shape) const;

  NoiseSettings settings_;
  Generators main_;
  Generators steps_;  // empty where the steps continue the main ones
};

// Spherical interpolation between two noises [N, C, h, w] as A1111 mixes variation seeds: for every column of
// every channel, a sin((1 - t) w) / sin w + b sin(t w) / sin w with w the angle between them; nearly parallel
// noises (mean cosine above 0.9995, per image) are mixed linearly as t a + (1 - t) b, as there.
Tensor slerp(float t, const Tensor& a, const Tensor& b);

}  // namespace maquette::sampling

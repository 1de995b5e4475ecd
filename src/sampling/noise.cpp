// Which generator draws what, per dialect: A1111 gives each picture of a batch a generator of its own, seeded
// with seed + i (modules/rng.py, ImageRNG); ComfyUI draws a batch at once (comfy/sample.py, prepare_noise)
// and seeds the noise of steps anew, with seed + 1 on the CPU (comfy/k_diffusion/sampling.py,
// default_noise_sampler); diffusers continues one generator (utils/torch_utils.py, randn_tensor).
#include "sampling/noise.h"

#include <algorithm>
#include <cmath>

#include "sampling/latent_math.h"

namespace maquette::sampling {

NoiseSettings noise_settings(Dialect dialect, RandomKind kind, uint64_t seed, int count) {
  NoiseSettings settings{.kind = kind, .seeds = {seed}, .step_seed_delta = {}, .variation_seeds = {}};
  if (dialect == Dialect::a1111) {
    settings.rule = BatchRule::per_image;
    for (int i = 1; i < count; ++i) settings.seeds.push_back(seed + static_cast<uint64_t>(i));
  } else if (dialect == Dialect::comfy) {
    settings.kind = RandomKind::torch_cpu;
    settings.step_seed_delta = kind == RandomKind::torch_cpu ? 1 : 0;
  }
  settings.step_kind = kind;
  return settings;
}

NoiseSource::NoiseSource(NoiseSettings settings) : settings_(std::move(settings)) {
  if (settings_.seeds.empty()) throw Error(ErrorCode::failed, "cannot draw noise without a seed");
  main_ = make_generators(settings_.seeds, settings_.kind);
  if (settings_.step_seed_delta) {
    std::vector<uint64_t> seeds = settings_.seeds;
    for (uint64_t& seed : seeds) seed += *settings_.step_seed_delta;
    steps_ = make_generators(seeds, settings_.step_kind);
  }
}

NoiseSource::Generators NoiseSource::make_generators(const std::vector<uint64_t>& seeds,
                                                     RandomKind kind) const {
  const size_t count = settings_.rule == BatchRule::per_image ? seeds.size() : 1;
  Generators generators;
  for (size_t i = 0; i < count; ++i) generators.push_back(make_generator(kind, seeds[i]));
  return generators;
}

Tensor NoiseSource::draw(Generators& generators, const Shape& shape) const {
  Tensor out = Tensor::empty(shape);
  if (settings_.rule == BatchRule::one_draw) {
    generators[0]->normal(out.data());
    return out;
  }
  const int64_t images = shape[0];
  if (images > static_cast<int64_t>(generators.size())) {
    throw Error(ErrorCode::failed, "cannot draw noise for {} images from {} seeds", images,
                generators.size());
  }
  for (int64_t i = 0; i < images; ++i) {
    Tensor image = out.rows(i, i + 1);
    generators[static_cast<size_t>(i)]->normal(image.data());
  }
  return out;
}

Tensor NoiseSource::first(const Shape& shape) {
  Tensor noise = draw(main_, shape);
  if (settings_.variation_strength != 0 && !settings_.variation_seeds.empty()) {
    Generators variation = make_generators(settings_.variation_seeds, settings_.kind);
    noise = slerp(settings_.variation_strength, noise, draw(variation, shape));
  }
  return noise;
}

Tensor NoiseSource::next(const Shape& shape) { return draw(main_, shape); }

Tensor NoiseSource::step(const Shape& shape) { return draw(steps_.empty() ? main_ : steps_, shape); }

BrownianNoise NoiseSource::brownian(const Shape& shape, float sigma_min, float sigma_max) const {
  std::vector<uint64_t> seeds = settings_.seeds;
  seeds.resize(settings_.rule == BatchRule::per_image ? static_cast<size_t>(shape[0]) : 1);
  return {shape, sigma_min, sigma_max, seeds, settings_.kind};
}

namespace {

// One image [C, h, w]; the norm runs over h.
void slerp_image(float t, const Tensor& a, const Tensor& b, Tensor& out, const Shape& shape) {
  const auto channels = static_cast<size_t>(shape[1]);
  const auto height = static_cast<size_t>(shape[2]);
  const auto width = static_cast<size_t>(shape[3]);
  const auto x = a.data();
  const auto y = b.data();
  auto to = out.data();

  std::vector<double> cosine(channels * width);
  double mean = 0;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t w = 0; w < width; ++w) {
      double dot = 0, norm_x = 0, norm_y = 0;
      for (size_t h = 0; h < height; ++h) {
        const size_t i = (c * height + h) * width + w;
        dot += static_cast<double>(x[i]) * y[i];
        norm_x += static_cast<double>(x[i]) * x[i];
        norm_y += static_cast<double>(y[i]) * y[i];
      }
      cosine[c * width + w] = dot / std::sqrt(norm_x * norm_y);
      mean += cosine[c * width + w] / static_cast<double>(cosine.size());
    }
  }

  const bool parallel = mean > 0.9995;
  for (size_t i = 0; i < to.size(); ++i) {
    const double omega = std::acos(std::clamp(cosine[i / (height * width) * width + i % width], -1.0, 1.0));
    const double from_x = parallel ? t : std::sin((1.0 - t) * omega) / std::sin(omega);
    const double from_y = parallel ? 1.0 - t : std::sin(t * omega) / std::sin(omega);
    to[i] = static_cast<float>(from_x * x[i] + from_y * y[i]);
  }
}

}  // namespace

Tensor slerp(float t, const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.rank() != 4) {
    throw Error(ErrorCode::failed, "cannot mix noises of shapes {} and {}", a.shape().text(),
                b.shape().text());
  }
  Tensor out = Tensor::empty(a.shape());
  for (int64_t image = 0; image < a.size(0); ++image) {
    Tensor part = out.rows(image, image + 1);
    slerp_image(t, a.rows(image, image + 1), b.rows(image, image + 1), part, a.shape());
  }
  return out;
}

}  // namespace maquette::sampling

// The peak of a UNet lies at its finest level: the skip connections left behind, a residual block's input,
// normalised copy and result, and a feed-forward's inner 4 C. The peak of a VAE's decoder lies at full size,
// where the last stage but one hands over twice the channels of the last. The factors are measured with the
// buffers that the pool held for SD1.5 and the starter model.
#include "diffusion/memory.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/file.h"
#include "base/text.h"

namespace maquette::diffusion {

namespace {

constexpr double kSamplingCopies = 24;  // of the finest level's activations, both halves of guidance
constexpr double kDecodingCopies = 5;   // of the finest level's activations

// /proc files have no size and cannot be mapped: read them as streams.
uint64_t available_in(std::string_view meminfo) {
  constexpr std::string_view kField = "MemAvailable:";
  const size_t at = meminfo.find(kField);
  if (at == std::string_view::npos) return UINT64_MAX;
  const std::string_view rest = trim(meminfo.substr(at + kField.size()));
  uint64_t kib = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), kib);
  return kib * 1024;
}

}  // namespace

MemoryEstimate estimate_memory(const Model& model, int64_t height, int64_t width, DType type) {
  const int factor = model.codec->factor();
  const auto latent = static_cast<double>((height / factor) * (width / factor));
  const auto bytes = static_cast<double>(size_of(type));
  MemoryEstimate estimate;
  estimate.sampling = static_cast<uint64_t>(2 * latent * static_cast<double>(model.unet->base_channels()) *
                                            bytes * kSamplingCopies);
  const models::Vae* vae = model.codec->vae();
  const double channels = vae ? static_cast<double>(vae->finest_channels()) : 64;
  estimate.decoding =
      static_cast<uint64_t>(static_cast<double>(height * width) * 2 * channels * bytes * kDecodingCopies);
  return estimate;
}

uint64_t cached_bytes(const Recipe& recipe, const Model& model, int64_t height, int64_t width, DType type) {
  if (recipe.feature_cache.every <= 1) return 0;
  // No level takes more than the finest, whose activations on the way up have at most twice its channels, for
  // both halves of guidance. Tiles overlap by a quarter on each axis.
  const int64_t factor = model.codec->factor();
  const int64_t latent = (height / factor) * (width / factor);
  const auto bytes = static_cast<uint64_t>(2 * latent * 2 * model.unet->base_channels()) * size_of(type);
  return recipe.tile_size > 0 ? bytes * 16 / 9 : bytes;
}

uint64_t packed_weights(const Model& model, DType type) {
  uint64_t elements = 0;
  if (const auto unet = model.parameters.find("unet"); unet != model.parameters.end()) {
    for (const auto& [name, parameter] : unet->second.all()) {
      elements += static_cast<uint64_t>(parameter.shape.elements());
    }
  }
  return elements * size_of(type);
}

uint64_t available_memory() {
  if (const char* text = std::getenv("MAQUETTE_MEMORY")) {
    if (const auto bytes = parse_integer(text); bytes && *bytes > 0) return static_cast<uint64_t>(*bytes);
  }
  return available_in(read_stream_file("/proc/meminfo"));
}

int64_t decoding_tile(const Model& model, int64_t height, int64_t width, DType type, uint64_t available) {
  if (estimate_memory(model, height, width, type).decoding <= available) return 0;
  const int64_t factor = model.codec->factor();
  int64_t tile = std::max(height, width) / factor;
  while (tile > 16 && estimate_memory(model, tile * factor, tile * factor, type).decoding > available / 2)
    tile /= 2;
  return std::max<int64_t>(tile, 16);
}

}  // namespace maquette::diffusion

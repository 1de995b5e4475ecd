#include "diffusion/check_fit.h"

#include <algorithm>

#include "models/adapters/adapter.h"
#include "models/clip/text_encoder.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "models/picture_prompt/ip_adapter.h"
#include "models/picture_prompt/vision_encoder.h"
#include "models/taesd/taesd.h"
#include "models/unet/unet.h"
#include "models/upscaler/upscaler.h"
#include "models/vae/vae.h"

namespace maquette::diffusion {

namespace {

// Loads one network as its kind asks; false where the kind has no network here.
bool build(const weights::Component& part, const nn::Scope& scope) {
  if (part.kind == "unet") {
    models::UNet::load(scope, models::UNetConfig::from_json(part.config));
  } else if (part.kind == "vae") {
    models::Vae::load(scope, models::VaeConfig::from_json(part.config));
  } else if (part.kind == "text_encoder" || part.kind == "text_encoder_2") {
    models::TextEncoder::load(scope, models::TextEncoderConfig::from_json(part.config));
  } else if (part.kind == "controlnet") {
    models::ControlNet::load(scope, models::ControlNetConfig::from_json(part.config));
  } else if (part.kind == "taesd") {
    models::Taesd::load(scope, models::TaesdConfig::from_json(part.config));
  } else if (part.kind == "t2i_adapter") {
    models::T2iAdapter::load(scope, models::T2iAdapterConfig::from_json(part.config));
  } else if (part.kind == "image_encoder") {
    models::VisionEncoder::load(scope, models::VisionEncoderConfig::from_json(part.config));
  } else if (part.kind == "ip_adapter") {
    models::IpAdapter::load(scope);
  } else if (part.kind == "upscaler") {
    models::Upscaler::load(scope);
  } else {
    return false;
  }
  return true;
}

const weights::SharedWeightFile& file_of(const weights::Component& part) {
  return part.weights.sources().begin()->second.file;
}

// An adapter is read, not built: what its layers change is only known beside a model.
void read_adapter_part(const weights::Component& part, Fit& fit) {
  const models::Adapter adapter = models::adapter_of(file_of(part)).take();
  for (const auto& [key, reason] : adapter.unknown)
    fit.unused.push_back(fmt::format("{}: {} ({})", part.kind, key, reason));
  fit.matched += part.weights.size() - std::min(part.weights.size(), adapter.unknown.size());
  fit.form = fmt::format("{} layers: {}", adapter.modules.size(), adapter.kinds());
}

void read_words(const weights::Component& part, Fit& fit) {
  const std::vector<weights::Embedding> words = weights::textual_inversion_of(file_of(part)).take();
  fit.matched += part.weights.size();
  int64_t vectors = 0;
  for (const weights::Embedding& word : words) vectors += word.vectors.size(0);
  fit.form = fmt::format("{} vectors", vectors);
}

}  // namespace

Fit check_fit(const weights::Checkpoint& checkpoint) {
  Fit fit;
  for (const weights::Component& part : checkpoint.components) {
    const weights::WeightScope scope(part.weights);
    nn::Parameters parameters;
    try {
      if (part.kind == "lora") read_adapter_part(part, fit);
      if (part.kind == "textual_inversion") read_words(part, fit);
      if (!build(part, {scope, parameters})) continue;
      const std::vector<std::string> unused = scope.unused();
      for (const std::string& name : unused) fit.unused.push_back(part.kind + ": " + name);
      fit.matched += part.weights.size() - unused.size();
    } catch (const Error& error) {
      fit.missing.push_back(part.kind + ": " + error.message());
    }
  }
  return fit;
}

}  // namespace maquette::diffusion

#include "diffusion/check_fit.h"

#include "models/clip/text_encoder.h"
#include "models/control/controlnet.h"
#include "models/unet/unet.h"
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
  } else {
    return false;
  }
  return true;
}

}  // namespace

Fit check_fit(const weights::Checkpoint& checkpoint) {
  Fit fit;
  for (const weights::Component& part : checkpoint.components) {
    const weights::WeightScope scope(part.weights);
    nn::Parameters parameters;
    try {
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

#include "diffusion/controls.h"

#include <algorithm>

#include "diffusion/preprocess.h"
#include "media/resize.h"
#include "models/picture_prompt/prepare.h"
#include "weights/checkpoint.h"

namespace maquette::diffusion {

namespace {

using weights::Component;

nn::Scope scope_of(const Component& component, nn::Parameters& parameters) {
  return {weights::WeightScope(component.weights), parameters};
}

}  // namespace

const ControlLibrary::Entry& ControlLibrary::get(const std::string& path, const Json& unet) {
  const auto found = entries_.find(path);
  if (found != entries_.end()) return found->second;
  const weights::Checkpoint checkpoint = weights::open_checkpoint(path).take();
  nn::Parameters unused;
  Entry entry;
  if (const Component* part = checkpoint.find("controlnet")) {
    entry.controlnet = models::ControlNet::load(
        scope_of(*part, unused),
        models::ControlNetConfig::from_json(part->config.empty() ? unet : part->config));
  } else if (const Component* part = checkpoint.find("t2i_adapter")) {
    entry.t2i =
        models::T2iAdapter::load(scope_of(*part, unused), models::T2iAdapterConfig::from_json(part->config));
  } else if (const Component* part = checkpoint.find("ip_adapter")) {
    entry.ip = models::IpAdapter::load(scope_of(*part, unused));
  } else if (const Component* part = checkpoint.find("image_encoder")) {
    entry.vision = models::VisionEncoder::load(scope_of(*part, unused),
                                               models::VisionEncoderConfig::from_json(part->config));
  } else {
    throw Error(ErrorCode::weights, "cannot use \"{}\" as a control", path)
        .with("found", checkpoint.components.empty() ? "nothing known" : checkpoint.components[0].kind)
        .with("expected", "a ControlNet, T2I-Adapter or IP-Adapter");
  }
  return entries_.emplace(path, std::move(entry)).first->second;
}

namespace {

// The control picture at the size of the picture to be made, [1, 3, H, W] in 0..1.
Tensor hint_picture(const Recipe::Control& control, const ControlSize& size, int64_t channels) {
  const media::Image8 picture = media::to_8bit(media::to_rgb(size.pictures.read(control.image)));
  const media::Image8 made = control_picture(control.kind, picture);
  media::Image8 sized = media::resize(made, size.height, size.width, media::Filter::lanczos);
  if (channels == 1) sized = media::to_grey(sized);
  return media::to_unit_tensor(media::to_float(sized));
}

struct ActiveControlNet {
  const models::ControlNet* network;
  Tensor hint;
  double weight = 1;
  models::ControlFade fade = models::ControlFade::none;
  bool positive_only = false;
  StepRange steps;
};

// diffusers knows guess mode only; the milder fade of A1111's modes stands for the other in every dialect.
models::ControlFade fade_of(ControlMode mode, Dialect dialect) {
  if (mode == ControlMode::balanced) return models::ControlFade::none;
  return mode == ControlMode::control && dialect == Dialect::diffusers ? models::ControlFade::guess
                                                                       : models::ControlFade::soft;
}

// In diffusers, networks that average their residuals ("shuffle") leave the negative prompt alone too.
bool positive_only(const Recipe::Control& control, const models::ControlNet& network, Dialect dialect) {
  return control.mode == ControlMode::control ||
         (dialect == Dialect::diffusers && network.config().global_pool);
}

// ControlNets see the latent without the further channels of inpainting models.
Tensor first_channels(const Tensor& latent, int64_t channels) {
  if (latent.size(1) == channels) return latent;
  if (latent.size(1) < channels) {
    throw Error(ErrorCode::weights, "cannot use the ControlNet with this model")
        .with("found", fmt::format("a network for {} latent channels", channels))
        .with("expected", fmt::format("at most {}", latent.size(1)))
        .hint("it was made for another model family");
  }
  const int64_t plane = latent.size(2) * latent.size(3);
  Tensor own = Tensor::empty({latent.size(0), channels, latent.size(2), latent.size(3)});
  for (int64_t i = 0; i < latent.size(0); ++i) {
    const Tensor row = latent.rows(i, i + 1);
    std::copy_n(row.data().begin(), channels * plane, own.rows(i, i + 1).data().begin());
  }
  return own;
}

ControlFunction sum_of(std::vector<ActiveControlNet> controls) {
  return [controls = std::move(controls)](kernels::Exec& ex, const ControlCall& call) {
    models::Residuals sum;
    for (const ActiveControlNet& control : controls) {
      if (!control.steps.contains(call.step)) continue;
      models::UNetInput own = call.input;
      own.latent = first_channels(own.latent, control.network->in_channels());
      models::ControlStrength strength{.scale = control.weight, .fade = control.fade, .pictures = {}};
      if (control.positive_only) strength.pictures = call.positive;
      models::add_residuals(ex, sum, (*control.network)(ex, own, control.hint, strength));
    }
    return sum;
  };
}

// Every condition sees the picture, or, for negative prompts, what no picture says.
void add_picture_tokens(kernels::Exec& ex, const models::PictureTokens& tokens, double weight,
                        StepRange steps, PromptPlan& plan) {
  std::vector<bool> positive(plan.conditions.size(), false);
  for (const PromptMoment& moment : plan.positive) {
    for (const PromptMoment::Part& part : moment.parts) positive[part.condition] = true;
  }
  for (size_t i = 0; i < plan.conditions.size(); ++i) {
    const Tensor& seen = positive[i] ? tokens.picture : tokens.none;
    plan.conditions[i].picture_tokens.push_back(kernels::convert(ex, seen, DType::f32));
    plan.conditions[i].picture_weights.push_back(static_cast<float>(weight));
    plan.conditions[i].picture_steps.push_back(steps);
  }
}

struct PicturePrompt {
  const Recipe::Control& control;
  media::Image image;
  StepRange steps;
};

void prepare_picture_prompt(kernels::Exec& ex, Model& model, const Recipe& recipe,
                            const PicturePrompt& prompt, ControlLibrary& library, PromptPlan& plan) {
  if (recipe.image_encoder.empty()) {
    throw Error(ErrorCode::usage, "cannot use \"{}\" without a picture encoder", prompt.control.model.path)
        .hint("name it with --image-encoder");
  }
  const ControlLibrary::Entry& encoder = library.get(recipe.image_encoder.path, Json::object());
  if (!encoder.vision) {
    throw Error(ErrorCode::weights, "\"{}\" is not a CLIP picture encoder", recipe.image_encoder.path);
  }
  const models::IpAdapter& adapter = *library.get(prompt.control.model.path, Json::object()).ip;
  const media::Image picture = media::to_rgb(prompt.image);
  const Tensor unit = media::to_unit_tensor(picture);
  const Tensor pixels = models::prepare_for_vision(unit.reshape({3, unit.size(2), unit.size(3)}),
                                                   encoder.vision->picture_size());
  adapter.install(*model.unet);
  add_picture_tokens(ex, adapter.tokens(ex, *encoder.vision, pixels), prompt.control.weight, prompt.steps,
                     plan);
}

}  // namespace

StepRange steps_of(const Recipe::Control& control, Dialect dialect, std::span<const double> timesteps) {
  const auto n = static_cast<double>(timesteps.size());
  const auto active = [&](size_t step) {
    const auto i = static_cast<double>(step);
    switch (dialect) {
      case Dialect::diffusers: return i / n >= control.start && (i + 1) / n <= control.end;
      case Dialect::a1111: return i / n >= control.start && i / n <= control.end;
      case Dialect::comfy: break;
    }
    constexpr double kLast = 999;
    return (control.start <= 0 || timesteps[step] <= (1 - control.start) * kLast) &&
           (control.end >= 1 || timesteps[step] >= (1 - control.end) * kLast);
  };
  StepRange range{.from = 0, .until = 0};
  for (size_t step = 0; step < timesteps.size(); ++step) {
    if (!active(step)) continue;
    if (range.until == 0) range.from = static_cast<int>(step);
    range.until = static_cast<int>(step) + 1;
  }
  return range;
}

PreparedControls prepare_controls(kernels::Exec& ex, Model& model, const Recipe& recipe,
                                  const ControlSize& size, ControlLibrary& library, PromptPlan& plan) {
  PreparedControls prepared;
  std::vector<ActiveControlNet> controlnets;
  for (const Recipe::Control& control : recipe.controls) {
    const ControlLibrary::Entry& entry =
        library.get(control.model.path, model.checkpoint.find("unet")->config);
    const StepRange steps = steps_of(control, recipe.dialect, size.timesteps);
    if (entry.controlnet) {
      const Tensor picture = hint_picture(control, size, entry.controlnet->hint_channels());
      controlnets.push_back({.network = &*entry.controlnet,
                             .hint = entry.controlnet->hint(ex, picture),
                             .weight = control.weight,
                             .fade = fade_of(control.mode, recipe.dialect),
                             .positive_only = positive_only(control, *entry.controlnet, recipe.dialect),
                             .steps = steps});
    } else if (entry.t2i) {
      const Tensor picture = hint_picture(control, size, entry.t2i->picture_channels());
      AdapterStates& adapter = prepared.adapters.emplace_back(AdapterStates{.states = {}, .steps = steps});
      models::add_features(ex, adapter.states, (*entry.t2i)(ex, picture), static_cast<float>(control.weight),
                           1);
    } else if (entry.ip) {
      prepare_picture_prompt(ex, model, recipe,
                             {.control = control, .image = size.pictures.read(control.image), .steps = steps},
                             library, plan);
      ++prepared.picture_prompts;
    } else {
      throw Error(ErrorCode::usage, "\"{}\" is a picture encoder, not a control", control.model.path);
    }
  }
  if (!controlnets.empty()) prepared.residuals = sum_of(std::move(controlnets));
  return prepared;
}

void remove_controls(Model& model) { models::IpAdapter::uninstall_all(*model.unet); }

}  // namespace maquette::diffusion

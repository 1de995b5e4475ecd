// From a checkpoint to a model: build the networks, then decide family and prediction, each with its reason.
#include "diffusion/model.h"

#include <algorithm>

#include "sampling/schedulers/scheduler_config.h"
#include "weights/detect.h"

namespace maquette::diffusion {

std::string_view name(Family family) {
  switch (family) {
    case Family::sd1: return "sd1";
    case Family::sd2: return "sd2";
    case Family::sdxl: return "sdxl";
    case Family::sdxl_refiner: return "sdxl-refiner";
    case Family::custom: return "custom";
  }
  return "custom";
}

namespace {

using weights::Component;

nn::Scope scope_of(const Component& component, nn::Parameters& parameters) {
  return {weights::WeightScope(component.weights), parameters};
}

Family family_from_name(std::string_view text) {
  for (const Family family : {Family::sd1, Family::sd2, Family::sdxl, Family::sdxl_refiner, Family::custom}) {
    if (name(family) == text) return family;
  }
  throw Error(ErrorCode::usage, "unknown model family \"{}\"", text)
      .with("expected", "sd1, sd2, sdxl, sdxl-refiner or custom");
}

Family family_of(weights::Family found) {
  switch (found) {
    case weights::Family::sd1: return Family::sd1;
    case weights::Family::sd2: return Family::sd2;
    case weights::Family::sdxl_base: return Family::sdxl;
    case weights::Family::sdxl_refiner: return Family::sdxl_refiner;
    case weights::Family::unknown: break;
  }
  return Family::custom;
}

void decide_family(Model& model, const weights::ModelReport& report, const ModelOptions& options) {
  if (!options.family.empty()) {
    model.family = family_from_name(options.family);
    model.family_decision = {std::string(name(model.family)), "asked for"};
    return;
  }
  model.family = family_of(report.family);
  // A small network with SDXL's two encoders or its size conditions goes by SDXL's rules.
  if (model.family == Family::custom && model.unet->added_width() > 0) {
    model.family = model.checkpoint.find("text_encoder") ? Family::sdxl : Family::sdxl_refiner;
  }
  model.family_decision = {std::string(name(model.family)), report.family_reason};
}

// ------------------------------------------------------------------------------------------- text encoders

text::ClipTokenizer tokenizer_of(const Model& model, std::string_view folder) {
  const fs::path path = model.path / folder;
  if (model.checkpoint.layout == weights::CheckpointLayout::diffusers_folder && fs::is_directory(path)) {
    return text::ClipTokenizer::load(path).take();
  }
  return text::ClipTokenizer::standard();
}

void load_text_branch(Model& model, const Component& component, bool second) {
  models::TextEncoderConfig config = models::TextEncoderConfig::from_json(component.config);
  // The second encoder of SDXL and the one of SD2 are OpenCLIP's in every layout that comes without a
  // configuration.
  const bool openclip =
      component.layout == "openclip" || (component.config.empty() && (second || model.family == Family::sd2));
  if (component.config.empty())
    config.activation = openclip ? nn::Activation::gelu : nn::Activation::quick_gelu;
  text::ClipTokenizer tokenizer = tokenizer_of(model, second ? "tokenizer_2" : "tokenizer");
  const bool folder = model.checkpoint.layout == weights::CheckpointLayout::diffusers_folder;
  // The published tokenizers of these models pad with "!", which makes it a token of its own in every text.
  if (openclip && !folder) {
    const std::vector<text::AddedToken> pad{{.content = "!", .id = 0}};
    tokenizer = tokenizer.with_added_tokens(pad);
  }
  TextBranch branch{
      .encoder = models::TextEncoder::load(scope_of(component, model.parameters[component.kind]), config),
      .tokenizer = tokenizer,
      .pad_id = tokenizer.pad_id()};
  if (openclip && !folder) branch.pad_id = 0;
  model.text.branches.push_back(std::move(branch));
}

void load_text(Model& model) {
  const Component* first = model.checkpoint.find("text_encoder");
  const Component* second = model.checkpoint.find("text_encoder_2");
  if (first) load_text_branch(model, *first, false);
  if (second) load_text_branch(model, *second, true);
  if (model.text.branches.empty()) {
    throw Error(ErrorCode::weights, "cannot use \"{}\" by itself", model.path.string())
        .with("found", "no text encoder in the file")
        .with("expected", "a whole checkpoint: UNet, VAE and text encoder");
  }
  for (TextBranch& branch : model.text.branches) {
    if (second) {  // SDXL: the state before the last layer, as it is
      branch.default_layer = 2;
      branch.final_norm = false;
    } else if (first->layout == "openclip" && branch.encoder.layers() == 24) {
      branch.default_layer = 2;  // SD2 was trained on the state before OpenCLIP's last layer
    }
  }
}

// ------------------------------------------------------------------------------------------- prediction

// What diffusers configures for single files of the family.
Json usual_scheduler_config(Family family, std::string_view prediction) {
  switch (family) {
    case Family::sd2:
      return sampling::default_scheduler_config(prediction == "v_prediction" ? "sd2" : "sd2-base");
    case Family::sdxl: return sampling::default_scheduler_config("sdxl");
    case Family::sdxl_refiner: return sampling::default_scheduler_config("sdxl-refiner");
    case Family::sd1:
    case Family::custom: break;
  }
  return sampling::default_scheduler_config("sd1");
}

// SD2 checkpoints of both kinds look the same. A network that predicts v, given the same constant as picture
// and text at the last timestep, answers with about minus the picture; one that predicts the noise with about
// the picture itself.
bool answers_like_v(const models::UNet& unet) {
  kernels::Exec ex;
  const Tensor x = Tensor::full({1, unet.in_channels(), 8, 8}, 0.5f);
  const nn::CrossContext text(Tensor::full({1, 2, unet.context_width()}, 0.5f));
  const Tensor out = unet(ex, {.latent = x, .timesteps = {999}, .text = &text});
  double sum = 0;
  for (const float v : out.data()) sum += v - 0.5f;
  return sum / static_cast<double>(out.elements()) < -1;
}

Decision decide_prediction(const Model& model, const weights::ModelReport& report,
                           const ModelOptions& options) {
  if (!options.prediction.empty()) {
    if (options.prediction != "epsilon" && options.prediction != "v_prediction" &&
        options.prediction != "sample") {
      throw Error(ErrorCode::usage, "unknown prediction \"{}\"", options.prediction)
          .with("expected", "epsilon, v_prediction or sample");
    }
    return {options.prediction, "asked for"};
  }
  // A kind that is not known (flow matching) must not pass for the usual one.
  const Json& own = model.checkpoint.scheduler_config;
  if (own.is_object() && own.contains("prediction_type") && own["prediction_type"].is_string())
    sampling::parse_prediction(own["prediction_type"].get<std::string>());
  switch (report.prediction) {
    case weights::Prediction::epsilon: return {"epsilon", report.prediction_reason};
    case weights::Prediction::v_prediction: return {"v_prediction", report.prediction_reason};
    case weights::Prediction::sample: return {"sample", report.prediction_reason};
    case weights::Prediction::edm:
    case weights::Prediction::edm_v:
      throw Error(ErrorCode::weights, "cannot sample this model")
          .with("found", fmt::format("{} preconditioning", weights::name(report.prediction)))
          .with("expected", "epsilon or v-prediction");
    case weights::Prediction::undecided: break;
  }
  if (model.family == Family::sd2 && !model.inpainting()) {
    const bool v = answers_like_v(*model.unet);
    return {v ? "v_prediction" : "epsilon", "the network's answer to a constant"};
  }
  return {"epsilon", "the family's usual"};
}

[[noreturn]] void refuse_without_codec(const weights::Checkpoint& source) {
  throw Error(ErrorCode::weights, "cannot turn latents into pictures")
      .with("file", source.path.string())
      .with("found", "no VAE")
      .hint("name one with --vae");
}

Codec codec_of(const weights::Checkpoint& source, std::optional<float> scaling_factor) {
  nn::Parameters unused;
  if (const Component* vae = source.find("vae")) {
    models::VaeConfig config = models::VaeConfig::from_json(vae->config);
    if (vae->config.empty() && scaling_factor) config.scaling_factor = *scaling_factor;
    return Codec(models::Vae::load(scope_of(*vae, unused), config));
  }
  if (const Component* taesd = source.find("taesd")) {
    return Codec(
        models::Taesd::load(scope_of(*taesd, unused), models::TaesdConfig::from_json(taesd->config)));
  }
  refuse_without_codec(source);
}

void load_own_codec(Model& model, const ModelOptions& options) {
  const bool sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner;
  const auto factor = sdxl ? std::optional(0.13025f) : std::nullopt;
  model.codec = options.vae.empty() ? codec_of(model.checkpoint, factor) : load_codec(options.vae, factor);
}

void decide_native_size(Model& model, const Json& unet_config) {
  // A number, or height and width.
  if (unet_config.contains("sample_size") && !unet_config["sample_size"].is_null()) {
    const Json& size = unet_config["sample_size"];
    const auto pixels = [&](const Json& side) {
      constexpr int64_t kLargest = 8192;  // latent pixels per side
      if (!side.is_number_integer() || side.get<int64_t>() < 1 || side.get<int64_t>() > kLargest) {
        throw Error(ErrorCode::weights, "cannot use the UNet's configuration")
            .with("field", "sample_size")
            .with("found", size.dump())
            .with("expected", fmt::format("1 to {}", kLargest));
      }
      return side.get<int64_t>() * model.codec->factor();
    };
    const bool two = size.is_array() && size.size() == 2;
    model.native_height = pixels(two ? size[0] : size);
    model.native_width = pixels(two ? size[1] : size);
    return;
  }
  const bool sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner;
  const bool sd2_v = model.family == Family::sd2 && model.prediction.value == "v_prediction";
  model.native_height = model.native_width = sdxl ? 1024 : sd2_v ? 768 : 512;
}

// Each network is sound by itself; here they must fit each other.
void check_networks_fit(const Model& model) {
  const auto refuse = [](std::string_view tensor, std::string found, std::string expected) {
    throw Error(ErrorCode::weights, "the networks of the checkpoint do not fit each other")
        .with("tensor", tensor)
        .with("found", std::move(found))
        .with("expected", std::move(expected));
  };
  const int64_t latent = model.latent_channels();
  const models::UNet& unet = *model.unet;
  if (unet.out_channels() != latent) {
    refuse("conv_out.weight", fmt::format("{} channels out", unet.out_channels()),
           fmt::format("{}, the latent channels of the VAE", latent));
  }
  if (unet.in_channels() != latent && !model.editing() && !model.inpainting()) {
    refuse("conv_in.weight", fmt::format("{} channels in", unet.in_channels()),
           fmt::format("{0}, or {1} for editing, or {2} for inpainting", latent, 2 * latent, 2 * latent + 1));
  }
  int64_t text = 0;
  for (const TextBranch& branch : model.text.branches) text += branch.encoder.width();
  if (unet.context_width() > 0 && unet.context_width() != text) {
    refuse("attn2.to_k.weight", fmt::format("a text width of {}", unet.context_width()),
           fmt::format("{}, the width of the text encoders", text));
  }
}

// Without a configuration, what the pooled text leaves of SDXL's added embedding belongs to its five or six
// numbers.
void decide_size_waves(Model& model, const Json& unet_config) {
  model.size_waves = model.unet->size_waves();
  if (model.unet->added_width() == 0 || !unet_config.empty()) return;
  const int64_t numbers = model.aesthetic_score ? 5 : 6;
  const int64_t left = model.unet->added_width() - model.text.branches.back().encoder.pooled_width();
  if (left > 0 && left % numbers == 0) model.size_waves.width = left / numbers;
}

bool flag(const Json& json, const char* key, bool otherwise) {
  return json.is_object() && json.contains(key) && json[key].is_boolean() ? json[key].get<bool>() : otherwise;
}

}  // namespace

Codec load_codec(const fs::path& path, std::optional<float> scaling_factor) {
  return codec_of(weights::open_checkpoint(path).take(), scaling_factor);
}

std::unique_ptr<Model> load_model(const fs::path& path, const ModelOptions& options) {
  auto model = std::make_unique<Model>();
  model->path = path;
  model->checkpoint = weights::open_checkpoint(path).take();
  const Component* unet = model->checkpoint.find("unet");
  if (!unet) {
    throw Error(ErrorCode::weights, "cannot make pictures with \"{}\"", path.string())
        .with("found",
              model->checkpoint.components.empty() ? "nothing known" : model->checkpoint.components[0].kind)
        .with("expected", "a checkpoint with a UNet")
        .hint("maquette model inspect \"{}\" shows what is in it", path.string());
  }
  // What is missing is said before gigabytes are read.
  const weights::Checkpoint& checkpoint = model->checkpoint;
  if (options.vae.empty() && !checkpoint.find("vae") && !checkpoint.find("taesd")) {
    refuse_without_codec(checkpoint);
  }
  model->unet = models::UNet::load(scope_of(*unet, model->parameters["unet"]),
                                   models::UNetConfig::from_json(unet->config));
  const weights::ModelReport report = weights::describe(model->checkpoint);
  decide_family(*model, report, options);
  load_own_codec(*model, options);
  load_text(*model);
  check_networks_fit(*model);
  model->prediction = decide_prediction(*model, report, options);

  model->scheduler_config = model->checkpoint.scheduler_config.empty()
                                ? usual_scheduler_config(model->family, model->prediction.value)
                                : model->checkpoint.scheduler_config;
  model->scheduler_config["prediction_type"] = model->prediction.value;
  if (report.zero_terminal_snr) model->scheduler_config["rescale_betas_zero_snr"] = true;
  model->zero_terminal_snr = report.zero_terminal_snr;

  decide_native_size(*model, unet->config);
  const Json& index = model->checkpoint.model_index;
  const bool sdxl = model->family == Family::sdxl || model->family == Family::sdxl_refiner;
  // The pipelines' default; the refiner's published folder says no.
  const bool zeros = !index.empty() || model->family == Family::sdxl;
  model->zero_empty_negative = sdxl && flag(index, "force_zeros_for_empty_prompt", zeros);
  model->aesthetic_score = flag(index, "requires_aesthetics_score", model->family == Family::sdxl_refiner);
  decide_size_waves(*model, unet->config);
  return model;
}

}  // namespace maquette::diffusion

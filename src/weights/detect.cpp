// Detection goes from what cannot lie to what can: the original layout's prefixes and diffusers' class names
// first, then sizes that only one family has, then the structure. Sources of the tests: the published
// checkpoints' own names and shapes; sai_model_spec (modelspec.*) records.

#include "weights/detect.h"

#include <algorithm>

#include "base/text.h"
#include "weights/detect_part.h"

namespace maquette::weights {

std::string_view name(Family family) {
  switch (family) {
    case Family::unknown: return "unknown";
    case Family::sd1: return "sd1";
    case Family::sd2: return "sd2";
    case Family::sdxl_base: return "sdxl-base";
    case Family::sdxl_refiner: return "sdxl-refiner";
  }
  return "?";
}

std::string_view name(Prediction prediction) {
  switch (prediction) {
    case Prediction::undecided: return "undecided";
    case Prediction::epsilon: return "epsilon";
    case Prediction::v_prediction: return "v_prediction";
    case Prediction::sample: return "sample";
    case Prediction::edm: return "edm";
    case Prediction::edm_v: return "edm_v";
  }
  return "?";
}

std::string_view name(InputKind kind) {
  switch (kind) {
    case InputKind::plain: return "plain";
    case InputKind::inpaint: return "inpaint";
    case InputKind::edit: return "edit";
    case InputKind::other: return "other";
  }
  return "?";
}

namespace {

int64_t size_of_input(const WeightMap& map, std::string_view name) {
  const auto shape = map.shape(name);
  return shape && shape->rank() >= 2 ? (*shape)[1] : 0;
}

int64_t size_of_output(const WeightMap& map, std::string_view name) {
  const auto shape = map.shape(name);
  return shape && shape->rank() >= 1 ? (*shape)[0] : 0;
}

// The first tensor whose name ends so.
std::optional<Shape> first_shape(const WeightMap& map, std::string_view end) {
  for (const auto& [name, source] : map.sources()) {
    if (name.ends_with(end)) return map.shape(name);
  }
  return std::nullopt;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string metadata_of(const Checkpoint& checkpoint, const char* key) {
  const auto found = checkpoint.metadata.find(key);
  return found == checkpoint.metadata.end() ? "" : found->second;
}

struct Decision {
  Family family = Family::unknown;
  std::string reason{};
};

Decision family_by_origin(const Checkpoint& checkpoint) {
  const auto found = [&](const char* prefix) { return contains(checkpoint.prefixes, prefix); };
  if (found("conditioner.embedders.1.model.") || found("cond_stage_model.1.transformer.") ||
      found("cond_stage_model.1.model.")) {
    return {Family::sdxl_base, "two text encoders in the original layout"};
  }
  if (found("conditioner.embedders.0.model."))
    return {Family::sdxl_refiner, "conditioner.embedders.0.model is OpenCLIP"};
  if (found("cond_stage_model.model.")) return {Family::sd2, "cond_stage_model.model is OpenCLIP"};
  if (text_of(checkpoint.model_index, "_class_name").starts_with("StableDiffusionXL")) {
    if (checkpoint.find("text_encoder")) return {Family::sdxl_base, "the class in model_index.json"};
    return {Family::sdxl_refiner, "the class in model_index.json, and no first text encoder"};
  }
  return {};
}

Decision family_by_figures(const UnetFigures& unet) {
  if (unet.size_embedding_width > 0) {
    if (unet.context_width == 1280) return {Family::sdxl_refiner, "an added embedding and a context of 1280"};
    return {Family::sdxl_base, fmt::format("an added embedding of width {}", unet.size_embedding_width)};
  }
  if (unet.context_width == 768) return {Family::sd1, "a context of 768"};
  if (unet.context_width == 1024) return {Family::sd2, "a context of 1024"};
  if (unet.linear_projections) return {Family::sd2, "linear projections around the transformers"};
  return {Family::sd1, "convolutional projections and no added embedding"};
}

std::string variant_of(Family family, const UnetFigures& unet) {
  const std::vector<int64_t> four = {320, 640, 1280, 1280};
  const std::vector<int64_t> three = {320, 640, 1280};
  const bool two_layers = std::ranges::all_of(unet.layers, [](int n) { return n == 2; });
  const std::vector<int>& depths = unet.depths;
  switch (family) {
    case Family::sd1:
    case Family::sd2: {
      const bool published_depths = depths == std::vector<int>{1, 1, 1, 0};
      if (unet.channels == four && two_layers && published_depths) return "standard";
      const bool one_layer = std::ranges::all_of(unet.layers, [](int n) { return n == 1; });
      return one_layer && (unet.channels == four || unet.channels == three) ? "bk-sdm" : "custom";
    }
    case Family::sdxl_base:
      if (unet.channels != three || !two_layers) return "custom";
      if (depths == std::vector<int>{0, 2, 10}) return "standard";
      if (depths == std::vector<int>{0, 2, 4}) return "ssd-1b";
      return depths == std::vector<int>{0, 1, 2} ? "vega" : "custom";
    case Family::sdxl_refiner:
      return unet.channels == std::vector<int64_t>{384, 768, 1536, 1536} ? "standard" : "custom";
    case Family::unknown: break;
  }
  return "";
}

struct PredictionDecision {
  Prediction prediction = Prediction::undecided;
  std::string reason{};
};

// A1111's habit: MODEL.yaml beside MODEL.safetensors, the training configuration.
std::string yaml_beside(const fs::path& path) {
  fs::path yaml = path;
  yaml.replace_extension(".yaml");
  std::error_code error;
  if (yaml == path || !fs::is_regular_file(yaml, error)) return "";
  const Result<std::string> text = read_text_file(yaml, size_t{1} << 20);
  return text ? *text : "";
}

std::optional<Prediction> prediction_named(std::string_view word) {
  const std::string lower = lower_ascii(word);
  if (lower == "epsilon" || lower == "eps") return Prediction::epsilon;
  if (lower == "v" || lower == "v_prediction" || lower == "v-prediction") return Prediction::v_prediction;
  if (lower == "sample") return Prediction::sample;
  return std::nullopt;
}

PredictionDecision prediction_of(const Checkpoint& checkpoint, Family family) {
  if (contains(checkpoint.markers, "edm_vpred.sigma_max"))
    return {Prediction::edm_v, "the tensor edm_vpred.sigma_max"};
  if (contains(checkpoint.markers, "edm_mean")) return {Prediction::edm, "the tensor edm_mean"};
  if (contains(checkpoint.markers, "v_pred")) return {Prediction::v_prediction, "the tensor v_pred"};
  const std::string spec = metadata_of(checkpoint, "modelspec.prediction_type");
  if (const auto told = prediction_named(spec))
    return {*told, fmt::format("modelspec.prediction_type is {}", spec)};
  const std::string scheduler = text_of(checkpoint.scheduler_config, "prediction_type");
  if (const auto told = prediction_named(scheduler))
    return {*told, fmt::format("the scheduler's prediction_type is {}", scheduler)};
  if (!checkpoint.scheduler_config.empty()) return {Prediction::epsilon, "the scheduler names no other"};
  const std::string yaml = yaml_beside(checkpoint.path);
  if (yaml.find("parameterization: \"v\"") != std::string::npos ||
      yaml.find("parameterization: v") != std::string::npos) {
    return {Prediction::v_prediction, "parameterization in the .yaml beside the file"};
  }
  if (!yaml.empty() && family == Family::sd2)
    return {Prediction::epsilon, "no parameterization in the .yaml beside the file"};
  if (family == Family::sd2) {
    if (metadata_of(checkpoint, "global_step") == "875000")
      return {Prediction::epsilon, "global_step is 875000"};
    return {Prediction::undecided, "Stable Diffusion 2 files do not say it; the network has to be run"};
  }
  return {Prediction::epsilon, "the family's own, and nothing says otherwise"};
}

void add_latent_scale(const Checkpoint& checkpoint, ModelReport& report) {
  if (const Component* vae = checkpoint.find("vae")) {
    const auto found = vae->config.find("scaling_factor");
    if (found != vae->config.end() && found->is_number()) {
      report.latent_scale = found->get<double>();
      report.latent_scale_reason = "scaling_factor in the VAE's config.json";
      return;
    }
  }
  const bool xl = report.family == Family::sdxl_base || report.family == Family::sdxl_refiner;
  report.latent_scale = report.prediction == Prediction::edm ? 0.5 : xl ? 0.13025 : 0.18215;
  report.latent_scale_reason = "the family's own";
}

ComponentReport report_of(const Component& component) {
  ComponentReport report{.kind = component.kind, .layout = component.layout};
  // Several names may share one stored tensor (q, k and v): each is counted once.
  std::map<std::pair<const WeightFile*, std::string>, const TensorInfo*> stored;
  for (const auto& [name, source] : component.weights.sources()) {
    stored.emplace(std::pair(source.file.get(), source.name), source.file->find(source.name));
    if (report.file.empty()) report.file = source.file->path().string();
  }
  report.tensors = stored.size();
  for (const auto& [key, info] : stored) {
    const auto elements = static_cast<uint64_t>(info->shape.elements());
    report.parameters += elements;
    report.bytes += info->end - info->begin;
    report.precisions[info->stored] += elements;
  }
  uint64_t most = 0;
  for (const auto& [type, elements] : report.precisions) {
    if (elements < most) continue;
    most = elements;
    report.precision = type;
  }
  return report;
}

}  // namespace

UnetFigures figures_of(const WeightMap& map) {
  UnetFigures unet;
  unet.in_channels = size_of_input(map, "conv_in.weight");
  unet.out_channels = size_of_output(map, "conv_out.weight");
  unet.size_embedding_width = size_of_input(map, "add_embedding.linear_1.weight");
  unet.guidance_embedding = map.has("time_embedding.cond_proj.weight");
  if (const auto key = first_shape(map, ".attn2.to_k.weight"); key && key->rank() == 2)
    unet.context_width = (*key)[1];
  if (const auto projection = first_shape(map, ".proj_in.weight"))
    unet.linear_projections = projection->rank() == 2;
  const auto depth_at = [&](const std::string& attention) {
    return map.count(attention + ".transformer_blocks");
  };
  for (int level = 0; level < map.count("down_blocks"); ++level) {
    const std::string block = fmt::format("down_blocks.{}", level);
    unet.channels.push_back(size_of_output(map, block + ".resnets.0.conv1.weight"));
    unet.layers.push_back(map.count(block + ".resnets"));
    unet.depths.push_back(depth_at(block + ".attentions.0"));
  }
  unet.middle_depth = depth_at("mid_block.attentions.0");
  for (int level = 0; level < map.count("up_blocks"); ++level) {
    const std::string block = fmt::format("up_blocks.{}", level);
    std::vector<int>& depths = unet.up_depths.emplace_back();
    for (int i = 0; i < map.count(block + ".attentions"); ++i) {
      depths.push_back(depth_at(fmt::format("{}.attentions.{}", block, i)));
    }
  }
  return unet;
}

ModelReport describe(const Checkpoint& checkpoint) {
  ModelReport report{.path = checkpoint.path, .layout = checkpoint.layout};
  report.metadata = checkpoint.metadata;
  report.markers = checkpoint.markers;
  report.unexpected = checkpoint.unexpected;
  report.ignored = checkpoint.ignored.size();
  for (const Component& component : checkpoint.components) report.components.push_back(report_of(component));

  const Component* unet = checkpoint.find("unet");
  if (!unet) {
    if (checkpoint.components.empty()) return report;
    const PartFamily part = family_of_part(checkpoint.components[0]);
    report.family = part.family;
    report.family_reason = part.reason;
    return report;
  }
  report.unet = figures_of(unet->weights);
  Decision decision = family_by_origin(checkpoint);
  if (decision.family == Family::unknown) decision = family_by_figures(*report.unet);
  report.family = decision.family;
  report.family_reason = decision.reason;
  report.variant = variant_of(report.family, *report.unet);

  const PredictionDecision prediction = prediction_of(checkpoint, report.family);
  report.prediction = prediction.prediction;
  report.prediction_reason = prediction.reason;
  const auto rescaled = checkpoint.scheduler_config.find("rescale_betas_zero_snr");
  report.zero_terminal_snr =
      contains(checkpoint.markers, "ztsnr") ||
      (rescaled != checkpoint.scheduler_config.end() && rescaled->is_boolean() && rescaled->get<bool>());

  // A latent model sees its latents; with a mask and the masked picture's latents; or with the latents to
  // edit.
  const int64_t in = report.unet->in_channels;
  const int64_t out = report.unet->out_channels;
  report.input = in == out           ? InputKind::plain
                 : in == 2 * out + 1 ? InputKind::inpaint
                 : in == 2 * out     ? InputKind::edit
                                     : InputKind::other;
  add_latent_scale(checkpoint, report);
  return report;
}

namespace {

Json json_of(const UnetFigures& unet) {
  return {{"in_channels", unet.in_channels},
          {"out_channels", unet.out_channels},
          {"context_width", unet.context_width},
          {"size_embedding_width", unet.size_embedding_width},
          {"guidance_embedding", unet.guidance_embedding},
          {"linear_projections", unet.linear_projections},
          {"channels", unet.channels},
          {"layers", unet.layers},
          {"depths", unet.depths},
          {"up_depths", unet.up_depths},
          {"middle_depth", unet.middle_depth}};
}

Json json_of(const ComponentReport& component) {
  return {{"kind", component.kind},       {"layout", component.layout},
          {"file", component.file},       {"precision", component.precision},
          {"tensors", component.tensors}, {"parameters", component.parameters},
          {"bytes", component.bytes},     {"precisions", component.precisions}};
}

}  // namespace

Json ModelReport::to_json() const {
  Json json;
  json["path"] = path.string();
  json["layout"] = name(layout);
  json["family"] = name(family);
  json["family_reason"] = family_reason;
  if (unet) {
    json["variant"] = variant;
    json["prediction"] = name(prediction);
    json["prediction_reason"] = prediction_reason;
    json["zero_terminal_snr"] = zero_terminal_snr;
    json["input"] = name(input);
    json["unet"] = json_of(*unet);
    json["latent_scale"] = latent_scale;
    json["latent_scale_reason"] = latent_scale_reason;
  }
  json["components"] = Json::array();
  for (const ComponentReport& component : components) json["components"].push_back(json_of(component));
  json["metadata"] = metadata;
  json["markers"] = markers;
  json["unexpected"] = unexpected;
  json["ignored"] = ignored;
  if (hashes) json["hashes"] = weights::to_json(*hashes);
  // Names and records come from the file and may be no UTF-8; what cannot be shown is replaced.
  return Json::parse(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace maquette::weights

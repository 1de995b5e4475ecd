// The names and the order of the fields are those that A1111 1.10 writes. Fields that only Maquette has come
// last; A1111 keeps unknown ones.
#include "app/a1111_record.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/picture_record.h"
#include "base/text.h"
#include "sampling/samplers.h"
#include "weights/hashes.h"

namespace maquette::app {

namespace {

struct Label {
  std::string_view ours;
  std::string_view theirs;
};
constexpr std::array<Label, 20> kSamplers = {{{"ddim", "DDIM"},
                                              {"ddpm", "DDPM"},
                                              {"pndm", "PLMS"},
                                              {"lms", "LMS"},
                                              {"euler", "Euler"},
                                              {"euler-a", "Euler a"},
                                              {"heun", "Heun"},
                                              {"dpm2", "DPM2"},
                                              {"dpm2-a", "DPM2 a"},
                                              {"dpm++2s-a", "DPM++ 2S a"},
                                              {"dpm++2m", "DPM++ 2M"},
                                              {"dpm++sde", "DPM++ SDE"},
                                              {"dpm++2m-sde", "DPM++ 2M SDE"},
                                              {"dpm++3m-sde", "DPM++ 3M SDE"},
                                              {"unipc", "UniPC"},
                                              {"deis", "DEIS"},
                                              {"lcm", "LCM"},
                                              {"tcd", "TCD"},
                                              {"ipndm", "IPNDM"},
                                              {"restart", "Restart"}}};
constexpr std::array<Label, 9> kSchedules = {{{"normal", "Uniform"},
                                              {"karras", "Karras"},
                                              {"exponential", "Exponential"},
                                              {"sgm-uniform", "SGM Uniform"},
                                              {"simple", "Simple"},
                                              {"ddim-uniform", "DDIM"},
                                              {"beta", "Beta"},
                                              {"ays", "Align Your Steps"},
                                              {"kl-optimal", "KL Optimal"}}};

std::string label_of(std::span<const Label> labels, const std::string& name) {
  const auto found = std::ranges::find(labels, std::string_view(name), &Label::ours);
  return found == labels.end() ? name : std::string(found->theirs);
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

std::string stem(const FileRef& file) { return std::filesystem::path(file.path).stem().string(); }

// LoRAs go by the hash of their tensors, where the file has one.
std::string adapter_hash(const FileRef& file) {
  const auto hashes = weights::hash_file(file.path);
  if (hashes && !hashes->short_tensors.empty()) return hashes->short_tensors;
  return file.sha256.substr(0, 12);
}

std::string_view fill_label(MaskFill fill) {
  switch (fill) {
    case MaskFill::original: return "original";
    case MaskFill::fill: return "fill";
    case MaskFill::noise: return "latent noise";
    case MaskFill::nothing: return "latent nothing";
  }
  return "original";
}

std::string_view mode_label(ControlMode mode) {
  switch (mode) {
    case ControlMode::balanced: return "Balanced";
    case ControlMode::prompt: return "My prompt is more important";
    case ControlMode::control: return "ControlNet is more important";
  }
  return "Balanced";
}

void add_guides(const Recipe& recipe, media::A1111Parameters& p) {
  if (!recipe.mask.empty()) {
    p.add("Mask blur", std::to_string(recipe.inpaint.feather));
    p.add("Masked content", std::string(fill_label(recipe.inpaint.fill)));
    if (recipe.inpaint.padding >= 0) {
      p.add("Inpaint area", "Only masked");
      p.add("Masked area padding", std::to_string(recipe.inpaint.padding));
    }
  }
  for (size_t i = 0; i < recipe.controls.size(); ++i) {
    const Recipe::Control& control = recipe.controls[i];
    p.add(fmt::format("ControlNet {}", i),
          fmt::format(
              "Module: {}, Model: {}, Weight: {}, Guidance Start: {}, Guidance End: {}, Control Mode: {}",
              control.kind, stem(control.model), number_text(control.weight), number_text(control.start),
              number_text(control.end), mode_label(control.mode)));
  }
  if (!recipe.loras.empty()) {
    std::vector<std::string> hashes;
    for (const Recipe::Adapter& lora : recipe.loras) {
      hashes.push_back(fmt::format("{}: {}", stem(lora.file), adapter_hash(lora.file)));
    }
    p.add("Lora hashes", fmt::format("{}", fmt::join(hashes, ", ")));
  }
  if (recipe.hires.scale > 0) {
    p.add("Hires upscale", number_text(recipe.hires.scale));
    if (recipe.hires.steps > 0) p.add("Hires steps", std::to_string(recipe.hires.steps));
    p.add("Hires upscaler", "Lanczos");
  }
}

}  // namespace

media::A1111Parameters parameters_of(const Recipe& recipe, const PictureFacts& facts) {
  media::A1111Parameters p{.prompt = recipe.prompt, .negative_prompt = recipe.negative.value_or("")};
  p.add("Steps", std::to_string(recipe.steps));
  p.add("Sampler", label_of(kSamplers, facts.sampler));
  if (recipe.schedule.empty() && recipe.dialect == Dialect::a1111) {
    p.add("Schedule type", "Automatic");
  } else if (recipe.schedule.starts_with("sigmas:")) {
    p.add("Schedule type", recipe.schedule);
  } else if (facts.schedule != "configured") {
    p.add("Schedule type", label_of(kSchedules, facts.schedule));
  }
  p.add("CFG scale", number_text(recipe.cfg.value_or(0)));
  p.add("Seed", std::to_string(recipe.seed));
  // Of the first pass, before anything is enlarged.
  p.add("Size", fmt::format("{}x{}", recipe.width, recipe.height));
  p.add("Model hash", recipe.model.sha256.substr(0, 10));
  p.add("Model", stem(recipe.model));
  if (!recipe.vae.empty()) p.add("VAE", std::filesystem::path(recipe.vae.path).filename().string());
  if (recipe.hires.scale > 0) {
    p.add("Denoising strength", number_text(recipe.hires.strength));
  } else if (recipe.strength) {
    p.add("Denoising strength", number_text(*recipe.strength));
  }
  if (recipe.clip_skip > 0) p.add("Clip skip", std::to_string(recipe.clip_skip));
  if (recipe.rng == NoiseSourceKind::torch) p.add("RNG", "CPU");
  if (recipe.eta) p.add("Eta", number_text(*recipe.eta));
  if (recipe.tile_x || recipe.tile_y) p.add("Tiling", "True");
  add_guides(recipe, p);
  if (!recipe.upscale.empty()) p.add("Upscaler", stem(recipe.upscale));
  if (recipe.feature_cache.every > 1)
    p.add("Feature cache", fmt::format("{}:{}", recipe.feature_cache.every, recipe.feature_cache.depth));
  p.add("Dialect", std::string(name(recipe.dialect)));
  p.add("Version", version());
  return p;
}

namespace {

Error unreadable(std::string_view key, std::string_view found, std::string_view expected) {
  return Error(ErrorCode::bad_file, "cannot read the picture's parameters")
      .with("field", key)
      .with("found", found)
      .with("expected", expected);
}

class FieldReader {
 public:
  explicit FieldReader(const media::A1111Parameters& parameters) : parameters_(parameters) {}

  std::optional<std::string> text(std::string_view key) const { return parameters_.find(key); }
  std::optional<double> number(std::string_view key) const {
    const auto found = text(key);
    if (!found) return std::nullopt;
    const auto value = parse_double(trim(*found));
    if (!value) throw unreadable(key, *found, "a number");
    return value;
  }
  std::optional<int> whole(std::string_view key, int most) const {
    const auto found = text(key);
    if (!found) return std::nullopt;
    const auto value = parse_integer(trim(*found));
    if (!value || *value < 0 || *value > most)
      throw unreadable(key, *found, fmt::format("a whole number up to {}", most));
    return static_cast<int>(*value);
  }

 private:
  const media::A1111Parameters& parameters_;
};

uint64_t seed_of(const std::string& text) {
  const auto value = parse_integer(trim(text));
  if (!value || *value < 0) throw unreadable("Seed", text, "a whole number from 0");
  return static_cast<uint64_t>(*value);
}

}  // namespace

Recipe recipe_of_parameters(const media::A1111Parameters& parameters, std::vector<std::string>& notes) {
  const FieldReader fields(parameters);
  Recipe r;
  r.dialect = Dialect::a1111;
  r.prompt = parameters.prompt;
  r.negative = parameters.negative_prompt;
  r.steps = fields.whole("Steps", 10000).value_or(0);
  r.cfg = fields.number("CFG scale");
  if (const auto seed = fields.text("Seed")) r.seed = seed_of(*seed);
  if (const auto sampler = fields.text("Sampler")) {
    sampling::parse_sampler(*sampler);  // names the nearest where there is none
    r.sampler = *sampler;
  }
  const auto schedule = fields.text("Schedule type");
  if (schedule && lower_ascii(*schedule) != "automatic") r.schedule = *schedule;
  if (const auto size = parameters.size()) {
    r.width = size->first;
    r.height = size->second;
  }
  r.clip_skip = fields.whole("Clip skip", 100).value_or(0);
  // A1111 draws as a graphics card does unless the text says otherwise.
  r.rng = fields.text("RNG").value_or("GPU") == "CPU" ? NoiseSourceKind::torch : NoiseSourceKind::philox;
  r.eta = fields.number("Eta");
  r.tile_x = r.tile_y = fields.text("Tiling").value_or("") == "True";
  if (const auto scale = fields.number("Hires upscale")) {
    r.hires = {.scale = *scale,
               .steps = fields.whole("Hires steps", 10000).value_or(0),
               .strength = fields.number("Denoising strength").value_or(0.7)};
    if (const auto upscaler = fields.text("Hires upscaler"); upscaler && *upscaler != "Lanczos")
      notes.push_back(
          fmt::format("the second pass was enlarged with {} there, with Lanczos here", *upscaler));
  } else if (fields.text("Denoising strength")) {
    notes.push_back("the picture was painted over another one, which it does not carry: name it with --init");
  }
  for (const auto& [key, value] : parameters.fields) {
    if (key.starts_with("ControlNet"))
      notes.push_back("ControlNets are not taken over: name them with --control");
    if (key == "Variation seed" || key == "Refiner")
      notes.push_back(fmt::format("{} is not taken over", key));
  }
  if (const auto model = fields.text("Model"))
    notes.push_back(fmt::format("made with the model \"{}\", hash {}", *model,
                                fields.text("Model hash").value_or("unknown")));
  return r;
}

}  // namespace maquette::app

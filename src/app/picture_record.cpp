#include "app/picture_record.h"

#include <filesystem>

#include "kernels/cpu.h"
#include "kernels/exec.h"
#include "media/a1111_parameters.h"
#include "sampling/samplers.h"

namespace maquette::app {

namespace {

std::string instruction_set() {
  const kernels::Cpu& cpu = kernels::cpu();
  if (cpu.amx_bf16) return "amx-bf16";
  if (cpu.avx512_bf16) return "avx512-bf16";
  return cpu.avx512 ? "avx512" : "generic";
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

std::string stem(const FileRef& file) { return std::filesystem::path(file.path).stem().string(); }

}  // namespace

std::string version() { return "maquette " MAQUETTE_VERSION; }

Json record_of(const Recipe& recipe) {
  return {{"recipe", to_json(recipe)},
          {"environment", {{"version", version()}, {"instruction_set", instruction_set()}}}};
}

Result<Recipe> recipe_of_record(const Json& record) {
  return recipe_from_json(record.is_object() && record.contains("recipe") ? record["recipe"] : record);
}

media::PictureMetadata metadata_of(const Recipe& recipe, int width, int height) {
  media::A1111Parameters p{.prompt = recipe.prompt, .negative_prompt = recipe.negative.value_or("")};
  p.add("Steps", std::to_string(recipe.steps));
  p.add("Sampler", recipe.sampler.empty() ? "configured" : recipe.sampler);
  if (!recipe.schedule.empty()) p.add("Schedule type", recipe.schedule);
  p.add("CFG scale", number_text(recipe.cfg.value_or(0)));
  p.add("Seed", std::to_string(recipe.seed));
  p.add("Size", fmt::format("{}x{}", width, height));
  p.add("Model hash", recipe.model.sha256.substr(0, 10));
  p.add("Model", stem(recipe.model));
  if (recipe.strength) p.add("Denoising strength", number_text(*recipe.strength));
  if (recipe.clip_skip > 0) p.add("Clip skip", std::to_string(recipe.clip_skip));
  if (recipe.rng == NoiseSourceKind::torch) p.add("RNG", "CPU");
  if (recipe.tile_x || recipe.tile_y) p.add("Tiling", "True");
  if (!recipe.loras.empty()) {
    std::vector<std::string> hashes;
    for (const Recipe::Adapter& lora : recipe.loras) {
      hashes.push_back(fmt::format("{}: {}", stem(lora.file), lora.file.sha256.substr(0, 12)));
    }
    p.add("Lora hashes", fmt::format("{}", fmt::join(hashes, ", ")));
  }
  if (!recipe.upscale.empty()) p.add("Upscaler", stem(recipe.upscale));
  p.add("Dialect", std::string(name(recipe.dialect)));
  p.add("Version", version());
  return {.parameters = media::write_a1111_parameters(p), .recipe_json = record_of(recipe).dump()};
}

}  // namespace maquette::app

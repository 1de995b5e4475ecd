// Whole pipelines against diffusers: every case of tests/golden/pipelines that one recipe can express, with
// the random draws of the reference (made by tools/make_golden.py; versions inside each case). 55 dB: f32
// sums in another order move single pixels by one level at most; the same pictures keep 60 dB and more where
// every weight is disturbed by a relative 1e-6. bf16 (8 bits of mantissa) stays above 30 dB.
#include <gtest/gtest.h>

#include "diffusion/engine.h"
#include "media/image_io.h"
#include "media/psnr.h"
#include "models/golden_case.h"
#include "weights/safetensors_writer.h"

namespace maquette::diffusion {
namespace {

constexpr double kLeastF32 = 55;

std::string file_in(const fs::path& folder, const Json& name) {
  return (folder / name.get<std::string>()).string();
}

std::string path_of(const Json& name) { return file_in("tests/golden/pipelines", name); }

// What a recipe cannot say: one generator for a batch, lists of prompts. Such cases are left out by name of
// the argument.
bool expressible(const Json& info) {
  const Json& call = info["call"];
  for (const char* key :
       {"num_images_per_prompt", "timesteps", "prompt_2", "negative_original_size", "latents", "image_embeds",
        "negative_crops_coords_top_left", "negative_target_size"}) {
    if (call.contains(key)) return false;
  }
  return info["seed"].is_number() && call["prompt"].is_string();
}

// Value i of an argument that is one for all or a list.
double nth(const Json& call, const char* key, size_t i, double otherwise) {
  if (!call.contains(key)) return otherwise;
  return call[key].is_array() ? call[key][i].get<double>() : call[key].get<double>();
}

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list) values.push_back(value.get<double>());
  return values;
}

void read_call(const Json& call, const fs::path& folder, Recipe& r) {
  r.prompt = call["prompt"].get<std::string>();
  const auto has = [&](const char* key) { return call.contains(key) && !call[key].is_null(); };
  if (has("negative_prompt")) r.negative = call["negative_prompt"].get<std::string>();
  if (has("width")) r.width = call["width"];
  if (has("height")) r.height = call["height"];
  if (has("num_inference_steps")) r.steps = call["num_inference_steps"];
  if (has("guidance_scale")) r.cfg = call["guidance_scale"].get<double>();
  if (has("guidance_rescale")) r.guidance_rescale = call["guidance_rescale"];
  if (has("eta")) r.eta = call["eta"].get<double>();
  if (has("clip_skip")) r.clip_skip = call["clip_skip"];
  if (has("strength")) r.strength = call["strength"].get<double>();
  if (has("denoising_end")) r.denoising_end = call["denoising_end"].get<double>();
  if (has("denoising_start")) r.denoising_start = call["denoising_start"].get<double>();
  if (has("image_guidance_scale")) r.image_cfg = call["image_guidance_scale"];
  if (has("aesthetic_score")) r.aesthetic_score = call["aesthetic_score"];
  if (has("negative_aesthetic_score")) r.negative_aesthetic_score = call["negative_aesthetic_score"];
  if (has("original_size")) r.original_size = numbers(call["original_size"]);
  if (has("target_size")) r.target_size = numbers(call["target_size"]);
  if (has("padding_mask_crop")) {
    r.inpaint.padding = call["padding_mask_crop"];
    r.inpaint.composite = true;
  }
  if (has("crops_coords_top_left")) r.crop = numbers(call["crops_coords_top_left"]);
  if (has("image") && call["image"].is_string()) r.init.path = file_in(folder, call["image"]);
  if (has("image") && call["image"].is_object()) {  // a latent
    const fs::path file = fs::path(testing::TempDir()) / (folder.filename().string() + ".safetensors");
    weights::write_safetensors(file,
                               {{"latent", models::GoldenCase(folder).tensor(call["image"]["tensor"])}});
    r.init.path = file.string();
  }
  if (has("mask_image")) r.mask.path = file_in(folder, call["mask_image"]);
  if (has("sigmas")) {
    std::vector<std::string> levels;
    for (const double sigma : numbers(call["sigmas"])) levels.push_back(fmt::format("{}", sigma));
    r.schedule = fmt::format("sigmas:{}", fmt::join(levels, ","));
  }
}

void read_controls(const Json& info, const fs::path& folder, Recipe& r) {
  const Json& call = info["call"];
  const bool controlled = info.contains("controlnet") || info.contains("t2i_adapter");
  // Pipelines without an init picture call the control picture "image".
  const char* image = call.contains("control_image") ? "control_image" : "image";
  if (controlled && !call.contains("control_image")) r.init = {};
  const auto add = [&](const Json& model, const Json& picture, double weight, double start, double end) {
    r.controls.push_back(
        {.kind = "none",
         .model = {path_of(model), ""},
         .image = {file_in(folder, picture), ""},
         .weight = weight,
         .start = start,
         .end = end,
         .mode = call.value("guess_mode", false) ? ControlMode::control : ControlMode::balanced});
  };
  if (info.contains("controlnet")) {
    // That pipeline's own default; the others have 1.
    const double usual = info["pipeline"] == "StableDiffusionControlNetInpaintPipeline" ? 0.5 : 1;
    const Json models =
        info["controlnet"].is_array() ? info["controlnet"] : Json::array({info["controlnet"]});
    for (size_t i = 0; i < models.size(); ++i) {
      add(models[i], call[image].is_array() ? call[image][i] : call[image],
          nth(call, "controlnet_conditioning_scale", i, usual), nth(call, "control_guidance_start", i, 0),
          nth(call, "control_guidance_end", i, 1));
    }
  }
  if (info.contains("t2i_adapter")) {
    add(info["t2i_adapter"], call[image], nth(call, "adapter_conditioning_scale", 0, 1), 0,
        nth(call, "adapter_conditioning_factor", 0, 1));
  }
  if (info.contains("ip_adapter")) {
    const fs::path model = path_of(info["ip_adapter"]);
    std::string file = model.string();
    if (fs::is_directory(model)) {
      for (const auto& entry : fs::directory_iterator(model)) {
        if (entry.path().extension() == ".safetensors") file = entry.path().string();
      }
    }
    r.controls.push_back({.kind = "picture",
                          .model = {file, ""},
                          .image = {file_in(folder, call["ip_adapter_image"]), ""},
                          .weight = info["ip_adapter_scale"].get<double>()});
    r.image_encoder.path = path_of(info["image_encoder"]);
  }
}

Recipe recipe_of(const Json& info, const fs::path& folder) {
  Recipe r;
  r.model.path = path_of(info["model"]);
  r.seed = info["seed"].get<uint64_t>();
  r.precision = Precision::f32;
  r.inpaint.composite = false;  // as the pipelines leave it
  if (info.contains("taesd")) r.vae.path = path_of(info["taesd"]);
  if (!info["scheduler"]["folder_default"].get<bool>()) {
    r.sampler = info["scheduler"]["class"].get<std::string>();
    r.scheduler_config = info["scheduler"]["config"];
  }
  read_call(info["call"], folder, r);
  read_controls(info, folder, r);
  if (info.contains("feature_cache")) {
    r.feature_cache = {.every = info["feature_cache"]["every"], .depth = info["feature_cache"]["depth"]};
  }
  for (const Json& region : info.value("regions", Json::array())) {
    r.regions.push_back({.prompt = region["prompt"].get<std::string>(),
                         .mask = {file_in(folder, region["mask"]), ""},
                         .weight = region["weight"].get<double>()});
  }
  return r;
}

double psnr_of(const Picture& picture, const fs::path& expected) {
  const media::Image8& made = picture.image8;
  const media::Image8 reference = media::to_8bit(media::read_image(expected).take());
  return made.same_size(reference) ? media::psnr(made, reference) : 0;
}

struct PipelineCase {
  fs::path folder;
  Json info;
};
std::vector<PipelineCase> pipeline_cases() {
  std::vector<PipelineCase> cases;
  for (const auto& entry : fs::directory_iterator("tests/golden/pipelines")) {
    if (!fs::exists(entry.path() / "case.json")) continue;
    Json info = parse_json(read_text_file(entry.path() / "case.json").take(), "case").take();
    if (expressible(info)) cases.push_back({entry.path(), std::move(info)});
  }
  std::ranges::sort(cases, {}, &PipelineCase::folder);
  return cases;
}

TEST(Pipelines, pictures_match_the_reference) {
  Engine engine;
  int count = 0;
  for (const PipelineCase& test : pipeline_cases()) {
    try {
      const Picture picture = engine.run(recipe_of(test.info, test.folder));
      if (!test.info.contains("pictures") ||
          test.info["pictures"].empty()) {  // the pipeline was stopped before its end: compare the latent
        const Tensor expected = models::GoldenCase(test.folder).tensor(test.info["latents"]);
        EXPECT_LT(models::l2_error(picture.latent, expected), 1e-4) << test.folder.filename();
        continue;
      }
      const double psnr = psnr_of(picture, file_in(test.folder, test.info["pictures"][0]));
      EXPECT_GE(psnr, kLeastF32) << test.folder.filename();
    } catch (const Error& error) {
      ADD_FAILURE() << test.folder.filename() << ": " << error.message();
    }
    ++count;
  }
  EXPECT_GE(count, 40);
}

TEST(Pipelines, bf16_stays_near_the_reference) {
  Engine engine;
  for (const char* name : {"sd1_txt2img", "sd2_txt2img", "sdxl_txt2img"}) {
    const fs::path folder = fs::path("tests/golden/pipelines") / name;
    const Json info = parse_json(read_text_file(folder / "case.json").take(), name).take();
    Recipe recipe = recipe_of(info, folder);
    recipe.precision = Precision::bf16;
    EXPECT_GE(psnr_of(engine.run(recipe), file_in(folder, info["pictures"][0])), 30) << name;
  }
}

}  // namespace
}  // namespace maquette::diffusion

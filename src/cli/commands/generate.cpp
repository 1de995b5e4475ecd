// maquette generate: reads the arguments into a Recipe, lets app/ make the pictures, prints where they are.
#include "app/generate.h"

#include "cli/commands.h"
#include "cli/commands/values.h"
#include "cli/output.h"

namespace maquette::cli {

namespace {

// Everything on the command line, before it is checked.
struct Arguments {
  std::string recipe_file;
  std::string model, vae, prompt, negative, sampler, schedule, dialect, rng, precision, family, prediction;
  std::string image_encoder, scheduler_config;
  std::string init, mask, fill, upscale, outpaint, feature_cache;
  std::string original_size, crop, target_size;
  int width = 0, height = 0, steps = 0, count = 1, clip_skip = 0, feather = 0, padding = -1;
  int start_step = 0, end_step = 0, tile_size = 0, hires_steps = 0, bits = 8, threads = 0;
  double denoising_start = 0, denoising_end = 0, image_cfg = 1.5;
  double aesthetic_score = 0, negative_aesthetic_score = 0;
  double cfg = 0, strength = 0, eta = 0, guidance_rescale = 0, hires = 0, hires_strength = 0.5,
         seam_limit = 0;
  uint64_t seed = 0;
  bool soft_mask = false, no_composite = false, allow_unmatched = false, profile = false;
  std::string tile;
  std::vector<std::string> controls, control_modes, loras, embeddings, regions;
  std::string lora_folder;
  std::string out = ".", latent_out, preview, preview_taesd, sheet;
};

void set_tile(const std::string& tile, Recipe& recipe) {
  if (tile != "x" && tile != "y" && tile != "xy") bad_value("--tile", tile, "x, y or xy");
  recipe.tile_x = tile.find('x') != std::string::npos;
  recipe.tile_y = tile.find('y') != std::string::npos;
}

// One for all controls, or one for each in their order.
void set_control_modes(const std::vector<std::string>& modes, Recipe& recipe) {
  if (modes.empty()) return;
  if (modes.size() != 1 && modes.size() != recipe.controls.size()) {
    bad_value("--control-mode", fmt::format("{} modes for {} controls", modes.size(), recipe.controls.size()),
              "one for all, or one for each");
  }
  for (size_t i = 0; i < recipe.controls.size(); ++i)
    recipe.controls[i].mode = parse_control_mode(modes[modes.size() == 1 ? 0 : i]);
}

bool given(const CLI::App& app, const char* option) { return app.get_option(option)->count() > 0; }

void set_conditions(const CLI::App& app, const Arguments& a, Recipe& r) {
  if (given(app, "--original-size")) r.original_size = parse_pair("--original-size", a.original_size, 'x');
  if (given(app, "--crop")) r.crop = parse_pair("--crop", a.crop, ',');
  if (given(app, "--target-size")) r.target_size = parse_pair("--target-size", a.target_size, 'x');
  if (given(app, "--aesthetic-score")) r.aesthetic_score = a.aesthetic_score;
  if (given(app, "--negative-aesthetic-score")) r.negative_aesthetic_score = a.negative_aesthetic_score;
}

// A list that was given replaces the recipe's.
void set_lists(const Arguments& a, Recipe& r) {
  if (!a.controls.empty()) r.controls.clear();
  for (const std::string& text : a.controls) r.controls.push_back(parse_control(text));
  set_control_modes(a.control_modes, r);
  if (!a.loras.empty()) r.loras.clear();
  for (const std::string& text : a.loras) r.loras.push_back(parse_lora(text));
  if (!a.regions.empty()) r.regions.clear();
  for (const std::string& text : a.regions) r.regions.push_back(parse_region(text));
  if (!a.embeddings.empty()) r.embeddings.clear();
  for (const std::string& file : a.embeddings) r.embeddings.push_back({file, ""});
}

// What was given replaces what the recipe says; what was not is left as it is.
Recipe recipe_of(const CLI::App& app, const Arguments& a, Recipe r) {
  const auto set = [&](const char* option, auto& field, const auto& value) {
    if (given(app, option)) field = value;
  };
  set("--model", r.model, FileRef{a.model, ""});
  set("--vae", r.vae, FileRef{a.vae, ""});
  set("--prompt", r.prompt, a.prompt);
  set("--negative", r.negative, a.negative);
  set("--width", r.width, a.width);
  set("--height", r.height, a.height);
  set("--steps", r.steps, a.steps);
  set("--cfg", r.cfg, a.cfg);
  set("--guidance-rescale", r.guidance_rescale, a.guidance_rescale);
  set("--sampler", r.sampler, a.sampler);
  set("--schedule", r.schedule, a.schedule);
  set("--eta", r.eta, a.eta);
  set("--seed", r.seed, a.seed);
  set("--start-step", r.start_step, a.start_step);
  set("--end-step", r.end_step, a.end_step);
  set("--clip-skip", r.clip_skip, a.clip_skip);
  set("--family", r.model_family, a.family);
  set("--prediction", r.prediction, a.prediction);
  set("--init", r.init, FileRef{a.init, ""});
  set("--strength", r.strength, a.strength);
  set("--mask", r.mask, FileRef{a.mask, ""});
  set("--feather", r.inpaint.feather, a.feather);
  set("--padding", r.inpaint.padding, a.padding);
  set("--soft-mask", r.inpaint.soft, a.soft_mask);
  set("--no-composite", r.inpaint.composite, !a.no_composite);
  set("--image-encoder", r.image_encoder, FileRef{a.image_encoder, ""});
  set("--image-cfg", r.image_cfg, a.image_cfg);
  set("--denoising-start", r.denoising_start, a.denoising_start);
  set("--denoising-end", r.denoising_end, a.denoising_end);
  if (given(app, "--scheduler-config")) r.scheduler_config = app::read_json_file(a.scheduler_config);
  set("--hires", r.hires.scale, a.hires);
  set("--hires-steps", r.hires.steps, a.hires_steps);
  set("--hires-strength", r.hires.strength, a.hires_strength);
  set("--tile-size", r.tile_size, a.tile_size);
  set("--upscale", r.upscale, FileRef{a.upscale, ""});
  set("--allow-unmatched", r.allow_unmatched, a.allow_unmatched);
  if (given(app, "--dialect")) r.dialect = parse_dialect(a.dialect);
  if (given(app, "--rng")) r.rng = parse_noise_source(a.rng);
  if (given(app, "--precision")) r.precision = parse_precision(a.precision);
  if (given(app, "--fill")) r.inpaint.fill = parse_mask_fill(a.fill);
  if (given(app, "--tile")) set_tile(a.tile, r);
  set_conditions(app, a, r);
  if (given(app, "--feature-cache")) r.feature_cache = parse_feature_cache(a.feature_cache);
  if (given(app, "--outpaint")) r.outpaint = parse_outpaint(a.outpaint);
  set("--lora-dir", r.lora_folder, a.lora_folder);
  set_lists(a, r);
  return r;
}

void print_picture(const app::PictureReport& picture) {
  if (json_output()) {
    print_json(app::to_json(picture));
    return;
  }
  double total = 0;
  for (const auto& [phase, seconds] : picture.seconds) total += seconds;
  print_line(fmt::format("{}  seed {}  {:.1f} s", picture.file.string(), picture.seed, total));
  for (const std::string& note : picture.notes) print_line("  " + note);
}

void declare_model(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.model, "checkpoint file or diffusers folder")->group("Model");
  app.add_option("--vae", a.vae, "another VAE (or TAESD) than the model's own")->group("Model");
  app.add_option("--lora", a.loras, "adapter file FILE[:weight[:text weight]]; may be repeated")
      ->group("Model");
  app.add_option("--lora-dir", a.lora_folder, "where <lora:NAME:weight> in prompts (a1111) finds its files")
      ->group("Model");
  app.add_flag("--allow-unmatched", a.allow_unmatched, "go on where keys of an adapter match nothing")
      ->group("Model");
  app.add_option("--embedding", a.embeddings, "textual inversion; its file name is its word")->group("Model");
  app.add_option("--family", a.family, "override the detected family (sd1, sd2, sdxl)")->group("Model");
  app.add_option("--prediction", a.prediction, "override: epsilon, v_prediction or sample")->group("Model");
  app.add_option("--precision", a.precision, "auto, f32 or bf16")->group("Model");
}

void declare_picture(CLI::App& app, Arguments& a) {
  app.add_option("--prompt", a.prompt, "what to paint")->group("Picture");
  app.add_option("--negative", a.negative, "what to avoid")->group("Picture");
  app.add_option("--region", a.regions, "MASK:PROMPT or MASK:weight:PROMPT; may be repeated")
      ->group("Picture");
  app.add_option("--width", a.width, "pixels")->group("Picture")->check(CLI::Range(8, 16384));
  app.add_option("--height", a.height, "pixels")->group("Picture")->check(CLI::Range(8, 16384));
  app.add_option("--seed", a.seed, "of the first picture; the others count up")->group("Picture");
  app.add_option("--count", a.count, "how many pictures")->group("Picture")->check(CLI::Range(1, 10000));
  app.add_option("--tile", a.tile, "seamless texture: x, y or xy")->group("Picture");
  app.add_option("--seam-limit", a.seam_limit, "fail (exit code 9) where a seam measures more")
      ->group("Picture");
}

void declare_sampling(CLI::App& app, Arguments& a) {
  app.add_option("--steps", a.steps, "sampling steps")->group("Sampling")->check(CLI::Range(1, 10000));
  app.add_option("--cfg", a.cfg, "guidance: how strongly the prompt counts")->group("Sampling");
  app.add_option("--guidance-rescale", a.guidance_rescale, "0 to 1, against overexposure")->group("Sampling");
  app.add_option("--sampler", a.sampler, "see maquette samplers")->group("Sampling");
  app.add_option("--schedule", a.schedule, "noise levels: see maquette samplers, or sigmas:14.6,7,2,0")
      ->group("Sampling");
  app.add_option("--eta", a.eta, "new noise per step, where the sampler has it")->group("Sampling");
  app.add_option("--start-step", a.start_step, "begin at this step")
      ->group("Sampling")
      ->check(CLI::Range(0, 10000));
  app.add_option("--end-step", a.end_step, "stop before this step")
      ->group("Sampling")
      ->check(CLI::Range(0, 10000));
  app.add_option("--denoising-start", a.denoising_start,
                 "fraction of the schedule at which another model stopped")
      ->group("Sampling")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--denoising-end", a.denoising_end,
                 "fraction of the schedule at which another model takes over")
      ->group("Sampling")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--scheduler-config", a.scheduler_config,
                 "diffusers' scheduler_config.json, instead of the model's")
      ->group("Sampling");
  app.add_option(
         "--feature-cache", a.feature_cache,
         "run the whole network at every Nth call only, and DEPTH outer layers between; quicker, rougher")
      ->group("Sampling");
  app.add_option("--dialect", a.dialect, "whose meaning the arguments have: diffusers, a1111 or comfy")
      ->group("Sampling");
  app.add_option("--rng", a.rng, "torch (CPU) or philox (as graphics cards)")->group("Sampling");
  app.add_option("--clip-skip", a.clip_skip, "as the dialect counts")->group("Sampling");
}

void declare_guides(CLI::App& app, Arguments& a) {
  app.add_option("--init", a.init, "picture to start from")->group("Guides");
  app.add_option("--strength", a.strength, "0 to 1: how far from the init picture")->group("Guides");
  app.add_option("--mask", a.mask, "white is repainted")->group("Guides");
  app.add_option("--fill", a.fill, "what the masked part starts from: original, fill, noise, nothing")
      ->group("Guides");
  app.add_option("--feather", a.feather, "pixels of blur at the mask's edge")
      ->group("Guides")
      ->check(CLI::Range(0, 512));
  app.add_option("--padding", a.padding, "work on the masked part only, with so many pixels around")
      ->group("Guides");
  app.add_flag("--soft-mask", a.soft_mask, "grey mask values mean partly")->group("Guides");
  app.add_flag("--no-composite", a.no_composite,
               "leave the decoded pixels outside the mask, as diffusers does")
      ->group("Guides");
  app.add_option("--image-encoder", a.image_encoder, "CLIP picture encoder, for IP-Adapters")
      ->group("Guides");
  app.add_option("--image-cfg", a.image_cfg, "edit models: how strongly the init picture counts")
      ->group("Guides");
  app.add_option("--outpaint", a.outpaint, "LEFT,TOP,RIGHT,BOTTOM pixels to add to the init picture")
      ->group("Guides");
  app.add_option("--control", a.controls, "KIND:MODEL:IMAGE[:weight[:start:end]]; may be repeated")
      ->group("Guides");
  app.add_option("--control-mode", a.control_modes,
                 "who leads, for all controls or each: balanced, prompt, or control (guess mode)")
      ->group("Guides");
  app.add_option("--hires", a.hires, "second pass at so many times the size")->group("Guides");
  app.add_option("--hires-steps", a.hires_steps, "steps of the second pass")->group("Guides");
  app.add_option("--hires-strength", a.hires_strength, "strength of the second pass")->group("Guides");
  app.add_option("--tile-size", a.tile_size, "sample large pictures in tiles of so many pixels")
      ->group("Guides");
  app.add_option("--upscale", a.upscale, "upscaling network for the finished picture")->group("Guides");
}

void declare_output(CLI::App& app, Arguments& a) {
  app.add_option("--recipe", a.recipe_file, "replay the recipe of a picture or JSON file")->group("Output");
  app.add_option("--out", a.out, "file or folder (.png .tif .webp .jpg .exr)")->group("Output");
  app.add_option("--bits", a.bits, "8 or 16 per channel")->group("Output")->check(CLI::IsMember({8, 16}));
  app.add_option("--latent-out", a.latent_out, "also write the final latent (.safetensors)")->group("Output");
  app.add_option("--sheet", a.sheet, "also write a contact sheet")->group("Output");
  app.add_option("--preview", a.preview, "folder for a preview of every step")->group("Output");
  app.add_option("--preview-taesd", a.preview_taesd, "decode previews with this TAESD, at full size")
      ->group("Output");
  app.add_flag("--profile", a.profile, "print where the time went")->group("Output");
  app.add_option("--threads", a.threads, "how many threads to use")->group("Output");
}

// What SDXL is told about the picture, besides the prompt.
void declare_conditions(CLI::App& app, Arguments& a) {
  const char* group = "SDXL";
  app.add_option("--original-size", a.original_size,
                 "size that the picture is said to have had; else its own")
      ->group(group);
  app.add_option("--crop", a.crop, "how much is said to be cut off above and on the left; else nothing")
      ->group(group);
  app.add_option("--target-size", a.target_size, "size that it is said to be shown at; else its own")
      ->group(group);
  app.add_option("--aesthetic-score", a.aesthetic_score, "refiner: how beautiful it is said to be; else 6")
      ->group(group);
  app.add_option("--negative-aesthetic-score", a.negative_aesthetic_score,
                 "refiner: likewise, for what is avoided; else 2.5")
      ->group(group);
}

// What kind of value each option takes, for the help.
void name_values(CLI::App& app) {
  constexpr std::pair<const char*, const char*> kNames[] = {{"--model", "FILE|DIR"},
                                                            {"--vae", "FILE|DIR"},
                                                            {"--lora", "FILE[:W[:W]]"},
                                                            {"--lora-dir", "DIR"},
                                                            {"--embedding", "FILE"},
                                                            {"--family", "NAME"},
                                                            {"--prediction", "NAME"},
                                                            {"--precision", "NAME"},
                                                            {"--region", "MASK:PROMPT"},
                                                            {"--width", "PIXELS"},
                                                            {"--height", "PIXELS"},
                                                            {"--seed", "N"},
                                                            {"--count", "N"},
                                                            {"--tile", "AXES"},
                                                            {"--seam-limit", "RATIO"},
                                                            {"--steps", "N"},
                                                            {"--sampler", "NAME"},
                                                            {"--schedule", "NAME"},
                                                            {"--start-step", "N"},
                                                            {"--end-step", "N"},
                                                            {"--denoising-start", "FRACTION"},
                                                            {"--denoising-end", "FRACTION"},
                                                            {"--scheduler-config", "FILE"},
                                                            {"--feature-cache", "N[:DEPTH]"},
                                                            {"--original-size", "HxW"},
                                                            {"--crop", "TOP,LEFT"},
                                                            {"--target-size", "HxW"},
                                                            {"--aesthetic-score", "SCORE"},
                                                            {"--negative-aesthetic-score", "SCORE"},
                                                            {"--dialect", "NAME"},
                                                            {"--rng", "NAME"},
                                                            {"--clip-skip", "N"},
                                                            {"--init", "FILE"},
                                                            {"--mask", "FILE"},
                                                            {"--fill", "NAME"},
                                                            {"--feather", "PIXELS"},
                                                            {"--padding", "PIXELS"},
                                                            {"--image-encoder", "FILE|DIR"},
                                                            {"--outpaint", "L,T,R,B"},
                                                            {"--control", "KIND:MODEL:IMAGE"},
                                                            {"--control-mode", "NAME"},
                                                            {"--hires", "FACTOR"},
                                                            {"--hires-steps", "N"},
                                                            {"--tile-size", "PIXELS"},
                                                            {"--upscale", "FILE"},
                                                            {"--recipe", "FILE"},
                                                            {"--out", "FILE|DIR"},
                                                            {"--bits", "N"},
                                                            {"--latent-out", "FILE"},
                                                            {"--sheet", "FILE"},
                                                            {"--preview", "DIR"},
                                                            {"--preview-taesd", "FILE"},
                                                            {"--threads", "N"}};
  for (const auto& [option, value] : kNames) app.get_option(option)->type_name(value);
}

}  // namespace

std::function<void()> generate(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  declare_model(app, *a);
  declare_picture(app, *a);
  declare_sampling(app, *a);
  declare_guides(app, *a);
  declare_conditions(app, *a);
  declare_output(app, *a);
  name_values(app);
  return [a, &app] {
    stop_on_interrupt();
    app::RecordedRecipe recorded;
    if (given(app, "--recipe")) recorded = app::read_recipe(a->recipe_file);
    app::GenerateRequest request{.recipe = recipe_of(app, *a, recorded.recipe),
                                 .recorded_kernels = recorded.kernels,
                                 .count = a->count,
                                 .out = a->out,
                                 .latent_out = a->latent_out,
                                 .sheet = a->sheet,
                                 .preview_folder = a->preview,
                                 .preview_decoder = a->preview_taesd,
                                 .bits = a->bits,
                                 .seam_limit = a->seam_limit,
                                 .threads = a->threads,
                                 .profile = a->profile,
                                 .progress = show_progress,
                                 .finished = print_picture};
    const app::GenerateResult result = app::generate(request);
    if (a->profile) {
      for (const std::string& line : result.profile) print_line(line);
    }
    if (!a->sheet.empty() && !json_output()) print_line(fmt::format("contact sheet: {}", a->sheet));
  };
}

}  // namespace maquette::cli

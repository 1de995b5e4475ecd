#include "diffusion/pass.h"

#include <algorithm>
#include <optional>

#include "diffusion/tiles.h"

namespace maquette::diffusion {

namespace {

sampling::Prediction prediction_of(const Model& model) {
  if (model.prediction.value == "v_prediction") return sampling::Prediction::v_prediction;
  if (model.prediction.value == "sample") return sampling::Prediction::sample;
  return sampling::Prediction::epsilon;
}

GuidanceSettings guidance_of(const Model& model, const Recipe& recipe) {
  GuidanceSettings settings{.scale = recipe.cfg.value_or(7.5),
                            .rescale = recipe.guidance_rescale,
                            .feature_cache = recipe.feature_cache};
  // diffusers guides only above 1, and not at all where the network takes the scale as an input.
  const bool diffusers = recipe.dialect == Dialect::diffusers;
  if (model.unet->guidance_width() > 0) {
    settings.embedded_scale = settings.scale;
    settings.scale = 1;
  } else if (diffusers && settings.scale < 1) {
    settings.scale = 1;
  }
  // diffusers: both scales at least 1, or one pass that sees prompt and picture.
  const bool unguided = diffusers && (settings.scale <= 1 || recipe.image_cfg < 1);
  if (model.editing() && !model.inpainting()) {
    settings.image_scale = unguided ? 0 : recipe.image_cfg;
    if (unguided) settings.scale = 1;
  }
  return settings;
}

// Every tile is denoised on its own at each step, and the overlaps are averaged: the tiles agree because they
// share pixels all the way (Bar-Tal et al. 2023, MultiDiffusion).
Tensor in_tiles(kernels::Exec& ex, GuidedModel& model, const PassRequest& request, const Tensor& x,
                const CallPosition& at) {
  const int64_t tile = std::max<int64_t>(request.recipe.tile_size / request.model.codec->factor(), 8);
  const auto rows = plan_tiles(x.size(2), tile, tile / 4, ex.wrap.y);
  const auto columns = plan_tiles(x.size(3), tile, tile / 4, ex.wrap.x);
  if (rows.size() * columns.size() == 1) return model(x, at);
  if (request.control || !request.score_bias.empty() || !request.adapters.empty()) {
    throw Error(ErrorCode::usage, "cannot sample in tiles under controls or regions")
        .hint("leave out --tile-size, or the controls");
  }
  const TileWrap wrap(ex, columns.size() == 1, rows.size() == 1);
  std::optional<TileCanvas> canvas;
  CallPosition in_tile = at;
  for (const TileSpan& row : rows) {
    for (const TileSpan& column : columns) {
      if (request.input.extra.defined()) model.set_extra_channels(cut_tile(request.input.extra, row, column));
      const Tensor part = model(cut_tile(x, row, column), in_tile);
      ++in_tile.tile;
      if (!canvas) canvas.emplace(Shape{1, part.size(1), x.size(2), x.size(3)});
      canvas->add(part, row, column);
    }
  }
  return canvas->finish();
}

sampling::PipelineCorrections corrections_of(const Model& model, const Recipe& recipe) {
  const bool sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner;
  const bool edit = model.editing() && !model.inpainting();
  if (sdxl || edit || model.unet->guidance_width() > 0 || under_control(recipe))
    return sampling::PipelineCorrections::none;
  const bool masked = !recipe.mask.empty() || recipe.outpaint.any();
  return masked ? sampling::PipelineCorrections::mask : sampling::PipelineCorrections::text_or_picture;
}

}  // namespace

bool under_control(const Recipe& recipe) {
  return std::ranges::any_of(recipe.controls,
                             [](const Recipe::Control& control) { return control.kind != "picture"; });
}

bool starts_from_noise(const Recipe& recipe) {
  if (recipe.init.empty()) return true;
  const bool masked = !recipe.mask.empty() || recipe.outpaint.any();
  return masked && recipe.dialect == Dialect::diffusers && recipe.strength == 1.0 && recipe.start_step == 0;
}

sampling::SamplingRequest sampling_request(const Model& model, const Recipe& recipe, bool has_init) {
  const bool sdxl = model.family == Family::sdxl || model.family == Family::sdxl_refiner;
  sampling::SamplingRequest request{.dialect = recipe.dialect,
                                    .sampler = recipe.sampler,
                                    .schedule = recipe.schedule,
                                    .steps = recipe.steps};
  if (has_init && recipe.strength && !(model.editing() && !model.inpainting()))
    request.strength = recipe.strength;
  request.first_step = recipe.start_step;
  if (recipe.end_step > 0) request.last_step = recipe.end_step;
  request.denoising_start = recipe.denoising_start;
  request.denoising_end = recipe.denoising_end;
  request.scheduler_config =
      recipe.scheduler_config.is_null() ? model.scheduler_config : recipe.scheduler_config;
  request.corrections = corrections_of(model, recipe);
  request.sdxl = sdxl;
  request.prediction = prediction_of(model);
  request.eta = recipe.eta;
  return request;
}

std::vector<std::string> sampling_notes(const Model& model, const sampling::SamplingPlan& plan) {
  std::vector<std::string> notes;
  const auto one_of = [](std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (plan.scheduler_class() == "IPNDMScheduler") {
    notes.push_back(
        "ipndm of the diffusers dialect has a schedule that Stable Diffusion was not trained on: try "
        "--dialect "
        "comfy");
  }
  if (!plan.scheduler_class().empty()) return notes;
  // The level after pure noise is a hundredth of it there, and what a sampler learns from its second look at
  // the one is multiplied up to the other.
  if (model.zero_terminal_snr && one_of(plan.sampler(), {"heun", "pndm", "dpm2-a"}) &&
      one_of(plan.schedule(), {"normal", "sgm-uniform", "simple", "kl-optimal"}) && !plan.over_timesteps()) {
    notes.push_back(
        fmt::format("{} is unstable from pure noise (zero terminal SNR) over the {} schedule: try "
                    "--schedule karras",
                    plan.sampler(), plan.schedule()));
  }
  if (plan.sampler() == "dpm++3m-sde" && one_of(plan.schedule(), {"normal", "ddim-uniform"})) {
    notes.push_back(fmt::format("dpm++3m-sde is unstable over the {} schedule: try --schedule exponential",
                                plan.schedule()));
  }
  return notes;
}

Tensor run_pass(kernels::Exec& ex, const PassRequest& request, sampling::NoiseSource& noise) {
  const bool has_init = request.input.clean.defined();
  sampling::SamplingPlan* plan = &request.sampling;
  GuidedModel model(*request.model.unet, ex, request.plan, guidance_of(request.model, request.recipe));
  if (request.input.extra.defined()) model.set_extra_channels(request.input.extra);
  if (request.control) model.set_control(request.control);
  if (!request.score_bias.empty()) model.set_score_bias(request.score_bias);
  model.set_adapters(request.adapters);
  model.set_prompt_pull(request.prompt_pull);

  sampling::SamplingHooks hooks;
  const bool masked =
      request.input.mask.defined() && has_init && holds_kept_part(request.recipe.dialect, request.model);
  if (masked) add_mask_hooks(request.recipe.dialect, request.input, *plan, hooks);
  const auto masked_step = hooks.after_step;
  hooks.after_step = [&](Tensor& x, const Tensor& denoised, const sampling::LatentState& state) {
    if (masked_step) masked_step(x, denoised, state);
    if (request.step_done) request.step_done(state.step + 1, state.total, denoised);
  };
  const auto network = [&](const Tensor& x, const sampling::LatentState& state) {
    const CallPosition at{.timestep = state.timestep, .step = state.step, .call = state.call};
    const auto evaluate = [&] {
      return request.recipe.tile_size > 0 ? in_tiles(ex, model, request, x, at) : model(x, at);
    };
    if (!request.journal) return evaluate();
    return request.journal->answer(x, [&] {
      const Tensor prediction = evaluate();
      return Evaluation{.prediction = prediction, .stands_alone = model.stands_alone(at.call)};
    });
  };
  const bool over_picture = has_init && !starts_from_noise(request.recipe);
  Tensor x =
      over_picture ? plan->start(request.input.clean, request.input.noise) : plan->start(request.input.noise);
  // A latent that already holds the noise of this point of the schedule is continued as it is.
  if (has_init && request.recipe.denoising_start) x = request.input.clean.clone();
  Tensor latent = plan->run(std::move(x), network, noise, hooks);
  if (masked) finish_masked(request.recipe.dialect, request.input, latent);
  return latent;
}

}  // namespace maquette::diffusion

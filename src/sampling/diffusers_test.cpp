// Every scheduler class against diffusers: trajectories around a formula, made by tools/golden/sampling.py.
//
// 1e-5 of the largest value: both sides compute in float32, the reference with other logarithms and sines in
// the last bit; a wrong coefficient shows at 1e-2.
#include <gtest/gtest.h>
#include <map>

#include "sampling/golden_test.h"
#include "sampling/latent_math.h"

namespace maquette::sampling {
namespace {

constexpr double kTolerance = 1e-5;

// Some configurations of the reference are unstable: `gain` is how much it amplifies a small change of its
// own noise. And a few coefficients are differences of nearly equal float32 numbers, where the reference's
// own last bits show: the ancestral step from sigma 4096, and the third order of DEIS.
double tolerance_of(const Json& entry) {
  const double stable = kTolerance * std::max(1.0, entry.at("gain").get<double>() / 10);
  const auto name = entry.at("class").get<std::string>();
  if (name == "EulerAncestralDiscreteScheduler" && entry.at("config").value("rescale_betas_zero_snr", false))
    return 3e-4;
  if (name == "DEISMultistepScheduler" && entry.at("config").value("solver_order", 2) == 3) return 2e-5;
  return stable;
}

SamplingRequest request_of(const Json& entry) {
  SamplingRequest request;
  request.sampler = entry.at("class").get<std::string>();
  request.scheduler_config = entry.at("config");
  request.corrections = PipelineCorrections::none;
  request.steps = entry.at("steps").get<int>();
  if (entry.contains("strength")) request.strength = entry.at("strength").get<double>();
  if (entry.contains("eta")) request.eta = entry.at("eta").get<double>();
  if (entry.contains("custom") && entry.at("custom").contains("sigmas")) {
    request.schedule = "sigmas:";
    for (const Json& sigma : entry.at("custom").at("sigmas"))
      request.schedule += fmt::format("{},", sigma.get<double>());
    request.schedule.pop_back();
  } else if (entry.contains("custom")) {
    request.schedule = "ays";  // the timesteps given are those
  }
  return request;
}

// The inpainting of StableDiffusionInpaintPipeline with a four-channel network: after every step the kept
// part is the picture with the noise of the level reached.
SamplingHooks inpainting(const Tensor& clean, const Tensor& noise) {
  SamplingHooks hooks;
  hooks.after_step = [&clean, &noise](Tensor& x, const Tensor&, const LatentState& state) {
    const Tensor kept = combine({{state.level.signal, clean}, {state.level.noise, noise}});
    for (size_t i = 0; i < x.data().size(); ++i) {
      if (i % 3 != 0) x.data()[i] = kept.data()[i];
    }
  };
  return hooks;
}

TEST(Diffusers, every_class_follows_the_reference) {
  const Json document = golden::open_golden("diffusers.json");
  const Tensor noise = golden::latent(document.at("noise"));
  const Tensor clean = golden::latent(document.at("clean"));
  std::map<std::string, int> counts;
  double worst = 0;
  for (const Json& entry : document.at("cases")) {
    Json shown = entry;
    for (const char* key : {"timesteps", "begin", "first", "final"}) shown.erase(key);
    SCOPED_TRACE(shown.dump());
    const auto plan = plan_sampling(request_of(entry));
    ++counts[entry.at("class").get<std::string>()];

    const auto expected_timesteps = entry.at("timesteps");
    ASSERT_EQ(plan->timesteps().size(), expected_timesteps.size());
    for (size_t i = 0; i < expected_timesteps.size(); ++i) {
      EXPECT_NEAR(plan->timesteps()[i], expected_timesteps[i].get<double>(), 2e-4) << "entry " << i;
    }

    Tensor x = entry.contains("strength") ? plan->start(clean, noise) : plan->start(noise);
    EXPECT_LT(golden::error_over(x, golden::floats(entry.at("begin"))), kTolerance) << "the start";
    SamplingHooks hooks = entry.contains("inpaint") ? inpainting(clean, noise) : SamplingHooks{};
    const auto blend = hooks.after_step;
    hooks.after_step = [&](Tensor& latent, const Tensor& denoised, const LatentState& state) {
      if (blend) blend(latent, denoised, state);
      if (state.step == 0) {
        EXPECT_LT(golden::error_over(latent, golden::floats(entry.at("first"))), tolerance_of(entry))
            << "the first step";
      }
    };
    NoiseSource source(
        {.kind = RandomKind::torch_cpu, .seeds = {11}, .step_seed_delta = {}, .variation_seeds = {}});
    const auto model = [](const Tensor& scaled, const LatentState& s) {
      return golden::network(scaled, s.timestep);
    };
    const Tensor out = plan->run(x, model, source, hooks);
    const double error = golden::error_over(out, golden::floats(entry.at("final")));
    EXPECT_LT(error, tolerance_of(entry));
    worst = std::max(worst, error);
  }
  EXPECT_EQ(counts.size(), 17u) << "every class has goldens";
  RecordProperty("worst_relative_error", std::to_string(worst));
}

TEST(Diffusers, each_pipeline_corrects_what_it_does_there) {
  const Json old = {{"_class_name", "PNDMScheduler"},
                    {"steps_offset", 0},
                    {"clip_sample", true},
                    {"skip_prk_steps", false}};
  const auto read = [&](PipelineCorrections corrections) {
    return read_scheduler_config({.scheduler = SchedulerClass::pndm,
                                  .config = old,
                                  .corrections = corrections,
                                  .schedule = {},
                                  .prediction = {},
                                  .zero_terminal_snr = {}});
  };
  const SchedulerConfig none = read(PipelineCorrections::none);
  EXPECT_EQ(none.steps_offset, 0);
  EXPECT_TRUE(none.clip_sample);
  EXPECT_FALSE(none.skip_prk_steps);
  const SchedulerConfig text = read(PipelineCorrections::text_or_picture);
  EXPECT_EQ(text.steps_offset, 1);
  EXPECT_FALSE(text.clip_sample);
  EXPECT_FALSE(text.skip_prk_steps);
  const SchedulerConfig mask = read(PipelineCorrections::mask);
  EXPECT_EQ(mask.steps_offset, 1);
  EXPECT_TRUE(mask.clip_sample);
  EXPECT_TRUE(mask.skip_prk_steps);
}

TEST(Diffusers, pipeline_corrections_reach_other_classes_only_from_the_file) {
  const Json document = golden::open_golden("diffusers.json");
  for (const Json& entry : document.at("corrections")) {
    SCOPED_TRACE(entry.dump());
    const SchedulerConfig config =
        read_scheduler_config({.scheduler = *find_scheduler_class(entry.at("class").get<std::string>()),
                               .config = entry.at("config"),
                               .corrections = PipelineCorrections::text_or_picture,
                               .schedule = {},
                               .prediction = {},
                               .zero_terminal_snr = {}});
    EXPECT_EQ(config.steps_offset, entry.at("steps_offset").get<int>());
    EXPECT_EQ(config.clip_sample, entry.at("clip_sample").get<bool>());
  }
}

}  // namespace
}  // namespace maquette::sampling

// The facade: names, defaults of the dialects, callbacks, partial runs, errors.
#include "sampling/sampling.h"

#include <gtest/gtest.h>
#include <limits>

#include "sampling/golden_test.h"
#include "sampling/latent_math.h"
#include "sampling/numeric.h"
#include "sampling/samplers.h"

namespace maquette::sampling {
namespace {

const Shape kShape{2, 4, 3, 5};

Tensor toy_network(const Tensor& x, const LatentState& state) { return golden::network(x, state.timestep); }

struct Case {
  Dialect dialect = Dialect::diffusers;
  std::string sampler = "euler";
  std::string schedule;
  int steps = 6;
};

SamplingRequest request_of(const Case& c) {
  SamplingRequest request;
  request.dialect = c.dialect;
  request.sampler = c.sampler;
  request.schedule = c.schedule;
  request.steps = c.steps;
  request.scheduler_config = default_scheduler_config("sd1");
  return request;
}

NoiseSource source_of(Dialect dialect, uint64_t seed = 4, int count = 2) {
  return NoiseSource(noise_settings(dialect, RandomKind::torch_cpu, seed, count));
}

template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::failed, "none");
}

TEST(Names, of_samplers_as_people_write_them) {
  const std::pair<const char*, const char*> spellings[] = {{"euler", "euler"},
                                                           {"Euler a", "euler-a"},
                                                           {"euler_ancestral", "euler-a"},
                                                           {"k_euler_a", "euler-a"},
                                                           {"DPM++ 2M", "dpm++2m"},
                                                           {"dpmpp_2m", "dpm++2m"},
                                                           {"DPM++ 2M SDE", "dpm++2m-sde"},
                                                           {"dpmpp_2m_sde_gpu", "dpm++2m-sde"},
                                                           {"DPM++ 3M SDE", "dpm++3m-sde"},
                                                           {"DPM++ SDE", "dpm++sde"},
                                                           {"DPM++ 2S a", "dpm++2s-a"},
                                                           {"dpmpp_2s_ancestral", "dpm++2s-a"},
                                                           {"DPM2 a", "dpm2-a"},
                                                           {"dpm_2", "dpm2"},
                                                           {"PLMS", "pndm"},
                                                           {"UniPC", "unipc"},
                                                           {"uni_pc", "unipc"},
                                                           {"Restart", "restart"},
                                                           {"DPMSolverMultistepScheduler", "dpm++2m"},
                                                           {"DPMSolverSDEScheduler", "dpm++sde"},
                                                           {"EulerDiscrete", "euler"},
                                                           {"LCM", "lcm"},
                                                           {" Heun ", "heun"}};
  for (const auto& [spelling, name] : spellings)
    EXPECT_EQ(parse_sampler(spelling).entry->name, name) << spelling;
  EXPECT_EQ(parse_sampler("DPM++ 2M Karras").schedule, Schedule::karras);
  EXPECT_EQ(parse_sampler("DPM++ 2M SDE Exponential").schedule, Schedule::exponential);
  EXPECT_TRUE(parse_sampler("DPM++ 2M SDE Heun").heun);
  EXPECT_TRUE(parse_sampler("DPM++ 2M SDE Heun Karras").heun);
  EXPECT_EQ(parse_sampler("uni_pc_bh2").bh1, false);
  EXPECT_EQ(parse_sampler("DPMSolverSDEScheduler").scheduler, SchedulerClass::dpm_sde);
}

TEST(Names, every_sampler_is_found_by_its_name_and_aliases) {
  EXPECT_EQ(samplers().size(), 20u);
  for (const SamplerEntry& entry : samplers()) {
    EXPECT_EQ(parse_sampler(entry.name).entry, &entry);
    for (const std::string_view alias : entry.aliases) EXPECT_EQ(parse_sampler(alias).entry, &entry) << alias;
  }
}

TEST(Names, unknown_ones_say_what_was_meant) {
  const Error sampler = error_of([] { parse_sampler("dpm++2n"); });
  EXPECT_EQ(sampler.code(), ErrorCode::usage);
  EXPECT_NE(sampler.hint_text().find("dpm++2m"), std::string::npos) << sampler.hint_text();
  const Error schedule = error_of([] { parse_schedule("karas"); });
  EXPECT_NE(schedule.hint_text().find("karras"), std::string::npos) << schedule.hint_text();
}

TEST(Names, of_schedules_as_people_write_them) {
  EXPECT_EQ(parse_schedule("SGM Uniform").schedule, Schedule::sgm_uniform);
  EXPECT_EQ(parse_schedule("sgm_uniform").schedule, Schedule::sgm_uniform);
  EXPECT_EQ(parse_schedule("Align Your Steps").schedule, Schedule::ays);
  EXPECT_EQ(parse_schedule("KL Optimal").schedule, Schedule::kl_optimal);
  EXPECT_EQ(parse_schedule("ddim_uniform").schedule, Schedule::ddim_uniform);
  EXPECT_EQ(parse_schedule("Automatic").schedule, Schedule::automatic);
  EXPECT_EQ(parse_schedule("").schedule, Schedule::automatic);
  EXPECT_EQ(parse_schedule("sigmas: 14.6, 7,0").custom, (std::vector<float>{14.6f, 7, 0}));
  for (const char* bad :
       {"sigmas:", "sigmas:3", "sigmas:1,2", "sigmas:1,x", "sigmas:1,-1", "sigmas:1e9,0", "sigmas:nan,0"}) {
    EXPECT_EQ(error_of([bad] { parse_schedule(bad); }).code(), ErrorCode::usage) << bad;
  }
}

TEST(Plan, defaults_of_the_dialects) {
  SamplingRequest request;
  request.dialect = Dialect::a1111;
  EXPECT_EQ(plan_sampling(request)->sampler(), "dpm++2m");
  EXPECT_EQ(plan_sampling(request)->schedule(), "karras");
  request.dialect = Dialect::comfy;
  EXPECT_EQ(plan_sampling(request)->sampler(), "euler");
  EXPECT_EQ(plan_sampling(request)->schedule(), "normal");

  // In the diffusers dialect the folder's own class decides.
  request.dialect = Dialect::diffusers;
  request.scheduler_config = default_scheduler_config("sd1");
  EXPECT_EQ(plan_sampling(request)->scheduler_class(), "PNDMScheduler");
  request.scheduler_config["_class_name"] = "DPMSolverMultistepScheduler";
  request.scheduler_config["algorithm_type"] = "sde-dpmsolver++";
  EXPECT_EQ(plan_sampling(request)->sampler(), "dpm++2m-sde");
  request.scheduler_config["_class_name"] = "FlowMatchEulerDiscreteScheduler";
  EXPECT_EQ(error_of([&] { plan_sampling(request); }).code(), ErrorCode::bad_file);
  request.sampler = "euler";
  EXPECT_EQ(plan_sampling(request)->scheduler_class(), "EulerDiscreteScheduler") << "a sampler named wins";
}

TEST(Plan, diffusers_schedules_become_options_or_are_refused) {
  EXPECT_NEAR(plan_sampling(request_of({.sampler = "dpm++2m", .schedule = "trailing"}))->timesteps()[0], 999,
              0);
  EXPECT_NEAR(plan_sampling(request_of({.sampler = "ddim", .schedule = "leading"}))->timesteps()[0], 831, 0);
  EXPECT_EQ(plan_sampling(request_of({.sampler = "euler", .schedule = "karras"}))->schedule(), "karras");
  for (const Case& c :
       {Case{.sampler = "ddim", .schedule = "karras"}, Case{.sampler = "euler-a", .schedule = "beta"},
        Case{.sampler = "lcm", .schedule = "sgm-uniform"},
        Case{.sampler = "dpm++2m", .schedule = "kl-optimal"},
        Case{.sampler = "heun", .schedule = "sigmas:5,1,0"}, Case{.sampler = "euler", .schedule = "ays"}}) {
    EXPECT_EQ(error_of([&] { plan_sampling(request_of(c)); }).code(), ErrorCode::usage)
        << c.sampler << " " << c.schedule;
  }
  EXPECT_EQ(plan_sampling(request_of({.sampler = "euler", .schedule = "ays", .steps = 10}))->timesteps()[1],
            850);
}

TEST(Plan, k_samplers_run_in_the_diffusers_dialect_over_the_configured_levels) {
  for (const char* sampler : {"dpm++2s-a", "restart"}) {
    const auto plan = plan_sampling(request_of({.sampler = sampler, .schedule = "trailing", .steps = 5}));
    EXPECT_EQ(plan->scheduler_class(), "");
    EXPECT_EQ(plan->timesteps(), (std::vector<double>{999, 799, 599, 399, 199})) << sampler;
    EXPECT_EQ(plan->model_calls(), 9) << sampler << ": two calls a step, one for the last";
    NoiseSource source = source_of(Dialect::diffusers);
    const Tensor out = plan->run(plan->start(source.first(kShape)), toy_network, source, {});
    EXPECT_TRUE(all_finite(out));
  }
}

TEST(Plan, counts_the_calls_that_a_run_makes) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    for (const SamplerEntry& entry : samplers()) {
      const auto plan =
          plan_sampling(request_of({.dialect = dialect, .sampler = std::string(entry.name), .steps = 7}));
      int calls = 0;
      int steps = 0;
      std::vector<double> timesteps;
      SamplingHooks hooks;
      hooks.after_step = [&](Tensor&, const Tensor&, const LatentState& state) {
        EXPECT_EQ(state.step, steps) << entry.name;
        EXPECT_EQ(state.total, plan->steps()) << entry.name;
        ++steps;
      };
      const auto model = [&](const Tensor& x, const LatentState& state) {
        EXPECT_EQ(state.call, calls) << entry.name;
        EXPECT_EQ(state.step, steps) << entry.name;
        if (static_cast<int>(timesteps.size()) == steps) timesteps.push_back(state.timestep);
        ++calls;
        return toy_network(x, state);
      };
      NoiseSource source = source_of(dialect);
      plan->run(plan->start(source.first(kShape)), model, source, {hooks});
      EXPECT_EQ(calls, plan->model_calls()) << entry.name;
      EXPECT_EQ(steps, plan->steps()) << entry.name;
      EXPECT_EQ(timesteps, plan->timesteps()) << entry.name;
    }
  }
}

// A batch of A1111 is the same pictures as one after the other, Brownian noise included.
TEST(Run, a1111_batches_equal_single_images) {
  for (const char* sampler : {"euler-a", "dpm++2m-sde", "dpm++sde", "lcm"}) {
    const SamplingRequest request = request_of({.dialect = Dialect::a1111, .sampler = sampler});
    NoiseSource both = source_of(Dialect::a1111, 4, 2);
    NoiseSource second = source_of(Dialect::a1111, 5, 1);
    const Shape one{1, 4, 3, 5};
    const Tensor batch = run_sampling(request, {.noise = both.first(kShape), .clean = {}}, toy_network, both);
    const Tensor single =
        run_sampling(request, {.noise = second.first(one), .clean = {}}, toy_network, second);
    EXPECT_EQ(relative_error(batch.rows(1, 2), single), 0) << sampler;
  }
}

TEST(Run, the_same_seed_gives_the_same_bits) {
  for (const SamplerEntry& entry : samplers()) {
    const SamplingRequest request =
        request_of({.dialect = Dialect::comfy, .sampler = std::string(entry.name)});
    const auto once = [&] {
      NoiseSource source = source_of(Dialect::comfy);
      return run_sampling(request, {.noise = source.first(kShape), .clean = {}}, toy_network, source);
    };
    EXPECT_EQ(relative_error(once(), once()), 0) << entry.name;
  }
}

TEST(Run, two_halves_make_a_whole) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    SamplingRequest request =
        request_of({.dialect = dialect, .sampler = "heun", .schedule = "karras", .steps = 6});
    NoiseSource source = source_of(dialect);
    const Tensor noise = source.first(kShape);
    const auto whole = plan_sampling(request);
    const Tensor expected = whole->run(whole->start(noise), toy_network, source, {});

    request.last_step = 4;
    const auto first = plan_sampling(request);
    const Tensor halfway = first->run(first->start(noise), toy_network, source, {});
    request.first_step = 4;
    request.last_step.reset();
    const auto second = plan_sampling(request);
    EXPECT_LT(relative_error(second->run(halfway, toy_network, source, {}), expected), 1e-6);
  }
}

// The base model takes the noisy part, the refiner the rest; SDXL's pipelines cut by timestep.
TEST(Run, denoising_end_and_start_share_the_steps) {
  SamplingRequest request = request_of({.sampler = "euler", .steps = 10});
  request.scheduler_config = default_scheduler_config("sdxl");
  const auto all = plan_sampling(request)->timesteps();
  request.denoising_end = 0.8;
  const auto base = plan_sampling(request)->timesteps();
  request.denoising_end.reset();
  request.denoising_start = 0.8;
  const auto refiner = plan_sampling(request)->timesteps();
  EXPECT_EQ(base.size() + refiner.size(), all.size());
  EXPECT_EQ(base.back(), 201);
  EXPECT_EQ(refiner.front(), 101);
}

TEST(Hooks, blending_the_prediction_keeps_the_kept_part) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    for (const char* sampler : {"euler", "heun", "dpm++2m", "ddim", "unipc", "dpm2-a"}) {
      SamplingRequest request =
          request_of({.dialect = dialect, .sampler = sampler, .schedule = {}, .steps = 8});
      request.strength = 0.6;
      NoiseSource source = source_of(dialect);
      const Tensor noise = source.first(kShape);
      const Tensor clean = scaled(source.next(kShape), 0.7f);
      SamplingHooks hooks;
      hooks.after_model = [&](Tensor& denoised, const LatentState&) {
        for (size_t i = 0; i < denoised.data().size(); i += 2) denoised.data()[i] = clean.data()[i];
      };
      const Tensor out = run_sampling(request, {.noise = noise, .clean = clean}, toy_network, source, hooks);
      double kept = 0, changed = 0;
      for (size_t i = 0; i < out.data().size(); ++i) {
        auto& worst = i % 2 == 0 ? kept : changed;
        worst = std::max(worst, std::abs(static_cast<double>(out.data()[i]) - clean.data()[i]));
      }
      // Schedules that end at the lowest trained level leave its noise, 3 % of the noise.
      EXPECT_LT(kept, 0.15) << sampler;
      EXPECT_GT(changed, 0.3) << sampler;
    }
  }
}

// ComfyUI's way: what the network sees of the kept part is the picture with noise of the level.
TEST(Hooks, changing_the_networks_input_does_not_change_the_latent) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::comfy}) {
    const SamplingRequest request = request_of({.dialect = dialect, .sampler = "euler"});
    NoiseSource source = source_of(dialect);
    const Tensor noise = source.first(kShape);
    SamplingHooks same;
    same.before_model = [](Tensor&, const LatentState&) {};
    SamplingHooks zero;
    zero.before_model = [](Tensor& x, const LatentState&) { x = Tensor::zeros(x.shape()); };
    const auto silent = [](const Tensor& x, const LatentState&) { return Tensor::zeros(x.shape()); };
    const Tensor plain = run_sampling(request, {.noise = noise, .clean = {}}, toy_network, source);
    EXPECT_LT(relative_error(run_sampling(request, {.noise = noise, .clean = {}}, toy_network, source, same),
                             plain),
              1e-5);
    const Tensor out = run_sampling(request, {.noise = noise, .clean = {}}, silent, source, zero);
    EXPECT_LT(std::abs(out.data()[0]), 1e-5) << "no noise found in an empty latent means an empty picture";
  }
}

TEST(Hooks, the_level_after_a_step_is_what_the_latent_holds) {
  // With a network that knows the noise, the latent is signal * picture + noise * eps after every step.
  for (const char* sampler : {"ddim", "euler", "dpm++2m", "pndm", "unipc"}) {
    NoiseSource source = source_of(Dialect::diffusers);
    const Tensor eps = source.first(kShape);
    const Tensor picture = source.next(kShape);
    SamplingRequest request = request_of({.sampler = sampler, .steps = 8});
    // diffusers' PNDM loses the thread where img2img leaves out its first entries; so does this.
    request.strength = std::string_view(sampler) == "pndm" ? 1.0 : 0.8;
    SamplingHooks hooks;
    hooks.after_step = [&](Tensor& x, const Tensor& denoised, const LatentState& state) {
      const Tensor expected = combine({{state.level.signal, picture}, {state.level.noise, eps}});
      if (state.step + 1 < state.total) {
        EXPECT_LT(relative_error(x, expected), 1e-4) << sampler << " step " << state.step;
      }
      EXPECT_LT(relative_error(denoised, picture), 1e-4) << sampler;
    };
    const auto knows = [&](const Tensor&, const LatentState&) { return eps; };
    run_sampling(request, {.noise = eps, .clean = picture}, knows, source, hooks);
  }
}

TEST(Hooks, what_callbacks_throw_passes_through) {
  const SamplingRequest request = request_of({});
  NoiseSource source = source_of(Dialect::diffusers);
  SamplingHooks hooks;
  hooks.after_step = [](Tensor&, const Tensor&, const LatentState& state) {
    if (state.step == 2) throw Error(ErrorCode::cancelled, "stopped");
  };
  const Error error = error_of([&] {
    run_sampling(request, {.noise = source.first(kShape), .clean = {}}, toy_network, source, hooks);
  });
  EXPECT_EQ(error.code(), ErrorCode::cancelled);
}

TEST(Errors, not_finite_names_the_step) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111}) {
    const SamplingRequest request = request_of({.dialect = dialect, .sampler = "euler"});
    NoiseSource source = source_of(dialect);
    const auto broken = [](const Tensor& x, const LatentState& state) {
      Tensor out = toy_network(x, state);
      if (state.step == 3) out.data()[7] = std::numeric_limits<float>::quiet_NaN();
      return out;
    };
    const Error error = error_of(
        [&] { run_sampling(request, {.noise = source.first(kShape), .clean = {}}, broken, source); });
    EXPECT_NE(error.message().find("4 of 6"), std::string::npos) << error.message();
  }
}

TEST(Errors, requests_that_make_no_sense) {
  const auto refused = [](auto change) {
    SamplingRequest request = request_of({});
    change(request);
    return error_of([&] { plan_sampling(request); }).code();
  };
  EXPECT_EQ(refused([](auto& r) { r.steps = 0; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.steps = -3; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.steps = 1 << 30; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.strength = 1.5; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.strength = 0.01; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.eta = -1; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) { r.first_step = 9; }), ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.sampler = "lms";
              r.zero_terminal_snr = true;
            }),
            ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.dialect = Dialect::a1111;
              r.steps = 0;
            }),
            ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.dialect = Dialect::a1111;
              r.sampler = "ddim";
              r.strength = 0.1;
            }),
            ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.dialect = Dialect::comfy;
              r.strength = 0;
            }),
            ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.dialect = Dialect::comfy;
              r.strength = 1e-9;
            }),
            ErrorCode::usage);
  EXPECT_EQ(refused([](auto& r) {
              r.dialect = Dialect::comfy;
              r.denoising_end = 0.5;
            }),
            ErrorCode::usage);
}

TEST(Errors, configurations_that_are_damaged) {
  for (const char* text :
       {R"({"beta_schedule": 3})", R"({"beta_schedule": "nonsense"})", R"({"num_train_timesteps": 1e300})",
        R"({"num_train_timesteps": -5})", R"({"timestep_spacing": "sideways"})", R"({"trained_betas": [1]})",
        R"({"trained_betas": ["a", "b"]})", R"({"prediction_type": "flow_prediction"})",
        R"({"use_karras_sigmas": true, "use_beta_sigmas": true})", R"({"solver_order": 9})",
        R"({"use_flow_sigmas": true})", R"({"clip_sample": "yes"})", R"({"beta_end": "0.1"})"}) {
    SamplingRequest request = request_of({.sampler = "dpm++2m"});
    request.scheduler_config = parse_json(text, "test").take();
    EXPECT_EQ(error_of([&] { plan_sampling(request); }).code(), ErrorCode::bad_file) << text;
  }
  SamplingRequest request = request_of({.sampler = "ddim"});
  request.scheduler_config = parse_json(R"([1, 2])", "test").take();
  EXPECT_NO_THROW(plan_sampling(request)) << "not an object: the class's defaults";
}

TEST(Numeric, beta_quantiles) {
  const Json document = golden::open_golden("k.json");
  for (const Json& pair : document.at("beta_quantiles")) {
    EXPECT_NEAR(beta_quantile(pair[0].get<double>(), 0.6, 0.6), pair[1].get<double>(), 1e-12);
  }
  EXPECT_EQ(beta_quantile(0, 0.6, 0.6), 0);
  EXPECT_EQ(beta_quantile(1, 0.6, 0.6), 1);
  EXPECT_NEAR(beta_quantile(0.25, 1, 1), 0.25, 1e-14);
  EXPECT_NEAR(beta_quantile(0.5, 2, 5), 0.26444998329511274, 1e-12);
}

}  // namespace
}  // namespace maquette::sampling

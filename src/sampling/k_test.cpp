// Sampling as A1111 and ComfyUI do it, against k-diffusion and against references written from the papers
// (tools/golden/sampling.py).
#include <gtest/gtest.h>
#include <map>

#include "sampling/golden_test.h"
#include "sampling/samplers.h"

namespace maquette::sampling {
namespace {

SamplingRequest request_of(const Json& entry) {
  SamplingRequest request;
  request.dialect = entry.at("dialect") == Json("comfy") ? Dialect::comfy : Dialect::a1111;
  request.sampler = entry.at("sampler").get<std::string>();
  if (entry.value("heun", false)) request.sampler = "DPM++ 2M SDE Heun";
  if (entry.value("bh2", false)) request.sampler = "uni_pc_bh2";
  request.schedule = entry.value("schedule", "");
  request.steps = entry.at("steps").get<int>();
  request.sdxl = entry.value("sdxl", false);
  if (entry.contains("strength")) request.strength = entry.at("strength").get<double>();
  if (entry.contains("eta")) request.eta = entry.at("eta").get<double>();
  if (entry.contains("prediction"))
    request.prediction = parse_prediction(entry.at("prediction").get<std::string>());
  if (entry.contains("zero_snr")) request.zero_terminal_snr = entry.at("zero_snr").get<bool>();
  request.s_churn = entry.value("s_churn", 0.0);
  request.s_tmin = entry.value("s_tmin", 0.0);
  request.s_tmax = entry.value("s_tmax", 0.0);
  request.s_noise = entry.value("s_noise", 1.0);
  return request;
}

// 1e-5 of the largest value, where the reference is stable (`gain`: how much it amplifies a change of its
// noise). The Brownian noise of a step divides by the square root of its length, and hangs on the last bits
// of the levels.
// From sigma 4519 (zero terminal SNR) the multistep samplers subtract latents of that size in float32, as the
// programs do, and the references here do in float64.
double tolerance_of(const Json& entry) {
  if (entry.value("zero_snr", false)) {
    if (entry.at("sampler") == Json("pndm")) return 5e-3;
    if (entry.at("sampler") == Json("deis") || entry.at("sampler") == Json("ipndm")) return 1e-4;
  }
  const bool brownian = parse_sampler(entry.at("sampler").get<std::string>()).entry->has(kBrownian);
  const double stable = brownian ? 5e-5 : 1e-5;
  return stable * std::max(1.0, entry.at("gain").get<double>() / 10);
}

TEST(KSampling, follows_the_reference) {
  const Json document = golden::open_golden("k.json");
  const Json latents = golden::open_golden("diffusers.json");
  const Tensor noise = golden::latent(latents.at("noise"));
  const Tensor clean = golden::latent(latents.at("clean"));
  std::map<std::string, int> counts;
  for (const Json& entry : document.at("cases")) {
    Json shown = entry;
    for (const char* key : {"sigmas", "final"}) shown.erase(key);
    SCOPED_TRACE(shown.dump());
    ++counts[entry.at("sampler").get<std::string>()];
    const SamplingRequest request = request_of(entry);
    NoiseSource source(noise_settings(request.dialect, RandomKind::torch_cpu, 11, 1));
    const auto model = [](const Tensor& scaled, const LatentState& s) {
      return golden::network(scaled, s.timestep);
    };
    const Tensor used = request.strength ? clean : Tensor();
    const Tensor out = run_sampling(request, {.noise = noise, .clean = used}, model, source);
    EXPECT_LT(golden::error_over(out, golden::floats(entry.at("final"))), tolerance_of(entry));
  }
  EXPECT_EQ(counts.size(), samplers().size()) << "every sampler has goldens";
}

// 1e-6: levels are float32, computed from float64 betas by both.
TEST(Schedules, follow_the_reference) {
  const Json document = golden::open_golden("k.json");
  const NoiseLevels levels = NoiseLevels::ldm({}, false);
  for (const Json& entry : document.at("schedules")) {
    const bool comfy = entry.at("dialect") == Json("comfy");
    const auto found =
        make_sigmas({.schedule = parse_schedule(entry.at("schedule").get<std::string>()).schedule,
                     .steps = entry.at("steps").get<int>(),
                     .dialect = comfy ? Dialect::comfy : Dialect::a1111,
                     .sdxl = entry.at("sdxl").get<bool>()},
                    levels);
    const auto expected = golden::floats(entry.at("sigmas"));
    ASSERT_EQ(found.size(), expected.size()) << entry.dump();
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-6 * std::max(1.0f, expected[i]))
          << entry.dump() << " level " << i;
    }
  }
}

TEST(Schedules, known_levels_of_twenty_steps) {
  const NoiseLevels levels = NoiseLevels::ldm({}, false);
  EXPECT_NEAR(levels.sigma_min(), 0.0291672, 1e-6);
  EXPECT_NEAR(levels.sigma_max(), 14.6146412, 1e-5);
  EXPECT_NEAR(1 / (1 + levels.sigma_max() * levels.sigma_max()), 0.00466010, 1e-8);
  struct Known {
    Schedule schedule;
    std::vector<float> first;
    std::vector<float> last;  // before the 0
  };
  const Known known[] = {
      {Schedule::normal, {14.6146f, 10.7468f, 8.0815f}, {0.2322f, 0.0292f}},
      {Schedule::sgm_uniform, {14.6146f, 10.9073f, 8.3072f}, {0.3437f, 0.2255f}},
      {Schedule::karras, {14.6146f, 11.7254f, 9.3402f, 7.3836f}, {0.0485f, 0.0292f}},
      {Schedule::simple, {14.6146f, 10.9042f, 8.3028f}, {0.3417f, 0.2230f}},
  };
  for (const Known& entry : known) {
    const auto sigmas = make_sigmas({.schedule = entry.schedule, .steps = 20}, levels);
    ASSERT_EQ(sigmas.size(), 21u);
    EXPECT_EQ(sigmas.back(), 0);
    for (size_t i = 0; i < entry.first.size(); ++i)
      EXPECT_NEAR(sigmas[i], entry.first[i], 6e-5) << name(entry.schedule);
    EXPECT_NEAR(sigmas[18], entry.last[0], 6e-5) << name(entry.schedule);
    EXPECT_NEAR(sigmas[19], entry.last[1], 6e-5) << name(entry.schedule);
  }
}

TEST(Schedules, zero_terminal_snr_ends_where_each_program_ends) {
  const Json document = golden::open_golden("k.json");
  const NoiseLevels levels = NoiseLevels::ldm({}, true);
  const auto expected = golden::floats(document.at("zero_snr_sigmas"));
  const size_t at[] = {0, 500, 998, 999};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(levels.sigmas()[at[i]] / expected[i], 1, 1e-6);
  EXPECT_NEAR(levels.sigma_max(), 4518.8, 0.1);
  const auto alphas = alphas_cumprod_f32({}, true, 0x1p-24f);
  EXPECT_NEAR(sigmas_of(alphas).back(), 4096, 0.1) << "diffusers";
}

TEST(Schedules, timesteps_and_levels_are_inverse) {
  const NoiseLevels levels = NoiseLevels::ldm({}, false);
  for (const int t : {0, 1, 37, 500, 998, 999}) {
    EXPECT_EQ(levels.timestep_of(levels.sigmas()[static_cast<size_t>(t)]), t);
    EXPECT_EQ(levels.nearest_timestep(levels.sigmas()[static_cast<size_t>(t)]), t);
  }
  EXPECT_NEAR(levels.timestep_of(levels.sigma_at(123.4)), 123.4, 1e-3);
  EXPECT_EQ(levels.timestep_of(100.0f), 999) << "clamped";
  EXPECT_EQ(levels.timestep_of(0.001f), 0) << "clamped";
}

}  // namespace
}  // namespace maquette::sampling

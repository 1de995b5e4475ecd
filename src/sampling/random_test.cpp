// Random numbers against torch, numpy and torchsde, and against vectors that are known of old.
#include "sampling/random.h"

#include <gtest/gtest.h>

#include "sampling/brownian.h"
#include "sampling/golden_test.h"
#include "sampling/noise.h"

namespace maquette::sampling {
namespace {

std::vector<float> drawn(RandomGenerator& generator, size_t count) {
  std::vector<float> values(count);
  generator.normal(values);
  return values;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << "element " << i;
}

// 2e-6: torch's vectorised logarithm and sine differ from the C library's in the last bits.
constexpr double kTorchTolerance = 2e-6;

TEST(Random, torch_cpu_equals_torch) {
  int cases = 0;
  const Json document = golden::open_golden("random.json");
  for (const Json& entry : document.at("cases")) {
    if (entry.at("kind") != "torch_cpu") continue;
    SCOPED_TRACE(entry.dump().substr(0, 80));
    TorchCpuGenerator generator(entry.at("seed").get<uint64_t>());
    for (const Json& call : entry.at("calls")) {
      const auto expected = golden::floats(call);
      expect_near(drawn(generator, expected.size()), expected, kTorchTolerance);
    }
    ++cases;
  }
  EXPECT_GE(cases, 9);
}

TEST(Random, torch_cpu_equals_published_numbers) {
  TorchCpuGenerator few(0);
  expect_near(drawn(few, 5), {1.540996f, -0.293429f, -2.178789f, 0.568431f, -1.084522f}, 2e-6);
  TorchCpuGenerator many(42);
  auto block = drawn(many, 16);
  block.resize(8);
  expect_near(block,
              {1.926915f, 1.487284f, 0.900717f, -2.105521f, 0.678418f, -1.234545f, -0.043067f, -1.604667f},
              2e-6);
}

TEST(Random, philox_equals_published_numbers) {
  PhiloxGenerator generator(0);
  expect_near(drawn(generator, 12),
              {-0.924663f, -0.425344f, -2.643846f, 0.145184f, -0.120867f, -0.579726f, -0.622851f, -0.328387f,
               -1.074542f, -0.363144f, -1.671051f, 2.265505f},
              1e-6);
}

TEST(Random, philox_calls_have_offsets_and_seeds_have_64_bits) {
  PhiloxGenerator one(0), other(uint64_t{1} << 32);
  const auto first = drawn(one, 4);
  EXPECT_NE(first, drawn(one, 4)) << "the second call";
  EXPECT_NE(first, drawn(other, 4)) << "the upper half of the seed";
}

TEST(Random, seed_sequence_equals_numpy) {
  int cases = 0;
  const Json document = golden::open_golden("random.json");
  for (const Json& entry : document.at("cases")) {
    if (entry.at("kind") != "seed_sequence") continue;
    const auto expected = entry.at("state").get<std::vector<uint32_t>>();
    EXPECT_EQ(
        seed_sequence(entry.at("entropy").get<uint64_t>(), entry.at("spawn_key").get<std::vector<uint64_t>>(),
                      entry.at("pool_size").get<size_t>(), expected.size()),
        expected)
        << entry.dump();
    ++cases;
  }
  EXPECT_GE(cases, 5);
}

// A short interval divides by its small square root, which multiplies the difference of two float32 sums:
// 1e-6 over sqrt(1e-5) is 3e-4.
TEST(Random, brownian_noise_equals_torchsde) {
  int cases = 0;
  const Json document = golden::open_golden("random.json");
  for (const Json& entry : document.at("cases")) {
    if (entry.at("kind") != "brownian") continue;
    BrownianNoise noise({20}, entry.at("low").get<float>(), entry.at("high").get<float>(),
                        {entry.at("seed").get<uint64_t>()}, RandomKind::torch_cpu);
    for (size_t i = 0; i < entry.at("queries").size(); ++i) {
      const float from = entry.at("queries")[i][0].get<float>();
      const float to = entry.at("queries")[i][1].get<float>();
      SCOPED_TRACE(fmt::format("seed {} from {} to {}", entry.at("seed").get<uint64_t>(), from, to));
      const auto expected = golden::floats(entry.at("answers")[i]);
      const Tensor found = noise(from, to);
      const double tolerance = std::max(5e-6, 2e-6 / std::sqrt(std::abs(from - to)));
      expect_near({found.data().begin(), found.data().end()}, expected, tolerance);
    }
    ++cases;
  }
  EXPECT_GE(cases, 3);
}

TEST(Random, brownian_increments_add_up) {
  BrownianTree tree({.shape = {64}, .start = 0.03, .end = 14.6, .seed = 5});
  const Tensor whole = tree.increment(0.03, 14.6);
  const Tensor low = tree.increment(0.03, 3.3);
  const Tensor high = tree.increment(3.3, 14.6);
  for (size_t i = 0; i < 64; ++i) EXPECT_NEAR(low.data()[i] + high.data()[i], whole.data()[i], 1e-5);
}

TEST(Noise, slerp_mixes_variation_seeds) {
  int cases = 0;
  const Json document = golden::open_golden("random.json");
  for (const Json& entry : document.at("cases")) {
    if (entry.at("kind") != "slerp") continue;
    const auto tensor = [&](const char* key) {
      return Tensor::from<float>({1, 4, 3, 2}, golden::floats(entry.at(key)));
    };
    const Tensor mixed = slerp(entry.at("t").get<float>(), tensor("a"), tensor("b"));
    EXPECT_LT(relative_error(mixed, tensor("out")), 2e-6);
    ++cases;
  }
  EXPECT_EQ(cases, 3);
}

std::vector<float> values_of(const Tensor& t) { return {t.data().begin(), t.data().end()}; }

TEST(Noise, a1111_draws_every_image_from_its_own_seed) {
  NoiseSource batch(noise_settings(Dialect::a1111, RandomKind::philox, 7, 2));
  NoiseSource second(noise_settings(Dialect::a1111, RandomKind::philox, 8, 1));
  const Shape two{2, 4, 3, 3}, one{1, 4, 3, 3};
  EXPECT_EQ(values_of(batch.first(two).rows(1, 2)), values_of(second.first(one)));
  EXPECT_EQ(values_of(batch.step(two).rows(1, 2)), values_of(second.step(one)))
      << "the steps continue the generators";
}

TEST(Noise, comfy_draws_the_batch_at_once_and_steps_from_the_next_seed) {
  NoiseSource source(noise_settings(Dialect::comfy, RandomKind::torch_cpu, 7, 2));
  TorchCpuGenerator first(7), steps(8);
  const Shape two{2, 4, 3, 3};
  EXPECT_EQ(values_of(source.first(two)), drawn(first, 72));
  EXPECT_EQ(values_of(source.step(two)), drawn(steps, 72));
}

TEST(Noise, comfy_on_a_gpu_draws_only_the_steps_there) {
  NoiseSource source(noise_settings(Dialect::comfy, RandomKind::philox, 7, 1));
  TorchCpuGenerator first(7);
  PhiloxGenerator steps(7);
  const Shape one{1, 4, 3, 3};
  EXPECT_EQ(values_of(source.first(one)), drawn(first, 36));
  EXPECT_EQ(values_of(source.step(one)), drawn(steps, 36));
}

TEST(Noise, diffusers_draws_everything_from_one_generator) {
  NoiseSource source(noise_settings(Dialect::diffusers, RandomKind::torch_cpu, 7, 2));
  TorchCpuGenerator generator(7);
  const Shape two{2, 4, 3, 3};
  EXPECT_EQ(values_of(source.next(two)), drawn(generator, 72));
  EXPECT_EQ(values_of(source.first(two)), drawn(generator, 72));
  EXPECT_EQ(values_of(source.step(two)), drawn(generator, 72));
}

TEST(Noise, eta_noise_seed_delta_starts_new_generators_after_the_first_noise) {
  NoiseSettings settings = noise_settings(Dialect::a1111, RandomKind::torch_cpu, 7, 1);
  settings.step_seed_delta = 31337;
  NoiseSource source(settings);
  TorchCpuGenerator delta(7 + 31337);
  const Shape one{1, 4, 3, 3};
  (void)source.first(one);
  EXPECT_EQ(values_of(source.step(one)), drawn(delta, 36));
}

}  // namespace
}  // namespace maquette::sampling

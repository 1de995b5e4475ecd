// Jobs that run at the same time, in threads of their own: the pictures are those of one after the other, to
// the last bit, whether each thread has its own engine or all share one. Under the thread sanitizer (preset
// tsan) this also shows that they share no memory unguarded.
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

#include "diffusion/engine.h"
#include "kernels/threads.h"

namespace maquette::diffusion {
namespace {

const std::string kPipelines = "tests/golden/pipelines/";

Recipe small(const std::string& model, uint64_t seed) {
  Recipe recipe;
  recipe.model.path = model;
  recipe.prompt = "a sea at dusk, two moons";
  recipe.negative = "fog";
  recipe.width = 64;
  recipe.height = 64;
  recipe.steps = 2;
  recipe.seed = seed;
  return recipe;
}

// Different models, precisions, samplers and guidance, so that jobs side by side do different work at any
// time.
std::vector<Recipe> recipes() {
  Recipe plain = small("models/starter", 1);

  Recipe controlled = small(kPipelines + "models/sd1", 2);
  controlled.controls.push_back({.kind = "none",
                                 .model = {kPipelines + "models/controlnet_sd1", ""},
                                 .image = {kPipelines + "sd1_controlnet/image.png", ""}});
  controlled.sampler = "dpm++2m";

  Recipe changed = small(kPipelines + "models/sd1", 3);
  changed.init.path = kPipelines + "sd1_img2img/image.png";
  changed.width = changed.height = 0;
  changed.strength = 0.7;
  changed.steps = 4;
  changed.sampler = "euler-a";
  changed.precision = Precision::f32;
  changed.loras.push_back({.file = {"tests/golden/adapters/lokr/adapter.safetensors", ""}});

  Recipe tiled = small("models/starter", 4);
  tiled.tile_x = true;
  tiled.sampler = "dpm++sde";
  tiled.rng = NoiseSourceKind::philox;

  Recipe large = small(kPipelines + "models/sdxl", 5);
  large.dialect = Dialect::comfy;
  large.prompt = "(a sea:1.3) at dusk";
  return {plain, controlled, changed, tiled, large};
}

struct Made {
  std::vector<uint8_t> pixels;
  std::vector<float> latent;

  bool operator==(const Made&) const = default;
};

Made make(Engine& engine, const Recipe& recipe) {
  const Picture picture = engine.run(recipe);
  const auto pixels = picture.image8.pixels.data<uint8_t>();
  const auto latent = picture.latent.data();
  return {.pixels = {pixels.begin(), pixels.end()}, .latent = {latent.begin(), latent.end()}};
}

std::vector<Made> one_after_the_other() {
  Engine engine;
  std::vector<Made> made;
  for (const Recipe& recipe : recipes()) made.push_back(make(engine, recipe));
  return made;
}

// Every thread makes all pictures, each beginning at another one; engine_of(thread) is what it makes them
// with.
template <typename EngineOf>
void check_side_by_side(const EngineOf& engine_of) {
  constexpr size_t kThreads = 3;
  const std::vector<Recipe> all = recipes();
  const std::vector<Made> expected = one_after_the_other();
  std::vector<std::vector<Made>> made(kThreads, std::vector<Made>(all.size()));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < all.size(); ++i) {
        const size_t which = (i + 2 * t) % all.size();
        made[t][which] = make(engine_of(t), all[which]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 0; t < kThreads; ++t) {
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_FALSE(made[t][i].pixels.empty());
      EXPECT_TRUE(made[t][i] == expected[i]) << "thread " << t << ", picture " << i;
    }
  }
}

TEST(Jobs, two_in_one_process_do_not_change_each_other) {
  const std::vector<Made> expected = one_after_the_other();
  Engine engine;
  const std::vector<Recipe> all = recipes();
  for (size_t i = all.size(); i-- > 0;) EXPECT_TRUE(make(engine, all[i]) == expected[i]) << i;
}

TEST(Jobs, engines_of_their_own_side_by_side) {
  std::vector<Engine> engines(3);
  check_side_by_side([&engines](size_t thread) -> Engine& { return engines[thread]; });
}

TEST(Jobs, one_engine_shared) {
  Engine engine;
  check_side_by_side([&engine](size_t) -> Engine& { return engine; });
}

// More threads than processors, more than most products have parts, and their number changing under way.
TEST(Jobs, any_number_of_threads_gives_the_same) {
  const std::vector<Recipe> all = recipes();
  const std::vector<Made> expected = one_after_the_other();
  const int usual = kernels::thread_count();
  std::atomic<bool> done{false};
  std::thread changing([&done] {
    for (int i = 0; !done; ++i) {
      kernels::set_thread_count(1 + i % 7);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  Engine engine;
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(make(engine, all[i]) == expected[i]) << i;
  done = true;
  changing.join();
  for (const int threads : {1, 3, 8}) {
    kernels::set_thread_count(threads);
    for (size_t i = 0; i < all.size(); ++i)
      EXPECT_TRUE(make(engine, all[i]) == expected[i]) << threads << ", " << i;
  }
  kernels::set_thread_count(usual);
}

TEST(Jobs, one_that_is_stopped_leaves_the_other_alone) {
  const Recipe recipe = recipes()[0];
  Engine alone;
  const Made expected = make(alone, recipe);
  std::atomic<int> stopped{0};
  std::thread other([&stopped] {
    Engine engine;
    for (int i = 0; i < 3; ++i) {
      int calls = 0;
      const Callbacks callbacks{
          .progress = [&calls, i](const ProgressReport&) { return ++calls < 5 + 5 * i; }, .preview = nullptr};
      try {
        engine.run(recipes()[1], callbacks);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) ++stopped;
      }
    }
  });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(make(alone, recipe) == expected);
  other.join();
  EXPECT_EQ(stopped, 3);
}

}  // namespace
}  // namespace maquette::diffusion

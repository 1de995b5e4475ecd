#include "diffusion/feature_cache.h"

#include <gtest/gtest.h>

#include "diffusion/engine.h"

namespace maquette::diffusion {
namespace {

// Runs a call: whether it was a full one. A full call leaves an activation behind, as the network does.
bool full(FeatureCache& cache, const std::vector<size_t>& owner, int call, double timestep) {
  models::DeepFeatures* features = cache.features_for(owner, {.call = call, .timestep = timestep});
  const bool whole = !features->activation.defined();
  if (whole) features->activation = Tensor::zeros({1});
  return whole;
}

TEST(FeatureCache, runs_every_nth_call_in_full) {
  FeatureCache cache({.every = 3, .depth = 2});
  std::string calls;
  for (int call = 0; call < 8; ++call) calls += full(cache, {0}, call, 900 - 100 * call) ? 'F' : '.';
  EXPECT_EQ(calls, "F..F..F.");
  EXPECT_EQ(cache.features_for({0}, {.call = 8, .timestep = 0})->depth, 2u);
}

TEST(FeatureCache, is_off_at_one) {
  FeatureCache cache({.every = 1, .depth = 1});
  EXPECT_EQ(cache.features_for({0}, {.call = 0, .timestep = 900}), nullptr);
}

TEST(FeatureCache, keeps_owners_apart) {
  FeatureCache cache({.every = 4, .depth = 1});
  EXPECT_TRUE(full(cache, {0, 1}, 0, 900));
  EXPECT_TRUE(full(cache, {2, 1}, 1, 800));  // a prompt that changed, or another tile
  EXPECT_FALSE(full(cache, {0, 1}, 2, 700));
  EXPECT_NE(cache.features_for({0, 1}, {.call = 3, .timestep = 600}),
            cache.features_for({2, 1}, {.call = 3, .timestep = 600}));
  EXPECT_TRUE(full(cache, {0, 1}, 4, 500));   // its own is four calls old
  EXPECT_FALSE(full(cache, {2, 1}, 4, 500));  // three
  EXPECT_TRUE(full(cache, {2, 1}, 5, 400));
}

TEST(FeatureCache, begins_anew_where_noise_rises) {
  FeatureCache cache({.every = 10, .depth = 1});
  EXPECT_TRUE(full(cache, {0}, 0, 900));
  EXPECT_FALSE(full(cache, {0}, 1, 400));
  EXPECT_FALSE(full(cache, {0}, 2, 400.3));  // the same level, rounded otherwise
  EXPECT_TRUE(full(cache, {0}, 3, 700));     // a restart
  EXPECT_FALSE(full(cache, {0}, 4, 600));
}

Recipe small_recipe() {
  Recipe recipe;
  recipe.model.path = "models/starter";
  recipe.prompt = "sunset, sea";
  recipe.width = recipe.height = 48;
  recipe.steps = 6;
  recipe.cfg = 3;
  recipe.precision = Precision::f32;
  return recipe;
}

TEST(FeatureCache, refuses_what_the_network_has_not) {
  Engine engine;
  Recipe recipe = small_recipe();
  for (const Recipe::FeatureCache wrong :
       {Recipe::FeatureCache{.every = 0, .depth = 1}, {-3, 1}, {2, 0}, {2, 6}}) {
    recipe.feature_cache = wrong;
    try {
      engine.run(recipe);
      ADD_FAILURE() << wrong.every << ":" << wrong.depth;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_NE(error.message().find("cannot cache features"), std::string::npos);
    }
  }
}

// Nothing is carried from one picture to the next, nor from pass to pass: a cached run over as many calls as
// it makes equals itself in an engine that has made other pictures before.
TEST(FeatureCache, belongs_to_one_pass) {
  Recipe recipe = small_recipe();
  recipe.feature_cache = {.every = 3, .depth = 2};
  recipe.hires.scale = 1.5;
  recipe.tile_size = 32;
  Engine fresh;
  const Picture first = fresh.run(recipe);
  Engine used;
  Recipe other = recipe;
  other.seed = 7;
  used.run(other);
  const Picture again = used.run(recipe);
  EXPECT_TRUE(std::ranges::equal(first.latent.data(), again.latent.data()));
  // And it is not what the whole network says.
  recipe.feature_cache = {};
  const Picture whole = used.run(recipe);
  EXPECT_FALSE(std::ranges::equal(first.latent.data(), whole.latent.data()));
}

}  // namespace
}  // namespace maquette::diffusion

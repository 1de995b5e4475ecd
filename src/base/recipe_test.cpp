#include "base/recipe.h"

#include <gtest/gtest.h>

namespace maquette {
namespace {

Recipe full_recipe() {
  Recipe recipe;
  recipe.model = {.path = "a.safetensors", .sha256 = "00"};
  recipe.prompt = "sunset red mesas";
  recipe.negative = "";
  recipe.cfg = 3.5;
  recipe.seed = 18446744073709551615ull;
  recipe.dialect = Dialect::a1111;
  recipe.mask = {.path = "m.png", .sha256 = ""};
  recipe.inpaint.feather = 4;
  recipe.controls.push_back(
      {.kind = "canny", .model = {"c", ""}, .image = {"i", ""}, .weight = 0.5, .mode = ControlMode::control});
  recipe.loras.push_back({.file = {"l", ""}, .unet_weight = 0.7, .text_weight = 0, .tag = "l"});
  recipe.hires.scale = 2;
  recipe.feature_cache = {.every = 3, .depth = 2};
  return recipe;
}

TEST(Recipe, survives_json) {
  const Recipe recipe = full_recipe();
  EXPECT_EQ(recipe_from_json(to_json(recipe)).take(), recipe);
  EXPECT_EQ(recipe_from_json(parse_json(to_json(recipe).dump(), "t").take()).take(), recipe);
  EXPECT_EQ(recipe_hash(recipe), recipe_hash(recipe_from_json(to_json(recipe)).take()));
}

TEST(Recipe, an_absent_negative_is_not_an_empty_one) {
  Recipe recipe = full_recipe();
  recipe.negative.reset();
  EXPECT_FALSE(recipe_from_json(to_json(recipe)).take().negative.has_value());
  EXPECT_NE(recipe_hash(recipe), recipe_hash(full_recipe()));
}

// Recipes from before there was a field keep their hash.
TEST(Recipe, is_silent_about_what_is_off) {
  Recipe recipe;
  EXPECT_EQ(to_json(recipe), (Json{{"schema", "maquette.recipe"}, {"version", 1}}));
  recipe.feature_cache.every = 2;
  EXPECT_EQ(to_json(recipe)["feature_cache"], (Json{{"every", 2}}));
}

TEST(Recipe, choices_have_names) {
  for (const Dialect dialect : {Dialect::diffusers, Dialect::a1111, Dialect::comfy}) {
    EXPECT_EQ(parse_dialect(name(dialect)), dialect);
  }
  EXPECT_EQ(parse_dialect("A1111"), Dialect::a1111);
  try {
    parse_dialect("diffuser");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint_text(), "did you mean diffusers?");
  }
}

TEST(Recipe, refuses_what_it_does_not_know) {
  Json json = to_json(full_recipe());
  json["promt"] = "x";
  const auto unknown = recipe_from_json(json);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message().find("did you mean \"prompt\""), std::string::npos);
  EXPECT_FALSE(recipe_from_json(Json{{"schema", "maquette.recipe"}, {"version", 99}}));
  EXPECT_FALSE(recipe_from_json(Json::array()));
  json = to_json(full_recipe());
  json["steps"] = "many";
  EXPECT_FALSE(recipe_from_json(json));
}

}  // namespace
}  // namespace maquette

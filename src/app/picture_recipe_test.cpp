#include "app/picture_recipe.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "app/picture_record.h"
#include "media/image_io.h"

namespace maquette::app {
namespace {

// What comes out of a PNG file that carries this text.
PictureRecipe through_file(const media::PictureMetadata& metadata) {
  const fs::path file = fs::path(testing::TempDir()) / "maquette_picture_recipe.png";
  media::write_image(file, media::Image8::zeros(2, 3, 3), {.metadata = metadata});
  PictureRecipe result = recipe_of_picture(file).take();
  fs::remove(file);
  return result;
}

bool noted(const PictureRecipe& read, std::string_view part) {
  return std::ranges::any_of(read.notes, [&](const std::string& n) { return n.find(part) != n.npos; });
}

TEST(PictureRecipe, OwnRecordsComeBack) {
  Recipe recipe{.prompt = "a lantern", .steps = 12, .seed = 5};
  recipe.model = {.path = "models/starter", .sha256 = "ab"};
  const std::string record = record_of(recipe).dump();
  const PictureRecipe read = through_file({.parameters = "other text", .recipe_json = record});
  EXPECT_EQ(read.source, RecipeSource::maquette);
  EXPECT_EQ(read.recipe, recipe);
  EXPECT_EQ(read.original, record);
  EXPECT_TRUE(read.notes.empty());
}

TEST(PictureRecipe, ParametersWithUnknownPartsAreReadAsFarAsPossible) {
  const std::string text =
      "a tower\nNegative prompt: fog\nSteps: 20, Sampler: Nowhere 9, CFG scale: seven, Seed: 5, Size: 64x48, "
      "Schedule type: Sideways";
  const PictureRecipe read = through_file({.parameters = text});
  EXPECT_EQ(read.source, RecipeSource::a1111);
  ASSERT_TRUE(read.recipe);
  EXPECT_EQ(read.recipe->steps, 20);
  EXPECT_EQ(read.recipe->seed, 5u);
  EXPECT_EQ(read.recipe->width, 64);
  EXPECT_TRUE(read.recipe->sampler.empty());
  EXPECT_TRUE(read.recipe->schedule.empty());
  EXPECT_FALSE(read.recipe->cfg);
  EXPECT_TRUE(noted(read, "Nowhere 9"));
  EXPECT_TRUE(noted(read, "seven"));
  EXPECT_TRUE(noted(read, "Sideways"));
  EXPECT_EQ(read.original, text);
}

TEST(PictureRecipe, ComfyGraphsAreRead) {
  const std::string text =
      R"({"1": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 9, "cfg": 4, "sampler_name": "euler_ancestral",
      "scheduler": "unheard_of", "positive": ["2", 0]}}, "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "sea"}}})";
  const PictureRecipe read = through_file({.other = {{"prompt", text}, {"workflow", "{}"}}});
  EXPECT_EQ(read.source, RecipeSource::comfyui);
  ASSERT_TRUE(read.recipe);
  EXPECT_EQ(read.recipe->sampler, "euler_ancestral");
  EXPECT_EQ(read.recipe->prompt, "sea");
  EXPECT_TRUE(noted(read, "unheard_of"));
  EXPECT_EQ(read.original, text);
  EXPECT_TRUE(noted(through_file({.other = {{"workflow", "{}"}}}), "workflow only"));
}

TEST(PictureRecipe, NothingThatAPictureCarriesIsAnError) {
  EXPECT_EQ(through_file({}).source, RecipeSource::none);
  const PictureRecipe broken = through_file({.recipe_json = "{\"schema\": 4"});
  EXPECT_EQ(broken.source, RecipeSource::maquette);
  EXPECT_FALSE(broken.recipe);
  EXPECT_EQ(broken.notes.size(), 1u);
  EXPECT_EQ(broken.original, "{\"schema\": 4");
  EXPECT_FALSE(through_file({.other = {{"prompt", "a plain prompt"}}}).recipe);
  EXPECT_FALSE(recipe_of_picture("none.png"));
}

}  // namespace
}  // namespace maquette::app

#include "app/studio/gate.h"

#include <gtest/gtest.h>

#include "app/studio/job_recipe.h"
#include "base/hash.h"

namespace maquette::app {
namespace {

TEST(StarterRecord, IsOfTheModelThatComesWithTheProgram) {
  EXPECT_EQ(starter_record().sha256, model_hash("starter"))
      << "the folder changed: its record must name what it is now";
  EXPECT_EQ(starter_record().licence.snapshot_sha256, sha256_hex_of_file("LICENSE"));
}

TEST(RequireAllowed, TellsEveryOpenReasonAndOnlyThose) {
  const rights::Decision decision = {
      .verdict = rights::Verdict::refuse,
      .checked = true,
      .reasons = {
          {.verdict = rights::Verdict::refuse, .code = "a", .subject = "x", .text = "first"},
          {.verdict = rights::Verdict::needs_approval,
           .code = "b",
           .subject = "y",
           .text = "second",
           .approver = "client"},
          {.verdict = rights::Verdict::needs_approval, .code = "c", .text = "done", .settled_by = "Ada"},
          {.code = "d", .text = "a note"}}};
  try {
    require_allowed(decision);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::refused);
    ASSERT_EQ(error.fields().size(), 2u);
    EXPECT_EQ(error.fields()[0], (std::pair<std::string, std::string>{"reason", "first [a x]"}));
    EXPECT_EQ(error.fields()[1],
              (std::pair<std::string, std::string>{"reason 2", "second [b y; approval: client]"}));
  }
  EXPECT_NO_THROW(require_allowed({.reasons = decision.reasons}));
}

TEST(FactsOfARecipe, NameEveryModelOnceAndWhetherPicturesGoIn) {
  Recipe recipe{.model = {.path = "base"}, .vae = {.path = "vae"}};
  EXPECT_FALSE(has_input_pictures(recipe));
  recipe.controls = {{.kind = "canny", .model = {.path = "control"}, .image = {.path = "sha256:0"}}};
  recipe.loras = {{.file = {.path = "harbour"}}, {.file = {.path = "harbour"}}};
  recipe.embeddings = {{.path = "mist"}};
  recipe.image_encoder = {.path = "clip"};
  recipe.upscale = {.path = "x4"};
  const std::vector<std::string> names = model_names_of(recipe);
  EXPECT_EQ(std::set(names.begin(), names.end()),
            (std::set<std::string>{"base", "vae", "control", "harbour", "mist", "clip", "x4"}));
  EXPECT_EQ(names.size(), 7u);
  EXPECT_TRUE(has_input_pictures(recipe));
}

}  // namespace
}  // namespace maquette::app

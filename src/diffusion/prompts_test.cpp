// Prompts are read once for all pictures that say the same, and all their chunks in one pass, which changes
// nothing in what the encoders say.
#include "diffusion/prompts.h"

#include <cstring>
#include <gtest/gtest.h>

#include "diffusion/chunk_encoder.h"
#include "diffusion/guides.h"

namespace maquette::diffusion {
namespace {

const std::string kPipelines = "tests/golden/pipelines/";

Recipe recipe_of(const std::string& prompt) {
  Recipe recipe;
  recipe.prompt = prompt;
  recipe.negative = "fog";
  return recipe;
}

class Reader {
 public:
  explicit Reader(const std::string& model) : model_(load_model(kPipelines + "models/" + model, {})) {}

  // The memory of the positive condition: the same where nothing was read anew.
  const void* read(const Recipe& recipe, int64_t side, std::vector<double> sizes = {}) {
    const ConditioningSettings settings{
        .calls = 4, .sizes = sizes, .negative_sizes = sizes, .size_waves = model_->size_waves};
    const HeldPictures held;
    const Pictures pictures(held);
    const PictureInput input{.height = side, .width = side};
    const ReadPrompts read = cache_.read(
        ex_,
        {.model = *model_, .model_key = key_, .recipe = recipe, .settings = settings, .pictures = pictures},
        input);
    kept_.push_back(read.plan.conditions[0].tokens);
    return kept_.back().raw();
  }

 private:
  std::unique_ptr<Model> model_;
  std::string key_ = "model";
  kernels::Exec ex_;
  PromptCache cache_;
  std::vector<Tensor> kept_;  // so that no memory is used twice
};

TEST(PromptCache, keeps_what_no_text_encoder_hears) {
  Reader reader("sd1");
  Recipe recipe = recipe_of("a sea at dusk");
  const void* first = reader.read(recipe, 64);
  EXPECT_EQ(reader.read(recipe, 128), first) << "another size";
  recipe.seed = 7;
  recipe.sampler = "euler";
  recipe.cfg = 3;
  EXPECT_EQ(reader.read(recipe, 64), first) << "other sampling";
  recipe.loras.push_back({.file = {"a.safetensors", "hash"}, .unet_weight = 0.4, .text_weight = 0.4});
  const void* with_lora = reader.read(recipe, 64);
  EXPECT_NE(with_lora, first);
  recipe.loras[0].unet_weight = 0.6;
  EXPECT_EQ(reader.read(recipe, 64), with_lora) << "the UNet's weight alone";
}

TEST(PromptCache, reads_anew_what_they_hear) {
  Reader reader("sd1");
  const Recipe recipe = recipe_of("a sea at dusk");
  const void* first = reader.read(recipe, 64);
  EXPECT_NE(reader.read(recipe_of("a sea at dawn"), 64), first);
  Recipe other = recipe;
  other.negative.reset();
  EXPECT_NE(reader.read(other, 64), first);
  other = recipe;
  other.clip_skip = 1;
  EXPECT_NE(reader.read(other, 64), first);
}

TEST(PromptCache, sizes_count_where_the_model_is_told_them_and_for_regions) {
  Reader xl("sdxl");
  const Recipe recipe = recipe_of("a sea at dusk");
  EXPECT_NE(xl.read(recipe, 64, {64, 64, 0, 0, 64, 64}), xl.read(recipe, 128, {128, 128, 0, 0, 128, 128}));

  Reader reader("sd1");
  Recipe with_region = recipe;
  with_region.regions.push_back({.prompt = "a boat", .mask = {kPipelines + "sd1_img2img/image.png", ""}});
  EXPECT_NE(reader.read(with_region, 64), reader.read(with_region, 128));
}

TEST(ChunkEncoder, chunks_that_run_together_are_those_that_run_alone) {
  for (const char* name : {"sd1", "sdxl"}) {
    const auto model = load_model(kPipelines + "models/" + name, {});
    const TextSide& side = model->text;
    for (size_t branch = 0; branch < side.branches.size(); ++branch) {
      kernels::Exec ex;
      ChunkEncoder together(ex, side);
      std::vector<text::FramedChunk> frames;
      for (int i = 0; i < 11; ++i) {  // more than run at a time
        const std::string prompt = fmt::format("{} boats", i);
        const text::ParsedPrompt parsed = text::parse_prompt(prompt, side.branches[branch].tokenizer, {});
        frames.push_back(together.frame(branch, parsed.parts[0].variants[0].chunks[0]));
      }
      together.prepare(branch, frames);
      for (const text::FramedChunk& frame : frames) {
        const auto& [output, index] = together.at(branch, frame);
        ChunkEncoder alone(ex, side);
        const models::TextOutput& expected = alone.at(branch, frame).together;
        const auto same = [&, i = index](const Tensor& all, const Tensor& one) {
          return std::memcmp(all.rows(i, i + 1).raw(), one.raw(), one.bytes()) == 0;
        };
        EXPECT_EQ(expected.last.size(0), 1);
        EXPECT_TRUE(same(output.last, expected.last));
        for (size_t layer = 0; layer < expected.hidden.size(); ++layer) {
          EXPECT_TRUE(same(output.hidden[layer], expected.hidden[layer])) << layer;
        }
      }
    }
  }
}

}  // namespace
}  // namespace maquette::diffusion

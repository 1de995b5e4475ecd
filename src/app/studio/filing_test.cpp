#include "app/studio/filing.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "media/image_io.h"

namespace maquette::app {
namespace {

constexpr const char* kParameters =
    "a tower, dusk\nNegative prompt: fog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6, "
    "Seed: 4294967295, Size: 64x48, Model: anime";
constexpr const char* kComfyGraph = R"({
  "3": {"class_type": "KSampler", "inputs": {"seed": 77, "steps": 5, "cfg": 3.5, "sampler_name": "dpmpp_2m",
        "scheduler": "karras", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0],
        "latent_image": ["5", 0]}},
  "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "there.safetensors"}},
  "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
  "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "sunset", "clip": ["4", 1]}},
  "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}}})";

// What filing knows of a picture of this kind that carries this text.
PictureOrigin through(const char* extension, const media::PictureMetadata& metadata) {
  const fs::path file = fs::path(testing::TempDir()) / (std::string("maquette_filing") + extension);
  media::write_image(file, media::Image8::zeros(8, 8, 3), {.metadata = metadata});
  PictureOrigin origin = origin_of(file);
  fs::remove(file);
  return origin;
}

TEST(OriginOf, parameters_in_every_kind_of_file) {
  for (const char* extension : {".png", ".jpg", ".webp", ".tif"}) {
    const PictureOrigin origin = through(extension, {.parameters = kParameters});
    EXPECT_EQ(origin.prompt, "a tower, dusk") << extension;
    EXPECT_EQ(origin.seed, "4294967295") << extension;
    EXPECT_EQ(origin.model, "anime") << extension;
    EXPECT_EQ(origin.recipe.at("source"), "a1111");
    EXPECT_EQ(origin.recipe.at("original"), kParameters);
    EXPECT_EQ(origin.recipe.at("recipe").at("steps"), 20);
  }
}

TEST(OriginOf, a_graph_of_comfyui) {
  const PictureOrigin origin = through(".png", {.other = {{"prompt", kComfyGraph}}});
  EXPECT_EQ(origin.prompt, "sunset");
  EXPECT_EQ(origin.seed, "77");
  EXPECT_EQ(origin.model, "there.safetensors");
  EXPECT_EQ(origin.recipe.at("source"), "comfyui");
  EXPECT_EQ(origin.recipe.at("recipe").at("negative"), "fog");
}

TEST(OriginOf, text_that_is_no_recipe_is_kept) {
  const PictureOrigin origin = through(".png", {.other = {{"prompt", "{\"3\": {}}"}}});
  EXPECT_EQ(origin.recipe.at("original"), "{\"3\": {}}");
  EXPECT_FALSE(origin.recipe.at("notes").empty());
  EXPECT_TRUE(through(".png", {}).recipe.is_null());
}

}  // namespace
}  // namespace maquette::app

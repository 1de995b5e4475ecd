#include "media/comfy_prompt.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace maquette::media {
namespace {

// The default graph of ComfyUI with two adapters and clip skip.
Json graph() {
  return parse_json(R"({
    "3": {"class_type": "KSampler", "inputs": {"seed": 1071208483241017, "steps": 24, "cfg": 6.5,
          "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1, "model": ["11", 0],
          "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl/base.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 1216, "height": 832, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lantern street, dusk", "clip": ["12", 0]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["12", 0]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["13", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["8", 0]}},
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "ink.safetensors", "strength_model": 0.8,
           "strength_clip": 0.5, "model": ["4", 0], "clip": ["4", 1]}},
    "11": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "light.safetensors", "strength_model": 0.3,
           "model": ["10", 0]}},
    "12": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["10", 1]}},
    "13": {"class_type": "VAELoader", "inputs": {"vae_name": "sdxl.vae.safetensors"}}})",
                    "test")
      .take();
}

ComfyRecipe read(const Json& json) { return parse_comfy_prompt(json.dump()).take(); }

bool noted(const ComfyRecipe& read, std::string_view part) {
  return std::ranges::any_of(read.notes, [&](const std::string& n) { return n.find(part) != n.npos; });
}

TEST(ComfyPrompt, DefaultGraph) {
  const ComfyRecipe comfy = read(graph());
  const Recipe& r = comfy.recipe;
  EXPECT_EQ(r.dialect, Dialect::comfy);
  EXPECT_EQ(r.seed, 1071208483241017u);
  EXPECT_EQ(r.steps, 24);
  EXPECT_EQ(r.cfg, 6.5);
  EXPECT_EQ(r.sampler, "dpmpp_2m");
  EXPECT_EQ(r.schedule, "karras");
  EXPECT_FALSE(r.strength);
  EXPECT_EQ(r.model.path, "sdxl/base.safetensors");
  EXPECT_EQ(r.vae.path, "sdxl.vae.safetensors");
  EXPECT_EQ(r.prompt, "a lantern street, dusk");
  EXPECT_EQ(r.negative, "fog");
  EXPECT_EQ(r.width, 1216);
  EXPECT_EQ(r.height, 832);
  EXPECT_EQ(r.clip_skip, 2);
  ASSERT_EQ(r.loras.size(), 2u);
  EXPECT_EQ(r.loras[0].file.path, "ink.safetensors");
  EXPECT_EQ(r.loras[0].unet_weight, 0.8);
  EXPECT_EQ(r.loras[0].text_weight, 0.5);
  EXPECT_EQ(r.loras[1].file.path, "light.safetensors");
  EXPECT_TRUE(comfy.notes.empty()) << comfy.notes.front();
}

TEST(ComfyPrompt, ValuesMayBeOneWireAway) {
  Json json = graph();
  json["20"] = Json::parse(R"({"class_type": "PrimitiveInt", "inputs": {"value": 77}})");
  json["21"] = Json::parse(R"({"class_type": "PrimitiveString", "inputs": {"value": "wired words"}})");
  json["3"]["inputs"]["seed"] = Json::parse(R"(["20", 0])");
  json["6"]["inputs"]["text"] = Json::parse(R"(["21", 0])");
  EXPECT_EQ(read(json).recipe.seed, 77u);
  EXPECT_EQ(read(json).recipe.prompt, "wired words");
}

TEST(ComfyPrompt, SecondPassesAreHiRes) {
  Json json = graph();
  json["30"] = json["3"];
  json["30"]["inputs"].update(
      Json::parse(R"({"seed": 5, "steps": 12, "denoise": 0.45, "latent_image": ["31", 0]})"));
  json["31"] = Json::parse(
      R"({"class_type": "LatentUpscaleBy", "inputs": {"upscale_method": "bicubic", "scale_by": 1.5, "samples": ["3", 0]}})");
  json["8"]["inputs"]["samples"] = Json::parse(R"(["30", 0])");
  const ComfyRecipe comfy = read(json);
  EXPECT_EQ(comfy.recipe.steps, 24);
  EXPECT_EQ(comfy.recipe.width, 1216);
  EXPECT_EQ(comfy.recipe.hires.scale, 1.5);
  EXPECT_EQ(comfy.recipe.hires.steps, 12);
  EXPECT_EQ(comfy.recipe.hires.strength, 0.45);
  EXPECT_TRUE(noted(comfy, "own seed, 5"));
}

TEST(ComfyPrompt, AdvancedSamplersHaveRanges) {
  Json json = graph();
  json["3"]["class_type"] = "KSamplerAdvanced";
  json["3"]["inputs"].erase("seed");
  json["3"]["inputs"].update(Json::parse(R"({"noise_seed": 9, "start_at_step": 2, "end_at_step": 20})"));
  const Recipe r = read(json).recipe;
  EXPECT_EQ(r.seed, 9u);
  EXPECT_EQ(r.start_step, 2);
  EXPECT_EQ(r.end_step, 20);
}

TEST(ComfyPrompt, WhatIsNotUnderstoodIsListed) {
  Json json = graph();
  json["40"] = Json::parse(
      R"({"class_type": "ControlNetApply", "inputs": {"conditioning": ["6", 0], "strength": 1, "image": ["41", 0]}})");
  json["41"] = Json::parse(R"({"class_type": "LoadImage", "inputs": {"image": "pose.png"}})");
  json["3"]["inputs"]["positive"] = Json::parse(R"(["40", 0])");
  json["5"] = Json::parse(R"({"class_type": "VAEEncode", "inputs": {"pixels": ["41", 0], "vae": ["4", 2]}})");
  json["3"]["inputs"]["denoise"] = 0.6;
  const ComfyRecipe comfy = read(json);
  EXPECT_EQ(comfy.recipe.prompt, "a lantern street, dusk");
  EXPECT_EQ(comfy.recipe.strength, 0.6);
  EXPECT_TRUE(noted(comfy, "ControlNetApply"));
  EXPECT_TRUE(noted(comfy, "--init"));
}

TEST(ComfyPrompt, HostileGraphsEnd) {
  for (const std::string_view bad :
       {"", "[]", "{}", "nonsense", R"({"1": 3})", R"({"1": {"class_type": "KSampler"}})"})
    EXPECT_FALSE(parse_comfy_prompt(bad)) << bad;
  // Wires in circles, and nodes that all lead to each other.
  Json circle = graph();
  circle["4"] = Json::parse(R"({"class_type": "X", "inputs": {"model": ["11", 0], "clip": ["12", 0]}})");
  circle["5"] = Json::parse(R"({"class_type": "Y", "inputs": {"samples": ["5", 0]}})");
  EXPECT_TRUE(noted(read(circle), "the checkpoint was not found"));
  Json web = graph();
  for (int i = 0; i < 12; ++i) {
    Json& inputs = web[fmt::format("w{}", i)] = {{"class_type", "W"}, {"inputs", Json::object()}};
    for (const char* name : {"value", "text", "string", "seed", "int", "float", "number", "prompt"})
      inputs["inputs"][name] = Json::array({fmt::format("w{}", (i + 1) % 12), 0});
  }
  web["3"]["inputs"]["seed"] = Json::array({"w0", 0});
  EXPECT_TRUE(noted(read(web), "the seed was not found"));
  std::string crowd = "{\"a\":{";
  for (int i = 0; i < 200'000; ++i) crowd += fmt::format("\"{}\":1,", i);
  EXPECT_FALSE(parse_comfy_prompt(crowd + "\"z\":1}}"));
  Json numbers = graph();
  numbers["3"]["inputs"].update(Json::parse(R"({"seed": -4, "steps": 1e300, "cfg": "high", "denoise": -3})"));
  EXPECT_EQ(read(numbers).recipe.steps, 0);
}

}  // namespace
}  // namespace maquette::media

// Every published layout must come back with diffusers' and transformers' own names, shapes and values
// (tools/golden/weights_layouts.py writes the files and what is expected of them).

#include "weights/checkpoint.h"

#include <gtest/gtest.h>
#include <set>

#include "base/hash.h"
#include "weights/layouts/layouts.h"
#include "weights/weight_scope.h"

namespace maquette::weights {
namespace {

const fs::path kFolder = "tests/golden/weights";

std::string digest(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::f32);
  return sha256_hex(std::span(static_cast<const std::byte*>(wide.raw()), wide.bytes())).substr(0, 8);
}

Json cases() {
  return parse_json(read_text_file(kFolder / "layouts/layouts.json").take(), "layouts.json").take();
}

void expect_component(const Component& component, const Json& wanted) {
  EXPECT_EQ(component.weights.size(), wanted.size());
  for (const auto& [name, description] : wanted.items()) {
    ASSERT_TRUE(component.weights.has(name)) << name;
    const std::vector<int64_t> sizes = description[0];
    EXPECT_EQ(component.weights.shape(name)->text(), Shape(sizes).text()) << name;
    const Tensor tensor = component.weights.read(name);
    EXPECT_EQ(tensor.shape().text(), Shape(sizes).text()) << name;
    EXPECT_EQ(digest(tensor), description[1].get<std::string>()) << name;
  }
}

TEST(Checkpoint, every_layout_comes_back_as_diffusers_has_it) {
  const Json all = cases();
  ASSERT_GE(all.size(), 20u);
  for (const auto& [file, wanted] : all.items()) {
    SCOPED_TRACE(file);
    const Checkpoint checkpoint = open_checkpoint(kFolder / "layouts" / file).take();
    EXPECT_EQ(name(checkpoint.layout), wanted["layout"].get<std::string>());
    EXPECT_TRUE(checkpoint.unexpected.empty()) << checkpoint.unexpected.front();
    EXPECT_EQ(checkpoint.ignored.size(), wanted["ignored"].get<size_t>());
    EXPECT_EQ(checkpoint.components.size(), wanted["components"].size());
    for (const auto& [kind, tensors] : wanted["components"].items()) {
      SCOPED_TRACE(kind);
      const Component* component = checkpoint.find(kind);
      ASSERT_TRUE(component);
      expect_component(*component, tensors);
    }
  }
}

TEST(Checkpoint, keeps_markers_and_configurations) {
  const Checkpoint xl = open_checkpoint(kFolder / "layouts/sdxl.safetensors").take();
  EXPECT_EQ(std::set<std::string>(xl.markers.begin(), xl.markers.end()),
            (std::set<std::string>{"v_pred", "ztsnr"}));
  EXPECT_EQ(xl.metadata.at("modelspec.title"), "tiny");
  const Checkpoint pipeline = open_checkpoint(kFolder / "layouts/pipeline").take();
  EXPECT_EQ(pipeline.model_index["_class_name"], "StableDiffusionPipeline");
  EXPECT_EQ(pipeline.scheduler_config["prediction_type"], "v_prediction");
  EXPECT_EQ(pipeline.find("unet")->config["_class_name"], "UNet2DConditionModel");
}

TEST(Checkpoint, variants_of_a_folder) {
  EXPECT_TRUE(open_checkpoint(kFolder / "layouts/vae_folder", {.variant = "fp16"}));
  const Result<Checkpoint> missing = open_checkpoint(kFolder / "layouts/vae_folder", {.variant = "bf16"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
  EXPECT_NE(missing.error().message().find("bf16"), std::string::npos);
}

TEST(Checkpoint, says_what_it_does_not_know) {
  const Result<Checkpoint> unknown = open_checkpoint(kFolder / "dtypes.safetensors");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message().find("bf16"), std::string::npos) << unknown.error().message();
  const Result<Checkpoint> empty = open_checkpoint("tests/golden");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code(), ErrorCode::not_found);
}

// A file in memory with one small tensor under each name.
SharedWeightFile file_with(const std::vector<std::string>& names) {
  std::string header = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    header += fmt::format(R"({}"{}":{{"dtype":"F16","shape":[1],"data_offsets":[{},{}]}})", i ? "," : "",
                          names[i], 2 * i, 2 * i + 2);
  }
  header += "}";
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), 8);
  bytes += header + std::string(2 * names.size(), '\0');
  return open_safetensors(ByteSource::copy(std::as_bytes(std::span(bytes)), "memory")).take();
}

std::string kind_of(const std::vector<std::string>& names) {
  const Result<Checkpoint> checkpoint = checkpoint_of(file_with(names));
  return checkpoint ? checkpoint->components.at(0).kind : checkpoint.error().message();
}

TEST(Checkpoint, recognises_adapters_and_other_single_files) {
  EXPECT_EQ(kind_of({"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"}), "lora");
  EXPECT_EQ(kind_of({"unet.down_blocks.0.attentions.0.proj_in.lora_A.weight"}), "lora");
  EXPECT_EQ(kind_of({"lora_te1_text_model_encoder_layers_0_mlp_fc1.hada_w1_a"}), "lora");
  EXPECT_EQ(kind_of({"diffusion_model.input_blocks.0.0.diff"}), "lora");
  EXPECT_EQ(kind_of({"lora_controlnet", "input_blocks.0.0.up"}), "control_lora");
  EXPECT_EQ(kind_of({"image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"}), "ip_adapter");
  EXPECT_EQ(kind_of({"ip_adapter.1.to_q_lora.down.weight", "image_proj.proj.weight"}), "ip_adapter");
  EXPECT_EQ(kind_of({"vision_model.embeddings.class_embedding"}), "image_encoder");
  EXPECT_EQ(kind_of({"model.1.sub.0.RDB1.conv1.0.weight"}), "upscaler");
  EXPECT_EQ(kind_of({"params_ema.body.0.rdb1.conv1.weight", "params_ema.conv_first.weight"}), "upscaler");
  EXPECT_EQ(kind_of({"emb_params"}), "textual_inversion");
  EXPECT_EQ(kind_of({"clip_l", "clip_g"}), "textual_inversion");
  EXPECT_NE(kind_of({"model.diffusion_model.double_blocks.0.img_attn.proj.weight", "x"}), "lora");
  EXPECT_NE(kind_of({"joint_blocks.0.x_block.attn.proj.weight"}).find("transformer"), std::string::npos);
}

TEST(Checkpoint, the_wrapper_of_averaged_weights_is_preferred) {
  const Checkpoint checkpoint =
      checkpoint_of(file_with({"params_ema.body.0.rdb1.conv1.weight", "params.body.0.rdb1.conv1.weight"}))
          .take();
  EXPECT_EQ(checkpoint.components[0].weights.find("body.0.rdb1.conv1.weight")->name,
            "params_ema.body.0.rdb1.conv1.weight");
  EXPECT_EQ(checkpoint.ignored.size(), 1u);
}

TEST(Checkpoint, openclip_under_the_names_of_stable_diffusion_cpp) {
  const std::string layer = "cond_stage_model.1.transformer.text_model.encoder.layers.0.";
  const Checkpoint checkpoint =
      checkpoint_of(file_with({"model.diffusion_model.input_blocks.0.0.weight",
                               "cond_stage_model.1.transformer.text_model.embeddings.token_embedding.weight",
                               "cond_stage_model.1.transformer.text_model.text_projection",
                               layer + "self_attn.in_proj.weight", layer + "self_attn.in_proj.bias"}))
          .take();
  const WeightMap& weights = checkpoint.find("text_encoder_2")->weights;
  const std::string own = "text_model.encoder.layers.0.self_attn.";
  EXPECT_EQ(weights.find(own + "v_proj.weight")->part, 2);
  EXPECT_EQ(weights.find(own + "q_proj.bias")->parts, 3);
  EXPECT_EQ(weights.find("text_projection.weight")->transform, Transform::transpose);
  EXPECT_FALSE(weights.has("text_model.text_projection"));
}

TEST(Checkpoint, the_last_layer_of_sd2s_encoder_is_left_out) {
  std::vector<std::string> names = {"model.diffusion_model.input_blocks.0.0.weight",
                                    "cond_stage_model.model.positional_embedding",
                                    "cond_stage_model.model.text_projection"};
  for (int i = 0; i < 24; ++i)
    names.push_back(fmt::format("cond_stage_model.model.transformer.resblocks.{}.ln_1.weight", i));
  const Checkpoint checkpoint = checkpoint_of(file_with(names)).take();
  EXPECT_EQ(checkpoint.find("text_encoder")->weights.count("text_model.encoder.layers"), 23);
  EXPECT_FALSE(checkpoint.find("text_encoder")->weights.has("text_projection.weight"));
}

TEST(Layouts, unet_names_go_both_ways) {
  for (const char* file : {"sd1.safetensors", "sdxl.safetensors", "unet_pruned.safetensors"}) {
    const Checkpoint checkpoint = open_checkpoint(kFolder / "layouts" / file).take();
    const WeightMap& map = checkpoint.find("unet")->weights;
    const Renames back = unet_to_ldm(canonical_names(map));
    EXPECT_EQ(back.size(), map.size()) << file;
    for (const Renamed& renamed : back) {
      EXPECT_EQ("model.diffusion_model." + renamed.to, map.find(renamed.from)->name) << file;
    }
  }
}

TEST(WeightScope, walks_counts_and_remembers) {
  const Checkpoint checkpoint = open_checkpoint(kFolder / "layouts/sd1.safetensors").take();
  const WeightScope unet(checkpoint.find("unet")->weights);
  EXPECT_EQ(unet.count("down_blocks"), 3);
  EXPECT_EQ((unet / "down_blocks.0").count("resnets"), 2);
  EXPECT_EQ(unet.count("nothing"), 0);
  EXPECT_EQ((unet / "conv_in").children(), (std::vector<std::string>{"bias", "weight"}));
  EXPECT_TRUE(unet.has("conv_in.weight"));
  EXPECT_FALSE(unet.has("conv_in"));
  EXPECT_TRUE(unet.has_scope("conv_in"));
  EXPECT_FALSE(unet.has_scope("conv_i"));
  EXPECT_EQ((unet / "conv_in").source_name("weight"), "model.diffusion_model.input_blocks.0.0.weight");

  const size_t all = unet.unused().size();
  const WeightScope block = unet / "down_blocks.0" / "resnets.0";
  EXPECT_EQ(block.full_name("conv1.weight"), "down_blocks.0.resnets.0.conv1.weight");
  EXPECT_TRUE(block.find("conv1.weight"));
  EXPECT_FALSE(block.find("conv_shortcut.weight"));
  EXPECT_EQ(unet.unused().size(), all - 1);
}

TEST(WeightScope, names_what_is_missing_or_misshapen) {
  const Checkpoint checkpoint = open_checkpoint(kFolder / "layouts/sd1.safetensors").take();
  const WeightScope unet(checkpoint.find("unet")->weights);
  try {
    unet.get("conv_in.wait");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::weights);
    EXPECT_NE(error.message().find("conv_in.wait"), std::string::npos);
    EXPECT_NE(error.message().find("there is \"conv_in.weight\""), std::string::npos) << error.message();
  }
  try {
    unet.get("conv_in.weight", {5, 4, 3, 3});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("[4, 4, 3, 3]"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("[5, 4, 3, 3]"), std::string::npos);
    EXPECT_NE(error.message().find("input_blocks.0.0.weight"), std::string::npos);
  }
}

TEST(TextualInversion, reads_every_published_form) {
  const auto read = [](const char* file) { return read_textual_inversion(kFolder / file).take(); };
  const std::vector<Embedding> a1111 = read("embedding.pt");
  ASSERT_EQ(a1111.size(), 1u);
  EXPECT_EQ(a1111[0].token, "mood");
  EXPECT_EQ(a1111[0].encoder, "text_encoder");
  EXPECT_EQ(a1111[0].vectors.shape().text(), "[2, 4]");
  EXPECT_EQ(a1111[0].vectors.data()[7], 7.0f);
  const std::vector<Embedding> kohya = read("embedding.safetensors");
  ASSERT_EQ(kohya.size(), 1u);
  EXPECT_EQ(kohya[0].vectors.data()[5], 5.0f);
  const std::vector<Embedding> diffusers = read("learned_embeds.bin");
  ASSERT_EQ(diffusers.size(), 1u);
  EXPECT_EQ(diffusers[0].token, "<mood>");
  EXPECT_EQ(diffusers[0].vectors.shape().text(), "[1, 4]");
  const std::vector<Embedding> xl = read("embedding_xl.safetensors");
  ASSERT_EQ(xl.size(), 2u);
  std::set<std::string> encoders;
  for (const Embedding& embedding : xl) encoders.insert(embedding.encoder);
  EXPECT_EQ(encoders, (std::set<std::string>{"text_encoder", "text_encoder_2"}));
  EXPECT_FALSE(read_textual_inversion(kFolder / "types.gguf"));
}

}  // namespace
}  // namespace maquette::weights

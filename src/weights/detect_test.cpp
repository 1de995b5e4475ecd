#include "weights/detect.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace maquette::weights {
namespace {

const fs::path kFolder = "tests/golden/weights";

// A file that has names, shapes and records, but no values: enough for detection.
class Outline : public WeightFile {
 public:
  Outline() : WeightFile("outline.safetensors", "outline") {}
  void put(const std::string& name, const Shape& shape) {
    ASSERT_TRUE(add({.name = name, .shape = shape, .stored = "f16"}));
  }
  void record(const std::string& key, const std::string& value) { metadata_[key] = value; }
  void release(std::string_view) const override {}

 protected:
  Result<Tensor> read_tensor(const TensorInfo& info) const override { return Tensor::zeros(info.shape); }
};

struct Design {
  std::vector<int64_t> channels;
  std::vector<int> depths;  // of each level
  int layers = 2;
  int64_t context = 768;
  int64_t in_channels = 4;
  int64_t size_embedding = 0;
  bool linear = false;
};

// The tensors of a UNet that detection looks at, under diffusers' names.
std::shared_ptr<Outline> outline_of(const Design& design) {
  auto file = std::make_shared<Outline>();
  file->put("conv_in.weight", {design.channels[0], design.in_channels, 3, 3});
  file->put("conv_out.weight", {4, design.channels[0], 3, 3});
  file->put("time_embedding.linear_1.weight", {1280, 320});
  if (design.size_embedding) file->put("add_embedding.linear_1.weight", {1280, design.size_embedding});
  for (size_t level = 0; level < design.channels.size(); ++level) {
    const int64_t c = design.channels[level];
    for (int layer = 0; layer < design.layers; ++layer) {
      const std::string block = fmt::format("down_blocks.{}", level);
      file->put(fmt::format("{}.resnets.{}.conv1.weight", block, layer), {c, c, 3, 3});
      const std::string attention = fmt::format("{}.attentions.{}", block, layer);
      for (int depth = 0; depth < design.depths[level]; ++depth) {
        file->put(fmt::format("{}.transformer_blocks.{}.attn2.to_k.weight", attention, depth),
                  {c, design.context});
      }
      if (design.depths[level] == 0) continue;
      file->put(attention + ".proj_in.weight", design.linear ? Shape{c, c} : Shape{c, c, 1, 1});
    }
  }
  return file;
}

ModelReport report_of(const Design& design) { return describe(checkpoint_of(outline_of(design)).take()); }

TEST(Detect, published_families_and_sizes) {
  struct Case {
    Design design;
    Family family;
    std::string_view variant;
    InputKind input = InputKind::plain;
  };
  const Design sd1{.channels = {320, 640, 1280, 1280}, .depths = {1, 1, 1, 0}};
  const Design sdxl{.channels = {320, 640, 1280},
                    .depths = {0, 2, 10},
                    .context = 2048,
                    .size_embedding = 2816,
                    .linear = true};
  const auto changed = [](Design design, auto change) {
    change(design);
    return design;
  };
  const Case cases[] = {
      {sd1, Family::sd1, "standard"},
      {changed(sd1, [](Design& d) { d.in_channels = 9; }), Family::sd1, "standard", InputKind::inpaint},
      {changed(sd1, [](Design& d) { d.in_channels = 8; }), Family::sd1, "standard", InputKind::edit},
      {changed(sd1, [](Design& d) { d.in_channels = 5; }), Family::sd1, "standard", InputKind::other},
      {changed(sd1, [](Design& d) { d.layers = 1; }), Family::sd1, "bk-sdm"},
      {changed(sd1, [](Design& d) { d.context = 1024, d.linear = true; }), Family::sd2, "standard"},
      {sdxl, Family::sdxl_base, "standard"},
      {changed(sdxl,
               [](Design& d) {
                 d.depths = {0, 2, 4};
               }),
       Family::sdxl_base, "ssd-1b"},
      {changed(sdxl,
               [](Design& d) {
                 d.depths = {0, 1, 2};
               }),
       Family::sdxl_base, "vega"},
      {changed(sdxl,
               [](Design& d) {
                 d.depths = {0, 1, 1};
               }),
       Family::sdxl_base, "custom"},
      {{.channels = {384, 768, 1536, 1536},
        .depths = {0, 4, 4, 0},
        .context = 1280,
        .size_embedding = 2560,
        .linear = true},
       Family::sdxl_refiner,
       "standard"},
      {{.channels = {64, 128, 192}, .depths = {0, 1, 1}, .layers = 1, .context = 128}, Family::sd1, "custom"},
  };
  for (const Case& c : cases) {
    const ModelReport report = report_of(c.design);
    EXPECT_EQ(name(report.family), name(c.family)) << report.family_reason;
    EXPECT_EQ(report.variant, c.variant);
    EXPECT_EQ(name(report.input), name(c.input));
    EXPECT_FALSE(report.family_reason.empty());
    EXPECT_EQ(report.unet->depths, c.design.depths);
    EXPECT_EQ(report.unet->channels, c.design.channels);
  }
}

ModelReport report_with(const Design& design, const std::vector<std::string>& markers,
                        const std::map<std::string, std::string>& records) {
  const auto file = outline_of(design);
  for (const std::string& marker : markers) file->put(marker, Shape{0});
  for (const auto& [key, value] : records) file->record(key, value);
  return describe(checkpoint_of(file).take());
}

TEST(Detect, prediction_type_with_its_reason) {
  const Design sdxl{.channels = {320, 640, 1280},
                    .depths = {0, 2, 10},
                    .context = 2048,
                    .size_embedding = 2816,
                    .linear = true};
  const Design sd2{
      .channels = {320, 640, 1280, 1280}, .depths = {1, 1, 1, 0}, .context = 1024, .linear = true};
  const auto prediction = [](const ModelReport& report) {
    EXPECT_FALSE(report.prediction_reason.empty());
    return name(report.prediction);
  };
  EXPECT_EQ(prediction(report_with(sdxl, {}, {})), "epsilon");
  EXPECT_EQ(prediction(report_with(sdxl, {"v_pred", "ztsnr"}, {})), "v_prediction");
  EXPECT_TRUE(report_with(sdxl, {"v_pred", "ztsnr"}, {}).zero_terminal_snr);
  EXPECT_EQ(prediction(report_with(sdxl, {"edm_mean", "edm_std"}, {})), "edm");
  EXPECT_EQ(report_with(sdxl, {"edm_mean", "edm_std"}, {}).latent_scale, 0.5);
  EXPECT_EQ(prediction(report_with(sdxl, {"edm_vpred.sigma_max"}, {})), "edm_v");
  EXPECT_EQ(prediction(report_with(sdxl, {}, {{"modelspec.prediction_type", "v"}})), "v_prediction");
  EXPECT_EQ(prediction(report_with(sd2, {}, {})), "undecided");
  EXPECT_EQ(prediction(report_with(sd2, {}, {{"global_step", "875000"}})), "epsilon");
  EXPECT_EQ(prediction(report_with(sd2, {}, {{"modelspec.prediction_type", "epsilon"}})), "epsilon");
}

TEST(Detect, the_layout_decides_before_the_sizes) {
  const auto family = [](const char* file) {
    return name(describe(open_checkpoint(kFolder / "layouts" / file).take()).family);
  };
  EXPECT_EQ(family("sd1.safetensors"), "sd1");
  EXPECT_EQ(family("sd1_old.ckpt"), "sd1");
  EXPECT_EQ(family("sd2.safetensors"), "sd2");
  EXPECT_EQ(family("sdxl.safetensors"), "sdxl-base");
  EXPECT_EQ(family("refiner.safetensors"), "sdxl-refiner");
  EXPECT_EQ(family("pipeline"), "sd1");
  EXPECT_EQ(family("unet_pruned.safetensors"), "sdxl-base");
}

TEST(Detect, a_folder_says_its_prediction_type) {
  const ModelReport report = describe(open_checkpoint(kFolder / "layouts/pipeline").take());
  EXPECT_EQ(report.prediction, Prediction::v_prediction);
  EXPECT_TRUE(report.zero_terminal_snr);
}

TEST(Detect, the_starter_model) {
  const ModelReport report = describe(open_checkpoint("models/starter").take());
  EXPECT_EQ(name(report.layout), "diffusers folder");
  EXPECT_EQ(report.components.size(), 3u);
  EXPECT_EQ(report.variant, "custom");
  EXPECT_EQ(report.prediction, Prediction::v_prediction);
  EXPECT_TRUE(report.zero_terminal_snr);
  EXPECT_EQ(report.latent_scale_reason, "scaling_factor in the VAE's config.json");
  EXPECT_TRUE(report.unexpected.empty());
}

TEST(Detect, a_training_configuration_beside_the_file) {
  const fs::path folder = fs::path(testing::TempDir()) / "weights_yaml";
  fs::create_directories(folder);
  fs::copy_file(kFolder / "layouts/sd2.safetensors", folder / "model.safetensors",
                fs::copy_options::overwrite_existing);
  write_file_atomically(folder / "model.yaml", "model:\n  params:\n    parameterization: \"v\"\n");
  EXPECT_EQ(describe(open_checkpoint(folder / "model.safetensors").take()).prediction,
            Prediction::v_prediction);
  write_file_atomically(folder / "model.yaml", "model:\n  params:\n    timesteps: 1000\n");
  EXPECT_EQ(describe(open_checkpoint(folder / "model.safetensors").take()).prediction, Prediction::epsilon);
  fs::remove_all(folder);
}

TEST(Detect, pruned_depths_and_extra_inputs) {
  const ModelReport pruned = describe(open_checkpoint(kFolder / "layouts/unet_pruned.safetensors").take());
  EXPECT_EQ(pruned.unet->depths, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(pruned.unet->up_depths, (std::vector<std::vector<int>>{{2, 1}, {1, 1}, {}}));
  EXPECT_EQ(pruned.unet->middle_depth, 0);
  EXPECT_EQ(pruned.unet->size_embedding_width, 32);
  const ModelReport lcm = describe(open_checkpoint(kFolder / "layouts/unet_lcm_bare.safetensors").take());
  EXPECT_TRUE(lcm.unet->guidance_embedding);
  EXPECT_EQ(lcm.input, InputKind::edit);
}

TEST(Detect, precisions_and_counts) {
  const ModelReport report = describe(open_checkpoint(kFolder / "layouts/sd2.safetensors").take());
  ASSERT_EQ(report.components.size(), 3u);
  for (const ComponentReport& component : report.components) {
    EXPECT_EQ(component.precision, "f8_e4m3");
    EXPECT_EQ(component.parameters, component.bytes);  // one byte each
    EXPECT_GT(component.tensors, 0u);
  }
  const Json json = report.to_json();
  EXPECT_EQ(json["family"], "sd2");
  EXPECT_EQ(json["unet"]["in_channels"], 9);
  EXPECT_EQ(json["input"], "inpaint");
  EXPECT_EQ(json["components"].size(), 3u);
}

TEST(Detect, records_that_are_no_text_can_still_be_shown) {
  const Design sd1{.channels = {320, 640, 1280, 1280}, .depths = {1, 1, 1, 0}};
  const ModelReport report = report_with(sd1, {}, {{"title", "\xff\xfe"}});
  EXPECT_NO_THROW(report.to_json().dump());
}

// The three hashes against definitions written out: sha256sum, its middle part, and the bytes after the
// header.
TEST(Hashes, of_a_safetensors_file) {
  const fs::path folder = fs::path(testing::TempDir()) / "weights_hashes";
  fs::create_directories(folder);
  const fs::path path = folder / "a.safetensors";
  const std::string data(0x200000, 'x');
  const std::string header =
      fmt::format(R"({{"a":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}})", data.size());
  const uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), 8);
  bytes += header + data;
  bytes[0x100000 + 5] = 'y';
  write_file_atomically(path, bytes);
  const FileHashes hashes = hash_file(path).take();
  EXPECT_EQ(hashes.sha256, sha256_hex(bytes));
  EXPECT_EQ(hashes.a1111_short, sha256_hex(bytes).substr(0, 10));
  EXPECT_EQ(hashes.a1111_legacy, sha256_hex(bytes.substr(0x100000, 0x10000)).substr(0, 8));
  EXPECT_EQ(hashes.tensors, "0x" + sha256_hex(bytes.substr(8 + header.size())));
  EXPECT_EQ(hashes.short_tensors.size(), 12u);
  EXPECT_TRUE(hash_file(kFolder / "new.ckpt").take().tensors.empty());
  EXPECT_FALSE(hash_file(folder / "nothing"));
  fs::remove_all(folder);
}

// --- files without a UNet
// -----------------------------------------------------------------------------------

using Tensors = std::vector<std::pair<std::string, Shape>>;

std::string family_of(const Tensors& tensors) {
  auto file = std::make_shared<Outline>();
  for (const auto& [tensor, shape] : tensors) file->put(tensor, shape);
  const ModelReport report = describe(checkpoint_of(file).take());
  EXPECT_FALSE(report.family_reason.empty());
  EXPECT_EQ(report.to_json()["family_reason"], report.family_reason);
  return std::string(name(report.family));
}

TEST(Detect, families_of_adapters) {
  const auto kohya = [](int64_t width) {
    const std::string layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k.";
    return family_of({{layer + "lora_down.weight", {4, width}}, {layer + "lora_up.weight", {320, 4}}});
  };
  EXPECT_EQ(kohya(768), "sd1");
  EXPECT_EQ(kohya(1024), "sd2");
  EXPECT_EQ(kohya(2048), "sdxl-base");
  EXPECT_EQ(kohya(77), "unknown");
  const std::string layer = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.";
  EXPECT_EQ(family_of({{layer + "lora_A.weight", {4, 2048}}, {layer + "lora_B.weight", {640, 4}}}),
            "sdxl-base");
  EXPECT_EQ(family_of({{"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", {4, 1280}}}),
            "sdxl-base");
  // Attention of the picture to itself says nothing of text.
  EXPECT_EQ(
      family_of({{"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_k.lora_down.weight",
                  {4, 768}}}),
      "unknown");
}

TEST(Detect, families_of_words_and_controls) {
  EXPECT_EQ(family_of({{"emb_params", {2, 768}}}), "sd1");
  EXPECT_EQ(family_of({{"emb_params", {2, 1024}}}), "sd2");
  EXPECT_EQ(family_of({{"clip_l", {2, 768}}, {"clip_g", {2, 1280}}}), "sdxl-base");
  EXPECT_EQ(family_of({{"<mood>", {1024}}}), "sd2");
  EXPECT_EQ(
      family_of({{"image_proj.proj.weight", {8192, 1280}}, {"ip_adapter.1.to_k_ip.weight", {640, 2048}}}),
      "sdxl-base");
  const Tensors controlnet = {
      {"conv_in.weight", {320, 4, 3, 3}},
      {"time_embedding.linear_1.weight", {1280, 320}},
      {"controlnet_cond_embedding.conv_in.weight", {16, 3, 3, 3}},
      {"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", {320, 768}}};
  EXPECT_EQ(family_of(controlnet), "sd1");
  EXPECT_EQ(family_of({{"decoder.up_blocks.0.resnets.0.conv1.weight", {8, 8, 3, 3}}}), "unknown");
}

}  // namespace
}  // namespace maquette::weights

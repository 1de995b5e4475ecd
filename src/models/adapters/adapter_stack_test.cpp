// What the golden cases do not show: several adapters at once, scales from configurations, names of other
// programs, what does not match, and files that mean harm.
#include "models/adapters/adapter_stack.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "models/adapters/tiny_components.h"
#include "models/golden_case.h"

namespace maquette::models {
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr const char* kQ = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight";
constexpr const char* kQModule = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
constexpr const char* kConv = "down_blocks.0.resnets.0.conv1.weight";
constexpr const char* kConvModule = "lora_unet_down_blocks_0_resnets_0_conv1";

SharedAdapter adapter_from(const Tensors& tensors, const std::map<std::string, std::string>& metadata = {},
                           const Json& config = Json::object()) {
  return std::make_shared<const Adapter>(adapter_of(tiny_file(tensors, metadata).take(), config).take());
}

Tensor scalar(float value) { return Tensor::full({}, value); }

Tensors lora_on(const std::string& module, uint32_t seed, const Shape& down = {2, 4}, int64_t out = 4) {
  return {{module + ".lora_up.weight", tiny_values({out, down[0]}, seed)},
          {module + ".lora_down.weight", tiny_values(down, seed + 1)}};
}

// What a single adapter of strength 1 makes of one parameter.
Tensor merged_by(const SharedAdapter& adapter, const std::string& component, const std::string& name,
                 double strength = 1) {
  const Components components = tiny_components();
  AdapterStack stack(components);
  const AdapterUse use{.adapter = adapter, .unet_weight = strength, .text_weight = strength};
  stack.set(std::span(&use, 1));
  return components.at(component).find(name)->read().clone();
}

Tensor plain(const std::string& component, const std::string& name) {
  return tiny_components().at(component).find(name)->read();
}

Tensor difference(const Tensor& a, const Tensor& b) {
  Tensor d = a.clone();
  dense::add_scaled(d, -1, b);
  return d;
}

// ------------------------------------------------------------------------------------------ several at once

TEST(AdapterStack, several_adapters_add_their_own_differences_in_any_order) {
  Tensors dora = lora_on(kQModule, 5);
  dora[std::string(kQModule) + ".dora_scale"] = Tensor::from({4, 1}, {1.0f, 2.0f, 0.5f, 1.5f});
  const SharedAdapter a = adapter_from(lora_on(kQModule, 3));
  const SharedAdapter b = adapter_from(lora_on(kQModule, 9, {3, 4}));
  const SharedAdapter c = adapter_from(dora);

  for (const auto& set :
       std::vector<std::vector<SharedAdapter>>{{a, b}, {b, a}, {a, b, c}, {c, b, a}, {a, a}}) {
    const Components components = tiny_components();
    AdapterStack stack(components);
    std::vector<AdapterUse> uses;
    Tensor expected = plain("unet", kQ).clone();
    double strength = 0.4;
    for (const SharedAdapter& adapter : set) {
      uses.push_back({.adapter = adapter, .unet_weight = strength});
      const Tensor alone = difference(merged_by(adapter, "unet", kQ), plain("unet", kQ));
      dense::add_scaled(expected, static_cast<float>(strength), alone);
      strength += 0.3;
    }
    stack.set(uses);
    EXPECT_LT(l2_error(components.at("unet").find(kQ)->read(), expected), 1e-6);
  }
}

TEST(AdapterStack, unet_and_text_have_strengths_of_their_own) {
  Tensors both = lora_on(kQModule, 3);
  both.merge(lora_on("lora_te1_text_model_encoder_layers_0_mlp_fc1", 7, {2, 6}, 12));
  const SharedAdapter adapter = adapter_from(both);
  const Components components = tiny_components();
  AdapterStack stack(components);
  AdapterUse use{.adapter = adapter, .unet_weight = 0, .text_weight = 0.5};
  EXPECT_EQ(stack.set(std::span(&use, 1)).merged, 1);
  EXPECT_EQ(l2_error(components.at("unet").find(kQ)->read(), plain("unet", kQ)), 0);

  // Only what changes is touched: the text encoder's part stays when the UNet's comes on.
  use.unet_weight = 1;
  const MergeCounts counts = stack.set(std::span(&use, 1));
  EXPECT_EQ(counts.merged, 1);
  EXPECT_EQ(counts.unchanged, 1);
  use.text_weight = 0;
  EXPECT_EQ(stack.set(std::span(&use, 1)).restored, 1);
  EXPECT_EQ(stack.changed(), 1U);
}

TEST(AdapterStack, restores_the_very_same_tensors_and_values) {
  Tensors all = lora_on(kQModule, 3);
  all[std::string(kConvModule) + ".diff"] = tiny_values({4, 4, 3, 3}, 20);
  all[std::string(kConvModule) + ".diff_b"] = tiny_values({4}, 21);
  all["lora_unet_down_blocks_0_resnets_0_norm1.w_norm"] = tiny_values({4}, 22);
  all["lora_unet_down_blocks_0_resnets_0_norm1.b_norm"] = tiny_values({4}, 23);
  const Components components = tiny_components();
  const char* names[] = {kQ, kConv, "down_blocks.0.resnets.0.conv1.bias",
                         "down_blocks.0.resnets.0.norm1.weight", "down_blocks.0.resnets.0.norm1.bias"};
  std::map<std::string, const void*> memory;
  for (const char* name : names) memory[name] = components.at("unet").find(name)->read().raw();

  AdapterStack stack(components);
  const AdapterUse use{.adapter = adapter_from(all), .unet_weight = -0.7};
  EXPECT_EQ(stack.set(std::span(&use, 1)).merged, 5);
  for (const char* name : names) {
    EXPECT_GT(l2_error(components.at("unet").find(name)->read(), plain("unet", name)), 0.1) << name;
  }
  EXPECT_EQ(stack.set({}).restored, 5);
  for (const char* name : names) {
    EXPECT_EQ(l2_error(components.at("unet").find(name)->read(), plain("unet", name)), 0) << name;
    EXPECT_EQ(components.at("unet").find(name)->read().raw(), memory[name]) << name;
  }
}

// ------------------------------------------------------------------------------------------------- scales

// |dW| against the same factors at scale 1.
double scale_of(Tensors tensors, const std::map<std::string, std::string>& metadata = {},
                const Json& config = Json::object()) {
  const Tensor up = tiny_values({4, 4}, 3);
  const Tensor down = tiny_values({4, 4}, 4);
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  tensors[module + ".lora_A.weight"] = down;
  tensors[module + ".lora_B.weight"] = up;
  const Tensor d =
      difference(merged_by(adapter_from(tensors, metadata, config), "unet", kQ), plain("unet", kQ));
  const Tensor one = dense::product(up, down);
  return d.data()[0] / one.data()[0];
}

TEST(AdapterScale, follows_alpha_and_the_rank) {
  const std::string alpha = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.alpha";
  EXPECT_NEAR(scale_of({}), 1, 1e-5) << "no alpha at all";
  EXPECT_NEAR(scale_of({{alpha, scalar(2)}}), 0.5, 1e-5);
  EXPECT_NEAR(scale_of({{alpha, scalar(0)}}), 1, 1e-5) << "zero means as the rank";
  EXPECT_NEAR(scale_of({}, {{"lora_adapter_metadata", R"({"unet.lora_alpha": 8})"}}), 2, 1e-5);
  EXPECT_NEAR(scale_of({}, {{"lora_adapter_metadata", R"({"unet.lora_alpha": 8, "unet.use_rslora": true})"}}),
              4, 1e-5);
  EXPECT_NEAR(
      scale_of({}, {{"lora_adapter_metadata",
                     R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 1, "ttn1.to_q": 3}})"}}),
      0.25, 1e-5);
  EXPECT_NEAR(scale_of({}, {{"lora_adapter_metadata", R"({"text_encoder.lora_alpha": 8})"}}), 1, 1e-5);
  EXPECT_NEAR(scale_of({{alpha, scalar(2)}}, {{"lora_adapter_metadata", R"({"unet.lora_alpha": 8})"}}), 0.5,
              1e-5)
      << "the file's own alpha goes first";
  EXPECT_NEAR(scale_of({}, {}, Json{{"lora_alpha", 2}, {"r", 4}, {"bias", "none"}}), 0.5, 1e-5)
      << "adapter_config.json";
}

TEST(AdapterScale, refuses_a_scale_that_is_none) {
  const std::string alpha = "lora_unet_conv_out.alpha";
  Tensors tensors = lora_on("lora_unet_conv_out", 1, {2, 36});
  tensors[alpha] = Tensor::full({}, std::nanf(""));
  EXPECT_FALSE(adapter_of(tiny_file(tensors).take()));
  tensors[alpha] = Tensor::full({2}, 1);
  EXPECT_FALSE(adapter_of(tiny_file(tensors).take()));
  tensors.erase(alpha);
  for (const char* json : {"[]", "{", R"({"unet.lora_alpha": "8"})", R"({"unet.lora_alpha": 1e999})",
                           R"({"unet.use_rslora": 1})", R"({"unet.alpha_pattern": {"x": []}})"}) {
    EXPECT_FALSE(adapter_of(tiny_file(tensors, {{"lora_adapter_metadata", json}}).take())) << json;
  }
}

TEST(AdapterScale, lokr_of_two_full_matrices_ignores_alpha) {
  Tensors tensors{{"lora_unet_conv_out.lokr_w1", tiny_values({2, 2}, 1)},
                  {"lora_unet_conv_out.lokr_w2", tiny_values({2, 2, 3, 3}, 2)}};
  const Tensor without = merged_by(adapter_from(tensors), "unet", "conv_out.weight");
  tensors["lora_unet_conv_out.alpha"] = scalar(0.1f);
  EXPECT_EQ(l2_error(merged_by(adapter_from(tensors), "unet", "conv_out.weight"), without), 0);

  // PEFT divides by the rank of its configuration all the same.
  tensors.erase("lora_unet_conv_out.alpha");
  const Tensor own = plain("unet", "conv_out.weight");
  const Tensor scaled =
      merged_by(adapter_from(tensors, {}, Json{{"alpha", 3}, {"r", 2}}), "unet", "conv_out.weight");
  Tensor expected = own.clone();
  dense::add_scaled(expected, 1.5f, difference(without, own));
  EXPECT_LT(l2_error(scaled, expected), 1e-6);
}

// ----------------------------------------------------------------------------- families beyond the golden
// cases

// A block of two with skew part [[0, q], [-q, 0]] is a rotation with cosine (1 - q^2) / (1 + q^2).
TEST(AdapterFamilies, oft_rotates_the_rows_of_each_block) {
  const float q = 0.5f;
  const float c = (1 - q * q) / (1 + q * q);
  const float s = 2 * q / (1 + q * q);
  Tensors tensors{{std::string(kQModule) + ".oft_blocks",
                   Tensor::from({2, 2, 2}, {0.1f, q, 0, 0.7f, 0, 0, 0, 0})},  // the diagonal cancels
                  {std::string(kQModule) + ".alpha", scalar(0)}};
  const Tensor w = plain("unet", kQ);
  Tensor expected = w.clone();
  for (size_t j = 0; j < 4; ++j) {  // R = [[c, s], [-s, c]], applied transposed
    expected.data()[j] = c * w.data()[j] - s * w.data()[4 + j];
    expected.data()[4 + j] = s * w.data()[j] + c * w.data()[4 + j];
  }
  EXPECT_LT(l2_error(merged_by(adapter_from(tensors), "unet", kQ), expected), 1e-6);

  // The constraint bounds the norm of all Q: here |Q| = q sqrt(2), brought to alpha times 4 outputs.
  const float bound = 0.1f;
  const float small = bound * 4 / std::sqrt(2.0f);
  tensors[std::string(kQModule) + ".alpha"] = scalar(bound);
  const Tensor constrained = merged_by(adapter_from(tensors), "unet", kQ);
  const float c2 = (1 - small * small) / (1 + small * small);
  const float s2 = 2 * small / (1 + small * small);
  EXPECT_NEAR(constrained.data()[0], c2 * w.data()[0] - s2 * w.data()[4], 1e-5);

  tensors[std::string(kQModule) + ".rescale"] = Tensor::from({4, 1}, {2, 1, 1, 3});
  EXPECT_NEAR(merged_by(adapter_from(tensors), "unet", kQ).data()[12], 3 * w.data()[12], 1e-5);
}

TEST(AdapterFamilies, peft_ia3_multiplies_the_weight) {
  const Tensor w = plain("unet", kQ);
  const Tensor outputs = Tensor::from({4, 1}, {2, 1, 0.5f, 3});
  Tensor expected = w.clone();
  for (size_t i = 0; i < 16; ++i) expected.data()[i] *= outputs.data()[i / 4];
  const std::string module = "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  EXPECT_LT(l2_error(merged_by(adapter_from({{module + ".ia3_l", outputs}}), "unet", kQ), expected), 1e-6);
  // Factors of outputs are those of the bias too, where the layer has one.
  const std::string out = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0";
  const SharedAdapter on_out = adapter_from({{"base_model.model." + out + ".ia3_l", outputs}});
  const Tensor bias = plain("unet", out + ".bias");
  const Tensor bias_now = merged_by(on_out, "unet", out + ".bias");
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(bias_now.data()[i], outputs.data()[i] * bias.data()[i], 1e-6);

  expected = w.clone();
  for (size_t i = 0; i < 16; ++i) expected.data()[i] *= outputs.data()[i % 4];
  EXPECT_LT(
      l2_error(merged_by(adapter_from({{module + ".ia3_l", outputs.reshape({1, 4})}}), "unet", kQ), expected),
      1e-6);
}

TEST(AdapterFamilies, glora_of_the_first_releases_has_its_factors_swapped) {
  const std::string m = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  const Tensor a1 = tiny_values({4, 2}, 1), a2 = tiny_values({2, 4}, 2);
  const Tensor b1 = tiny_values({4, 2}, 3), b2 = tiny_values({2, 4}, 4);
  const Tensor today = merged_by(
      adapter_from(
          {{m + ".a1.weight", a1}, {m + ".a2.weight", a2}, {m + ".b1.weight", b1}, {m + ".b2.weight", b2}}),
      "unet", kQ);
  const Tensor first = merged_by(
      adapter_from(
          {{m + ".a1.weight", a2}, {m + ".a2.weight", a1}, {m + ".b1.weight", b2}, {m + ".b2.weight", b1}}),
      "unet", kQ);
  EXPECT_EQ(l2_error(first, today), 0);
}

// PEFT keeps magnitudes as [out] for linear layers and [1, out, 1, 1] for convolutions; always of the
// outputs.
TEST(AdapterFamilies, peft_magnitudes_are_those_of_the_outputs) {
  const std::string m = "unet.down_blocks.0.resnets.0.conv1";
  const Tensor magnitude = Tensor::from({1, 4, 1, 1}, {1, 2, 3, 4});
  Tensors tensors{{m + ".lora_A.weight", tiny_values({2, 4, 3, 3}, 1)},
                  {m + ".lora_B.weight", tiny_values({4, 2, 1, 1}, 2)},
                  {m + ".lora_magnitude_vector", magnitude}};
  const Tensor w = merged_by(adapter_from(tensors), "unet", kConv);
  for (int64_t o = 0; o < 4; ++o) {
    double norm = 0;
    for (const float v : w.rows(o, o + 1).data()) norm += static_cast<double>(v) * v;
    EXPECT_NEAR(std::sqrt(norm), static_cast<double>(o + 1), 1e-5);
  }
  tensors[m + ".lora_magnitude_vector"] = Tensor::full({3}, 1);
  const Components components = tiny_components();
  AdapterStack stack(components);
  EXPECT_EQ(stack.match(adapter_from(tensors)).unmatched.size(), 1U);
}

TEST(AdapterFamilies, peft_lora_may_have_a_bias) {
  const std::string m = "unet.down_blocks.0.resnets.0.conv1";
  const Tensors tensors{{m + ".lora_A.weight", tiny_values({2, 4, 3, 3}, 1)},
                        {m + ".lora_B.weight", tiny_values({4, 2, 1, 1}, 2)},
                        {m + ".lora_B.bias", Tensor::full({4}, 1)},
                        {m + ".alpha", scalar(1)}};
  const std::string bias = "down_blocks.0.resnets.0.conv1.bias";
  const Tensor d = difference(merged_by(adapter_from(tensors), "unet", bias), plain("unet", bias));
  for (const float v : d.data()) EXPECT_NEAR(v, 0.5, 1e-6);
}

// ------------------------------------------------------------------------------------------------- names

TEST(AdapterTargets, knows_the_names_of_many_programs) {
  const Components components = tiny_components();
  const AdapterTargets targets(components);
  const std::string q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  for (const std::string name :
       {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
        "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q",
        "lycoris_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
        "lycoris_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
        "oft_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q",
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
        "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
        "unet.base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
        "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q",
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q"}) {
    const AdapterTarget target = targets.find(name);
    EXPECT_EQ(target.component, "unet") << name;
    EXPECT_EQ(target.layer, q) << name;
  }
  const std::string fc1 = "text_model.encoder.layers.0.mlp.fc1";
  for (const std::string name :
       {"lora_te_text_model_encoder_layers_0_mlp_fc1", "lora_te1_text_model_encoder_layers_0_mlp_fc1",
        "text_encoder.text_model.encoder.layers.0.mlp.fc1", "text_encoder.encoder.layers.0.mlp.fc1",
        "text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1"}) {
    const AdapterTarget target = targets.find(name);
    EXPECT_EQ(target.component, "text_encoder") << name;
    EXPECT_EQ(target.layer, fc1) << name;
  }
  for (const std::string name :
       {"lora_te2_text_model_encoder_layers_0_mlp_fc1", "text_encoder_2.text_model.encoder.layers.0.mlp.fc1",
        "text_encoders.clip_g.transformer.text_model.encoder.layers.0.mlp.fc1"}) {
    const AdapterTarget target = targets.find(name);
    EXPECT_EQ(target.component, "text_encoder_2") << name;
    EXPECT_EQ(target.layer, "encoder.layers.0.mlp.fc1") << name;
  }
  EXPECT_EQ(targets.find("lora_te2_text_projection").layer, "text_projection");
  EXPECT_EQ(targets.find("lora_unet_input_blocks_1_0_in_layers_2").layer, "down_blocks.0.resnets.0.conv1");
  EXPECT_EQ(targets.find("lora_unet_input_blocks_2_0_op").layer, "down_blocks.0.downsamplers.0.conv");
  EXPECT_EQ(targets.find("lora_unet_middle_block_0_in_layers_2").layer, "mid_block.resnets.0.conv1");
  EXPECT_EQ(targets.find("lora_unet_time_embed_0").layer, "time_embedding.linear_1");
  EXPECT_EQ(targets.find("lora_unet_out_2").layer, "conv_out");
  for (const std::string name :
       {"", "lora_unet_", "lora_te_conv_in", "unet.text_model.encoder.layers.0.mlp.fc1",
        "lora_unet_down_blocks_7_attentions_0_proj_in"}) {
    EXPECT_FALSE(targets.find(name)) << name;
  }
}

TEST(AdapterTargets, the_only_text_encoder_goes_by_te) {
  Components components = tiny_components();
  components.erase("text_encoder");
  const AdapterTargets targets(components);
  EXPECT_EQ(targets.find("lora_te_text_model_encoder_layers_0_mlp_fc1").component, "text_encoder_2");
}

// --------------------------------------------------------------------------------------------- no match

TEST(AdapterReports, say_what_did_not_match_and_why) {
  Tensors tensors = lora_on(kQModule, 3);
  tensors.merge(lora_on("lora_unet_up_blocks_9_conv", 5));
  tensors.merge(
      lora_on("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 7, {2, 2048}));
  tensors["lora_unet_time_embedding_linear_1.diff_b"] = tiny_values({8}, 1);
  tensors["emb_params"] = tiny_values({2, 6}, 1);
  const Components components = tiny_components();
  AdapterStack stack(components);
  const SharedAdapter adapter = adapter_from(tensors);
  const AdapterReport report = stack.match(adapter);
  EXPECT_EQ(report.matched, std::vector<std::string>{kQModule});
  ASSERT_EQ(report.unmatched.size(), 4U);
  EXPECT_EQ(report.unmatched[0].reason, "it is for a layer of another size");
  EXPECT_EQ(report.unmatched[0].found, "LoRA of 4 x 2048");
  EXPECT_EQ(report.unmatched[0].expected, "[4, 6]");
  EXPECT_EQ(report.unmatched[1].reason, "the layer has no bias");
  EXPECT_EQ(report.unmatched[2].reason, "the model has no such layer");
  EXPECT_EQ(report.unmatched[3].key, "emb_params");
  try {
    require_matched(report);
    FAIL() << "must not accept what does not match";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::weights);
    EXPECT_NE(error.message().find("4 of 5"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("lora_unet_up_blocks_9_conv"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("2048 (SDXL)"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("--allow-unmatched"), std::string::npos) << error.message();
  }
  // Allowed, the rest is applied.
  const AdapterUse use{.adapter = adapter};
  EXPECT_EQ(stack.set(std::span(&use, 1)).merged, 1);
}

TEST(AdapterReports, a_file_that_is_no_adapter_is_refused) {
  EXPECT_FALSE(adapter_of(tiny_file({}).take()));
  EXPECT_FALSE(adapter_of(tiny_file({{"conv_in.weight", tiny_values({4, 4}, 1)}}).take()));
  EXPECT_FALSE(adapter_of(tiny_file({{"emb_params", tiny_values({4, 4}, 1)}}).take()));
  EXPECT_FALSE(read_adapter("tests/golden/adapters/no_such_file.safetensors"));
  EXPECT_FALSE(read_adapter("tests/golden/adapters"));
}

// ---------------------------------------------------------------------------------------------- hostile
// files

// Tensors of one module with sizes that do not go together: refused or unmatched, never a crash and never a
// change of a weight's shape.
TEST(AdapterHostile, shapes_that_do_not_go_together_never_crash) {
  const std::vector<std::string> names = {
      "lora_up.weight", "lora_down.weight", "lora_mid.weight", "dora_scale", "alpha",      "hada_w1_a",
      "hada_w1_b",      "hada_w2_a",        "hada_w2_b",       "hada_t1",    "hada_t2",    "lokr_w1",
      "lokr_w1_a",      "lokr_w1_b",        "lokr_w2",         "lokr_w2_a",  "lokr_w2_b",  "lokr_t2",
      "a1.weight",      "a2.weight",        "b1.weight",       "b2.weight",  "weight",     "on_input",
      "diff",           "diff_b",           "w_norm",          "b_norm",     "oft_blocks", "rescale",
      "ia3_l",          "lora_B.bias"};
  const std::vector<std::vector<std::string>> groups = {
      {names[0], names[1]},
      {names[0], names[1], names[2], names[3]},
      {names[5], names[6], names[7], names[8], names[9], names[10]},
      {names[5], names[6], names[7], names[8], names[3]},
      {names[11], names[15], names[16], names[17]},
      {names[12], names[13], names[14]},
      {names[18], names[19], names[20], names[21]},
      {names[22], names[23]},
      {names[24], names[25]},
      {names[26], names[27]},
      {names[28], names[29], names[4]},
      {names[30]},
      names};
  const std::vector<std::string> modules = {kQModule, kConvModule, "lora_unet_conv_in",
                                            "lora_unet_down_blocks_0_resnets_0_norm1"};
  const std::vector<int64_t> sizes = {0, 1, 2, 3, 4, 6, 9, 36};
  std::mt19937 random(7);
  const auto pick = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  const Components components = tiny_components();
  AdapterStack stack(components);
  int applied = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string& module = modules[pick(modules.size())];
    Tensors tensors;
    for (const std::string& name : groups[pick(groups.size())]) {
      if (pick(8) == 0) continue;
      std::vector<int64_t> shape(pick(5));
      for (int64_t& size : shape) size = sizes[pick(sizes.size())];
      // Mostly sizes that would fit, so that the formulas run too.
      if (pick(4) != 0) shape = {4, 4};
      tensors[module + "." + name] = tiny_values(Shape(shape), static_cast<uint32_t>(round));
    }
    Result<Adapter> adapter = adapter_of(tiny_file(tensors).take());
    if (!adapter) continue;
    const AdapterUse use{.adapter = std::make_shared<const Adapter>(std::move(*adapter))};
    applied += stack.set(std::span(&use, 1)).merged > 0 ? 1 : 0;
    for (const auto& [name, parameter] : components.at("unet").all()) {
      ASSERT_EQ(parameter.read().shape(), parameter.shape) << name;
    }
  }
  EXPECT_GT(applied, 100) << "the rounds must reach the formulas";
  stack.set({});
  EXPECT_EQ(l2_error(components.at("unet").find(kQ)->read(), plain("unet", kQ)), 0);
}

}  // namespace
}  // namespace maquette::models

#include "models/adapters/adapter_keys.h"

#include <gtest/gtest.h>

namespace maquette::models {
namespace {

struct KeyCase {
  const char* key;
  const char* module;
  const char* tensor;
};

// One line per published form.
constexpr KeyCase kForms[] = {
    {"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", "lora_unet_mid_block_attentions_0_proj_in",
     "lora_down"},
    {"lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha", "lora_te1_text_model_encoder_layers_0_mlp_fc1",
     "alpha"},
    {"lora_unet_conv_in.lora_mid.weight", "lora_unet_conv_in", "lora_mid"},
    {"lora_unet_conv_in.dora_scale", "lora_unet_conv_in", "dora_scale"},
    {"lycoris_conv_in.hada_w1_a", "lycoris_conv_in", "hada_w1_a"},
    {"lycoris_conv_in.hada_t2", "lycoris_conv_in", "hada_t2"},
    {"lycoris_conv_in.lokr_w2_b", "lycoris_conv_in", "lokr_w2_b"},
    {"lora_unet_conv_in.a1.weight", "lora_unet_conv_in", "a1"},
    {"lora_unet_conv_in.b2.weight", "lora_unet_conv_in", "b2"},
    {"lora_unet_conv_in.diff", "lora_unet_conv_in", "diff"},
    {"lora_unet_conv_in.diff_b", "lora_unet_conv_in", "diff_b"},
    {"lora_unet_conv_norm_out.w_norm", "lora_unet_conv_norm_out", "w_norm"},
    {"lora_unet_conv_in.on_input", "lora_unet_conv_in", "on_input"},
    {"lora_unet_conv_in.weight", "lora_unet_conv_in", "weight"},
    {"oft_unet_conv_in.oft_blocks", "oft_unet_conv_in", "oft_blocks"},
    {"unet.mid_block.attn1.to_q.lora_A.weight", "unet.mid_block.attn1.to_q", "lora_down"},
    {"unet.mid_block.attn1.to_q.lora_B.weight", "unet.mid_block.attn1.to_q", "lora_up"},
    {"unet.mid_block.attn1.to_q.lora_B.bias", "unet.mid_block.attn1.to_q", "lora_bias"},
    {"unet.mid_block.attn1.to_q.lora_A.default.weight", "unet.mid_block.attn1.to_q", "lora_down"},
    {"unet.mid_block.attn1.to_q.lora_B.style_2.weight", "unet.mid_block.attn1.to_q", "lora_up"},
    {"base_model.model.attn1.to_out.0.lora_A.weight", "base_model.model.attn1.to_out.0", "lora_down"},
    {"base_model.model.attn1.to_q.lora_magnitude_vector", "base_model.model.attn1.to_q", "magnitude"},
    {"base_model.model.attn1.to_q.lora_magnitude_vector.default.weight", "base_model.model.attn1.to_q",
     "magnitude"},
    {"base_model.model.attn1.to_q.ia3_l", "base_model.model.attn1.to_q", "ia3_l"},
    {"base_model.model.attn1.to_q.hada_w1_a.default", "base_model.model.attn1.to_q", "hada_w1_a"},
    {"unet.mid_block.attn1.processor.to_q_lora.up.weight", "unet.mid_block.attn1.to_q", "lora_up"},
    {"mid_block.attn1.processor.to_out_lora.down.weight", "mid_block.attn1.to_out.0", "lora_down"},
    {"unet.mid_block.attn1.processor.to_q_lora.alpha", "unet.mid_block.attn1.to_q", "alpha"},
    {"unet.mid_block.attn1.to_q.lora_linear_layer.up.weight", "unet.mid_block.attn1.to_q", "lora_up"},
    {"unet.mid_block.attn1.to_out.0.lora.down.weight", "unet.mid_block.attn1.to_out.0", "lora_down"},
    {"text_encoder.text_model.encoder.layers.3.self_attn.to_k_lora.up.weight",
     "text_encoder.text_model.encoder.layers.3.self_attn.k_proj", "lora_up"},
    {"text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora.down.weight",
     "text_encoder.text_model.encoder.layers.3.self_attn.out_proj", "lora_down"},
};

TEST(AdapterKeys, splits_every_published_form) {
  for (const KeyCase& form : kForms) {
    const auto key = split_adapter_key(form.key);
    ASSERT_TRUE(key) << form.key;
    EXPECT_EQ(key->module, form.module) << form.key;
    EXPECT_EQ(key->tensor, form.tensor) << form.key;
  }
}

TEST(AdapterKeys, leaves_other_names_alone) {
  for (const char* key : {"", ".", "..", "emb_params", "lora_up", "lora_up.weight", ".lora_up.weight",
                          "alpha", "block.up.weight.extra", "mid.down.bias", "conv.bias", "x.lora_down.bias",
                          "string_to_param.*", "a.b.c"}) {
    EXPECT_FALSE(split_adapter_key(key)) << '"' << key << '"';
  }
}

// "up" and "down" are ordinary names of layers where nothing says LoRA.
TEST(AdapterKeys, does_not_take_a_layer_for_a_factor) {
  EXPECT_FALSE(split_adapter_key("encoder.down.weight"));
  EXPECT_TRUE(split_adapter_key("encoder.down.lora.down.weight"));
}

}  // namespace
}  // namespace maquette::models

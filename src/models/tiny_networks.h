// For tests and the fuzzer: every kind of network in its smallest form, by the names and shapes of its
// tensors, and one forward pass of each. The shapes may be changed before, as a hostile file would have them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/clip/text_encoder.h"
#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "models/picture_prompt/ip_adapter.h"
#include "models/taesd/taesd.h"
#include "models/unet/unet.h"
#include "models/upscaler/upscaler.h"
#include "models/vae/vae.h"

namespace maquette::models {

// A weight file that holds what its table of contents says: small numbers, the same every time.
class ShapesOnly final : public weights::WeightFile {
 public:
  ShapesOnly() : WeightFile("shapes", "memory") {}
  void add_tensor(const std::string& name, const Shape& shape) { add({.name = name, .shape = shape}); }
  void release(std::string_view) const override {}

 protected:
  Result<Tensor> read_tensor(const weights::TensorInfo& info) const override {
    Tensor t = Tensor::empty(info.shape);
    uint32_t state = 12345;
    for (float& v : t.data()) {
      state = state * 1664525u + 1013904223u;
      v = static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f * 0.25f;
    }
    return t;
  }
};

using TensorShapes = std::vector<std::pair<std::string, Shape>>;

struct TinyNetwork {
  std::string name;
  TensorShapes tensors;
  Json config;
  // Loads the network and runs it once. Throws Error where something does not fit.
  std::function<void(const nn::Scope& scope, const Json& config, nn::Exec& ex)> run;
};

inline void run_network(const TinyNetwork& network, DType activations = DType::f32) {
  const auto file = std::make_shared<ShapesOnly>();
  weights::WeightMap map;
  for (const auto& [name, shape] : network.tensors) {
    file->add_tensor(name, shape);
    map.add(name, {.file = file, .name = name});
  }
  nn::Parameters parameters;
  nn::Exec ex;
  ex.activations = activations;
  network.run(nn::Scope(weights::WeightScope(map), parameters), network.config, ex);
}

// --- parts ------------------------------------------------------------------------------------------------

class TinyTensors {
 public:
  void vector(const std::string& name, int64_t width) {
    list.emplace_back(name + ".weight", Shape{width});
    list.emplace_back(name + ".bias", Shape{width});
  }
  void linear(const std::string& name, int64_t in, int64_t out, bool bias = true) {
    list.emplace_back(name + ".weight", Shape{out, in});
    if (bias) list.emplace_back(name + ".bias", Shape{out});
  }
  void conv(const std::string& name, int64_t in, int64_t out, int64_t kernel = 3, bool bias = true) {
    list.emplace_back(name + ".weight", Shape{out, in, kernel, kernel});
    if (bias) list.emplace_back(name + ".bias", Shape{out});
  }
  void res(const std::string& name, int64_t in, int64_t out, int64_t time) {
    vector(name + ".norm1", in);
    conv(name + ".conv1", in, out);
    if (time > 0) linear(name + ".time_emb_proj", time, out);
    vector(name + ".norm2", out);
    conv(name + ".conv2", out, out);
    if (in != out) conv(name + ".conv_shortcut", in, out, 1);
  }
  void attention(const std::string& name, int64_t width, int64_t context, bool bias = false) {
    linear(name + ".to_q", width, width, bias);
    linear(name + ".to_k", context, width, bias);
    linear(name + ".to_v", context, width, bias);
    linear(name + ".to_out.0", width, width);
  }
  void transformer(const std::string& name, int64_t width, int64_t context) {
    vector(name + ".norm", width);
    conv(name + ".proj_in", width, width, 1);
    const std::string block = name + ".transformer_blocks.0";
    for (const char* norm : {".norm1", ".norm2", ".norm3"}) vector(block + norm, width);
    attention(block + ".attn1", width, width);
    attention(block + ".attn2", width, context);
    linear(block + ".ff.net.0.proj", width, 8 * width);
    linear(block + ".ff.net.2", 4 * width, width);
    conv(name + ".proj_out", width, width, 1);
  }
  void clip_layer(const std::string& name, int64_t width) {
    vector(name + ".layer_norm1", width);
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      linear(name + ".self_attn." + part, width, width);
    }
    vector(name + ".layer_norm2", width);
    linear(name + ".mlp.fc1", width, 2 * width);
    linear(name + ".mlp.fc2", 2 * width, width);
  }
  // The way down and the middle, as UNets and ControlNets have them.
  void way_down() {
    linear("time_embedding.linear_1", 4, 8);
    linear("time_embedding.linear_2", 8, 8);
    linear("add_embedding.linear_1", 5, 8);
    linear("add_embedding.linear_2", 8, 8);
    conv("conv_in", 4, 4);
    res("down_blocks.0.resnets.0", 4, 4, 8);
    transformer("down_blocks.0.attentions.0", 4, 6);
    conv("down_blocks.0.downsamplers.0.conv", 4, 4);
    res("down_blocks.1.resnets.0", 4, 8, 8);
    res("mid_block.resnets.0", 8, 8, 8);
    transformer("mid_block.attentions.0", 8, 6);
    res("mid_block.resnets.1", 8, 8, 8);
  }

  TensorShapes list;
};

inline Tensor tiny_input(const Shape& shape) { return Tensor::full(shape, 0.25f); }

// --- the networks -----------------------------------------------------------------------------------------

inline TinyNetwork tiny_unet() {
  TinyTensors t;
  t.way_down();
  t.linear("time_embedding.cond_proj", 3, 4, false);
  t.res("up_blocks.0.resnets.0", 16, 8, 8);
  t.res("up_blocks.0.resnets.1", 12, 4, 8);
  t.conv("up_blocks.0.upsamplers.0.conv", 4, 4);
  t.res("up_blocks.1.resnets.0", 8, 4, 8);
  t.transformer("up_blocks.1.attentions.0", 4, 6);
  t.res("up_blocks.1.resnets.1", 8, 4, 8);
  t.vector("conv_norm_out", 4);
  t.conv("conv_out", 4, 4);
  return {.name = "unet",
          .tensors = t.list,
          .config = {{"norm_num_groups", 2}, {"attention_head_dim", 2}, {"block_out_channels", {4, 8}}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const UNet unet = UNet::load(scope, UNetConfig::from_json(config));
            const nn::CrossContext text(kernels::convert(ex, tiny_input({1, 3, 6}), ex.activations));
            unet(ex, {.latent = tiny_input({1, 4, 6, 5}),
                      .timesteps = {500},
                      .text = &text,
                      .added = tiny_input({1, 5}),
                      .guidance_embedding = tiny_input({1, 3})});
          }};
}

inline TinyNetwork tiny_controlnet() {
  TinyTensors t;
  t.way_down();
  const std::string hint = "controlnet_cond_embedding.";
  t.conv(hint + "conv_in", 3, 2);
  t.conv(hint + "blocks.0", 2, 2);
  t.conv(hint + "blocks.1", 2, 3);
  t.conv(hint + "conv_out", 3, 4);
  for (int i = 0; i < 4; ++i) {
    t.conv("controlnet_down_blocks." + std::to_string(i), i < 3 ? 4 : 8, i < 3 ? 4 : 8, 1);
  }
  t.conv("controlnet_mid_block", 8, 8, 1);
  return {.name = "controlnet",
          .tensors = t.list,
          .config = {{"norm_num_groups", 2}, {"attention_head_dim", 2}, {"block_out_channels", {4, 8}}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const ControlNet net = ControlNet::load(scope, ControlNetConfig::from_json(config));
            const int64_t side = 6 * int64_t{net.hint_factor()};
            const Tensor hint = net.hint(ex, tiny_input({1, net.hint_channels(), side, side}));
            const nn::CrossContext text(kernels::convert(ex, tiny_input({1, 3, 6}), ex.activations));
            const UNetInput input{.latent = tiny_input({1, 4, 6, 6}),
                                  .timesteps = {500},
                                  .text = &text,
                                  .added = tiny_input({1, 5})};
            net(ex, input, hint, {.scale = 0.5});
          }};
}

inline TinyNetwork tiny_vae() {
  TinyTensors t;
  t.conv("encoder.conv_in", 3, 4);
  t.res("encoder.down_blocks.0.resnets.0", 4, 4, 0);
  t.conv("encoder.down_blocks.0.downsamplers.0.conv", 4, 4);
  t.res("encoder.down_blocks.1.resnets.0", 4, 8, 0);
  t.conv("decoder.conv_in", 2, 8);
  t.res("decoder.up_blocks.0.resnets.0", 8, 8, 0);
  t.conv("decoder.up_blocks.0.upsamplers.0.conv", 8, 8);
  t.res("decoder.up_blocks.1.resnets.0", 8, 4, 0);
  for (const std::string half : {"encoder", "decoder"}) {
    t.res(half + ".mid_block.resnets.0", 8, 8, 0);
    t.vector(half + ".mid_block.attentions.0.group_norm", 8);
    t.attention(half + ".mid_block.attentions.0", 8, 8, true);
    t.res(half + ".mid_block.resnets.1", 8, 8, 0);
    t.vector(half + ".conv_norm_out", half == "encoder" ? 8 : 4);
  }
  t.conv("encoder.conv_out", 8, 4);
  t.conv("decoder.conv_out", 4, 3);
  t.conv("quant_conv", 4, 4, 1);
  t.conv("post_quant_conv", 2, 2, 1);
  return {.name = "vae",
          .tensors = t.list,
          .config = {{"norm_num_groups", 2}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const Vae vae = Vae::load(scope, VaeConfig::from_json(config));
            vae.decode(ex, tiny_input({1, vae.latent_channels(), 4, 3}));
            if (!vae.can_encode()) return;
            const int64_t side = 4 * int64_t{vae.factor()};
            vae.encode(ex, tiny_input({1, 3, side, side}));
          }};
}

inline TinyNetwork tiny_taesd() {
  TinyTensors t;
  const auto block = [&t](const std::string& name) {
    for (const char* conv : {".conv.0", ".conv.2", ".conv.4"}) t.conv(name + conv, 4, 4);
  };
  t.conv("encoder.layers.0", 3, 4);
  block("encoder.layers.1");
  t.conv("encoder.layers.2", 4, 4, 3, false);
  t.conv("encoder.layers.3", 4, 2);
  t.conv("decoder.layers.0", 2, 4);
  block("decoder.layers.2");
  t.conv("decoder.layers.4", 4, 4, 3, false);
  t.conv("decoder.layers.5", 4, 3);
  return {.name = "taesd",
          .tensors = t.list,
          .config = {{"upsampling_scaling_factor", 2}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const Taesd taesd = Taesd::load(scope, TaesdConfig::from_json(config));
            if (taesd.can_decode()) taesd.decode(ex, tiny_input({1, taesd.latent_channels(), 3, 4}));
            if (!taesd.can_encode()) return;
            const int64_t side = 2 * int64_t{taesd.factor()};
            taesd.encode(ex, tiny_input({1, 3, side, side}));
          }};
}

inline TinyNetwork tiny_text_encoder() {
  TinyTensors t;
  t.list.emplace_back("text_model.embeddings.token_embedding.weight", Shape{10, 8});
  t.list.emplace_back("text_model.embeddings.position_embedding.weight", Shape{7, 8});
  t.clip_layer("text_model.encoder.layers.0", 8);
  t.clip_layer("text_model.encoder.layers.1", 8);
  t.vector("text_model.final_layer_norm", 8);
  t.linear("text_projection", 8, 5, false);
  return {.name = "text encoder",
          .tensors = t.list,
          .config = {{"num_attention_heads", 2}, {"hidden_act", "gelu"}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const TextEncoder encoder = TextEncoder::load(scope, TextEncoderConfig::from_json(config));
            const std::vector<std::vector<TextInput>> ids{{{.id = 1}, {.id = 9}, {.id = 3}, {.id = 0}}};
            const TextOutput out = encoder(ex, ids);
            const int64_t last[] = {3};
            encoder.pooled(ex, out.last, last);
            encoder.final_norm(ex, out.hidden.front());
          }};
}

inline TinyNetwork tiny_vision_encoder() {
  TinyTensors t;
  const std::string embeddings = "vision_model.embeddings.";
  t.list.emplace_back(embeddings + "class_embedding", Shape{8});
  t.list.emplace_back(embeddings + "patch_embedding.weight", Shape{8, 3, 2, 2});
  t.list.emplace_back(embeddings + "position_embedding.weight", Shape{10, 8});
  t.vector("vision_model.pre_layrnorm", 8);
  t.clip_layer("vision_model.encoder.layers.0", 8);
  t.vector("vision_model.post_layernorm", 8);
  t.linear("visual_projection", 8, 5, false);
  return {.name = "picture encoder",
          .tensors = t.list,
          .config = {{"num_attention_heads", 2}, {"hidden_act", "gelu"}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const VisionEncoder encoder = VisionEncoder::load(scope, VisionEncoderConfig::from_json(config));
            encoder(ex, tiny_input({1, 3, encoder.picture_size(), encoder.picture_size()}));
          }};
}

inline TinyNetwork tiny_t2i_adapter() {
  TinyTensors t;
  t.conv("adapter.conv_in", 12, 4);
  t.conv("adapter.body.0.resnets.0.block1", 4, 4);
  t.conv("adapter.body.0.resnets.0.block2", 4, 4, 1);
  t.conv("adapter.body.1.in_conv", 4, 8, 1);
  t.conv("adapter.body.1.resnets.0.block1", 8, 8);
  t.conv("adapter.body.1.resnets.0.block2", 8, 8, 1);
  return {.name = "t2i-adapter",
          .tensors = t.list,
          .config = {{"adapter_type", "full_adapter"}, {"downscale_factor", 2}},
          .run = [](const nn::Scope& scope, const Json& config, nn::Exec& ex) {
            const T2iAdapter adapter = T2iAdapter::load(scope, T2iAdapterConfig::from_json(config));
            const int64_t side = 2 * int64_t{adapter.unfold()};
            adapter(ex, tiny_input({1, adapter.picture_channels(), side, 3 * side}));
          }};
}

// Runs the projection as the picture encoder's answer would reach it.
inline void run_ip_adapter(const nn::Scope& scope, const Json&, nn::Exec& ex) {
  const IpAdapter adapter = IpAdapter::load(scope);
  const int64_t width = adapter.picture_width();
  adapter.project(ex, adapter.is_plus() ? tiny_input({1, 3, width}) : tiny_input({1, width}));
}

inline TinyNetwork tiny_ip_adapter() {
  TinyTensors t;
  t.linear("image_proj.proj", 5, 12);
  t.vector("image_proj.norm", 6);
  t.linear("ip_adapter.1.to_k_ip", 6, 4, false);
  t.linear("ip_adapter.1.to_v_ip", 6, 4, false);
  return {.name = "ip-adapter", .tensors = t.list, .config = Json::object(), .run = run_ip_adapter};
}

inline TinyNetwork tiny_ip_adapter_plus() {
  TinyTensors t;
  t.list.emplace_back("image_proj.latents", Shape{1, 2, 8});
  t.linear("image_proj.proj_in", 5, 8);
  t.linear("image_proj.proj_out", 8, 6);
  t.vector("image_proj.norm_out", 6);
  const std::string layer = "image_proj.layers.0.";
  t.vector(layer + "0.norm1", 8);
  t.vector(layer + "0.norm2", 8);
  t.linear(layer + "0.to_q", 8, 64, false);
  t.linear(layer + "0.to_kv", 8, 128, false);
  t.linear(layer + "0.to_out", 64, 8, false);
  t.vector(layer + "1.0", 8);
  t.linear(layer + "1.1", 8, 16, false);
  t.linear(layer + "1.3", 16, 8, false);
  t.linear("ip_adapter.1.to_k_ip", 6, 4, false);
  t.linear("ip_adapter.1.to_v_ip", 6, 4, false);
  return {.name = "ip-adapter plus", .tensors = t.list, .config = Json::object(), .run = run_ip_adapter};
}

inline void run_upscaler(const nn::Scope& scope, const Json&, nn::Exec& ex) {
  const Upscaler upscaler = Upscaler::load(scope);
  upscale_tiled(ex, upscaler, tiny_input({1, upscaler.channels(), 4, 4}));
}

inline TinyNetwork tiny_rrdb() {
  TinyTensors t;
  t.conv("conv_first", 3, 4);
  for (int k = 1; k <= 3; ++k) t.conv("body.0.rdb1.conv" + std::to_string(k), 4 + 2 * (k - 1), k < 3 ? 2 : 4);
  for (const char* name : {"conv_body", "conv_up1", "conv_hr"}) t.conv(name, 4, 4);
  t.conv("conv_last", 4, 3);
  return {.name = "upscaler", .tensors = t.list, .config = Json::object(), .run = run_upscaler};
}

inline TinyNetwork tiny_compact() {
  TinyTensors t;
  t.conv("body.0", 3, 4);
  t.list.emplace_back("body.1.weight", Shape{4});
  t.conv("body.2", 4, 12);
  return {.name = "compact upscaler", .tensors = t.list, .config = Json::object(), .run = run_upscaler};
}

inline const std::vector<TinyNetwork>& tiny_networks() {
  static const std::vector<TinyNetwork> all = {
      tiny_unet(),        tiny_controlnet(),   tiny_vae(),
      tiny_taesd(),       tiny_text_encoder(), tiny_vision_encoder(),
      tiny_t2i_adapter(), tiny_ip_adapter(),   tiny_ip_adapter_plus(),
      tiny_rrdb(),        tiny_compact()};
  return all;
}

}  // namespace maquette::models

// For tests and the fuzzer: parameters of a network that is only there to be changed, and adapter files in
// memory.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "models/adapters/targets.h"
#include "weights/weight_file.h"

namespace maquette::models {

// A parameter as nn's layers have them: matrices and kernels keep the tensor that is written to them, vectors
// copy it into memory of their own.
inline nn::Parameter tiny_parameter(const Tensor& start) {
  const auto held = std::make_shared<Tensor>(start);
  nn::Parameter parameter{.shape = start.shape(), .read = [held] { return *held; }, .write = nullptr};
  if (start.rank() > 1) {
    parameter.write = [held](const kernels::WeightSource& value) { *held = value.read(); };
  } else {
    parameter.write = [held](const kernels::WeightSource& value) {
      const Tensor wide = value.read().to(DType::f32);
      std::memcpy(held->raw(), wide.raw(), wide.bytes());
    };
  }
  return parameter;
}

// Values that differ from each other, around 1 in size, the same every time.
inline Tensor tiny_values(const Shape& shape, uint32_t seed) {
  Tensor t = Tensor::empty(shape);
  uint32_t state = seed * 2654435761u + 12345u;
  for (float& v : t.data()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
  }
  return t;
}

// An inpainting UNet of one stage and two text encoders, by their names and shapes.
inline Components tiny_components() {
  const std::string block = "down_blocks.0.attentions.0.";
  const std::map<std::string, std::map<std::string, Shape>> layers = {
      {"unet",
       {{"conv_in.weight", {4, 9, 3, 3}},
        {"conv_in.bias", {4}},
        {"time_embedding.linear_1.weight", {8, 4}},
        {"down_blocks.0.resnets.0.norm1.weight", {4}},
        {"down_blocks.0.resnets.0.norm1.bias", {4}},
        {"down_blocks.0.resnets.0.conv1.weight", {4, 4, 3, 3}},
        {"down_blocks.0.resnets.0.conv1.bias", {4}},
        {"down_blocks.0.resnets.0.time_emb_proj.weight", {4, 8}},
        {block + "proj_in.weight", {4, 4, 1, 1}},
        {block + "transformer_blocks.0.attn1.to_q.weight", {4, 4}},
        {block + "transformer_blocks.0.attn1.to_out.0.weight", {4, 4}},
        {block + "transformer_blocks.0.attn1.to_out.0.bias", {4}},
        {block + "transformer_blocks.0.attn2.to_k.weight", {4, 6}},
        {block + "transformer_blocks.0.ff.net.0.proj.weight", {16, 4}},
        {"down_blocks.0.downsamplers.0.conv.weight", {4, 4, 3, 3}},
        {"mid_block.resnets.0.conv1.weight", {4, 4, 3, 3}},
        {"conv_out.weight", {4, 4, 3, 3}}}},
      {"text_encoder",
       {{"text_model.encoder.layers.0.self_attn.q_proj.weight", {6, 6}},
        {"text_model.encoder.layers.0.self_attn.q_proj.bias", {6}},
        {"text_model.encoder.layers.0.mlp.fc1.weight", {12, 6}}}},
      {"text_encoder_2", {{"encoder.layers.0.mlp.fc1.weight", {8, 4}}, {"text_projection.weight", {4, 4}}}}};
  Components components;
  uint32_t seed = 1;
  for (const auto& [component, parameters] : layers) {
    for (const auto& [name, shape] : parameters) {
      components[component].add(name, tiny_parameter(tiny_values(shape, seed++)));
    }
  }
  return components;
}

// The bytes of a safetensors file of f32 tensors, opened.
inline Result<weights::SharedWeightFile> tiny_file(const std::map<std::string, Tensor>& tensors,
                                                   const std::map<std::string, std::string>& metadata = {}) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
    Json sizes = Json::array();
    for (const int64_t size : tensor.shape().sizes()) sizes.push_back(size);
    header[name] = {{"dtype", "F32"}, {"shape", sizes}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  bytes += text + data;
  return weights::open_safetensors(
      weights::ByteSource::copy(std::as_bytes(std::span(bytes.data(), bytes.size())), "tiny.safetensors"));
}

}  // namespace maquette::models

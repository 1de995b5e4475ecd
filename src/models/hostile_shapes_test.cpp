// Weights whose shapes do not fit each other or their network: one clear Error that names a tensor, or a
// network that is sound all the same and runs. Under the sanitizers this also shows that nothing is read
// beyond its end; fuzz/network_fuzzer.cpp looks further.
#include <gtest/gtest.h>
#include <set>

#include "models/tiny_networks.h"

namespace maquette::models {
namespace {

enum class Outcome { ran, refused };

// Anything but these two ends the test.
Outcome outcome_of(const TinyNetwork& network) {
  try {
    run_network(network);
    return Outcome::ran;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::weights) << network.name << ": " << error.message();
    return Outcome::refused;
  }
}

TEST(HostileShapes, the_networks_run_as_they_are) {
  for (const TinyNetwork& network : tiny_networks()) {
    SCOPED_TRACE(network.name);
    EXPECT_NO_THROW(run_network(network));
    EXPECT_NO_THROW(run_network(network, DType::bf16));
  }
}

// Each size of each tensor in turn is one less, one more, twice as large, half, none.
TEST(HostileShapes, a_size_that_is_wrong_is_refused) {
  int refused = 0;
  for (const TinyNetwork& network : tiny_networks()) {
    for (size_t i = 0; i < network.tensors.size(); ++i) {
      const Shape& shape = network.tensors[i].second;
      for (int axis = 0; axis < shape.rank(); ++axis) {
        for (const int64_t size :
             {shape[axis] - 1, shape[axis] + 1, 2 * shape[axis], shape[axis] / 2, int64_t{0}}) {
          TinyNetwork changed = network;
          changed.tensors[i].second.set(axis, size);
          SCOPED_TRACE(changed.tensors[i].first + " " + changed.tensors[i].second.text());
          if (outcome_of(changed) == Outcome::refused) ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 2500);
}

TEST(HostileShapes, a_shape_of_another_tensor_is_refused_or_runs) {
  int refused = 0;
  for (const TinyNetwork& network : tiny_networks()) {
    std::set<std::string> seen;
    std::vector<Shape> shapes{Shape{},           Shape{1},    Shape{1, 1},
                              Shape{1, 1, 1, 1}, Shape{0, 4}, Shape{2, 2, 2, 2, 2}};
    for (const auto& [name, shape] : network.tensors) {
      if (seen.insert(shape.text()).second) shapes.push_back(shape);
    }
    for (size_t i = 0; i < network.tensors.size(); ++i) {
      for (const Shape& shape : shapes) {
        TinyNetwork changed = network;
        changed.tensors[i].second = shape;
        SCOPED_TRACE(changed.tensors[i].first + " " + shape.text());
        if (outcome_of(changed) == Outcome::refused) ++refused;
      }
    }
  }
  EXPECT_GT(refused, 5000);
}

TEST(HostileShapes, a_tensor_that_is_missing_or_too_much_is_refused_or_runs) {
  for (const TinyNetwork& network : tiny_networks()) {
    for (size_t i = 0; i < network.tensors.size(); ++i) {
      TinyNetwork changed = network;
      changed.tensors.erase(changed.tensors.begin() + static_cast<ptrdiff_t>(i));
      SCOPED_TRACE(network.tensors[i].first);
      outcome_of(changed);
    }
  }
}

// The message of an error without its file's name.
std::string message_of(TinyNetwork network, const std::string& tensor, const Shape& shape) {
  for (auto& [name, own] : network.tensors) {
    if (name == tensor) own = shape;
  }
  try {
    run_network(network);
  } catch (const Error& error) {
    std::string text;
    for (const auto& [field, value] : error.fields()) {
      if (field != "where") text += field + " " + value + "\n";
    }
    return text;
  }
  return "no error";
}

TEST(HostileShapes, the_error_names_the_tensor_and_both_shapes) {
  EXPECT_EQ(message_of(tiny_unet(), "conv_in.bias", {3}), "tensor conv_in.bias\nfound [3]\nexpected [4]\n");
  EXPECT_EQ(message_of(tiny_unet(), "down_blocks.0.resnets.0.norm1.weight", {6}),
            "tensor down_blocks.0.resnets.0.norm1.weight\nfound [6]\nexpected [4]\n");
  EXPECT_EQ(message_of(tiny_unet(), "mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight", {8, 6}),
            "tensor mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight\nfound [8, 6]\n"
            "expected [8, 8]\n");
  EXPECT_EQ(message_of(tiny_vae(), "decoder.conv_out.weight", {4, 4, 3, 3}),
            "tensor decoder.conv_out.weight\nfound [4, 4, 3, 3]\nexpected [3, 4, height, width]\n");
  EXPECT_EQ(message_of(tiny_text_encoder(), "text_model.encoder.layers.1.self_attn.v_proj.bias", {7}),
            "tensor text_model.encoder.layers.1.self_attn.v_proj.bias\nfound [7]\nexpected [8]\n");
  EXPECT_EQ(message_of(tiny_ip_adapter_plus(), "image_proj.layers.0.0.to_kv.weight", {64, 8}),
            "tensor image_proj.layers.0.0.to_kv.weight\nfound [64, 8]\nexpected [128, 8]\n");
}

TEST(HostileShapes, configurations_that_no_network_has_are_refused) {
  const std::vector<Json> values = {
      0, -1, 7, 1e30, "8", nullptr, true, Json::array(), Json::object(), Json::array({0})};
  for (const TinyNetwork& network : tiny_networks()) {
    for (const auto& [key, value] : network.config.items()) {
      for (const Json& other : values) {
        TinyNetwork changed = network;
        changed.config[key] = other;
        SCOPED_TRACE(network.name + " " + key + " " + other.dump());
        outcome_of(changed);
      }
    }
    for (const char* key :
         {"norm_eps", "flip_sin_to_cos", "freq_shift", "addition_time_embed_dim", "layer_norm_eps",
          "hidden_act", "vision_config", "scaling_factor", "global_pool_conditions",
          "controlnet_conditioning_channel_order", "act_fn", "latent_magnitude"}) {
      for (const Json& other : values) {
        TinyNetwork changed = network;
        changed.config[key] = other;
        SCOPED_TRACE(network.name + " " + key + " " + other.dump());
        outcome_of(changed);
      }
    }
  }
}

// A file with a hundred thousand stages that hold nothing must not take an hour to be refused.
TEST(HostileShapes, more_parts_than_any_network_has_are_refused) {
  TinyNetwork network = tiny_unet();
  for (int i = 2; i < 100000; ++i) network.tensors.emplace_back(fmt::format("down_blocks.{}.x", i), Shape{1});
  EXPECT_EQ(outcome_of(network), Outcome::refused);
}

}  // namespace
}  // namespace maquette::models

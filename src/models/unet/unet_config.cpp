#include "models/unet/unet_config.h"

#include <algorithm>
#include <type_traits>

namespace maquette::models {

namespace {

int64_t positive(const Json& value, std::string_view key) {
  if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > 65536) {
    throw Error(ErrorCode::weights, "cannot use the UNet's configuration")
        .with("field", key)
        .with("found", value.dump())
        .with("expected", "a positive whole number");
  }
  return value.get<int64_t>();
}

bool present(const Json& config, const char* key) { return config.contains(key) && !config[key].is_null(); }

// A value per level, or one for all.
std::vector<int64_t> per_level(const Json& config, const char* key, size_t levels) {
  const Json& value = config[key];
  std::vector<int64_t> result;
  if (value.is_array()) {
    for (const Json& item : value) result.push_back(positive(item, key));
  } else {
    result.assign(levels, positive(value, key));
  }
  return result;
}

template <typename T>
void read_number(const Json& config, const char* key, T& field) {
  if (!present(config, key)) return;
  const Json& value = config[key];
  // flip_sin_to_cos is true or false, the others are numbers.
  const bool fits = std::is_same_v<T, bool> ? value.is_boolean() : value.is_number();
  if (!fits) {
    throw Error(ErrorCode::weights, "cannot use the UNet's configuration")
        .with("field", key)
        .with("found", value.dump())
        .with("expected", std::is_same_v<T, bool> ? "true or false" : "a number");
  }
  field = value.get<T>();
}

// A field that changes the arithmetic, and the values under which it does what is done here.
struct Choice {
  const char* key;
  Json supported;  // a list
};

void refuse_unless(const Json& config, const Choice& choice) {
  if (!present(config, choice.key)) return;
  const Json& found = config[choice.key];
  const auto is_supported = [&](const Json& value) {
    return std::ranges::find(choice.supported, value) != choice.supported.end();
  };
  if (found.is_array() ? std::ranges::all_of(found, is_supported) : is_supported(found)) return;
  throw Error(ErrorCode::weights, "cannot use the UNet's configuration")
      .with("field", choice.key)
      .with("found", found.dump())
      .with("expected", choice.supported.empty() ? "null" : choice.supported.dump());
}

// diffusers' UNet2DConditionModel, fields that no Stable Diffusion network sets otherwise.
const std::vector<Choice>& choices() {
  static const std::vector<Choice> all{
      {"act_fn", {"silu", "swish"}},
      {"resnet_time_scale_shift", {"default"}},
      {"resnet_out_scale_factor", {1.0}},
      {"resnet_skip_time_act", {false}},
      {"mid_block_scale_factor", {1.0}},
      {"downsample_padding", {1}},
      {"time_embedding_type", {"positional"}},
      {"time_embedding_act_fn", Json::array()},
      {"timestep_post_act", Json::array()},
      {"class_embed_type", Json::array()},
      {"num_class_embeds", Json::array()},
      {"addition_embed_type", {"text_time"}},
      {"encoder_hid_dim_type", Json::array()},
      {"attention_type", {"default"}},
      {"only_cross_attention", {false}},
      {"dual_cross_attention", {false}},
      {"cross_attention_norm", Json::array()},
      {"center_input_sample", {false}},
      {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D"}},
      {"mid_block_type", {"UNetMidBlock2D", "UNetMidBlock2DCrossAttn"}},
      {"up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D"}},
  };
  return all;
}

}  // namespace

UNetConfig UNetConfig::from_json(const Json& config) {
  UNetConfig result;
  if (config.empty()) return result;
  if (!config.is_object()) {
    throw Error(ErrorCode::weights, "cannot use the UNet's configuration").with("expected", "a JSON object");
  }
  for (const Choice& choice : choices()) refuse_unless(config, choice);

  size_t levels = 4;
  if (present(config, "block_out_channels") && config["block_out_channels"].is_array()) {
    levels = std::clamp<size_t>(config["block_out_channels"].size(), 1, 64);
  }
  // In diffusers' published configurations "attention_head_dim" holds the number of heads.
  if (present(config, "num_attention_heads")) {
    result.heads = per_level(config, "num_attention_heads", levels);
  } else if (present(config, "attention_head_dim")) {
    result.heads = per_level(config, "attention_head_dim", levels);
  } else {
    result.heads.assign(levels, 8);
  }
  if (present(config, "norm_num_groups"))
    result.norm_groups = positive(config["norm_num_groups"], "norm_num_groups");
  read_number(config, "norm_eps", result.norm_epsilon);
  read_number(config, "flip_sin_to_cos", result.waves.cosines_first);
  read_number(config, "freq_shift", result.waves.frequency_shift);
  if (present(config, "addition_time_embed_dim")) {
    result.size_embedding_width = positive(config["addition_time_embed_dim"], "addition_time_embed_dim");
  }
  return result;
}

}  // namespace maquette::models

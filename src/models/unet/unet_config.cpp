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

void refuse_unless(const Json& config, const char* key, const Json& supported) {
  if (!present(config, key) || config[key] == supported) return;
  throw Error(ErrorCode::weights, "cannot use the UNet's configuration")
      .with("field", key)
      .with("found", config[key].dump())
      .with("expected", supported.dump());
}

}  // namespace

UNetConfig UNetConfig::from_json(const Json& config) {
  UNetConfig result;
  if (config.empty()) return result;
  if (!config.is_object()) {
    throw Error(ErrorCode::weights, "cannot use the UNet's configuration").with("expected", "a JSON object");
  }
  refuse_unless(config, "act_fn", "silu");
  refuse_unless(config, "resnet_time_scale_shift", "default");
  refuse_unless(config, "time_embedding_type", "positional");
  refuse_unless(config, "dual_cross_attention", false);
  refuse_unless(config, "center_input_sample", false);

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

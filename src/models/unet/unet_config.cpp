#include "models/unet/unet_config.h"

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
  refuse_unless(config, "act_fn", "silu");
  refuse_unless(config, "resnet_time_scale_shift", "default");
  refuse_unless(config, "time_embedding_type", "positional");
  refuse_unless(config, "dual_cross_attention", false);
  refuse_unless(config, "center_input_sample", false);

  size_t levels = 4;
  if (present(config, "block_out_channels") && config["block_out_channels"].is_array()) {
    levels = config["block_out_channels"].size();
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
  if (present(config, "norm_eps")) result.norm_epsilon = config["norm_eps"].get<float>();
  if (present(config, "flip_sin_to_cos")) result.cosines_first = config["flip_sin_to_cos"].get<bool>();
  if (present(config, "freq_shift")) result.frequency_shift = config["freq_shift"].get<double>();
  if (present(config, "addition_time_embed_dim")) {
    result.size_embedding_width = positive(config["addition_time_embed_dim"], "addition_time_embed_dim");
  }
  return result;
}

}  // namespace maquette::models

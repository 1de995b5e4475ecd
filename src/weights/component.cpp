#include "weights/component.h"

#include <algorithm>
#include <array>

namespace maquette::weights {

namespace {

bool any_starts_with(const NameSet& names, std::string_view prefix) {
  const auto found = names.lower_bound(prefix);
  return found != names.end() && found->starts_with(prefix);
}

bool any_contains(const NameSet& names, std::string_view part) {
  return std::ranges::any_of(names,
                             [&](const std::string& name) { return name.find(part) != std::string::npos; });
}

bool any_ends_with(const NameSet& names, std::string_view part) {
  return std::ranges::any_of(names, [&](const std::string& name) { return name.ends_with(part); });
}

struct Translation {
  std::string layout;
  Renames renames;
};

Translation as_they_are(const NameSet& names, std::string layout) {
  Translation translation{.layout = std::move(layout), .renames = {}};
  for (const std::string& name : names) translation.renames.push_back({.from = name, .to = name});
  return translation;
}

Translation translate_vae(const NameSet& names) {
  for (const char* part : {"encoder.down.", "decoder.up.", "encoder.mid.", "decoder.mid."}) {
    if (any_starts_with(names, part)) return {"ldm", vae_from_ldm(names)};
  }
  return {"diffusers", vae_from_diffusers(names)};
}

// Numbered layers, with or without "encoder." / "taesd_decoder." before them; or diffusers' encoder.layers.
Translation translate_taesd(const NameSet& names) {
  if (any_starts_with(names, "encoder.layers.") || any_starts_with(names, "decoder.layers.")) {
    return as_they_are(names, "diffusers");
  }
  Renames out;
  const auto add = [&](std::string_view prefix, bool is_decoder) {
    NameSet half;
    for (const std::string& name : names) {
      if (name.starts_with(prefix)) half.insert(name.substr(prefix.size()));
    }
    for (Renamed& renamed : is_decoder ? taesd_from_original({}, half) : taesd_from_original(half, {})) {
      renamed.from = std::string(prefix) + renamed.from;
      out.push_back(std::move(renamed));
    }
  };
  // The decoder starts with a clamping layer that has no weights: its first convolution is number 1, not 0.
  add("", !names.contains("0.weight"));
  for (const char* prefix : {"encoder.", "taesd_encoder."}) add(prefix, false);
  for (const char* prefix : {"decoder.", "taesd_decoder."}) add(prefix, true);
  return {"own", std::move(out)};
}

Translation translate(std::string_view kind, const NameSet& names) {
  if (kind == "unet") {
    if (any_starts_with(names, "input_blocks.")) return {"ldm", unet_from_ldm(names)};
    return as_they_are(names, "diffusers");
  }
  if (kind == "controlnet") {
    if (any_starts_with(names, "input_hint_block.")) return {"ldm", controlnet_from_ldm(names)};
    return as_they_are(names, "diffusers");
  }
  if (kind == "vae") return translate_vae(names);
  if (kind == "taesd") return translate_taesd(names);
  if (kind == "text_encoder" || kind == "text_encoder_2") {
    if (names.contains("positional_embedding") || any_starts_with(names, "transformer.resblocks.")) {
      return {"openclip", clip_from_openclip(names)};
    }
    return {"transformers", clip_from_transformers(names)};
  }
  if (kind == "t2i_adapter" && !any_starts_with(names, "adapter."))
    return {"own", t2i_adapter_from_original(names)};
  return as_they_are(names, kind == "t2i_adapter"     ? "diffusers"
                            : kind == "image_encoder" ? "transformers"
                                                      : "own");
}

bool is_leftover(std::string_view name) {
  for (const char* end : {"position_ids", "logit_scale", "attn_mask", "num_batches_tracked"}) {
    if (name == end || name.ends_with(std::string(".") + end)) return true;
  }
  return name.starts_with("loss.");
}

// Stable Diffusion 2 takes the output of the last layer but one. Published files carry the 24th layer and the
// pooled projection all the same; diffusers leaves both out, and so do we, so that the last layer is always
// the one used.
bool unused_by_sd2(const NameGroup& group, std::string_view name) {
  if (group.prefix.find("cond_stage_model.model.") != std::string::npos)
    return name == "text_projection" || name.starts_with("transformer.resblocks.23.");
  // The same under the names that stable-diffusion.cpp gives them.
  return group.prefix.find("cond_stage_model.transformer.") != std::string::npos &&
         (name == "text_model.text_projection" || name.starts_with("text_model.encoder.layers.23."));
}

}  // namespace

void add_group(const SharedWeightFile& file, const NameGroup& group, Component& component,
               Checkpoint& checkpoint) {
  NameSet names;
  for (const std::string& name : group.names) {
    const bool ignored = is_leftover(name) || unused_by_sd2(group, name);
    if (ignored)
      checkpoint.ignored.push_back(group.prefix + name);
    else
      names.insert(name);
  }
  Translation translation = translate(group.kind, names);
  component.layout = translation.layout;
  NameSet left = names;
  for (Renamed& renamed : translation.renames) {
    left.erase(renamed.from);
    const bool added = component.weights.add(renamed.to, {.file = file,
                                                          .name = group.prefix + renamed.from,
                                                          .transform = renamed.transform,
                                                          .part = renamed.part,
                                                          .parts = renamed.parts});
    if (!added) checkpoint.unexpected.push_back(group.prefix + renamed.from);
  }
  for (const std::string& name : left) checkpoint.unexpected.push_back(group.prefix + name);
}

Component& component_of_kind(Checkpoint& checkpoint, std::string_view kind) {
  for (Component& component : checkpoint.components) {
    if (component.kind == kind) return component;
  }
  checkpoint.components.push_back({.kind = std::string(kind)});
  return checkpoint.components.back();
}

std::optional<std::string> recognise_adapter(const NameSet& names) {
  if (names.contains("lora_controlnet")) return "control_lora";
  if (any_starts_with(names, "image_proj.") && any_starts_with(names, "ip_adapter.")) return "ip_adapter";
  for (const char* part :
       {".lora_up.", ".lora_down.", ".lora_A.", ".lora_B.", ".lora.up.", ".lora.down.", "_lora.up.",
        "_lora.down.", ".lora_linear_layer.", ".hada_w", ".lokr_w", ".lora_magnitude_vector"}) {
    if (any_contains(names, part)) return "lora";
  }
  for (const char* end : {".diff", ".diff_b", ".dora_scale", ".oft_blocks", ".oft_diag", ".w_norm", ".b_norm",
                          ".on_input", ".a1.weight"}) {
    if (any_ends_with(names, end)) return "lora";
  }
  for (const char* start : {"lora_unet_", "lora_te", "lycoris_"}) {
    if (any_starts_with(names, start)) return "lora";
  }
  const bool only_clips =
      std::ranges::all_of(names, [](const std::string& n) { return n == "clip_l" || n == "clip_g"; });
  const bool only_tokens =  // diffusers' learned_embeds: vectors under the words that they stand for
      std::ranges::all_of(
          names, [](const std::string& n) { return n.size() > 2 && n.starts_with('<') && n.ends_with('>'); });
  if (only_tokens && !names.empty()) return "textual_inversion";
  if (names.contains("emb_params") || any_starts_with(names, "string_to_param.") ||
      (only_clips && !names.empty())) {
    return "textual_inversion";
  }
  return std::nullopt;
}

std::optional<std::string> recognise(const NameSet& names) {
  if (any_starts_with(names, "input_hint_block.") || any_starts_with(names, "controlnet_cond_embedding.")) {
    return "controlnet";
  }
  if (names.contains("input_blocks.0.0.weight") ||
      (names.contains("conv_in.weight") && any_starts_with(names, "time_embedding."))) {
    return "unet";
  }
  for (const char* part : {"encoder.down.", "decoder.up.", "encoder.down_blocks.", "decoder.up_blocks."}) {
    if (any_starts_with(names, part)) return "vae";
  }
  const bool numbered = names.contains("0.weight") && names.contains("1.conv.0.weight");
  const bool numbered_decoder = names.contains("1.weight") && names.contains("3.conv.0.weight");
  if (numbered || numbered_decoder) return "taesd";
  for (const char* part : {"encoder.layers.1.conv.", "decoder.layers.2.conv.", "taesd_encoder.",
                           "taesd_decoder.", "encoder.1.conv.", "decoder.3.conv."}) {
    if (any_starts_with(names, part)) return "taesd";
  }
  if (any_starts_with(names, "vision_model.") || any_starts_with(names, "visual.")) return "image_encoder";
  if (any_contains(names, "token_embedding.weight")) return "text_encoder";
  if (any_starts_with(names, "adapter.body.") || any_ends_with(names, ".block1.weight")) return "t2i_adapter";
  for (const char* part : {"RDB1.", "rdb1."}) {
    if (any_contains(names, part)) return "upscaler";
  }
  if (names.contains("body.0.weight") && names.contains("body.1.weight")) return "upscaler";
  return std::nullopt;
}

}  // namespace maquette::weights

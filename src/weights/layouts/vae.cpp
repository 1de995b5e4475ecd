// The variational autoencoder of the original layout:
//
//   encoder.down.I.block.J, .downsample.conv      -> encoder.down_blocks.I.resnets.J, .downsamplers.0.conv
//   encoder.mid.block_1, attn_1, block_2          -> encoder.mid_block.resnets.0, attentions.0, resnets.1
//   decoder.up.I ..., counted from the picture    -> decoder.up_blocks.(levels - 1 - I) ...
//
// The attention's q, k, v and proj_out are 1x1 convolutions there and linear layers here.

#include <array>
#include <charconv>

#include "base/text.h"
#include "weights/layouts/layouts.h"

namespace maquette::weights {

namespace {

struct Pair {
  std::string_view from;
  std::string_view to;
};

constexpr std::array<Pair, 5> kAttention = {
    {{"norm", "group_norm"}, {"q", "to_q"}, {"k", "to_k"}, {"v", "to_v"}, {"proj_out", "to_out.0"}}};
constexpr std::array<Pair, 4> kOldAttention = {
    {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}}};

int number(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value < 10'000 ? value : -1;
}

std::string joined(const std::vector<std::string>& parts, size_t first) {
  std::string text;
  for (size_t i = first; i < parts.size(); ++i) text += (i > first ? "." : "") + parts[i];
  return text;
}

int levels_of(const NameSet& names, std::string_view prefix) {
  int levels = 0;
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    levels = std::max(levels, number(rest.substr(0, rest.find('.'))) + 1);
  }
  return levels;
}

// "HALF.down.I.block.J.rest" and "HALF.down.I.downsample.conv.rest", likewise for up. Empty where it is
// neither.
std::string level_name(const std::vector<std::string>& parts, int levels) {
  const bool down = parts[1] == "down";
  const int index = number(parts[2]);
  if (index < 0 || parts.size() < 6) return "";
  const std::string level = fmt::format("{}.{}.{}", parts[0], down ? "down_blocks" : "up_blocks",
                                        down ? index : levels - 1 - index);
  if (parts[3] == "block" && number(parts[4]) >= 0) {
    const bool shortcut = parts[5] == "nin_shortcut";
    const std::string rest = shortcut ? "conv_shortcut." + joined(parts, 6) : joined(parts, 5);
    return fmt::format("{}.resnets.{}.{}", level, parts[4], rest);
  }
  if (parts[3] == (down ? "downsample" : "upsample") && parts[4] == "conv") {
    return fmt::format("{}.{}.0.conv.{}", level, down ? "downsamplers" : "upsamplers", joined(parts, 5));
  }
  return "";
}

// "HALF.mid.block_1.rest" and "HALF.mid.attn_1.q.weight".
Renamed middle_name(const std::string& name, const std::vector<std::string>& parts) {
  Renamed renamed{.from = name};
  if (parts.size() < 5) return renamed;
  if (parts[2].starts_with("block_")) {
    const int index = number(std::string_view(parts[2]).substr(6));
    if (index >= 1)
      renamed.to = fmt::format("{}.mid_block.resnets.{}.{}", parts[0], index - 1, joined(parts, 3));
  }
  if (parts[2] == "attn_1") {
    for (const Pair& pair : kAttention) {
      if (parts[3] != pair.from) continue;
      renamed.to = fmt::format("{}.mid_block.attentions.0.{}.{}", parts[0], pair.to, joined(parts, 4));
      renamed.transform = Transform::drop_ones;
    }
  }
  return renamed;
}

}  // namespace

Renames vae_from_ldm(const NameSet& names) {
  Renames out;
  const int up_levels = levels_of(names, "decoder.up.");
  for (const std::string& name : names) {
    const std::vector<std::string> parts = split(name, '.');
    Renamed renamed{.from = name};
    if (parts[0] == "quant_conv" || parts[0] == "post_quant_conv") {
      renamed.to = name;
    } else if (parts.size() == 3 && (parts[0] == "encoder" || parts[0] == "decoder")) {
      const bool same = parts[1] == "conv_in" || parts[1] == "conv_out";
      if (same || parts[1] == "norm_out")
        renamed.to = parts[0] + (same ? "." : ".conv_") + parts[1] + "." + parts[2];
    } else if (parts.size() > 3 && (parts[1] == "down" || parts[1] == "up")) {
      renamed.to = level_name(parts, up_levels);
    } else if (parts.size() > 3 && parts[1] == "mid") {
      renamed = middle_name(name, parts);
    }
    if (!renamed.to.empty()) out.push_back(std::move(renamed));
  }
  return out;
}

Renames vae_from_diffusers(const NameSet& names) {
  Renames out;
  for (const std::string& name : names) {
    Renamed renamed{.from = name, .to = name};
    if (name.find(".attentions.") != std::string::npos) {
      renamed.transform = Transform::drop_ones;
      std::vector<std::string> parts = split(name, '.');
      for (const Pair& pair : kOldAttention) {
        if (parts.size() > 2 && parts[parts.size() - 2] == pair.from) parts[parts.size() - 2] = pair.to;
      }
      renamed.to = joined(parts, 0);
    }
    out.push_back(std::move(renamed));
  }
  return out;
}

}  // namespace maquette::weights

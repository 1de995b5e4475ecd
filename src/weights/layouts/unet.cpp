// The UNet and ControlNet of the original layout are one list of numbered blocks each way down and up:
//
//   input_blocks.0.0                  conv_in
//   input_blocks.N.0 (in_layers...)   a residual block     -> down_blocks.B.resnets.L
//   input_blocks.N.1                  its attention        -> down_blocks.B.attentions.L
//   input_blocks.N.0.op               the downsampler      -> down_blocks.B.downsamplers.0.conv, ends the
//   level B output_blocks.N.{1,2}.conv        the upsampler        -> up_blocks.B.upsamplers.0.conv, ends the
//   level B
//
// What a part is shows in its own names, so that the walk needs no configuration.

#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "weights/layouts/layouts.h"

namespace maquette::weights {

namespace {

struct Pair {
  std::string_view ldm;
  std::string_view canonical;
};

constexpr std::array<Pair, 6> kResnet = {{{"in_layers.0", "norm1"},
                                          {"in_layers.2", "conv1"},
                                          {"emb_layers.1", "time_emb_proj"},
                                          {"out_layers.0", "norm2"},
                                          {"out_layers.3", "conv2"},
                                          {"skip_connection", "conv_shortcut"}}};

constexpr std::array<Pair, 9> kTop = {{{"input_blocks.0.0", "conv_in"},
                                       {"time_embed.0", "time_embedding.linear_1"},
                                       {"time_embed.2", "time_embedding.linear_2"},
                                       {"time_embed.cond_proj", "time_embedding.cond_proj"},
                                       {"label_emb.0.0", "add_embedding.linear_1"},
                                       {"label_emb.0.2", "add_embedding.linear_2"},
                                       {"label_emb", "class_embedding"},
                                       {"out.0", "conv_norm_out"},
                                       {"out.2", "conv_out"}}};

// What follows `prefix` and a dot, or nothing.
std::optional<std::string_view> below(std::string_view name, std::string_view prefix) {
  if (name.size() <= prefix.size() || !name.starts_with(prefix) || name[prefix.size()] != '.')
    return std::nullopt;
  return name.substr(prefix.size() + 1);
}

// Takes a number and the dot after it from the front of the name.
std::optional<int> take_index(std::string_view& name) {
  int value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  const auto used = static_cast<size_t>(end - name.data());
  if (error != std::errc() || used == name.size() || name[used] != '.' || value > 10'000) return std::nullopt;
  name.remove_prefix(used + 1);
  return value;
}

enum class Part { resnet, attention, downsampler, upsampler, unknown };

Part part_of(const std::vector<std::string>& rests) {
  for (const std::string_view rest : rests) {
    if (rest.starts_with("in_layers.")) return Part::resnet;
    if (rest.starts_with("transformer_blocks.") || rest.starts_with("proj_in.")) return Part::attention;
    if (rest.starts_with("op.")) return Part::downsampler;
    if (rest.starts_with("conv.")) return Part::upsampler;
  }
  return Part::unknown;
}

// block number -> number of the part in the block -> rests of the names
using Blocks = std::map<int, std::map<int, std::vector<std::string>>>;

Blocks blocks_of(const NameSet& names, std::string_view list) {
  Blocks blocks;
  for (const std::string& name : names) {
    auto rest = below(name, list);
    if (!rest) continue;
    const auto block = take_index(*rest);
    const auto part = block ? take_index(*rest) : block;
    if (part) blocks[*block][*part].emplace_back(*rest);
  }
  return blocks;
}

class UnetWalk {
 public:
  explicit UnetWalk(const NameSet& names) : names_(names) {}

  void top() {
    for (const std::string& name : names_) {
      for (const Pair& pair : kTop) {
        const auto rest = below(name, pair.ldm);
        if (!rest || rest->find('.') != std::string_view::npos) continue;
        add(name, pair.canonical, *rest);
        break;
      }
    }
  }

  void way_down() { walk("input_blocks", "down_blocks", 1); }
  void way_up() { walk("output_blocks", "up_blocks", 0); }

  // middle_block.N alternates residual blocks and attentions; pruned models lack some.
  void middle() {
    std::map<int, std::vector<std::string>> parts;
    for (const std::string& name : names_) {
      auto rest = below(name, "middle_block");
      const auto index = rest ? take_index(*rest) : std::nullopt;
      if (index) parts[*index].emplace_back(*rest);
    }
    int resnets = 0;
    int attentions = 0;
    for (const auto& [index, rests] : parts) {
      const std::string from = fmt::format("middle_block.{}", index);
      const Part part = part_of(rests);
      if (part == Part::resnet) add_resnet(from, fmt::format("mid_block.resnets.{}", resnets++), rests);
      if (part == Part::attention) add_all(from, fmt::format("mid_block.attentions.{}", attentions++), rests);
    }
  }

  void add(std::string from, std::string_view prefix, std::string_view rest) {
    out_.push_back({.from = std::move(from), .to = fmt::format("{}.{}", prefix, rest)});
  }

  Renames take() { return std::move(out_); }
  const NameSet& names() const { return names_; }

 private:
  void walk(std::string_view list, std::string_view canonical, int first) {
    int level = 0;
    int layer = 0;
    for (const auto& [block, parts] : blocks_of(names_, list)) {
      if (block < first) continue;
      bool ends_level = false;
      for (const auto& [number, rests] : parts) {
        const std::string from = fmt::format("{}.{}.{}", list, block, number);
        const std::string to = fmt::format("{}.{}", canonical, level);
        switch (part_of(rests)) {
          case Part::resnet: add_resnet(from, fmt::format("{}.resnets.{}", to, layer), rests); break;
          case Part::attention: add_all(from, fmt::format("{}.attentions.{}", to, layer), rests); break;
          case Part::downsampler:
            add_sampler(from, "op", to + ".downsamplers.0.conv", rests);
            ends_level = true;
            break;
          case Part::upsampler:
            add_sampler(from, "conv", to + ".upsamplers.0.conv", rests);
            ends_level = true;
            break;
          case Part::unknown: break;
        }
      }
      layer = ends_level ? 0 : layer + 1;
      level += ends_level ? 1 : 0;
    }
  }

  void add_all(const std::string& from, std::string_view to, const std::vector<std::string>& rests) {
    for (const std::string& rest : rests) add(from + "." + rest, to, rest);
  }
  void add_resnet(const std::string& from, const std::string& to, const std::vector<std::string>& rests) {
    for (const std::string& rest : rests) {
      for (const Pair& pair : kResnet) {
        const auto last = below(rest, pair.ldm);
        if (last) add(from + "." + rest, to + "." + std::string(pair.canonical), *last);
      }
    }
  }
  void add_sampler(const std::string& from, std::string_view part, const std::string& to,
                   const std::vector<std::string>& rests) {
    for (const std::string& rest : rests) {
      if (const auto last = below(rest, part)) add(from + "." + rest, to, *last);
    }
  }

  const NameSet& names_;
  Renames out_;
};

// The picture encoder of a ControlNet: convolutions 0, 2, 4, ... of which the last is conv_out.
void add_hint_block(UnetWalk& walk) {
  std::map<int, std::vector<std::string>> layers;
  for (const std::string& name : walk.names()) {
    auto rest = below(name, "input_hint_block");
    const auto index = rest ? take_index(*rest) : std::nullopt;
    if (index) layers[*index].emplace_back(*rest);
  }
  int number = -1;
  for (const auto& [index, rests] : layers) {
    const bool last = index == layers.rbegin()->first;
    const std::string to = number < 0 ? "conv_in" : last ? "conv_out" : fmt::format("blocks.{}", number);
    for (const std::string& rest : rests) {
      walk.add(fmt::format("input_hint_block.{}.{}", index, rest), "controlnet_cond_embedding." + to, rest);
    }
    ++number;
  }
}

int count_of(const NameSet& names, const std::string& prefix) {
  int n = 0;
  while (true) {
    const std::string start = fmt::format("{}.{}.", prefix, n);
    const auto found = names.lower_bound(start);
    if (found == names.end() || !found->starts_with(start)) return n;
    ++n;
  }
}

// Collects prefix pairs (canonical -> ldm) for unet_to_ldm.
struct PrefixPair {
  std::string canonical;
  std::string ldm;
  bool resnet = false;
};

std::vector<PrefixPair> ldm_prefixes(const NameSet& names) {
  std::vector<PrefixPair> pairs;
  for (const Pair& pair : kTop) pairs.push_back({std::string(pair.canonical), std::string(pair.ldm)});
  int block = 1;
  for (int level = 0; level < count_of(names, "down_blocks"); ++level) {
    const std::string from = fmt::format("down_blocks.{}", level);
    for (int layer = 0; layer < count_of(names, from + ".resnets"); ++layer, ++block) {
      pairs.push_back(
          {fmt::format("{}.resnets.{}", from, layer), fmt::format("input_blocks.{}.0", block), true});
      pairs.push_back(
          {fmt::format("{}.attentions.{}", from, layer), fmt::format("input_blocks.{}.1", block)});
    }
    if (count_of(names, from + ".downsamplers") == 0) continue;
    pairs.push_back({from + ".downsamplers.0.conv", fmt::format("input_blocks.{}.0.op", block++)});
  }
  int middle = 0;
  for (int layer = 0; layer < count_of(names, "mid_block.resnets"); ++layer) {
    pairs.push_back(
        {fmt::format("mid_block.resnets.{}", layer), fmt::format("middle_block.{}", middle++), true});
    if (layer >= count_of(names, "mid_block.attentions")) continue;
    pairs.push_back(
        {fmt::format("mid_block.attentions.{}", layer), fmt::format("middle_block.{}", middle++)});
  }
  block = 0;
  for (int level = 0; level < count_of(names, "up_blocks"); ++level) {
    const std::string from = fmt::format("up_blocks.{}", level);
    const bool attention = count_of(names, from + ".attentions") > 0;
    for (int layer = 0; layer < count_of(names, from + ".resnets"); ++layer, ++block) {
      pairs.push_back(
          {fmt::format("{}.resnets.{}", from, layer), fmt::format("output_blocks.{}.0", block), true});
      pairs.push_back(
          {fmt::format("{}.attentions.{}", from, layer), fmt::format("output_blocks.{}.1", block)});
    }
    pairs.push_back(
        {from + ".upsamplers.0.conv", fmt::format("output_blocks.{}.{}.conv", block - 1, attention ? 2 : 1)});
  }
  return pairs;
}

}  // namespace

Renames unet_from_ldm(const NameSet& names) {
  UnetWalk walk(names);
  walk.top();
  walk.way_down();
  walk.middle();
  walk.way_up();
  return walk.take();
}

Renames controlnet_from_ldm(const NameSet& names) {
  UnetWalk walk(names);
  walk.top();
  walk.way_down();
  walk.middle();
  add_hint_block(walk);
  for (const std::string& name : names) {
    if (const auto last = below(name, "middle_block_out.0")) walk.add(name, "controlnet_mid_block", *last);
    auto rest = below(name, "zero_convs");
    const auto index = rest ? take_index(*rest) : std::nullopt;
    if (!index || !rest->starts_with("0.")) continue;
    walk.add(name, fmt::format("controlnet_down_blocks.{}", *index), rest->substr(2));
  }
  return walk.take();
}

Renames unet_to_ldm(const NameSet& canonical_names) {
  Renames out;
  const std::vector<PrefixPair> prefixes = ldm_prefixes(canonical_names);
  for (const std::string& name : canonical_names) {
    for (const PrefixPair& prefix : prefixes) {
      const auto rest = below(name, prefix.canonical);
      if (!rest) continue;
      std::string last(*rest);
      for (const Pair& pair : kResnet) {
        const auto part = prefix.resnet ? below(*rest, pair.canonical) : std::nullopt;
        if (part) last = fmt::format("{}.{}", pair.ldm, *part);
      }
      out.push_back({.from = name, .to = prefix.ldm + "." + last});
      break;
    }
  }
  return out;
}

NameSet canonical_names(const WeightMap& map) {
  NameSet names;
  for (const auto& [name, source] : map.sources()) names.insert(name);
  return names;
}

}  // namespace maquette::weights

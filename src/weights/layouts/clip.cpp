// Text encoders. transformers' names are the program's own; OpenCLIP's differ throughout, keep query, key and
// value in one matrix, and store the projection of the pooled output transposed. stable-diffusion.cpp's GGUF
// files give OpenCLIP's tensors names in the style of transformers, and leave them as they are.

#include <array>

#include "weights/layouts/layouts.h"

namespace maquette::weights {

namespace {

struct Pair {
  std::string_view from;
  std::string_view to;
};

constexpr std::array<Pair, 5> kLayer = {{{"ln_1.", "layer_norm1."},
                                         {"ln_2.", "layer_norm2."},
                                         {"mlp.c_fc.", "mlp.fc1."},
                                         {"mlp.c_proj.", "mlp.fc2."},
                                         {"attn.out_proj.", "self_attn.out_proj."}}};

constexpr std::array<Pair, 2> kTop = {
    {{"positional_embedding", "text_model.embeddings.position_embedding.weight"},
     {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"}}};

// Query, key and value in one matrix; `attention` is where they belong.
void add_joined(const std::string& name, std::string_view attention, std::string_view kind, Renames& out) {
  int part = 0;
  for (const char which : {'q', 'k', 'v'}) {
    out.push_back({.from = name,
                   .to = fmt::format("{}{}_proj.{}", attention, which, kind),
                   .transform = Transform::rows,
                   .part = part++,
                   .parts = 3});
  }
}

void add_layer(const std::string& name, std::string_view index, std::string_view rest, Renames& out) {
  const std::string layer = fmt::format("text_model.encoder.layers.{}.", index);
  for (const std::string_view kind : {"weight", "bias"}) {
    if (rest == fmt::format("attn.in_proj_{}", kind)) add_joined(name, layer + "self_attn.", kind, out);
  }
  for (const Pair& pair : kLayer) {
    if (!rest.starts_with(pair.from)) continue;
    out.push_back(
        {.from = name, .to = layer + std::string(pair.to) + std::string(rest.substr(pair.from.size()))});
  }
}

}  // namespace

Renames clip_from_openclip(const NameSet& names) {
  constexpr std::string_view kBlocks = "transformer.resblocks.";
  constexpr std::string_view kFinal = "ln_final.";
  Renames out;
  for (const std::string& name : names) {
    for (const Pair& pair : kTop) {
      if (name == pair.from) out.push_back({.from = name, .to = std::string(pair.to)});
    }
    if (name.starts_with(kFinal)) {
      out.push_back({.from = name, .to = "text_model.final_layer_norm." + name.substr(kFinal.size())});
    }
    if (name == "text_projection") {
      out.push_back({.from = name, .to = "text_projection.weight", .transform = Transform::transpose});
    }
    if (name == "text_projection.weight") out.push_back({.from = name, .to = name});
    if (name.starts_with(kBlocks)) {
      const std::string_view rest = std::string_view(name).substr(kBlocks.size());
      const size_t dot = rest.find('.');
      if (dot != std::string_view::npos) add_layer(name, rest.substr(0, dot), rest.substr(dot + 1), out);
    }
  }
  return out;
}

Renames clip_from_transformers(const NameSet& names) {
  Renames out;
  for (const std::string& name : names) {
    std::string_view rest = name;
    if (rest.starts_with("transformer.")) rest.remove_prefix(std::string_view("transformer.").size());
    if (rest == "text_model.text_projection") {
      out.push_back({.from = name, .to = "text_projection.weight", .transform = Transform::transpose});
      continue;
    }
    if (const size_t joined = rest.find("in_proj."); joined != std::string_view::npos) {
      add_joined(name, rest.substr(0, joined), rest.substr(joined + std::string_view("in_proj.").size()),
                 out);
      continue;
    }
    if (rest.starts_with("text_model.") || rest.starts_with("text_projection.")) {
      out.push_back({.from = name, .to = std::string(rest)});
    } else if (rest.starts_with("embeddings.") || rest.starts_with("encoder.") ||
               rest.starts_with("final_layer_norm.")) {
      out.push_back({.from = name, .to = fmt::format("text_model.{}", rest)});
    }
  }
  return out;
}

}  // namespace maquette::weights

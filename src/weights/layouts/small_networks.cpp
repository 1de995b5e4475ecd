// TAESD and T2I-Adapter, as first published, in diffusers' names.

#include <charconv>

#include "weights/layouts/layouts.h"

namespace maquette::weights {

namespace {

// "12.conv.0.weight" -> 12 and "conv.0.weight"; -1 where there is no number.
std::pair<int, std::string> numbered(std::string_view name) {
  int value = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  const auto used = static_cast<size_t>(end - name.data());
  if (error != std::errc() || used >= name.size() || name[used] != '.' || value > 10'000) return {-1, ""};
  return {value, std::string(name.substr(used + 1))};
}

}  // namespace

// The original decoder counts its first clamping layer, diffusers' does not.
Renames taesd_from_original(const NameSet& encoder, const NameSet& decoder) {
  Renames out;
  for (const std::string& name : encoder) {
    const auto [index, rest] = numbered(name);
    if (index >= 0) out.push_back({.from = name, .to = fmt::format("encoder.layers.{}.{}", index, rest)});
  }
  for (const std::string& name : decoder) {
    const auto [index, rest] = numbered(name);
    if (index >= 1) out.push_back({.from = name, .to = fmt::format("decoder.layers.{}.{}", index - 1, rest)});
  }
  return out;
}

// Full adapters: body.N.block1 -> adapter.body.(N / 2).resnets.(N % 2).block1; light ones have body.N.body.M
// already.
Renames t2i_adapter_from_original(const NameSet& names) {
  constexpr std::string_view kBody = "body.";
  Renames out;
  for (const std::string& name : names) {
    if (!name.starts_with(kBody)) {
      if (name.starts_with("conv_in.")) out.push_back({.from = name, .to = "adapter." + name});
      continue;
    }
    const auto [index, rest] = numbered(std::string_view(name).substr(kBody.size()));
    if (index < 0) continue;
    if (rest.starts_with("body.")) {
      out.push_back({.from = name, .to = fmt::format("adapter.body.{}.resnets.{}", index, rest.substr(5))});
    } else if (rest.starts_with("out_conv.") ||
               (rest.starts_with("in_conv.") &&
                names.contains(fmt::format("body.{}.out_conv.weight", index)))) {
      out.push_back({.from = name, .to = fmt::format("adapter.body.{}.{}", index, rest)});
    } else if (rest.starts_with("in_conv.")) {
      out.push_back({.from = name, .to = fmt::format("adapter.body.{}.{}", index / 2, rest)});
    } else {
      out.push_back(
          {.from = name, .to = fmt::format("adapter.body.{}.resnets.{}.{}", index / 2, index % 2, rest)});
    }
  }
  return out;
}

}  // namespace maquette::weights

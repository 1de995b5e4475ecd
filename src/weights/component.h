// Inside weights/: how the tensors of one network in a file become a Component.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weights/checkpoint.h"
#include "weights/layouts/layouts.h"

namespace maquette::weights {

// A network's part of a file: the names without `prefix`, and what it is.
struct NameGroup {
  std::string kind;
  std::string prefix;  // what was cut off each name
  NameSet names;
};

// Translates the group's names into the component `component` (of the same kind; taesd and text encoders may
// be filled from several groups), and notes on the checkpoint what was left out.
void add_group(const SharedWeightFile& file, const NameGroup& group, Component& component,
               Checkpoint& checkpoint);

// The component of a kind, made where there is none.
Component& component_of_kind(Checkpoint& checkpoint, std::string_view kind);

// What a set of names without prefixes is, by the tensors that only it has; nothing where it is not known.
std::optional<std::string> recognise(const NameSet& names);
// Adapters keep prefixes of the networks they belong to, and are recognised before any prefix is cut off.
std::optional<std::string> recognise_adapter(const NameSet& names);

// The weights of one component in its folder of a diffusers pipeline; see OpenOptions::variant.
Result<SharedWeightFile> open_component_weights(const fs::path& folder, const std::string& variant);
Result<Checkpoint> open_folder(const fs::path& folder, const OpenOptions& options);

}  // namespace maquette::weights

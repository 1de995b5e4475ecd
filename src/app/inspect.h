// Looking at files: what a checkpoint holds, what recipe a picture carries, how two pictures differ, whether
// a texture repeats.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace maquette::app {

// Each returns the facts as JSON; `lines` says the same for people.
struct Facts {
  Json json;
  std::vector<std::string> lines;
};

Facts inspect_model(const std::filesystem::path& file);  // or a name, as find_model() knows it
Facts show_recipe(const std::filesystem::path& file);
Facts compare_pictures(const std::filesystem::path& a, const std::filesystem::path& b);

// axes: "x", "y" or "xy"; limit 0: none. Throws Error(limit_exceeded) where a seam is above the limit.
Facts measure_seam(const std::filesystem::path& file, const std::string& axes, double limit);

Facts list_samplers();
// How a prompt is cut into tokens and weighed. dialect: "diffusers", "a1111" or "comfy".
Facts show_tokens(const std::string& prompt, const std::string& dialect, int steps);

}  // namespace maquette::app

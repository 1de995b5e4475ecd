#include "app/models_folder.h"

#include <algorithm>
#include <cstdlib>

#include "base/program_folders.h"
#include "base/text.h"

namespace maquette::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kExtension = ".safetensors";

// What a path names in a folder of models; empty where it is a path like any other.
std::string name_in(const std::string& given) {
  for (const std::string_view prefix : {"build/models/", "models/"}) {
    if (given.starts_with(prefix)) return given.substr(prefix.size());
  }
  constexpr std::string_view kInstalled = "/share/maquette/models/";
  const size_t at = given.rfind(kInstalled);
  if (at != std::string::npos) return given.substr(at + kInstalled.size());
  return given.find('/') == std::string::npos ? given : "";
}

// The models of a folder by name, for hints.
void list_models(const fs::path& folder, std::vector<std::string>& names) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (fs::exists(entry.path() / "model_index.json", error) || entry.path().extension() == kExtension)
      names.push_back(entry.path().stem().string());
  }
}

[[noreturn]] void refuse(const std::string& given, const std::string& name,
                         const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) {
    list_models(folder, names);
    list_models(folder / "upscaler", names);
  }
  Error error(ErrorCode::not_found, "cannot find the model \"{}\"", given);
  error.with("found", fmt::format("no such file or folder, and no model \"{}\"", name));
  for (const fs::path& folder : folders) error.with("looked in", folder.string());
  if (const auto meant = did_you_mean(name, names)) error.hint("did you mean {}?", *meant);
  throw error;
}

}  // namespace

std::vector<fs::path> models_folders() {
  std::vector<fs::path> candidates;
  if (const char* given = std::getenv("MAQUETTE_MODELS")) {
    for (const std::string& folder : split(given, ':')) {
      if (!folder.empty()) candidates.emplace_back(folder);
    }
  }
  for (const fs::path& own : program_folders()) {
    candidates.push_back(own / "../share/maquette/models");     // bin, lib
    candidates.push_back(own / "../../share/maquette/models");  // lib/x86_64-linux-gnu
    candidates.push_back(own / "../../../../models");           // build/release/src/cli of a checkout
    candidates.push_back(own / "../../../../build/models");
  }
  std::vector<fs::path> folders;
  for (const fs::path& candidate : candidates) {
    std::error_code error;
    const fs::path real = fs::canonical(candidate, error);
    if (!error && fs::is_directory(real, error) && std::ranges::find(folders, real) == folders.end())
      folders.push_back(real);
  }
  return folders;
}

std::string find_model(const std::string& given, const std::vector<fs::path>& folders) {
  std::error_code error;
  if (given.empty() || fs::exists(given, error)) return given;
  const std::string name = name_in(given);
  if (name.empty()) return given;
  for (const fs::path& folder : folders) {
    for (const fs::path& place : {folder / name, folder / "upscaler" / name}) {
      if (fs::exists(place, error)) return place.string();
      const fs::path file = place.string() + kExtension;
      if (fs::exists(file, error)) return file.string();
    }
  }
  refuse(given, name, folders);
}

std::string find_model(const std::string& given) { return find_model(given, models_folders()); }

Recipe with_models_found(Recipe recipe) {
  for (FileRef* file : {&recipe.model, &recipe.vae, &recipe.upscale}) file->path = find_model(file->path);
  return recipe;
}

}  // namespace maquette::app

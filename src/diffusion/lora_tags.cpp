// A name means the file with that stem, wherever it lies below a folder, as A1111 has it; the first folder
// that has one wins, and inside a folder the first by path.
#include "diffusion/lora_tags.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "base/text.h"
#include "text/prompt.h"

namespace maquette::diffusion {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 4> kExtensions = {".safetensors", ".pt", ".ckpt", ".bin"};
constexpr size_t kMostFiles = 100'000;  // of a folder: whoever names / as folder should not wait for ever

bool is_adapter_file(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_regular_file(error) &&
         std::ranges::find(kExtensions, lower_ascii(entry.path().extension().string())) != kExtensions.end();
}

// Files by name, of one folder and those below it.
std::map<std::string, fs::path> files_below(const fs::path& folder, bool deep) {
  std::map<std::string, fs::path> files;
  std::error_code error;
  size_t seen = 0;
  const auto take = [&files](const fs::directory_entry& entry) {
    if (!is_adapter_file(entry)) return;
    const auto [place, added] = files.emplace(entry.path().stem().string(), entry.path());
    if (!added && entry.path() < place->second) place->second = entry.path();
  };
  if (!deep) {
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) take(*at);
    return files;
  }
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, kOptions, error), end; !error && at != end;
       at.increment(error)) {
    if (++seen > kMostFiles) break;
    take(*at);
  }
  return files;
}

struct Folder {
  fs::path path;
  bool deep = true;
};

std::vector<Folder> folders_of(const Recipe& recipe) {
  std::vector<Folder> folders;
  const auto add = [&folders](const fs::path& path, bool deep) {
    std::error_code error;
    const auto same = [&](const Folder& other) { return fs::equivalent(other.path, path, error); };
    if (fs::is_directory(path, error) && std::ranges::none_of(folders, same)) folders.push_back({path, deep});
  };
  if (!recipe.lora_folder.empty()) {
    if (!fs::is_directory(recipe.lora_folder)) {
      throw Error(ErrorCode::not_found, "there is no folder \"{}\" for LoRAs", recipe.lora_folder);
    }
    add(recipe.lora_folder, true);
  }
  if (const char* folder = std::getenv("MAQUETTE_LORA_DIR")) add(folder, true);
  const fs::path model = fs::absolute(recipe.model.path).lexically_normal();
  const fs::path beside = model.has_filename() ? model.parent_path() : model.parent_path().parent_path();
  for (const fs::path& base : {beside, beside.parent_path()}) {
    for (const char* name : {"Lora", "loras", "lora"}) add(base / name, true);
  }
  add(beside, false);
  return folders;
}

FileRef find_lora(const std::string& name, const Recipe& recipe) {
  std::vector<std::string> names, places;
  for (const Folder& folder : folders_of(recipe)) {
    const std::map<std::string, fs::path> files = files_below(folder.path, folder.deep);
    const auto found = files.find(name);
    if (found != files.end()) return {.path = found->second.string(), .sha256 = ""};
    for (const auto& [stem, path] : files) names.push_back(stem);
    places.push_back(folder.path.string());
  }
  Error error(ErrorCode::not_found, "there is no LoRA \"{}\" for the prompt's <lora:{}:...>", name, name);
  for (const std::string& place : places) error.with("looked in", place);
  if (const auto meant = did_you_mean(name, names)) {
    error.hint("did you mean <lora:{}:...>?", *meant);
  } else {
    error.hint("name their folder with --lora-dir or MAQUETTE_LORA_DIR");
  }
  throw error;
}

}  // namespace

std::vector<std::string> resolve_lora_tags(Recipe& recipe) {
  std::vector<std::string> notes;
  std::map<std::string, FileRef> known;
  for (const Recipe::Adapter& lora : recipe.loras) {
    if (!lora.tag.empty()) known.emplace(lora.tag, lora.file);
  }
  std::erase_if(recipe.loras, [](const Recipe::Adapter& lora) { return !lora.tag.empty(); });
  if (recipe.dialect != Dialect::a1111) {
    if (recipe.prompt.find("<lora:") != std::string::npos) {
      notes.push_back(
          fmt::format("<lora:...> is plain text in the {} dialect: use --lora, or --dialect a1111",
                      name(recipe.dialect)));
    }
    return notes;
  }
  for (const text::ExtraNetwork& network : text::extra_networks_of(recipe.prompt)) {
    if (network.kind != "lora" && network.kind != "lyco") {
      notes.push_back(fmt::format("<{}:...> of the prompt is not used", network.kind));
      continue;
    }
    const text::LoraTag tag = text::read_lora_tag(network).take();
    if (tag.dynamic_rank) {
      throw Error(ErrorCode::usage, "cannot apply part of the ranks of \"{}\"", tag.name)
          .with("found", fmt::format("dyn={}", *tag.dynamic_rank))
          .hint("leave out the last number of the tag");
    }
    if (!known.contains(tag.name)) known[tag.name] = find_lora(tag.name, recipe);
    recipe.loras.push_back(
        {.file = known[tag.name], .unet_weight = tag.unet, .text_weight = tag.text_encoder, .tag = tag.name});
  }
  return notes;
}

}  // namespace maquette::diffusion

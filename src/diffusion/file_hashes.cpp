#include "diffusion/file_hashes.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/hash.h"

namespace maquette::diffusion {

namespace fs = std::filesystem;

// Files are hashed once; a file that has changed since is hashed again. A folder's hash is that of the list
// of its files' names and hashes.
std::string FileHashes::of(const std::string& path) {
  const auto stamp = [](const fs::path& file) {
    std::error_code error;
    return fmt::format("{}:{}", fs::file_size(file, error),
                       fs::last_write_time(file, error).time_since_epoch().count());
  };
  if (!fs::is_directory(path)) {
    const std::string key = path + "|" + stamp(path);
    auto& hash = hashes_[key];
    if (hash.empty()) hash = sha256_hex_of_file(path);
    return hash;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() &&
        (extension == ".safetensors" || extension == ".json" || extension == ".bin" || extension == ".txt")) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  Sha256 sum;
  for (const fs::path& file : files) {
    sum.update(fs::relative(file, path).generic_string() + " " + of(file.string()) + "\n");
  }
  return sum.hex();
}

// A recipe that names hashes is held to them.
void FileHashes::fill(Recipe& recipe) {
  const auto fill_one = [this](FileRef& file) {
    if (file.empty()) return;
    const std::string found = of(file.path);
    if (!file.sha256.empty() && file.sha256 != found) {
      throw Error(ErrorCode::refused, "cannot repeat the recipe: \"{}\" is not the file that was used",
                  file.path)
          .with("found", found)
          .with("expected", file.sha256);
    }
    file.sha256 = found;
  };
  fill_one(recipe.model);
  fill_one(recipe.vae);
  fill_one(recipe.init);
  fill_one(recipe.mask);
  for (Recipe::Control& control : recipe.controls) {
    fill_one(control.model);
    fill_one(control.image);
  }
  for (Recipe::Adapter& lora : recipe.loras) fill_one(lora.file);
  for (FileRef& embedding : recipe.embeddings) fill_one(embedding);
  for (Recipe::Region& region : recipe.regions) fill_one(region.mask);
  fill_one(recipe.image_encoder);
  fill_one(recipe.upscale);
}

}  // namespace maquette::diffusion

#include "diffusion/file_hashes.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "diffusion/cache_folder.h"

namespace maquette::diffusion {

namespace {

constexpr uintmax_t kWorthKeeping = 16 << 20;  // bytes
constexpr size_t kMostKept = 2000;

fs::path cache_file() {
  const fs::path folder = cache_folder();
  return folder.empty() ? folder : folder / "hashes.json";
}

bool is_hash(const Json& value) { return value.is_string() && value.get<std::string>().size() == 64; }

// What cannot be read is as good as nothing: everything is hashed anew.
std::map<std::string, std::string> kept_hashes() {
  std::map<std::string, std::string> kept;
  const Result<std::string> text = read_text_file(cache_file());
  if (!text) return kept;
  const Result<Json> json = parse_json(*text, "hashes.json");
  if (!json || !json->is_object()) return kept;
  for (const auto& [key, value] : json->items()) {
    if (is_hash(value)) kept.emplace(key, value.get<std::string>());
  }
  return kept;
}

}  // namespace

// A file that has changed since is hashed again.
std::string FileHashes::of_file(const std::string& path, bool read) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  const std::string key = fmt::format("{}|{}|{}", fs::absolute(path, error).string(), size,
                                      fs::last_write_time(path, error).time_since_epoch().count());
  const auto found = read_.find(key);
  if (found != read_.end()) return found->second;
  if (!read && size >= kWorthKeeping) {
    if (!loaded_) kept_ = kept_hashes();
    loaded_ = true;
    const auto kept = kept_.find(key);
    if (kept != kept_.end()) return kept->second;
  }
  const std::string hash = sha256_hex_of_file(path);
  read_.emplace(key, hash);
  if (size >= kWorthKeeping) {
    kept_[key] = hash;
    remember();
  }
  return hash;
}

// Others may have kept hashes meanwhile: theirs are taken over. A cache that cannot be written is no loss.
void FileHashes::remember() {
  const fs::path file = cache_file();
  if (file.empty()) return;
  for (const auto& [key, hash] : kept_hashes()) kept_.emplace(key, hash);
  if (kept_.size() > kMostKept) kept_ = read_;
  Json json = Json::object();
  for (const auto& [key, hash] : kept_) json[key] = hash;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  try {
    write_file_atomically(file, json.dump(1) + "\n");
  } catch (const Error&) {
  }
}

// A folder's hash is that of the list of its files' names and hashes.
std::string FileHashes::of(const std::string& path, bool read) {
  if (!fs::is_directory(path)) return of_file(path, read);
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
    sum.update(fs::relative(file, path).generic_string() + " " + of_file(file.string(), read) + "\n");
  }
  return sum.hex();
}

// A recipe that names hashes is held to them.
void FileHashes::fill(Recipe& recipe, const Pictures& pictures) {
  const auto fill_one = [&](FileRef& file) {
    if (file.empty()) return;
    const std::string found =
        Pictures::in_memory(file.path) ? pictures.hash(file.path) : of(file.path, !file.sha256.empty());
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

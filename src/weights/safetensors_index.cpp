// A model in several files, as the Hugging Face libraries save large ones: "*.safetensors.index.json" (or
// "*.bin.index.json") holds {"metadata": {..}, "weight_map": {tensor: file beside the index}}.

#include <algorithm>

#include "base/json.h"
#include "weights/weight_file.h"

namespace maquette::weights {

namespace {

constexpr size_t kMaxShards = 1000;
constexpr size_t kMaxIndex = size_t{4} << 20;  // tens of thousands of tensors; the largest we read has 2,500

class Shards : public WeightFile {
 public:
  explicit Shards(const fs::path& path) : WeightFile(path, "safetensors shards") {}

  // Adds a tensor of `file`; false where the name is there already.
  bool add_from(const SharedWeightFile& file, const TensorInfo& info) {
    if (!add(info)) return false;
    owner_[info.name] = file;
    return true;
  }
  void merge_metadata(const std::map<std::string, std::string>& more) {
    metadata_.insert(more.begin(), more.end());
  }

  void release(std::string_view name) const override {
    if (const auto found = owner_.find(std::string(name)); found != owner_.end())
      found->second->release(name);
  }

 protected:
  Result<Tensor> read_tensor(const TensorInfo& info) const override {
    return owner_.at(info.name)->read(info.name);
  }

 private:
  std::unordered_map<std::string, SharedWeightFile> owner_;
};

Error bad_index(const fs::path& path, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the index of shards \"{}\"", path.string())
      .with("found", found);
}

}  // namespace

Result<SharedWeightFile> open_safetensors_index(const fs::path& path) {
  Result<std::string> text = read_text_file(path, kMaxIndex);
  if (!text) return text.error();
  Result<Json> index = parse_json(*text, path.string());
  if (!index) return index.error();
  const auto map = index->is_object() ? index->find("weight_map") : index->end();
  if (map == index->end() || !map->is_object()) return bad_index(path, "no object \"weight_map\"");

  // Each shard is opened once; its name must be that of a file beside the index, not a way out of the folder.
  std::map<std::string, SharedWeightFile> shards;
  auto set = std::make_shared<Shards>(path);
  for (const auto& [name, value] : map->items()) {
    if (!value.is_string()) return bad_index(path, "a file name that is not text");
    const std::string file = value.get<std::string>();
    if (file.empty() || file == "." || file == ".." || fs::path(file).filename() != file) {
      return bad_index(path, fmt::format("a shard outside the folder: \"{}\"", printable(file)));
    }
    SharedWeightFile& shard = shards[file];
    if (shards.size() > kMaxShards) return bad_index(path, "more than 1000 files");
    if (!shard) {
      Result<SharedBytes> bytes = ByteSource::map(path.parent_path() / file);
      if (!bytes) return bytes.error();
      Result<SharedWeightFile> opened = open_weight_bytes(*bytes);
      if (!opened) return opened.error();
      shard = *opened;
      set->merge_metadata(shard->metadata());
    }
    const TensorInfo* info = shard->find(name);
    if (!info) return bad_index(path, fmt::format("\"{}\" is not in {}", printable(name), printable(file)));
    if (!set->add_from(shard, *info)) return bad_index(path, fmt::format("\"{}\" twice", printable(name)));
  }
  return SharedWeightFile(std::move(set));
}

}  // namespace maquette::weights

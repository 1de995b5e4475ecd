// WeightFile: named tensors in a file, whatever its format: safetensors (one file or shards), PyTorch
// checkpoints
// (.ckpt, .pt, .pth, .bin) and GGUF. Opening reads the table of contents only; tensors are read one by one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weights/byte_source.h"

namespace maquette::weights {

struct TensorInfo {
  std::string name;
  Shape shape;
  DType type = DType::f32;  // of the elements that read() delivers
  std::string stored;       // the form in the file: "f16", "bf16", "f8_e4m3", "q4_K", ...
  uint64_t begin = 0;       // bytes in the file (for a sharded set: in the tensor's own file)
  uint64_t end = 0;
};

class WeightFile {
 public:
  virtual ~WeightFile() = default;
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;

  const fs::path& path() const { return path_; }
  // "safetensors", "safetensors shards", "checkpoint", "legacy checkpoint", "gguf".
  const std::string& format() const { return format_; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const TensorInfo* find(std::string_view name) const;
  // The file's own text records (safetensors __metadata__, GGUF keys, scalars beside a checkpoint's tensors).
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The tensor in the stored element type, without a copy where the bytes are aligned (it must not be written
  // to), with f64 and 8-bit floating point converted to f32 and GGUF's quantised forms dequantised to f32.
  // The memory stays valid after this object is gone. Errors: no such tensor, an element type that is not
  // supported, damage.
  Result<Tensor> read(std::string_view name) const;
  // Lets the system drop the tensor's pages from memory.
  virtual void release(std::string_view name) const = 0;

 protected:
  WeightFile(fs::path path, std::string format) : path_(std::move(path)), format_(std::move(format)) {}
  // False where the name is there already.
  bool add(TensorInfo info);
  virtual Result<Tensor> read_tensor(const TensorInfo& info) const = 0;

  std::map<std::string, std::string> metadata_;

 private:
  fs::path path_;
  std::string format_;
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string, size_t> index_;
};

using SharedWeightFile = std::shared_ptr<const WeightFile>;

// Opens by content, never by extension. Errors: not found, not a weight file, damaged or hostile.
Result<SharedWeightFile> open_weight_file(const fs::path& path);
// The same over bytes in memory (not for a sharded set, whose files are named in its index).
Result<SharedWeightFile> open_weight_bytes(const SharedBytes& bytes);

// The single formats, for those who know what they have.
Result<SharedWeightFile> open_safetensors(const SharedBytes& bytes);
Result<SharedWeightFile> open_safetensors_index(const fs::path& path);
Result<SharedWeightFile> open_torch_checkpoint(const SharedBytes& bytes);
Result<SharedWeightFile> open_gguf(const SharedBytes& bytes);

}  // namespace maquette::weights

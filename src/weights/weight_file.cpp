#include "weights/weight_file.h"

#include <cstring>

#include "base/text.h"

namespace maquette::weights {

const TensorInfo* WeightFile::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

bool WeightFile::add(TensorInfo info) {
  if (!index_.emplace(info.name, tensors_.size()).second) return false;
  tensors_.push_back(std::move(info));
  return true;
}

Result<Tensor> WeightFile::read(std::string_view name) const {
  const TensorInfo* info = find(name);
  if (!info) {
    return Error(ErrorCode::weights, "no tensor \"{}\" in \"{}\"", printable(name), path_.string());
  }
  return read_tensor(*info);
}

namespace {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// Eight bytes of header length, then the header, which is a JSON object. The low bytes of a length may look
// like another format's first bytes (640 like a pickle's), so that this is asked before the weaker signs.
bool looks_like_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > 8 && bytes[8] == std::byte{'{'};
}

// A pickle starts with its protocol, which torch.save has always given as 2 unless told otherwise.
bool looks_like_pickle(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x80} && bytes[1] >= std::byte{2} &&
         bytes[1] <= std::byte{5};
}

// Text that opens an object; a safetensors length has zero bytes where text has none.
bool looks_like_json(std::span<const std::byte> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min<size_t>(bytes.size(), 64));
  return trim(start).starts_with('{') && start.substr(0, 8).find('\0') == std::string_view::npos;
}

}  // namespace

Result<SharedWeightFile> open_weight_bytes(const SharedBytes& source) {
  const auto bytes = source->bytes();
  if (starts_with(bytes, "GGUF")) return open_gguf(source);
  if (looks_like_safetensors(bytes)) return open_safetensors(source);
  if (starts_with(bytes, "PK\x03\x04") || looks_like_pickle(bytes)) return open_torch_checkpoint(source);
  return Error(ErrorCode::bad_file, "cannot read \"{}\"", source->path().string())
      .with("found", bytes.empty() ? "an empty file" : "bytes of no known weight format")
      .with("expected", "safetensors, a PyTorch checkpoint (zip or pickle) or GGUF");
}

Result<SharedWeightFile> open_weight_file(const fs::path& path) {
  Result<SharedBytes> source = ByteSource::map(path);
  if (!source) return source.error();
  if (looks_like_json((*source)->bytes())) return open_safetensors_index(path);
  return open_weight_bytes(*source);
}

}  // namespace maquette::weights

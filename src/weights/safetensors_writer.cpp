// The format is described in safetensors.cpp. Tensors go to the file one by one: no second copy in memory.

#include "weights/safetensors_writer.h"

#include <fstream>

#include "base/json.h"

namespace maquette::weights {

namespace {

// The format's names are those of this program in capitals.
std::string stored_name(DType type) {
  std::string text(name(type));
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string header_of(const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto sizes = tensor.shape().sizes();
    header[name] = {{"dtype", stored_name(tensor.dtype())},
                    {"shape", std::vector<int64_t>(sizes.begin(), sizes.end())},
                    {"data_offsets", {at, at + tensor.bytes()}}};
    at += tensor.bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr size_t kAlignment = 64;
  text.append((kAlignment - (8 + text.size()) % kAlignment) % kAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const fs::path& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = header_of(tensors, metadata);
  const uint64_t size = header.size();
  AtomicFile file(path);
  std::ofstream out(file.temporary(), std::ios::binary);
  out.write(reinterpret_cast<const char*>(&size), sizeof(size));
  out.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const auto& [name, tensor] : tensors) {
    out.write(static_cast<const char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes()));
  }
  out.close();
  if (!out) throw Error(ErrorCode::failed, "cannot write \"{}\"", path.string()).hint("is the disk full?");
  file.commit();
}

}  // namespace maquette::weights

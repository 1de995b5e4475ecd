// PyTorch checkpoints (.ckpt, .pt, .pth, .bin), both as torch.save writes them:
//
//   since 1.6    a zip archive: NAME/data.pkl describes the objects, NAME/data/KEY holds each storage
//   before       pickles one after the other: a magic number, the protocol, the system, the objects, the keys
//   of the
//                storages; then, for each key, a 64-bit element count and the elements
//
// Nested dicts are flattened with dots between their keys ("state_dict.model.diffusion_model..."). Tensors
// that are views with strides are gathered when read.

#include <algorithm>
#include <cstring>
#include <optional>

#include "weights/pickle.h"
#include "weights/weight_file.h"
#include "weights/zip_reader.h"

namespace maquette::weights {

namespace {

constexpr uint64_t kMaxPickle = uint64_t{64} << 20;
// Weights hardly shrink when packed: a re-packed archive that claims to grow this much is a decompression
// bomb.
constexpr uint64_t kMaxGrowth = 32;
constexpr uint64_t kMaxSmallInflated = uint64_t{1} << 30;  // allowed in any case
constexpr int kMaxNesting = 8;
constexpr size_t kMaxEntries = 1'000'000;
constexpr size_t kMaxMetadataText = 4096;
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

// Where a tensor's elements are.
struct Place {
  PickleTensor tensor{};
  uint64_t storage_elements = 0;    // in elements of the tensor's type
  uint64_t begin = 0;               // bytes of the storage in the file, where not packed
  std::optional<ZipMember> packed;  // the deflated member otherwise
};

bool is_contiguous(const PickleTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.sizes[i];
  }
  return true;
}

// Copies a view with strides into rows one after the other. Bounds were checked when the file was opened.
Tensor gather(const PickleTensor& tensor, const Shape& shape, std::span<const std::byte> elements) {
  Tensor out = Tensor::empty(shape, tensor.type);
  const size_t size = size_of(tensor.type);
  auto* target = static_cast<std::byte*>(out.raw());
  std::vector<int64_t> index(tensor.sizes.size(), 0);
  for (int64_t n = 0; n < shape.elements(); ++n, target += size) {
    int64_t at = 0;
    for (size_t i = 0; i < index.size(); ++i) at += index[i] * tensor.strides[i];
    std::memcpy(target, elements.data() + static_cast<size_t>(at) * size, size);
    for (size_t i = index.size(); i-- > 0;) {
      if (++index[i] < tensor.sizes[i]) break;
      index[i] = 0;
    }
  }
  return out;
}

class TorchCheckpoint : public WeightFile {
 public:
  TorchCheckpoint(SharedBytes source, std::string format)
      : WeightFile(source->path(), std::move(format)), source_(std::move(source)) {}

  std::optional<Error> parse_zip();
  std::optional<Error> parse_legacy();

  void release(std::string_view name) const override {
    if (const TensorInfo* info = find(name))
      source_->release(source_->bytes().subspan(info->begin, info->end - info->begin));
  }

 protected:
  Result<Tensor> read_tensor(const TensorInfo& info) const override;

 private:
  Error bad(std::string_view found) const {
    return Error(ErrorCode::bad_file, "cannot read the checkpoint \"{}\"", path().string())
        .with("found", found);
  }
  std::optional<Error> flatten(const PickleDocument& document);
  std::optional<Error> flatten(const PickleDocument& document, uint32_t node, const std::string& prefix,
                               int depth);
  std::optional<Error> add_tensor(const PickleDocument& document, const PickleTensor& tensor,
                                  const std::string& name);
  void add_metadata(const PickleNode& value, const std::string& name);
  std::optional<Error> place_storages(const PickleDocument& document, const std::vector<std::string>& keys,
                                      uint64_t at);

  SharedBytes source_;
  std::optional<ZipReader> zip_;
  std::string archive_;                                 // the folder inside the zip, with its slash
  std::unordered_map<std::string, uint64_t> storages_;  // legacy: key -> first byte of the elements
  std::unordered_map<std::string, Place> places_;
  size_t entries_ = 0;
};

std::optional<Error> TorchCheckpoint::parse_zip() {
  Result<ZipReader> zip = ZipReader::open(source_);
  if (!zip) return zip.error();
  zip_ = std::move(*zip);

  // The archive has one folder, named after the file that was saved.
  const ZipMember* pickle = nullptr;
  uint64_t inflated = 0;
  for (const auto& [name, member] : zip_->members()) {
    if (member.deflated) inflated = checked_add(inflated, member.size).value_or(UINT64_MAX);
    if (name != "data.pkl" && !name.ends_with("/data.pkl")) continue;
    if (pickle) return bad("two data.pkl in one archive");
    pickle = &member;
    archive_ = name.substr(0, name.size() - std::string_view("data.pkl").size());
  }
  if (!pickle) return bad("a zip archive without data.pkl");
  if (inflated > std::max(kMaxSmallInflated, kMaxGrowth * source_->bytes().size())) {
    return bad(fmt::format("packed members that would take {} bytes", inflated));
  }
  if (const ZipMember* order = zip_->find(archive_ + "byteorder")) {
    Result<std::vector<std::byte>> text = zip_->read(*order, 64);
    if (!text) return text.error();
    const std::string_view word(reinterpret_cast<const char*>(text->data()), text->size());
    if (word != "little") return bad("a big-endian checkpoint");
  }
  Result<std::vector<std::byte>> bytes = zip_->read(*pickle, kMaxPickle);
  if (!bytes) return bytes.error();
  Result<PickleDocument> document = read_pickle(*bytes, path().string());
  if (!document) return document.error();
  return flatten(*document);
}

std::optional<Error> TorchCheckpoint::parse_legacy() {
  std::vector<PickleDocument> parts;
  size_t at = 0;
  for (int i = 0; i < 5; ++i) {
    const auto rest = source_->bytes().subspan(at);
    Result<PickleDocument> part =
        read_pickle(rest.first(std::min<size_t>(rest.size(), kMaxPickle)), path().string());
    if (!part) return part.error();
    at += part->size;
    const PickleNode& root = part->node(part->root);
    if (i == 0 && root.text != kLegacyMagic) return bad("a pickle that torch.save did not write");
    if (i == 1 && root.integer != 1001) return bad("an unknown protocol of legacy checkpoints");
    for (size_t k = 0; i == 2 && k + 1 < root.items.size(); k += 2) {
      if (part->node(root.items[k]).text == "little_endian" && part->node(root.items[k + 1]).integer != 1) {
        return bad("a big-endian checkpoint");
      }
    }
    parts.push_back(std::move(*part));
  }
  std::vector<std::string> keys;
  for (const uint32_t item : parts[4].node(parts[4].root).items) keys.push_back(parts[4].node(item).text);
  if (auto error = place_storages(parts[3], keys, at)) return error;
  return flatten(parts[3]);
}

// Walks over the storages in the order of their keys.
std::optional<Error> TorchCheckpoint::place_storages(const PickleDocument& document,
                                                     const std::vector<std::string>& keys, uint64_t at) {
  std::unordered_map<std::string, const PickleStorage*> described;
  for (const PickleStorage& storage : document.storages) {
    const auto [found, is_new] = described.emplace(storage.key, &storage);
    if (!is_new &&
        (found->second->type != storage.type || found->second->root_elements != storage.root_elements)) {
      return bad(fmt::format("two descriptions of the storage {}", printable(storage.key)));
    }
  }
  const auto bytes = source_->bytes();
  for (const std::string& key : keys) {
    const auto found = described.find(key);
    if (found == described.end())
      return bad(fmt::format("the storage {} is described nowhere", printable(key)));
    uint64_t count = 0;
    if (bytes.size() - at < 8) return bad("the file ends before its storages");
    std::memcpy(&count, bytes.data() + at, 8);
    at += 8;
    const auto size = checked_multiply(count, size_of(found->second->type));
    if (count != found->second->root_elements || !size || *size > bytes.size() - at) {
      return bad(fmt::format("the storage {} has another size than described, or the file is cut off",
                             printable(key)));
    }
    if (!storages_.emplace(key, at).second) return bad(fmt::format("the storage {} twice", printable(key)));
    at += *size;
  }
  return std::nullopt;
}

std::optional<Error> TorchCheckpoint::flatten(const PickleDocument& document) {
  const PickleKind kind = document.node(document.root).kind;
  if (kind == PickleKind::tensor) {
    return add_tensor(document, document.tensors[static_cast<size_t>(document.node(document.root).integer)],
                      "tensor");
  }
  if (kind != PickleKind::dict) return bad("no dict of tensors");
  return flatten(document, document.root, "", 0);
}

std::optional<Error> TorchCheckpoint::flatten(const PickleDocument& document, uint32_t index,
                                              const std::string& prefix, int depth) {
  const std::vector<uint32_t>& items = document.node(index).items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (++entries_ > kMaxEntries) return bad("more entries than any checkpoint has");
    const PickleNode& key = document.node(items[i]);
    const PickleNode& value = document.node(items[i + 1]);
    if (key.kind != PickleKind::text) continue;  // the state of an optimiser: nothing that we need
    const std::string name = prefix + key.text;
    if (name.size() > 1024) return bad("a name longer than 1024 bytes");
    if (value.kind == PickleKind::dict && depth < kMaxNesting) {
      if (auto error = flatten(document, items[i + 1], name + ".", depth + 1)) return error;
    } else if (value.kind == PickleKind::tensor) {
      if (auto error = add_tensor(document, document.tensors[static_cast<size_t>(value.integer)], name))
        return error;
    } else if (depth <= 1) {
      add_metadata(value, name);
    }
  }
  return std::nullopt;
}

void TorchCheckpoint::add_metadata(const PickleNode& value, const std::string& name) {
  switch (value.kind) {
    case PickleKind::boolean: metadata_[name] = value.integer ? "true" : "false"; break;
    case PickleKind::integer: metadata_[name] = std::to_string(value.integer); break;
    case PickleKind::real: metadata_[name] = fmt::format("{}", value.real); break;
    case PickleKind::text:
      if (value.text.size() <= kMaxMetadataText) metadata_[name] = value.text;
      break;
    default: break;
  }
}

std::optional<Error> TorchCheckpoint::add_tensor(const PickleDocument& document, const PickleTensor& tensor,
                                                 const std::string& name) {
  const PickleStorage& storage = document.storages[tensor.storage];
  const std::string shown = printable(name);
  const auto shape = checked_shape(tensor.sizes);
  if (!shape) return bad(fmt::format("an absurd shape [{}] of {}", fmt::join(tensor.sizes, ", "), shown));

  // The storage must lie in the file, whole.
  Place place{.tensor = tensor};
  const auto storage_bytes = checked_multiply(storage.root_elements, size_of(storage.type));
  const uint64_t view_begin = storage.offset * size_of(storage.type);  // within the root: no overflow
  uint64_t end = 0;
  if (zip_) {
    const ZipMember* member = zip_->find(archive_ + "data/" + storage.key);
    if (!member || storage.offset != 0) return bad(fmt::format("the storage of {} is missing", shown));
    if (!storage_bytes || *storage_bytes > member->size)
      return bad(fmt::format("the storage of {} is too short", shown));
    place.begin = member->begin;
    if (member->deflated) place.packed = *member;
    end = member->begin + member->packed_size;
  } else {
    const auto found = storages_.find(storage.key);
    if (found == storages_.end() || !storage_bytes)
      return bad(fmt::format("the storage of {} is missing", shown));
    place.begin = found->second + view_begin;
    end = found->second + *storage_bytes;
  }
  place.storage_elements = storage.elements * size_of(storage.type) / size_of(tensor.type);

  // Its last element must lie in the storage; and a view may repeat elements, but not make more of them than
  // there are (a small file could ask for terabytes otherwise).
  uint64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.strides[i] < 0) return bad(fmt::format("a negative stride of {}", shown));
    if (tensor.sizes[i] == 0) continue;
    const auto step = checked_multiply(static_cast<uint64_t>(tensor.sizes[i] - 1),
                                       static_cast<uint64_t>(tensor.strides[i]));
    const auto sum = step ? checked_add(last, *step) : step;
    if (!sum) return bad(fmt::format("absurd strides of {}", shown));
    last = *sum;
  }
  const bool empty = shape->elements() == 0;
  if ((!empty && last >= place.storage_elements) ||
      static_cast<uint64_t>(shape->elements()) > place.storage_elements) {
    return bad(fmt::format("{} lies outside its storage", shown));
  }
  TensorInfo info{.name = name,
                  .shape = *shape,
                  .type = delivered_type(tensor.type),
                  .stored = std::string(maquette::name(tensor.type)),
                  .begin = place.begin,
                  .end = end};
  if (!place.packed && !empty) {
    info.begin = place.begin + tensor.offset * size_of(tensor.type);
    info.end = place.begin + (last + 1) * size_of(tensor.type);
  }
  if (!add(std::move(info))) return bad(fmt::format("the name {} twice", shown));
  places_.emplace(name, std::move(place));
  return std::nullopt;
}

Result<Tensor> TorchCheckpoint::read_tensor(const TensorInfo& info) const {
  const Place& place = places_.at(info.name);
  if (info.shape.elements() == 0) return Tensor::empty(info.shape, info.type);
  const size_t size = size_of(place.tensor.type);
  const uint64_t skip = place.tensor.offset * size;
  const uint64_t storage_size = place.storage_elements * size;

  // Inflate the storage where it is packed; then cut the tensor out of it.
  SharedBytes source = source_;
  std::span<const std::byte> elements;
  if (place.packed) {
    Result<std::vector<std::byte>> inflated = zip_->read(*place.packed, place.packed->size);
    if (!inflated) return inflated.error();
    source = ByteSource::copy(*inflated, path().string());
    elements = source->bytes().subspan(skip, storage_size - skip);
  } else {
    elements = source->bytes().subspan(place.begin + skip, storage_size - skip);
  }
  if (!is_contiguous(place.tensor)) return gather(place.tensor, info.shape, elements).to(info.type);
  const size_t wanted = static_cast<size_t>(info.shape.elements()) * size;
  return tensor_over(source, elements.first(wanted), info.shape, place.tensor.type);
}

}  // namespace

Result<SharedWeightFile> open_torch_checkpoint(const SharedBytes& bytes) {
  const auto start = bytes->bytes();
  const bool is_zip = start.size() >= 2 && start[0] == std::byte{'P'} && start[1] == std::byte{'K'};
  auto file = std::make_shared<TorchCheckpoint>(bytes, is_zip ? "checkpoint" : "legacy checkpoint");
  if (auto error = is_zip ? file->parse_zip() : file->parse_legacy()) return *error;
  return SharedWeightFile(std::move(file));
}

}  // namespace maquette::weights

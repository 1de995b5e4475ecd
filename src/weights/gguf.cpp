// GGUF (https://github.com/ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian:
//
//   "GGUF" | u32 version | u64 tensors | u64 records | records | tensor descriptions | padding | data
//   record       text key | u32 type | value            text = u64 length, bytes
//   description  text name | u32 dimensions | u64 size each, innermost first | u32 element type | u64 offset
//   in data
//
// Published diffusion files keep the original layout's tensor names. Files made for ComfyUI may fold
// convolution weights into two dimensions; the record comfy.gguf.orig_shape.NAME then holds the sizes,
// outermost first.

#include <algorithm>
#include <cstring>
#include <optional>

#include "weights/dequantise.h"
#include "weights/weight_file.h"

namespace maquette::weights {

namespace {

constexpr uint64_t kMaxCount = 200'000;           // tensors, and records
constexpr size_t kMaxKeptText = size_t{1} << 16;  // longer records (vocabularies) are skipped
constexpr size_t kMaxKeptArray = 8;
constexpr std::string_view kShapeKey = "comfy.gguf.orig_shape.";

enum class ValueType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

size_t size_of_value(ValueType type) {
  switch (type) {
    case ValueType::u8:
    case ValueType::i8:
    case ValueType::boolean: return 1;
    case ValueType::u16:
    case ValueType::i16: return 2;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32: return 4;
    case ValueType::u64:
    case ValueType::i64:
    case ValueType::f64: return 8;
    case ValueType::text:
    case ValueType::array: break;
  }
  return 0;
}

template <typename T>
std::string as_text(const std::byte* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof(T));
  return fmt::format("{}", value);
}

std::string value_text(ValueType type, const std::byte* bytes) {
  switch (type) {
    case ValueType::u8: return as_text<uint8_t>(bytes);
    case ValueType::i8: return as_text<int8_t>(bytes);
    case ValueType::u16: return as_text<uint16_t>(bytes);
    case ValueType::i16: return as_text<int16_t>(bytes);
    case ValueType::u32: return as_text<uint32_t>(bytes);
    case ValueType::i32: return as_text<int32_t>(bytes);
    case ValueType::f32: return as_text<float>(bytes);
    case ValueType::u64: return as_text<uint64_t>(bytes);
    case ValueType::i64: return as_text<int64_t>(bytes);
    case ValueType::f64: return as_text<double>(bytes);
    case ValueType::boolean: return bytes[0] == std::byte{0} ? "false" : "true";
    case ValueType::text:
    case ValueType::array: break;
  }
  return "";
}

class Gguf : public WeightFile {
 public:
  explicit Gguf(SharedBytes source) : WeightFile(source->path(), "gguf"), source_(std::move(source)) {}

  // Nothing where the file is sound, the problem otherwise.
  std::optional<std::string> parse();

  void release(std::string_view name) const override {
    if (const TensorInfo* info = find(name)) source_->release(part(*info));
  }

 protected:
  Result<Tensor> read_tensor(const TensorInfo& info) const override {
    const GgufType& type = *types_.at(info.name);
    if (type.plain) return tensor_over(source_, part(info), info.shape, *type.plain);
    Tensor values = Tensor::empty(info.shape);
    dequantise(type, part(info), values.data());
    return values;
  }

 private:
  std::span<const std::byte> part(const TensorInfo& info) const {
    return source_->bytes().subspan(info.begin, info.end - info.begin);
  }

  // Each reads at `at_` and moves on; false at the end of the file.
  template <typename T>
  bool take(T& value) {
    if (source_->bytes().size() - at_ < sizeof(T)) return false;
    std::memcpy(&value, source_->bytes().data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  bool take_text(std::string& text, size_t limit);
  bool skip(uint64_t bytes) {
    if (bytes > source_->bytes().size() - at_) return false;
    at_ += bytes;
    return true;
  }
  bool take_record();
  bool take_value(ValueType type, const std::string& key);
  bool take_array(const std::string& key);
  std::optional<std::string> take_description();
  std::optional<std::string> place_tensors();
  std::optional<Shape> original_shape(const std::string& name, const Shape& stored) const;

  SharedBytes source_;
  size_t at_ = 0;
  uint64_t data_begin_ = 0;
  std::unordered_map<std::string, const GgufType*> types_;
  std::unordered_map<std::string, std::vector<int64_t>> original_shapes_;
  std::vector<TensorInfo> described_;  // begin and end count from the start of the data until place_tensors
};

std::optional<std::string> Gguf::parse() {
  uint32_t magic = 0;
  uint32_t version = 0;
  uint64_t tensor_count = 0;
  uint64_t record_count = 0;
  if (!take(magic) || !take(version)) return "the file is cut off";
  if (version != 2 && version != 3) return fmt::format("version {} (2 and 3 are supported)", version);
  if (!take(tensor_count) || !take(record_count)) return "the file is cut off";
  if (tensor_count > kMaxCount || record_count > kMaxCount)
    return "more tensors or records than any model has";

  // The records, then the descriptions of the tensors, then the data at the next aligned position.
  for (uint64_t i = 0; i < record_count; ++i) {
    if (!take_record()) return fmt::format("record {} is damaged or cut off", i);
  }
  for (uint64_t i = 0; i < tensor_count; ++i) {
    if (auto problem = take_description()) return problem;
  }
  uint64_t alignment = 32;
  if (const auto found = metadata_.find("general.alignment"); found != metadata_.end()) {
    alignment = std::strtoull(found->second.c_str(), nullptr, 10);
    if (alignment == 0 || alignment > 65536) return "an absurd alignment";
  }
  data_begin_ = (at_ + alignment - 1) / alignment * alignment;
  return place_tensors();
}

bool Gguf::take_text(std::string& text, size_t limit) {
  uint64_t size = 0;
  if (!take(size) || size > source_->bytes().size() - at_) return false;
  text.assign(reinterpret_cast<const char*>(source_->bytes().data()) + at_, std::min<uint64_t>(size, limit));
  at_ += size;
  return true;
}

bool Gguf::take_record() {
  std::string key;
  uint32_t type = 0;
  if (!take_text(key, 1024) || !take(type) || type > static_cast<uint32_t>(ValueType::f64)) return false;
  const auto value_type = static_cast<ValueType>(type);
  return value_type == ValueType::array ? take_array(key) : take_value(value_type, key);
}

bool Gguf::take_value(ValueType type, const std::string& key) {
  std::string text;
  if (type == ValueType::text) {
    if (!take_text(text, kMaxKeptText)) return false;
  } else {
    const size_t at = at_;
    if (!skip(size_of_value(type))) return false;
    text = value_text(type, source_->bytes().data() + at);
  }
  metadata_[key] = std::move(text);
  return true;
}

// Short arrays of numbers are kept as text; vocabularies and nested arrays (which no image model has) are
// not.
bool Gguf::take_array(const std::string& key) {
  uint32_t type = 0;
  uint64_t count = 0;
  if (!take(type) || !take(count) || type > static_cast<uint32_t>(ValueType::f64)) return false;
  const auto value_type = static_cast<ValueType>(type);
  if (value_type == ValueType::array) return false;
  if (value_type == ValueType::text) {
    std::string ignored;
    for (uint64_t i = 0; i < count; ++i) {
      if (!take_text(ignored, 0)) return false;
    }
    return true;
  }
  const size_t element = size_of_value(value_type);
  const size_t begin = at_;
  const auto bytes = checked_multiply(count, element);
  if (!bytes || !skip(*bytes)) return false;
  if (count > kMaxKeptArray) return true;
  std::vector<std::string> values;
  for (uint64_t i = 0; i < count; ++i) {
    values.push_back(value_text(value_type, source_->bytes().data() + begin + i * element));
  }
  if (key.starts_with(kShapeKey)) {
    std::vector<int64_t>& sizes = original_shapes_[key.substr(kShapeKey.size())];
    for (const std::string& value : values) sizes.push_back(std::strtoll(value.c_str(), nullptr, 10));
  } else {
    metadata_[key] = fmt::format("[{}]", fmt::join(values, ", "));
  }
  return true;
}

std::optional<Shape> Gguf::original_shape(const std::string& name, const Shape& stored) const {
  const auto found = original_shapes_.find(name);
  if (found == original_shapes_.end()) return stored;
  const auto shape = checked_shape(found->second);
  return shape && shape->elements() == stored.elements() ? shape : std::nullopt;
}

std::optional<std::string> Gguf::take_description() {
  TensorInfo info;
  uint32_t dimensions = 0;
  uint32_t type_id = 0;
  if (!take_text(info.name, 1024) || !take(dimensions)) return "a tensor description is cut off";
  const std::string name = printable(info.name);
  if (dimensions > static_cast<uint32_t>(Shape::kMaxRank))
    return fmt::format("{} dimensions of {}", dimensions, name);
  std::vector<int64_t> sizes(dimensions);
  for (int64_t& size : sizes) {
    if (!take(size)) return "a tensor description is cut off";
  }
  if (!take(type_id) || !take(info.begin)) return "a tensor description is cut off";

  const int64_t row = sizes.empty() ? 1 : sizes[0];
  std::ranges::reverse(sizes);
  const auto stored = checked_shape(sizes);
  if (!stored) return fmt::format("an absurd shape of {}", name);
  const GgufType* type = gguf_type(type_id);
  if (!type) return fmt::format("the element type {} of {}, which is not supported", type_id, name);
  if (row % static_cast<int64_t>(type->block_elements) != 0) {
    return fmt::format("rows of {} elements in {}, not a multiple of {}'s blocks", row, name, type->name);
  }
  const auto shape = original_shape(info.name, *stored);
  if (!shape) return fmt::format("an original shape of {} that does not fit", name);
  // checked_shape keeps the number of elements below 2^48: no overflow here.
  const uint64_t size = static_cast<uint64_t>(stored->elements()) / type->block_elements * type->block_bytes;
  const auto end = checked_add(info.begin, size);
  if (!end) return fmt::format("an absurd offset of {}", name);
  info.end = *end;
  info.shape = *shape;
  info.type = type->plain ? delivered_type(*type->plain) : DType::f32;
  info.stored = std::string(type->name);
  if (!types_.emplace(info.name, type).second) return fmt::format("the name {} twice", name);
  described_.push_back(std::move(info));
  return std::nullopt;
}

// Moves the offsets to the file and checks that every tensor lies in it and none overlaps another.
std::optional<std::string> Gguf::place_tensors() {
  const uint64_t size = source_->bytes().size();
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (TensorInfo& info : described_) {
    const bool empty = info.begin == info.end;
    if (data_begin_ > size || info.end > size - data_begin_) {
      return fmt::format("{} lies outside the file", printable(info.name));
    }
    info.begin += data_begin_;
    info.end += data_begin_;
    if (!empty) ranges.emplace_back(info.begin, info.end);
    add(std::move(info));
  }
  described_.clear();
  std::ranges::sort(ranges);
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) return "tensors that overlap each other";
  }
  return std::nullopt;
}

}  // namespace

Result<SharedWeightFile> open_gguf(const SharedBytes& bytes) {
  auto file = std::make_shared<Gguf>(bytes);
  if (auto problem = file->parse()) {
    return Error(ErrorCode::bad_file, "cannot read the GGUF file \"{}\"", bytes->path().string())
        .with("found", *problem);
  }
  return SharedWeightFile(std::move(file));
}

}  // namespace maquette::weights

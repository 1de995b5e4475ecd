// The safetensors format (https://github.com/huggingface/safetensors, "Format"):
//
//   u64 little-endian N | N bytes of JSON | the tensors' bytes
//
//   {"__metadata__": {text: text}, "name": {"dtype": "F16", "shape": [..], "data_offsets": [begin, end]},
//   ...}
//
// Offsets count from the end of the header. Together the tensors must cover the rest of the file without
// holes or overlaps, as the format demands. The header is read as a stream of JSON events, so that neither
// its depth nor the number of its entries costs more than its own size.

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/json.h"
#include "weights/weight_file.h"

namespace maquette::weights {

namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the reference reader

struct StoredForm {
  std::string_view name;       // in the header
  std::string_view shown;      // in reports
  unsigned bits = 0;           // of one element
  std::optional<DType> dtype;  // none: listed, but cannot be read
};

constexpr std::array<StoredForm, 20> kForms = {{
    {"F32", "f32", 32, DType::f32},
    {"F16", "f16", 16, DType::f16},
    {"BF16", "bf16", 16, DType::bf16},
    {"F8_E4M3", "f8_e4m3", 8, DType::f8_e4m3},
    {"F8_E5M2", "f8_e5m2", 8, DType::f8_e5m2},
    {"F64", "f64", 64, DType::f64},
    {"I64", "i64", 64, DType::i64},
    {"I32", "i32", 32, DType::i32},
    {"I16", "i16", 16, DType::i16},
    {"I8", "i8", 8, DType::i8},
    {"U8", "u8", 8, DType::u8},
    {"BOOL", "bool", 8, DType::boolean},
    {"U16", "u16", 16, std::nullopt},
    {"U32", "u32", 32, std::nullopt},
    {"U64", "u64", 64, std::nullopt},
    {"C64", "c64", 64, std::nullopt},
    {"F8_E8M0", "f8_e8m0", 8, std::nullopt},
    {"F6_E2M3", "f6_e2m3", 6, std::nullopt},
    {"F6_E3M2", "f6_e3m2", 6, std::nullopt},
    {"F4", "f4", 4, std::nullopt},
}};

const StoredForm* form_by(std::string_view StoredForm::*field, std::string_view name) {
  const auto found = std::ranges::find(kForms, name, field);
  return found == kForms.end() ? nullptr : &*found;
}

// One entry of the header as it was written.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint64_t> offsets;
  bool has_dtype = false;
  bool has_shape = false;
};

// Receives the events of the JSON reader. Every method returns false to stop; `problem` then says why.
class HeaderReader : public Json::json_sax_t {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string problem;

  bool start_object(size_t) override {
    if (depth_ == 0) return enter(Where::top);
    if (where_ == Where::top && !key_.empty() && key_ == "__metadata__") return enter(Where::metadata);
    if (where_ == Where::top) {
      entries.push_back({.name = key_});
      return enter(Where::tensor);
    }
    return stop("an object inside the description of a tensor");
  }
  bool end_object() override {
    if (where_ == Where::tensor && !complete(entries.back())) {
      return stop("a tensor without dtype, shape or data_offsets: " + printable(entries.back().name));
    }
    --depth_;
    where_ = Where::top;
    return true;
  }
  bool start_array(size_t) override {
    if (where_ != Where::tensor || in_array_ || (key_ != "shape" && key_ != "data_offsets")) {
      return stop("an array where none belongs");
    }
    Entry& entry = entries.back();
    if (key_ == "shape" ? entry.has_shape : !entry.offsets.empty()) return stop("a field given twice");
    entry.has_shape = entry.has_shape || key_ == "shape";
    in_array_ = true;
    return true;
  }
  bool end_array() override {
    in_array_ = false;
    return true;
  }
  bool key(std::string& name) override {
    key_ = name;
    return true;
  }
  bool string(std::string& text) override {
    if (where_ == Where::metadata) {
      metadata[key_] = text;
      return true;
    }
    if (where_ != Where::tensor || key_ != "dtype" || in_array_) return stop("text where none belongs");
    if (entries.back().has_dtype) return stop("a field given twice");
    entries.back().dtype = text;
    entries.back().has_dtype = true;
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    if (where_ == Where::metadata) {
      metadata[key_] = std::to_string(value);  // not allowed by the format, harmless, and some writers do it
      return true;
    }
    if (where_ != Where::tensor || !in_array_) return stop("a number where none belongs");
    Entry& entry = entries.back();
    if (key_ == "data_offsets") {
      if (entry.offsets.size() == 2) return stop("more than two data_offsets");
      entry.offsets.push_back(value);
      return true;
    }
    if (value > static_cast<uint64_t>(INT64_MAX) || entry.shape.size() > 64) return stop("an absurd shape");
    entry.shape.push_back(static_cast<int64_t>(value));
    return true;
  }
  bool null() override {
    return where_ == Where::top && key_ == "__metadata__" ? true : scalar_metadata("null");
  }
  bool boolean(bool value) override { return scalar_metadata(value ? "true" : "false"); }
  bool number_integer(int64_t value) override { return scalar_metadata(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { return scalar_metadata(text); }
  bool binary(Json::binary_t&) override { return stop("binary data"); }
  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    return stop(fmt::format("invalid JSON at byte {}", position));
  }

 private:
  enum class Where { top, metadata, tensor };

  bool enter(Where where) {
    where_ = where;
    ++depth_;
    return true;
  }
  bool stop(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool scalar_metadata(std::string text) {
    if (where_ != Where::metadata) return stop("a value where none belongs");
    metadata[key_] = std::move(text);
    return true;
  }
  static bool complete(const Entry& entry) {
    return entry.has_dtype && entry.has_shape && entry.offsets.size() == 2;
  }

  Where where_ = Where::top;
  int depth_ = 0;
  bool in_array_ = false;
  std::string key_;
};

class Safetensors : public WeightFile {
 public:
  explicit Safetensors(SharedBytes source)
      : WeightFile(source->path(), "safetensors"), source_(std::move(source)) {}

  // Nothing where the file is sound, the problem otherwise.
  std::optional<std::string> parse();

  void release(std::string_view name) const override {
    if (const TensorInfo* info = find(name)) source_->release(part(*info));
  }

 protected:
  Result<Tensor> read_tensor(const TensorInfo& info) const override {
    const StoredForm* form = form_by(&StoredForm::shown, info.stored);
    if (!form || !form->dtype) {
      return Error(ErrorCode::bad_file, "cannot read \"{}\" of \"{}\"", printable(info.name), path().string())
          .with("found", fmt::format("elements of type {}", info.stored))
          .with("expected", "f32, f16, bf16, f64, 8-bit floating point or integers");
    }
    return tensor_over(source_, part(info), info.shape, *form->dtype);
  }

 private:
  std::span<const std::byte> part(const TensorInfo& info) const {
    return source_->bytes().subspan(info.begin, info.end - info.begin);
  }
  std::optional<std::string> add_entry(const Entry& entry, uint64_t data_begin);
  std::optional<std::string> check_cover(uint64_t data_begin) const;

  SharedBytes source_;
};

std::optional<std::string> Safetensors::parse() {
  const auto bytes = source_->bytes();
  if (bytes.size() < 8) return "fewer than 8 bytes";
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  if (header_size > kMaxHeader) {
    return fmt::format("a header of {} bytes, more than the format allows ({})", header_size, kMaxHeader);
  }
  if (header_size > bytes.size() - 8) return "the file ends inside its header";

  // The table of contents.
  HeaderReader reader;
  const char* text = reinterpret_cast<const char*>(bytes.data()) + 8;
  if (!Json::sax_parse(text, text + header_size, &reader)) return reader.problem;
  const uint64_t data_begin = 8 + header_size;
  for (const Entry& entry : reader.entries) {
    if (auto problem = add_entry(entry, data_begin)) return problem;
  }
  metadata_ = std::move(reader.metadata);
  return check_cover(data_begin);
}

std::optional<std::string> Safetensors::add_entry(const Entry& entry, uint64_t data_begin) {
  const std::string name = printable(entry.name);
  const StoredForm* form = form_by(&StoredForm::name, entry.dtype);
  if (!form) return fmt::format("unknown element type {} of {}", printable(entry.dtype), name);
  const auto shape = checked_shape(entry.shape);
  if (!shape) return fmt::format("an absurd shape [{}] of {}", fmt::join(entry.shape, ", "), name);
  const uint64_t data_size = source_->bytes().size() - data_begin;
  const uint64_t begin = entry.offsets[0];
  const uint64_t end = entry.offsets[1];
  if (begin > end || end > data_size) {
    return fmt::format("{} lies outside the file: bytes {} to {} of {}", name, begin, end, data_size);
  }
  // checked_shape keeps the number of elements below 2^48: no overflow with at most 64 bits each.
  const uint64_t expected_bits = static_cast<uint64_t>(shape->elements()) * form->bits;
  if (expected_bits % 8 != 0 || expected_bits / 8 != end - begin) {
    return fmt::format("{} has {} bytes, but {} of {} needs {}", name, end - begin, shape->text(),
                       form->shown, expected_bits / 8);
  }
  TensorInfo info{.name = entry.name,
                  .shape = *shape,
                  .type = form->dtype ? delivered_type(*form->dtype) : DType::u8,
                  .stored = std::string(form->shown),
                  .begin = data_begin + begin,
                  .end = data_begin + end};
  if (!add(std::move(info))) return fmt::format("the name {} twice", name);
  return std::nullopt;
}

std::optional<std::string> Safetensors::check_cover(uint64_t data_begin) const {
  std::vector<const TensorInfo*> order;
  for (const TensorInfo& info : tensors()) order.push_back(&info);
  std::ranges::sort(order, [](const TensorInfo* a, const TensorInfo* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  uint64_t at = data_begin;
  for (const TensorInfo* info : order) {
    if (info->begin < at) return fmt::format("{} overlaps another tensor", printable(info->name));
    if (info->begin > at) {
      return fmt::format("{} bytes before {} that belong to no tensor", info->begin - at,
                         printable(info->name));
    }
    at = info->end;
  }
  if (at != source_->bytes().size()) {
    return fmt::format("{} bytes at the end that belong to no tensor", source_->bytes().size() - at);
  }
  return std::nullopt;
}

}  // namespace

Result<SharedWeightFile> open_safetensors(const SharedBytes& bytes) {
  auto file = std::make_shared<Safetensors>(bytes);
  if (auto problem = file->parse()) {
    return Error(ErrorCode::bad_file, "cannot read the safetensors file \"{}\"", bytes->path().string())
        .with("found", *problem);
  }
  return SharedWeightFile(std::move(file));
}

}  // namespace maquette::weights

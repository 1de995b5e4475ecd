// For tests: a case of tests/golden with its description, tensors and weights (see tests/golden/README.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "nn/scope.h"
#include "weights/weight_file.h"

namespace maquette::models {

// |a - b| over |b| in the L2 norm; 1e9 where the shapes differ.
inline double l2_error(const Tensor& a, const Tensor& reference) {
  if (!(a.shape() == reference.shape())) return 1e9;
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < a.data().size(); ++i) {
    const double d = static_cast<double>(a.data()[i]) - reference.data()[i];
    difference += d * d;
    size += static_cast<double>(reference.data()[i]) * reference.data()[i];
  }
  return std::sqrt(difference / std::max(size, 1e-30));
}

class GoldenCase {
 public:
  explicit GoldenCase(const fs::path& folder)
      : folder_(folder),
        info_(parse_json(read_text_file(folder / "case.json").take(), folder.string()).take()),
        data_(weights::open_weight_file(folder / "data.safetensors").take()) {}

  std::string name() const { return folder_.filename().string(); }
  const fs::path& folder() const { return folder_; }
  const Json& info() const { return info_; }
  Json config(const char* field = "config") const {
    return parse_json(read_text_file(folder_ / info_[field].get<std::string>()).take(), name()).take();
  }
  Tensor tensor(const Json& name) const { return data_->read(name.get<std::string>()).take().to(DType::f32); }
  // Every tensor of a weights file under its own name.
  nn::Scope scope(nn::Parameters& parameters, const char* field = "weights") const {
    const auto file = weights::open_weight_file(folder_ / info_[field].get<std::string>()).take();
    map_ = std::make_shared<weights::WeightMap>();
    for (const weights::TensorInfo& info : file->tensors())
      map_->add(info.name, {.file = file, .name = info.name});
    return {weights::WeightScope(*map_), parameters};
  }

 private:
  fs::path folder_;
  Json info_;
  weights::SharedWeightFile data_;
  mutable std::shared_ptr<weights::WeightMap> map_;
};

// The cases of a folder that test one kind of network, by name.
inline std::vector<GoldenCase> golden_cases(const fs::path& folder, std::string_view network) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / "case.json")) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  std::vector<GoldenCase> cases;
  for (const fs::path& path : folders) {
    GoldenCase golden(path);
    if (golden.info()["network"] == network) cases.push_back(std::move(golden));
  }
  return cases;
}

}  // namespace maquette::models

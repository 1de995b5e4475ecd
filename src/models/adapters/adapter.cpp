// The file's tensors are sorted by module; each module is given to the first family that knows one of its
// tensors.
#include "models/adapters/adapter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "models/adapters/adapter_keys.h"
#include "models/adapters/peft_config.h"

namespace maquette::models {

namespace {

using weights::printable;

constexpr size_t kMaxModules = 100'000;
constexpr std::array<std::string_view, 4> kStandardNames = {"pytorch_lora_weights.safetensors",
                                                            "adapter_model.safetensors", "adapter_model.bin",
                                                            "pytorch_lora_weights.bin"};

using Modules = std::map<std::string, ModuleTensors, std::less<>>;

// Scalars and configurations in metadata: {"unet.lora_alpha": 8, ...} as diffusers writes it, else what lies
// beside.
Result<PeftConfig> config_of(const weights::WeightFile& file, const Json& beside) {
  const auto found = file.metadata().find("lora_adapter_metadata");
  if (found == file.metadata().end()) return PeftConfig::from_json(beside);
  const Result<Json> json = parse_json(found->second, "lora_adapter_metadata");
  if (!json) return json.error();
  return PeftConfig::from_json(*json);
}

Error damaged(const weights::WeightFile& file, const std::string& key, std::string found) {
  return Error(ErrorCode::weights, "cannot read the adapter \"{}\"", file.path().string())
      .with("tensor", key)
      .with("found", std::move(found));
}

// An alpha is a number, however it is stored.
Result<double> number_in(const weights::WeightFile& file, const std::string& key, const Tensor& tensor) {
  if (tensor.elements() != 1) return damaged(file, printable(key), "shape " + tensor.shape().text());
  const double value = tensor.to(DType::f32).data()[0];
  if (!std::isfinite(value)) return damaged(file, printable(key), fmt::format("{}", value));
  return value;
}

// What the module does to the layer's bias, whatever its family.
void take_bias(const ModuleTensors& tensors, AdapterModule& module) {
  for (const std::string_view name : {"diff_b", "b_norm"}) {
    if (tensors.has(name)) module.bias = make_bias(tensors.get(name));
  }
  if (tensors.has("lora_bias") && module.weight) {
    Tensor bias = tensors.get("lora_bias").to(DType::f32).clone();
    const Tensor down = tensors.get("lora_down");
    const auto scale =
        static_cast<float>(tensors.scale(down.defined() && down.rank() > 0 ? down.size(0) : 1));
    for (float& v : bias.data()) v *= scale;
    module.bias = make_bias(bias);
  }
  const Tensor factors = tensors.get("ia3_l");
  if (factors.defined() && module.weight && factors.size(0) == factors.elements()) {
    module.bias = make_peft_ia3(tensors);
    module.needs_bias = false;
  }
}

std::optional<Magnitude> take_magnitude(const ModuleTensors& module) {
  if (module.has("magnitude")) return Magnitude{module.get("magnitude"), Magnitude::Axis::outputs};
  if (module.has("dora_scale")) return Magnitude{module.get("dora_scale"), Magnitude::Axis::by_shape};
  return std::nullopt;
}

const AdapterFamily* family_of(const ModuleTensors& module) {
  for (const AdapterFamily& family : adapter_families()) {
    for (const std::string_view mark : family.marks) {
      if (module.has(mark)) return &family;
    }
  }
  return nullptr;
}

std::string_view reason_for(std::string_view tensor, bool module_is_known) {
  if (module_is_known) return "does not belong to the module's family";
  if (tensor == "oft_blocks") return "BOFT is not supported";
  return "no adapter form that is known";
}

// Beyond the family's own tensors a module may have these.
bool is_common(std::string_view tensor) {
  return tensor == "alpha" || tensor == "dora_scale" || tensor == "magnitude" || tensor == "diff_b" ||
         tensor == "b_norm" || tensor == "lora_bias";
}

class Reader {
 public:
  Reader(const weights::SharedWeightFile& file, PeftConfig config)
      : file_(*file), config_(std::move(config)) {
    adapter_.path = file->path();
    adapter_.name = adapter_.path.stem().string();
  }

  Result<Adapter> read() {
    for (const weights::TensorInfo& info : file_.tensors()) {
      if (const auto error = take(info)) return *error;
    }
    for (const auto& [key, tensors] : modules_) {
      try {
        add_module(key, tensors);
      } catch (Error& error) {  // what a family says, with the place added
        return error.with("module", printable(key)).with("file", file_.path().string());
      }
    }
    if (adapter_.modules.empty()) return nothing_found();
    return std::move(adapter_);
  }

 private:
  std::optional<Error> take(const weights::TensorInfo& info) {
    auto key = split_adapter_key(info.name);
    if (!key) {
      adapter_.unknown.push_back({printable(info.name), std::string(reason_for("", false))});
      return std::nullopt;
    }
    Result<Tensor> tensor = file_.read(info.name);
    if (!tensor) return tensor.error();
    ModuleTensors& module = modules_[key->module];
    if (modules_.size() > kMaxModules)
      return damaged(file_, printable(info.name), "more than 100000 modules");
    if (key->tensor == "alpha") {
      const Result<double> alpha = number_in(file_, info.name, *tensor);
      if (!alpha) return alpha.error();
      module.alpha = *alpha;
      return std::nullopt;
    }
    if (!module.tensors.emplace(key->tensor, *tensor).second) {
      return damaged(file_, printable(info.name), "a second tensor of the same meaning");
    }
    return std::nullopt;
  }

  void add_module(const std::string& key, const ModuleTensors& found) {
    ModuleTensors tensors = found;
    if (!tensors.alpha) {  // PEFT keeps it in the configuration
      const PeftConfig::Scale scale = config_.scale_of(key);
      tensors.alpha = scale.alpha;
      tensors.configured_rank = scale.rank;
      tensors.root_of_rank = scale.root_of_rank;
    }
    const AdapterFamily* family = family_of(tensors);
    const bool boft = tensors.has("oft_blocks") && tensors.get("oft_blocks").rank() == 4;
    if (boft) family = nullptr;

    AdapterModule module{.key = key};
    if (family) {
      module.weight = family->make(tensors);
      module.magnitude = take_magnitude(tensors);
    }
    take_bias(tensors, module);
    const bool known = module.weight || module.bias;
    for (const auto& [name, tensor] : tensors.tensors) {
      const bool used = (family && std::ranges::find(family->tensors, name) != family->tensors.end()) ||
                        (known && is_common(name));
      if (!used)
        adapter_.unknown.push_back({printable(key + "." + name), std::string(reason_for(name, known))});
    }
    if (known) adapter_.modules.push_back(std::move(module));
  }

  Error nothing_found() const {
    Error error(ErrorCode::weights, "cannot use \"{}\" as an adapter", file_.path().string());
    error.with("found", file_.tensors().empty()
                            ? "no tensors"
                            : fmt::format("\"{}\" and {} more", printable(file_.tensors()[0].name),
                                          file_.tensors().size() - 1));
    error.with("expected", "tensors such as \"... .lora_down.weight\" or \"... .lora_A.weight\"");
    error.hint("maquette model inspect FILE shows what it is");
    return error;
  }

  const weights::WeightFile& file_;
  PeftConfig config_;
  Modules modules_;
  Adapter adapter_;
};

}  // namespace

std::string Adapter::kinds() const {
  std::string text;
  std::set<std::string_view> seen;
  for (const AdapterModule& module : modules) {
    std::string_view kind = module.weight ? module.weight->kind() : "bias";
    if (module.magnitude) kind = "DoRA";
    if (!seen.insert(kind).second) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", kind);
  }
  return text;
}

Result<Adapter> adapter_of(const weights::SharedWeightFile& file, const Json& peft_config) {
  Result<PeftConfig> config = config_of(*file, peft_config);
  if (!config) return Error(config.error()).with("file", file->path().string());
  return Reader(file, std::move(*config)).read();
}

std::optional<fs::path> adapter_file_in(const fs::path& folder) {
  std::error_code ignored;
  for (const std::string_view name : kStandardNames) {
    if (fs::exists(folder / name, ignored)) return folder / name;
  }
  return std::nullopt;
}

Result<Adapter> read_adapter(const fs::path& path) {
  std::error_code ignored;
  fs::path file_path = path;
  if (fs::is_directory(path, ignored)) {
    const auto found = adapter_file_in(path);
    if (!found) {
      return Error(ErrorCode::not_found, "there is no adapter in \"{}\"", path.string())
          .with("expected", fmt::format("{}", fmt::join(kStandardNames, ", ")));
    }
    file_path = *found;
  }
  const Result<weights::SharedWeightFile> file = weights::open_weight_file(file_path);
  if (!file) return file.error();

  Json config = Json::object();
  const bool standard =
      std::ranges::find(kStandardNames, file_path.filename().string()) != kStandardNames.end();
  const fs::path beside = file_path.parent_path() / "adapter_config.json";
  if (standard && fs::exists(beside, ignored)) {
    const Result<std::string> text = read_text_file(beside);
    if (!text) return text.error();
    Result<Json> json = parse_json(*text, beside.string());
    if (!json) return json.error();
    config = std::move(*json);
  }
  Result<Adapter> adapter = adapter_of(*file, config);
  if (adapter && standard) adapter->name = fs::absolute(file_path, ignored).parent_path().filename().string();
  return adapter;
}

}  // namespace maquette::models

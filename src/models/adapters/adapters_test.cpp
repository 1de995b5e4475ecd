// Every published key form and family against what the reference computed (tests/golden/README.md,
// "adapters").
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

#include "models/adapters/adapter_stack.h"
#include "models/clip/text_encoder.h"
#include "models/golden_case.h"
#include "models/unet/unet.h"
#include "weights/checkpoint.h"

namespace maquette::models {
namespace {

const fs::path kGolden = "tests/golden";

// The networks of a folder that adapters change.
struct TinyModel {
  weights::Checkpoint checkpoint;
  std::optional<UNet> unet;
  std::vector<TextEncoder> text_encoders;
  Components components;
};

std::unique_ptr<TinyModel> load_tiny(const fs::path& folder) {
  auto model = std::make_unique<TinyModel>();
  model->checkpoint = weights::open_checkpoint(folder).take();
  for (const weights::Component& component : model->checkpoint.components) {
    nn::Parameters& parameters = model->components[component.kind];
    const nn::Scope scope(weights::WeightScope(component.weights), parameters);
    if (component.kind == "unet") {
      model->unet = UNet::load(scope, UNetConfig::from_json(component.config));
    } else if (component.kind.starts_with("text_encoder")) {
      model->text_encoders.push_back(
          TextEncoder::load(scope, TextEncoderConfig::from_json(component.config)));
    } else {
      model->components.erase(component.kind);
    }
  }
  return model;
}

const nn::Parameter& parameter_of(const TinyModel& model, const std::string& name) {
  const size_t dot = name.find('.');
  const nn::Parameters& parameters = model.components.at(name.substr(0, dot));
  std::string rest = name.substr(dot + 1);
  const nn::Parameter* found = parameters.find(rest);
  if (!found && rest.starts_with("text_model.")) found = parameters.find(rest.substr(11));
  if (!found) throw Error(ErrorCode::failed, "no parameter {}", name);
  return *found;
}

AdapterUse use_of(const GoldenCase& golden) {
  const fs::path path = golden.folder() / golden.info()["adapter"].get<std::string>();
  AdapterUse use{.adapter = std::make_shared<const Adapter>(read_adapter(path).take())};
  const Json& strength = golden.info()["strength"];
  use.unet_weight = strength.is_number() ? strength.get<double>() : strength["unet"].get<double>();
  use.text_weight = strength.is_number() ? strength.get<double>() : strength["text_encoder"].get<double>();
  return use;
}

std::vector<GoldenCase> all_cases() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(kGolden / "adapters")) folders.push_back(entry.path());
  std::ranges::sort(folders);
  std::vector<GoldenCase> cases;
  for (const fs::path& folder : folders) cases.emplace_back(folder);
  return cases;
}

// How far the changed weights are from the expected, each relative to its own size.
double worst_error(const TinyModel& model, const GoldenCase& golden) {
  double worst = 0;
  for (const auto& [name, tensor] : golden.info()["merged"].items()) {
    const Tensor expected = golden.tensor(tensor);
    worst = std::max(worst, l2_error(parameter_of(model, name).read().to(DType::f32), expected));
  }
  return worst;
}

class Originals {
 public:
  explicit Originals(const TinyModel& model) : model_(model) {
    for (const auto& [component, parameters] : model.components) {
      for (const auto& [name, parameter] : parameters.all()) {
        const Tensor now = parameter.read();
        all_.push_back({component + "." + name, now, now.clone()});
      }
    }
  }
  // The names of parameters whose memory or values are not those of the beginning.
  std::vector<std::string> different() const {
    std::vector<std::string> names;
    for (const One& one : all_) {
      const Tensor now = parameter_of(model_, one.name).read();
      const bool same = now.raw() == one.tensor.raw() && now.dtype() == one.values.dtype() &&
                        std::memcmp(now.raw(), one.values.raw(), now.bytes()) == 0;
      if (!same) names.push_back(one.name);
    }
    return names;
  }

 private:
  struct One {
    std::string name;
    Tensor tensor, values;
  };
  const TinyModel& model_;
  std::vector<One> all_;
};

TEST(Adapters, merged_weights_match_the_reference_in_every_form) {
  const std::vector<GoldenCase> cases = all_cases();
  ASSERT_GE(cases.size(), 26U);
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name());
    const auto model = load_tiny(kGolden / golden.info()["model"].get<std::string>());
    const Originals originals(*model);
    AdapterStack stack(model->components);
    const AdapterUse use = use_of(golden);

    const AdapterReport report = stack.match(use.adapter);
    EXPECT_NO_THROW(require_matched(report)) << report.text();
    EXPECT_EQ(report.matched.size(), golden.info()["modules"].get<size_t>());

    const MergeCounts counts = stack.set(std::span(&use, 1));
    EXPECT_EQ(static_cast<size_t>(counts.merged), golden.info()["merged"].size());
    EXPECT_LT(worst_error(*model, golden), 1e-5);
    EXPECT_EQ(originals.different().size(), golden.info()["merged"].size()) << "others must stay as they are";

    EXPECT_EQ(stack.set({}).restored, counts.merged);
    EXPECT_EQ(originals.different(), std::vector<std::string>{});
  }
}

// Every adapter on the same model one after the other, without going back in between.
TEST(Adapters, any_state_is_reached_from_any_other) {
  const auto model = load_tiny(kGolden / "pipelines/models/sd1");
  const Originals originals(*model);
  AdapterStack stack(model->components);
  for (const GoldenCase& golden : all_cases()) {
    if (golden.info()["model"] != "pipelines/models/sd1") continue;
    const AdapterUse use = use_of(golden);
    stack.set(std::span(&use, 1));
    EXPECT_LT(worst_error(*model, golden), 1e-5) << golden.name();
    EXPECT_EQ(stack.changed(), golden.info()["merged"].size()) << golden.name();
  }
  stack.set({});
  EXPECT_EQ(originals.different(), std::vector<std::string>{});
}

// bf16 keeps the merged weights as a network that computes in bf16 would round them.
TEST(Adapters, bf16_is_the_f32_result_rounded_once) {
  const GoldenCase golden(kGolden / "adapters/lora_kohya");
  const auto model = load_tiny(kGolden / "pipelines/models/sd1");
  AdapterStack stack(model->components);
  const AdapterUse use = use_of(golden);
  std::map<std::string, Tensor> wide;
  stack.set(std::span(&use, 1));
  for (const auto& [name, tensor] : golden.info()["merged"].items()) {
    wide[name] = parameter_of(*model, name).read().clone();
    ASSERT_EQ(wide[name].dtype(), DType::f32);
  }
  const MergeCounts counts = stack.set(std::span(&use, 1), {.unet_type = DType::bf16});
  EXPECT_GT(counts.unchanged, 0) << "text encoders compute in f32 whatever the UNet does";
  for (const auto& [name, tensor] : wide) {
    const Tensor now = parameter_of(*model, name).read();
    const Tensor expected = name.starts_with("unet.") ? tensor.to(DType::bf16) : tensor;
    ASSERT_EQ(now.dtype(), expected.dtype()) << name;
    EXPECT_EQ(std::memcmp(now.raw(), expected.raw(), expected.bytes()), 0) << name;
  }
}

// The network itself sees the change, and sees it go.
TEST(Adapters, the_network_computes_with_the_merged_weights) {
  const GoldenCase golden(kGolden / "adapters/lora_kohya");
  const auto model = load_tiny(kGolden / "pipelines/models/sd1");
  AdapterStack stack(model->components);
  const AdapterUse use = use_of(golden);
  const auto run = [&] {
    kernels::Exec ex;
    const nn::CrossContext text(Tensor::full({1, 4, model->unet->context_width()}, 0.3f));
    Tensor latent = Tensor::empty({1, model->unet->in_channels(), 8, 8});
    for (size_t i = 0; i < latent.data().size(); ++i) latent.data()[i] = std::sin(static_cast<float>(i));
    return (*model->unet)(ex, {.latent = latent, .timesteps = {500}, .text = &text}).clone();
  };
  const Tensor plain = run();
  stack.set(std::span(&use, 1));
  EXPECT_GT(l2_error(run(), plain), 1e-3);
  stack.set({});
  EXPECT_EQ(l2_error(run(), plain), 0);
}

}  // namespace
}  // namespace maquette::models

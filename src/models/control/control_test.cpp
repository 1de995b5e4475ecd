// Parity of ControlNets and T2I-Adapters with diffusers: tests/golden/networks (tools/make_golden.py) and the
// rarer modes in tests/golden/control (tools/golden/control_modes.py). 2e-5: f32 sums in another order.
#include <gtest/gtest.h>

#include "models/control/controlnet.h"
#include "models/control/pictures.h"
#include "models/control/t2i_adapter.h"
#include "models/golden_case.h"
#include "weights/checkpoint.h"

namespace maquette::models {
namespace {

constexpr double kTolerance = 2e-5;

Tensor read_mode(const std::string& name) {
  static const auto file = weights::open_weight_file("tests/golden/control/modes.safetensors").take();
  return file->read(name).take();
}

std::vector<std::vector<double>> rows_of(const Tensor& t) {
  std::vector<std::vector<double>> rows;
  for (int64_t i = 0; i < t.size(0); ++i) {
    const Tensor row = t.rows(i, i + 1);
    rows.emplace_back(row.data().begin(), row.data().end());
  }
  return rows;
}

// --- ControlNet ---

void check_controlnet(const GoldenCase& golden, const ControlNet& net, DType activations, double tolerance) {
  SCOPED_TRACE(golden.name());
  kernels::Exec ex;
  ex.activations = activations;
  for (const Json& call : golden.info()["calls"]) {
    const Json& inputs = call["inputs"];
    const nn::CrossContext text(kernels::convert(ex, golden.tensor(inputs["context"]), activations));
    UNetInput input{.latent = golden.tensor(inputs["sample"]),
                    .timesteps = {inputs["timestep"].get<double>()},
                    .text = &text};
    if (inputs.contains("text_embeds")) {
      input.added = size_embedding(golden.tensor(inputs["text_embeds"]),
                                   rows_of(golden.tensor(inputs["time_ids"])), net.size_waves());
    }
    const Tensor hint = net.hint(ex, golden.tensor(inputs["hint"]));
    EXPECT_LT(l2_error(kernels::to_channels_first(hint),
                       golden.tensor(call["activations"]["controlnet_cond_embedding"])),
              tolerance);
    const Residuals out = net(ex, input, hint, {.scale = call["conditioning_scale"].get<double>()});
    const Json& expected = call["outputs"];
    ASSERT_EQ(out.skips.size(), expected["down"].size());
    for (size_t i = 0; i < out.skips.size(); ++i) {
      EXPECT_LT(l2_error(kernels::to_channels_first(out.skips[i]), golden.tensor(expected["down"][i])),
                tolerance)
          << i;
    }
    EXPECT_LT(l2_error(kernels::to_channels_first(out.middle), golden.tensor(expected["mid"])), tolerance);
  }
}

TEST(ControlNet, matches_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "controlnet");
  EXPECT_GE(cases.size(), 2u);
  for (const GoldenCase& golden : cases) {
    nn::Parameters parameters;
    const ControlNet net =
        ControlNet::load(golden.scope(parameters), ControlNetConfig::from_json(golden.config()));
    EXPECT_EQ(net.hint_factor(), 8);
    check_controlnet(golden, net, DType::f32, kTolerance);
    check_controlnet(golden, net, DType::bf16, 5e-2);
  }
}

TEST(ControlNet, computes_no_more_than_cached_features_need) {
  const GoldenCase golden("tests/golden/networks/controlnet_sd");
  nn::Parameters parameters;
  const ControlNet net =
      ControlNet::load(golden.scope(parameters), ControlNetConfig::from_json(golden.config()));
  kernels::Exec ex;
  const Json& inputs = golden.info()["calls"][0]["inputs"];
  const nn::CrossContext text(golden.tensor(inputs["context"]));
  UNetInput input{.latent = golden.tensor(inputs["sample"]), .timesteps = {500}, .text = &text};
  const Tensor hint = net.hint(ex, golden.tensor(inputs["hint"]));
  const ControlStrength strength{.scale = 0.7, .fade = ControlFade::soft, .pictures = {}};
  const Residuals whole = net(ex, input, hint, strength);
  for (size_t depth = 1; depth < whole.skips.size(); ++depth) {
    DeepFeatures deep{.depth = depth, .activation = Tensor::zeros({1})};
    input.deep = &deep;
    const Residuals outer = net(ex, input, hint, strength);
    ASSERT_EQ(outer.skips.size(), depth);
    EXPECT_FALSE(outer.middle.defined());
    for (size_t i = 0; i < depth; ++i) EXPECT_EQ(l2_error(outer.skips[i], whole.skips[i]), 0) << i;
  }
}

TEST(ControlNet, reads_the_original_layout) {
  const GoldenCase golden("tests/golden/networks/controlnet_sd");
  const auto checkpoint =
      weights::open_checkpoint("tests/golden/control/controlnet_sd.ldm.safetensors").take();
  const weights::Component* component = checkpoint.find("controlnet");
  ASSERT_TRUE(component);
  nn::Parameters parameters;
  const weights::WeightScope scope(component->weights);
  const ControlNet net =
      ControlNet::load(nn::Scope(scope, parameters), ControlNetConfig::from_json(golden.config()));
  check_controlnet(golden, net, DType::f32, kTolerance);
  EXPECT_TRUE(scope.unused().empty());
}

struct ModeInput {
  nn::CrossContext text{read_mode("controlnet.context")};
  UNetInput input{.latent = read_mode("controlnet.sample"), .timesteps = {500}, .text = &text};
  Tensor picture = read_mode("controlnet.hint");
};

ControlNet controlnet_sd(const Json& changes = Json::object()) {
  const GoldenCase golden("tests/golden/networks/controlnet_sd");
  Json config = golden.config();
  for (const auto& [key, value] : changes.items()) config[key] = value;
  nn::Parameters parameters;
  return ControlNet::load(golden.scope(parameters), ControlNetConfig::from_json(config));
}

void check_mode(const std::string& mode, const Json& changes, const ControlStrength& strength) {
  SCOPED_TRACE(mode);
  const ControlNet net = controlnet_sd(changes);
  const ModeInput in;
  kernels::Exec ex;
  const Residuals out = net(ex, in.input, net.hint(ex, in.picture), strength);
  const auto compare = [&ex](const Tensor& found, const std::string& name) {
    Tensor expected = read_mode(name);
    // Averaged residuals are broadcast by the UNet of the reference.
    if (expected.size(2) * expected.size(3) == 1 && found.size(1) * found.size(2) > 1) {
      const Tensor means = kernels::to_channels_last(ex, expected);
      expected = kernels::to_channels_first(kernels::resize_nearest(ex, means, found.size(1), found.size(2)));
    }
    EXPECT_LT(l2_error(kernels::to_channels_first(found), expected), kTolerance) << name;
  };
  for (size_t i = 0; i < out.skips.size(); ++i) compare(out.skips[i], fmt::format("{}.down.{}", mode, i));
  compare(out.middle, mode + ".mid");
}

TEST(ControlNet, rarer_modes_match_the_reference) {
  check_mode("guess", Json::object(), {.scale = 0.8, .fade = ControlFade::guess});
  check_mode("pooled", {{"global_pool_conditions", true}}, {.scale = 0.8});
  check_mode("pooled_guess", {{"global_pool_conditions", true}}, {.scale = 0.8, .fade = ControlFade::guess});
  check_mode("bgr", {{"controlnet_conditioning_channel_order", "bgr"}}, {.scale = 0.8});
}

TEST(ControlNet, fades_as_the_interfaces_do) {
  const auto soft = fade_factors(ControlFade::soft, 13);
  EXPECT_DOUBLE_EQ(soft[12], 1);
  EXPECT_DOUBLE_EQ(soft[11], 0.825);
  EXPECT_NEAR(soft[0], 0.09941396, 1e-8);
  EXPECT_NEAR(fade_factors(ControlFade::soft, 10)[9], 0.561515625, 1e-12);
  const auto guess = fade_factors(ControlFade::guess, 13);
  EXPECT_NEAR(guess[0], 0.1, 1e-12);
  EXPECT_NEAR(guess[6], std::sqrt(0.1), 1e-12);
  EXPECT_DOUBLE_EQ(guess[12], 1);
}

TEST(ControlNet, leaves_pictures_alone_and_adds_up) {
  const ControlNet net = controlnet_sd();
  const ModeInput in;
  kernels::Exec ex;
  const Tensor hint = net.hint(ex, in.picture);
  const Residuals all = net(ex, in.input, hint);
  const Residuals second = net(ex, in.input, hint, {.pictures = {0, 2}});
  for (size_t i = 0; i < all.skips.size(); ++i) {
    const Tensor none = second.skips[i].rows(0, 1);
    EXPECT_EQ(std::ranges::count(none.data(), 0.0f), none.elements());
    const Tensor doubled = kernels::scale(ex, all.skips[i].rows(1, 2), 2);
    EXPECT_LT(l2_error(second.skips[i].rows(1, 2), doubled), 1e-6);
  }
  Residuals sum;
  add_residuals(ex, sum, all);
  add_residuals(ex, sum, second);
  EXPECT_LT(l2_error(sum.middle, kernels::add(ex, all.middle, second.middle)), 1e-7);
  EXPECT_LT(l2_error(sum.skips[3], kernels::add(ex, all.skips[3], second.skips[3])), 1e-7);
  Residuals other;
  other.skips.resize(2);
  other.middle = all.middle;
  EXPECT_THROW(add_residuals(ex, sum, other), Error);
  EXPECT_THROW(net(ex, in.input, hint, {.pictures = {1}}), Error);
  EXPECT_THROW(net(ex, in.input, net.hint(ex, Tensor::zeros({1, 3, 64, 64}))), Error);
  EXPECT_THROW(net.hint(ex, Tensor::zeros({1, 1, 32, 64})), Error);
}

TEST(ControlNet, refuses_other_networks) {
  nn::Parameters parameters;
  const GoldenCase unet("tests/golden/networks/unet_sd1");
  EXPECT_THROW(ControlNet::load(unet.scope(parameters), ControlNetConfig()), Error);
  EXPECT_THROW(ControlNetConfig::from_json(Json{{"controlnet_conditioning_channel_order", "gbr"}}), Error);
}

// --- T2I-Adapter ---

void check_adapter(const GoldenCase& golden, const T2iAdapter& adapter) {
  SCOPED_TRACE(golden.name());
  kernels::Exec ex;
  const Json& call = golden.info()["calls"][0];
  const auto features = adapter(ex, golden.tensor(call["inputs"]["pixels"]));
  const Json& expected = call["outputs"]["features"];
  ASSERT_EQ(features.size(), expected.size());
  for (size_t i = 0; i < features.size(); ++i) {
    EXPECT_LT(l2_error(kernels::to_channels_first(features[i]), golden.tensor(expected[i])), kTolerance) << i;
  }
  const auto odd = adapter(ex, read_mode(golden.name() + ".picture"));
  for (size_t i = 0; i < odd.size(); ++i) {
    const Tensor reference = read_mode(fmt::format("{}.feature.{}", golden.name(), i));
    EXPECT_LT(l2_error(kernels::to_channels_first(odd[i]), reference), kTolerance) << "odd " << i;
  }
}

TEST(T2iAdapter, matches_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "t2i_adapter");
  EXPECT_GE(cases.size(), 3u);
  for (const GoldenCase& golden : cases) {
    nn::Parameters parameters;
    const T2iAdapterConfig config = T2iAdapterConfig::from_json(golden.config());
    const T2iAdapter adapter = T2iAdapter::load(golden.scope(parameters), config);
    check_adapter(golden, adapter);
    // The weights alone tell the same.
    const T2iAdapter guessed = T2iAdapter::load(golden.scope(parameters), T2iAdapterConfig());
    EXPECT_EQ(guessed.kind(), config.kind);
    EXPECT_EQ(guessed.unfold(), config.unfold);
    EXPECT_EQ(guessed.picture_channels(), golden.config()["in_channels"].get<int64_t>());
  }
}

TEST(T2iAdapter, reads_the_original_layout) {
  int read = 0;
  for (const GoldenCase& golden : golden_cases("tests/golden/networks", "t2i_adapter")) {
    if (!golden.info().contains("original_weights")) continue;
    const auto file = golden.folder() / golden.info()["original_weights"].get<std::string>();
    const auto checkpoint = weights::open_checkpoint(file).take();
    const weights::Component* component = checkpoint.find("t2i_adapter");
    ASSERT_TRUE(component);
    nn::Parameters parameters;
    const weights::WeightScope scope(component->weights);
    check_adapter(golden, T2iAdapter::load(nn::Scope(scope, parameters), T2iAdapterConfig()));
    EXPECT_TRUE(scope.unused().empty());
    ++read;
  }
  EXPECT_GE(read, 1);
}

TEST(T2iAdapter, features_add_up) {
  kernels::Exec ex;
  const std::vector<Tensor> one{Tensor::full({1, 2, 2, 3}, 1), Tensor::full({1, 1, 1, 5}, 2)};
  std::vector<Tensor> sum;
  add_features(ex, sum, one, 0.5f, 2);
  add_features(ex, sum, one, 2, 2);
  EXPECT_EQ(sum[0].shape().text(), "[2, 2, 2, 3]");
  EXPECT_FLOAT_EQ(sum[0].data()[23], 2.5f);
  EXPECT_FLOAT_EQ(sum[1].data()[9], 5);
  EXPECT_THROW(add_features(ex, sum, {one[0]}, 1, 2), Error);
  EXPECT_THROW(repeat_pictures(ex, sum[0], 3), Error);
}

}  // namespace
}  // namespace maquette::models

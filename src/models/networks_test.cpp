// Parity of whole networks with PyTorch: every case of tests/golden/networks that holds a UNet, a VAE or a
// text encoder (made by tools/make_golden.py; versions inside each case). 2e-5: f32 sums taken in another
// order differ by about 1e-6 after a whole network; a wrong epsilon, head count or padding shows at 1e-2.
#include <gtest/gtest.h>

#include "models/clip/text_encoder.h"
#include "models/golden_case.h"
#include "models/unet/unet.h"
#include "models/vae/vae.h"

namespace maquette::models {
namespace {

constexpr double kTolerance = 2e-5;
constexpr double kTolerance16 = 6e-2;  // bf16 keeps 8 bits: 2^-9 per operation, a hundred of them in a row

void check_unet(const GoldenCase& golden, DType activations, double tolerance) {
  nn::Parameters parameters;
  const UNet unet = UNet::load(golden.scope(parameters), UNetConfig::from_json(golden.config()));
  kernels::Exec ex;
  ex.activations = activations;
  for (const Json& call : golden.info()["calls"]) {
    const Json& inputs = call["inputs"];
    const nn::CrossContext text(kernels::convert(ex, golden.tensor(inputs["context"]), activations));
    UNetInput input{.latent = golden.tensor(inputs["sample"]),
                    .timesteps = {inputs["timestep"].get<double>()},
                    .text = &text};
    if (inputs.contains("text_embeds")) {
      const Tensor ids = golden.tensor(inputs["time_ids"]);
      std::vector<std::vector<double>> sizes;
      for (int64_t i = 0; i < ids.size(0); ++i) {
        const Tensor row = ids.rows(i, i + 1);
        sizes.emplace_back(row.data().begin(), row.data().end());
      }
      input.added = size_embedding(golden.tensor(inputs["text_embeds"]), sizes, unet.size_waves());
    }
    if (inputs.contains("timestep_cond")) input.guidance_embedding = golden.tensor(inputs["timestep_cond"]);
    EXPECT_LT(l2_error(unet(ex, input), golden.tensor(call["output"])), tolerance) << golden.name();
  }
}

// A call over the features of a call with the same inputs runs other layers and must say the same.
void check_feature_caching(const GoldenCase& golden) {
  nn::Parameters parameters;
  const UNet unet = UNet::load(golden.scope(parameters), UNetConfig::from_json(golden.config()));
  kernels::Exec ex;
  int layers = 0;
  ex.trace_hook = [&](std::string_view, const Tensor&) { ++layers; };
  for (const Json& call : golden.info()["calls"]) {
    const Tensor context = golden.tensor(call["inputs"]["context"]);
    const nn::CrossContext text(kernels::convert(ex, context, DType::f32));
    UNetInput input{.latent = golden.tensor(call["inputs"]["sample"]), .timesteps = {500}, .text = &text};
    const Tensor whole = unet(ex, input);
    int deeper = 0;
    for (size_t depth = 1; depth < unet.skip_count(); ++depth) {
      SCOPED_TRACE(fmt::format("{}, depth {}", golden.name(), depth));
      DeepFeatures deep{.depth = depth, .activation = {}};
      input.deep = &deep;
      EXPECT_TRUE(std::ranges::equal(unet(ex, input).data(), whole.data()));
      layers = 0;
      EXPECT_TRUE(std::ranges::equal(unet(ex, input).data(), whole.data()));
      EXPECT_GT(layers, deeper);
      EXPECT_EQ(layers, 2 * static_cast<int>(depth));  // as many up as skips, no middle
      deeper = layers;
      // Another latent is seen, by the outer layers alone.
      UNetInput other = input;
      other.latent = Tensor::full(input.latent.shape(), 0.5f);
      EXPECT_GT(l2_error(unet(ex, other), whole), 1e-3);
    }
    for (const size_t depth : {size_t{0}, unet.skip_count()}) {
      DeepFeatures deep{.depth = depth, .activation = {}};
      input.deep = &deep;
      EXPECT_THROW(unet(ex, input), Error);
    }
  }
}

void check_vae(const GoldenCase& golden) {
  nn::Parameters parameters;
  const Vae vae = Vae::load(golden.scope(parameters), VaeConfig::from_json(golden.config()));
  kernels::Exec ex;
  for (const Json& call : golden.info()["calls"]) {
    if (call["call"] == "encode") {
      const Moments moments = vae.encode(ex, golden.tensor(call["inputs"]["pixels"]));
      EXPECT_LT(l2_error(moments.mean, golden.tensor(call["outputs"]["mean"])), kTolerance) << golden.name();
      EXPECT_LT(l2_error(moments.log_variance, golden.tensor(call["outputs"]["logvar"])), kTolerance)
          << golden.name();
    } else {
      const Tensor pixels = vae.decode(ex, golden.tensor(call["inputs"]["latents"]));
      EXPECT_LT(l2_error(pixels, golden.tensor(call["outputs"]["pixels"])), kTolerance) << golden.name();
    }
  }
}

void check_text_encoder(const GoldenCase& golden) {
  nn::Parameters parameters;
  const TextEncoder encoder =
      TextEncoder::load(golden.scope(parameters), TextEncoderConfig::from_json(golden.config()));
  kernels::Exec ex;
  const Json& call = golden.info()["calls"][0];
  const Tensor ids = golden.tensor(call["inputs"]["input_ids"]);
  std::vector<std::vector<TextInput>> sequences;
  std::vector<int64_t> ends;
  for (int64_t i = 0; i < ids.size(0); ++i) {
    const Tensor row = ids.rows(i, i + 1);
    std::vector<TextInput> sequence;
    for (const float id : row.data()) sequence.push_back({.id = static_cast<int64_t>(id)});
    // The end token is the largest number of the vocabulary.
    ends.push_back(std::ranges::max_element(row.data()) - row.data().begin());
    sequences.push_back(std::move(sequence));
  }
  const TextOutput out = encoder(ex, sequences);
  const Json& expected = call["outputs"];
  for (size_t i = 0; i < expected["hidden_states"].size(); ++i) {
    EXPECT_LT(l2_error(out.hidden[i], golden.tensor(expected["hidden_states"][i])), kTolerance)
        << golden.name();
  }
  EXPECT_LT(l2_error(out.last, golden.tensor(expected["last_hidden_state"])), kTolerance) << golden.name();
  const char* pooled = expected.contains("text_embeds") ? "text_embeds" : "pooler_output";
  EXPECT_LT(l2_error(encoder.pooled(ex, out.last, ends), golden.tensor(expected[pooled])), kTolerance)
      << golden.name();
}

TEST(Networks, unets_match_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "unet");
  EXPECT_GE(cases.size(), 8u);
  for (const GoldenCase& golden : cases) check_unet(golden, DType::f32, kTolerance);
}

TEST(Networks, unets_in_bf16_stay_near_the_reference) {
  for (const GoldenCase& golden : golden_cases("tests/golden/networks", "unet")) {
    check_unet(golden, DType::bf16, kTolerance16);
  }
}

TEST(Networks, unets_go_on_from_cached_features) {
  for (const GoldenCase& golden : golden_cases("tests/golden/networks", "unet")) {
    check_feature_caching(golden);
  }
}

TEST(Networks, vaes_match_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "vae");
  EXPECT_GE(cases.size(), 3u);
  for (const GoldenCase& golden : cases) check_vae(golden);
}

TEST(Networks, text_encoders_match_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "clip_text");
  EXPECT_GE(cases.size(), 3u);
  for (const GoldenCase& golden : cases) check_text_encoder(golden);
}

}  // namespace
TEST(Configurations, fields_that_change_the_arithmetic_are_refused) {
  for (const Json& config :
       {Json{{"act_fn", "gelu"}}, Json{{"mid_block_scale_factor", 2.0}}, Json{{"downsample_padding", 0}},
        Json{{"time_embedding_act_fn", "silu"}}, Json{{"timestep_post_act", "silu"}},
        Json{{"encoder_hid_dim_type", "text_proj"}}, Json{{"addition_embed_type", "text"}},
        Json{{"down_block_types", {"DownBlock2D", "AttnDownBlock2D"}}},
        Json{{"mid_block_type", "UNetMidBlock2DSimpleCrossAttn"}}}) {
    EXPECT_THROW(UNetConfig::from_json(config), Error) << config;
  }
  for (const Json& config :
       {Json{{"act_fn", "swish"}}, Json{{"mid_block_scale_factor", 1}}, Json{{"mid_block_type", nullptr}},
        Json{{"addition_embed_type", "text_time"}}, Json{{"only_cross_attention", {false, false}}}}) {
    EXPECT_NO_THROW(UNetConfig::from_json(config)) << config;
  }
  EXPECT_THROW(VaeConfig::from_json({{"act_fn", "relu"}}), Error);
  EXPECT_THROW(VaeConfig::from_json({{"up_block_types", {"UpDecoderBlock2D", "AttnUpDecoderBlock2D"}}}),
               Error);
  EXPECT_NO_THROW(VaeConfig::from_json({{"act_fn", "silu"}, {"down_block_types", {"DownEncoderBlock2D"}}}));
}

// A network that shows the other convention of waves in its size conditions too.
TEST(SizeConditions, follow_the_waves_of_the_network) {
  const Tensor pooled = Tensor::zeros({1, 2});
  const std::vector<std::vector<double>> sizes{{64}};
  const Tensor usual = size_embedding(pooled, sizes, {.width = 4, .waves = {}});
  const Tensor other =
      size_embedding(pooled, sizes, {.width = 4, .waves = {.cosines_first = false, .frequency_shift = 0}});
  ASSERT_EQ(usual.elements(), 6);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(usual.data()[2 + i], other.data()[4 + i]);
    EXPECT_EQ(usual.data()[4 + i], other.data()[2 + i]);
  }
}

}  // namespace maquette::models

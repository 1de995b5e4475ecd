// Parity of the tiny autoencoder with diffusers (tests/golden/networks, made by tools/make_golden.py), in
// diffusers' names and in the two files of the first publication. 2e-5: f32 sums in another order.
#include "models/taesd/taesd.h"

#include <gtest/gtest.h>

#include "models/golden_case.h"
#include "weights/layouts/layouts.h"

namespace maquette::models {
namespace {

constexpr double kTolerance = 2e-5;

void check(const GoldenCase& golden, const Taesd& taesd) {
  SCOPED_TRACE(golden.name());
  kernels::Exec ex;
  for (const Json& call : golden.info()["calls"]) {
    if (call["call"] == "encode") {
      const Tensor latents = taesd.encode(ex, golden.tensor(call["inputs"]["pixels"]));
      EXPECT_LT(l2_error(latents, golden.tensor(call["outputs"]["latents"])), kTolerance);
    } else {
      const Tensor latents = golden.tensor(call["inputs"]["latents"]);
      const Tensor pixels = taesd.decode(ex, latents);
      EXPECT_LT(l2_error(pixels, golden.tensor(call["outputs"]["pixels"])), kTolerance);
      EXPECT_EQ(taesd.factor(), pixels.size(2) / latents.size(2));
      EXPECT_EQ(taesd.latent_channels(), latents.size(1));
    }
  }
}

TEST(Taesd, matches_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "taesd");
  EXPECT_GE(cases.size(), 2u);
  for (const GoldenCase& golden : cases) {
    nn::Parameters parameters;
    const Taesd taesd = Taesd::load(golden.scope(parameters), TaesdConfig::from_json(golden.config()));
    check(golden, taesd);
    EXPECT_FALSE(parameters.all().empty());
  }
}

weights::NameSet names_of(const weights::WeightFile& file) {
  weights::NameSet names;
  for (const weights::TensorInfo& info : file.tensors()) names.insert(info.name);
  return names;
}

TEST(Taesd, reads_the_files_of_the_first_publication) {
  for (const GoldenCase& golden : golden_cases("tests/golden/networks", "taesd")) {
    const auto encoder = weights::open_weight_file(golden.folder() / "taesd_encoder.safetensors").take();
    const auto decoder = weights::open_weight_file(golden.folder() / "taesd_decoder.safetensors").take();
    weights::WeightMap both, decoder_alone, encoder_alone;
    const auto renames = weights::taesd_from_original(names_of(*encoder), names_of(*decoder));
    for (const weights::Renamed& renamed : renames) {
      const bool encodes = renamed.to.starts_with("encoder.");
      const weights::WeightSource source{.file = encodes ? encoder : decoder, .name = renamed.from};
      both.add(renamed.to, source);
      (encodes ? encoder_alone : decoder_alone).add(renamed.to, source);
    }
    nn::Parameters parameters;
    check(golden, Taesd::load(nn::Scope(weights::WeightScope(both), parameters), TaesdConfig()));

    // Half a network is enough for what it does.
    const Taesd shows =
        Taesd::load(nn::Scope(weights::WeightScope(decoder_alone), parameters), TaesdConfig());
    const Taesd reads =
        Taesd::load(nn::Scope(weights::WeightScope(encoder_alone), parameters), TaesdConfig());
    EXPECT_TRUE(shows.can_decode() && !shows.can_encode() && reads.can_encode() && !reads.can_decode());
    EXPECT_EQ(shows.factor(), reads.factor());
    EXPECT_EQ(shows.latent_channels(), reads.latent_channels());
    kernels::Exec ex;
    EXPECT_THROW(shows.encode(ex, Tensor::zeros({1, 3, 16, 16})), Error);
    EXPECT_THROW(reads.decode(ex, Tensor::zeros({1, 4, 4, 4})), Error);
  }
}

TEST(Taesd, latents_fit_a_picture_and_come_back) {
  nn::Parameters parameters;
  const GoldenCase golden("tests/golden/networks/taesd");
  const Taesd taesd = Taesd::load(golden.scope(parameters), TaesdConfig::from_json(golden.config()));
  const Tensor latent = Tensor::from({1, 1, 1, 5}, {-4, -3, 0, 1.5f, 7});
  const Tensor scaled = taesd.scale_latents(latent);
  EXPECT_EQ(std::vector(scaled.data().begin(), scaled.data().end()),
            (std::vector<float>{0, 0, 0.5f, 0.75f, 1}));
  const Tensor back = taesd.unscale_latents(scaled);
  EXPECT_EQ(std::vector(back.data().begin(), back.data().end()), (std::vector<float>{-3, -3, 0, 1.5f, 3}));
}

TEST(Taesd, wraps_textures) {
  nn::Parameters parameters;
  const GoldenCase golden("tests/golden/networks/taesd_two_levels");
  const Taesd taesd = Taesd::load(golden.scope(parameters), TaesdConfig::from_json(golden.config()));
  const Tensor latent = golden.tensor("decode.latents");  // [1, 4, 6, 5]
  Tensor moved = Tensor::empty(latent.shape());
  for (int64_t i = 0; i < latent.elements(); ++i) {
    moved.data()[static_cast<size_t>(i)] = latent.data()[static_cast<size_t>(i / 5 * 5 + (i + 1) % 5)];
  }
  kernels::Exec ex;
  ex.wrap.x = true;
  const Tensor plain = taesd.decode(ex, latent);
  const Tensor shifted = taesd.decode(ex, moved);
  const int64_t width = plain.size(3);
  for (int64_t i = 0; i < plain.elements(); ++i) {
    const int64_t from = i / width * width + (i + taesd.factor()) % width;
    ASSERT_NEAR(shifted.data()[static_cast<size_t>(i)], plain.data()[static_cast<size_t>(from)], 1e-5);
  }
}

TEST(Taesd, refuses_other_networks) {
  nn::Parameters parameters;
  const GoldenCase unet("tests/golden/networks/unet_sd1");
  EXPECT_THROW(Taesd::load(unet.scope(parameters), TaesdConfig()), Error);
  EXPECT_THROW(TaesdConfig::from_json(Json{{"act_fn", "silu"}}), Error);
}

}  // namespace
}  // namespace maquette::models

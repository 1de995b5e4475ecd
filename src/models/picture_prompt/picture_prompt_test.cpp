// Parity of picture prompts with transformers and diffusers: tests/golden/networks (tools/make_golden.py) and
// whole UNets with two IP-Adapters at once in tests/golden/picture_prompt (tools/golden/picture_prompt.py).
// 2e-5: f32 sums in another order; projections in the wrong order of layers show at 1e-1.
#include <gtest/gtest.h>

#include "models/golden_case.h"
#include "models/picture_prompt/ip_adapter.h"
#include "models/picture_prompt/prepare.h"

namespace maquette::models {
namespace {

constexpr double kTolerance = 2e-5;
const fs::path kFolder = "tests/golden/picture_prompt";

Tensor read(const std::string& name) {
  static const auto file = weights::open_weight_file(kFolder / "expected.safetensors").take();
  return file->read(name).take();
}

IpAdapter load_adapter(const fs::path& path) {
  const auto file = weights::open_weight_file(path).take();
  weights::WeightMap map;
  for (const weights::TensorInfo& info : file->tensors())
    map.add(info.name, {.file = file, .name = info.name});
  nn::Parameters parameters;
  const weights::WeightScope scope(map);
  IpAdapter adapter = IpAdapter::load(nn::Scope(scope, parameters));
  EXPECT_TRUE(scope.unused().empty()) << path;
  return adapter;
}

// Where the reference's library takes the vertical pass first (it chooses by size; older versions never did),
// single pixels differ by one 8-bit step after rounding: picture 1.
TEST(PreparedPicture, is_that_of_the_reference) {
  for (int i = 0; i < 4; ++i) {
    const Tensor bytes = read(fmt::format("picture.{}", i));
    const Tensor expected = read(fmt::format("pixels.{}", i));
    Tensor picture = Tensor::empty(bytes.shape());
    std::ranges::transform(bytes.data<uint8_t>(), picture.data().begin(),
                           [](uint8_t v) { return v / 255.0f; });
    const Tensor pixels = prepare_for_vision(picture, expected.size(3));
    ASSERT_EQ(pixels.shape().text(), expected.shape().text());
    double largest = 0;
    size_t different = 0;
    for (size_t k = 0; k < pixels.data().size(); ++k) {
      const double difference = std::abs(pixels.data()[k] - expected.data()[k]);
      largest = std::max(largest, difference);
      different += difference > 1e-5 ? 1 : 0;
    }
    EXPECT_LT(largest, i == 1 ? 1.01 / 255 / 0.26130258 : 1e-5) << i;
    EXPECT_LE(different, i == 1 ? pixels.data().size() / 4 : 0) << i;
  }
  EXPECT_THROW(prepare_for_vision(Tensor::zeros({1, 4, 4}), 8), Error);
}

TEST(VisionEncoder, matches_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "clip_vision");
  EXPECT_GE(cases.size(), 2u);
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE(golden.name());
    nn::Parameters parameters;
    const VisionEncoder encoder =
        VisionEncoder::load(golden.scope(parameters), VisionEncoderConfig::from_json(golden.config()));
    EXPECT_EQ(encoder.picture_size(), golden.config()["image_size"].get<int64_t>());
    for (const DType activations : {DType::f32, DType::bf16}) {
      kernels::Exec ex;
      ex.activations = activations;  // the encoder stays in f32
      ex.wrap = {true, true};
      const Json& call = golden.info()["calls"][0];
      const VisionOutput out = encoder(ex, golden.tensor(call["inputs"]["pixel_values"]));
      const Json& hidden = call["outputs"]["hidden_states"];
      ASSERT_EQ(out.hidden.size(), hidden.size());
      for (size_t i = 0; i < hidden.size(); ++i) {
        EXPECT_LT(l2_error(out.hidden[i], golden.tensor(hidden[i])), kTolerance) << i;
      }
      EXPECT_LT(l2_error(out.embedding, golden.tensor(call["outputs"]["image_embeds"])), kTolerance);
      EXPECT_EQ(encoder.embedding_width(), out.embedding.size(1));
    }
    kernels::Exec ex;
    EXPECT_THROW(encoder(ex, Tensor::zeros({1, 3, 8, 8})), Error);
  }
  EXPECT_THROW(VisionEncoderConfig::from_json(Json{{"hidden_act", "relu"}}), Error);
}

// Two adapters at once, one of each kind, through a whole UNet whose cross attentions have different widths.
void check_unet(const std::string& name, DType activations, double tolerance) {
  SCOPED_TRACE(name);
  const GoldenCase golden("tests/golden/networks/" + name);
  nn::Parameters parameters;
  const UNet unet = UNet::load(golden.scope(parameters), UNetConfig::from_json(golden.config()));
  const IpAdapter plain = load_adapter(kFolder / (name + ".ip_adapter.safetensors"));
  const IpAdapter plus = load_adapter(kFolder / (name + ".ip_adapter_plus.safetensors"));
  EXPECT_FALSE(plain.is_plus());
  EXPECT_TRUE(plus.is_plus());

  kernels::Exec ex;
  ex.activations = activations;
  const Tensor tokens = plain.project(ex, read(name + ".embedding"));
  const Tensor tokens_plus = plus.project(ex, read(name + ".hidden"));
  EXPECT_LT(l2_error(tokens, read(name + ".tokens")), kTolerance);
  EXPECT_LT(l2_error(tokens_plus, read(name + ".tokens_plus")), kTolerance);

  const auto make_context = [&] {
    return nn::CrossContext(kernels::convert(ex, read(name + ".context"), activations));
  };
  UNetInput input{.latent = read(name + ".sample"), .timesteps = {321}};
  if (unet.added_width() > 0) {
    const Tensor ids = read(name + ".time_ids");
    std::vector<std::vector<double>> sizes;
    for (int64_t i = 0; i < ids.size(0); ++i) {
      const Tensor row = ids.rows(i, i + 1);
      sizes.emplace_back(row.data().begin(), row.data().end());
    }
    input.added = size_embedding(read(name + ".text_embeds"), sizes, unet.size_waves());
  }
  const nn::CrossContext text_alone = make_context();
  input.text = &text_alone;
  const Tensor before = unet(ex, input);

  nn::CrossContext with_pictures = make_context();
  with_pictures.pictures = {{.tokens = kernels::convert(ex, tokens, activations), .weight = 0.7f},
                            {.tokens = kernels::convert(ex, tokens_plus, activations), .weight = 0.4f}};
  EXPECT_EQ(plain.install(unet), 0u);
  EXPECT_EQ(plus.install(unet), 1u);
  input.text = &with_pictures;
  EXPECT_LT(l2_error(unet(ex, input), read(name + ".output")), tolerance);
  EXPECT_GT(l2_error(before, read(name + ".output")), 0.01);

  // Taken out again, nothing of them is left.
  IpAdapter::uninstall_all(unet);
  const nn::CrossContext again = make_context();
  input.text = &again;
  EXPECT_EQ(l2_error(unet(ex, input), before), 0);
}

TEST(IpAdapter, unets_match_the_reference) {
  check_unet("unet_sd1", DType::f32, kTolerance);
  check_unet("unet_sdxl", DType::f32, kTolerance);
  check_unet("unet_sd1", DType::bf16, 5e-2);
}

TEST(IpAdapter, projections_match_the_reference) {
  const auto cases = golden_cases("tests/golden/networks", "ip_adapter_projection");
  EXPECT_GE(cases.size(), 2u);
  for (const GoldenCase& golden : cases) {
    const fs::path model = "tests/golden/pipelines/models";
    const bool plus = golden.name().ends_with("plus");
    const IpAdapter adapter =
        load_adapter(model / (plus ? "ip_adapter_plus_sd1" : "ip_adapter_sd1") / "ip_adapter.safetensors");
    kernels::Exec ex;
    const Json& call = golden.info()["calls"][0];
    EXPECT_LT(l2_error(adapter.project(ex, golden.tensor(call["inputs"]["embeds"])),
                       golden.tensor(call["outputs"]["tokens"])),
              kTolerance)
        << golden.name();
  }
}

TEST(IpAdapter, tokens_of_no_picture_are_those_of_nothing) {
  const GoldenCase golden("tests/golden/networks/clip_vision");
  nn::Parameters parameters;
  const VisionEncoder encoder =
      VisionEncoder::load(golden.scope(parameters), VisionEncoderConfig::from_json(golden.config()));
  kernels::Exec ex;
  const Tensor pixels = golden.tensor(golden.info()["calls"][0]["inputs"]["pixel_values"]);
  const fs::path models = "tests/golden/pipelines/models";

  const IpAdapter plain = load_adapter(models / "ip_adapter_sd1/ip_adapter.safetensors");
  const PictureTokens from_embedding = plain.tokens(ex, encoder, pixels);
  EXPECT_EQ(l2_error(from_embedding.none, plain.project(ex, Tensor::zeros({1, encoder.embedding_width()}))),
            0);
  EXPECT_EQ(l2_error(from_embedding.picture, plain.project(ex, encoder(ex, pixels).embedding)), 0);

  const IpAdapter plus = load_adapter(models / "ip_adapter_plus_sd1/ip_adapter.safetensors");
  const PictureTokens from_patches = plus.tokens(ex, encoder, pixels);
  const auto last_but_one = encoder(ex, Tensor::zeros(pixels.shape())).hidden.end()[-2];
  EXPECT_EQ(l2_error(from_patches.none, plus.project(ex, last_but_one)), 0);
  EXPECT_GT(l2_error(from_patches.none, from_patches.picture), 0.01);

  const Tensor batch = from_patches.for_batch(ex, {false, true});
  EXPECT_EQ(l2_error(batch.rows(0, 1), from_patches.none), 0);
  EXPECT_EQ(l2_error(batch.rows(1, 2), from_patches.picture), 0);
}

TEST(IpAdapter, refuses_what_does_not_fit) {
  const GoldenCase sdxl("tests/golden/networks/unet_sdxl");
  nn::Parameters parameters;
  const UNet unet = UNet::load(sdxl.scope(parameters), UNetConfig::from_json(sdxl.config()));
  const IpAdapter adapter = load_adapter(kFolder / "unet_sd1.ip_adapter.safetensors");
  EXPECT_THROW(adapter.install(unet), Error);
  for (const nn::Attention* attention : unet.cross_attentions()) EXPECT_TRUE(attention->picture_kv->empty());
  kernels::Exec ex;
  EXPECT_THROW(adapter.project(ex, Tensor::zeros({1, 7})), Error);
  const GoldenCase other("tests/golden/networks/unet_sd1");
  EXPECT_THROW(IpAdapter::load(other.scope(parameters)), Error);
}

}  // namespace
}  // namespace maquette::models

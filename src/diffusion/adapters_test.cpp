#include "diffusion/adapters.h"

#include <cmath>
#include <gtest/gtest.h>

#include "weights/safetensors_writer.h"

namespace maquette::diffusion {
namespace {

const fs::path kModels = "tests/golden/pipelines/models";
const fs::path kAdapters = "tests/golden/adapters";
constexpr const char* kQ = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight";

std::string adapter_file(const std::string& name) {
  return (kAdapters / name / "adapter.safetensors").string();
}

Tensor weight_of(const Model& model) { return model.parameters.at("unet").find(kQ)->read(); }

Recipe with_loras(std::initializer_list<Recipe::Adapter> loras) {
  Recipe recipe;
  recipe.loras = loras;
  return recipe;
}

// A file of the test's own, gone with it.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::map<std::string, Tensor>& tensors)
      : path_(fs::temp_directory_path() / fmt::format("maquette_{}", ::getpid()) / name) {
    fs::create_directories(path_.parent_path());
    weights::write_safetensors(path_, tensors);
  }
  ~TemporaryFile() { fs::remove_all(path_.parent_path()); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(ApplyAdapters, puts_loras_on_and_takes_them_off) {
  const auto model = load_model(kModels / "sd1", {});
  AdapterCache cache;
  const void* own = weight_of(*model).raw();
  const auto notes =
      apply_adapters(*model, with_loras({{.file = {adapter_file("lora_kohya")}}}), DType::f32, cache);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0], "adapter: LoRA, 14 modules");
  EXPECT_NE(weight_of(*model).raw(), own);
  EXPECT_EQ(weight_of(*model).dtype(), DType::f32);
  apply_adapters(*model, with_loras({{.file = {adapter_file("lora_kohya")}}}), DType::bf16, cache);
  EXPECT_EQ(weight_of(*model).dtype(), DType::bf16);
  EXPECT_TRUE(apply_adapters(*model, Recipe{}, DType::f32, cache).empty());
  EXPECT_EQ(weight_of(*model).raw(), own);
}

TEST(ApplyAdapters, notices_another_model) {
  AdapterCache cache;
  const Recipe recipe = with_loras({{.file = {adapter_file("lora_kohya")}}});
  auto model = load_model(kModels / "sd1", {});
  apply_adapters(*model, recipe, DType::f32, cache);
  const Tensor merged = weight_of(*model).clone();
  model.reset();
  for (int i = 0; i < 3; ++i) {  // often at the same address
    model = load_model(kModels / "sd1", {});
    const Tensor own = weight_of(*model);
    apply_adapters(*model, Recipe{}, DType::f32, cache);
    EXPECT_EQ(weight_of(*model).raw(), own.raw());
    apply_adapters(*model, recipe, DType::f32, cache);
    EXPECT_EQ(relative_error(weight_of(*model), merged), 0);
    model.reset();
  }
}

TEST(ApplyAdapters, refuses_what_does_not_fit_and_leaves_the_model_alone) {
  const auto model = load_model(kModels / "sd1", {});
  AdapterCache cache;
  const void* own = weight_of(*model).raw();
  Recipe recipe =
      with_loras({{.file = {adapter_file("lora_kohya")}}, {.file = {adapter_file("lora_sdxl_kohya")}}});
  try {
    apply_adapters(*model, recipe, DType::f32, cache);
    FAIL() << "must refuse an SDXL adapter";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::weights);
    EXPECT_NE(error.message().find("--allow-unmatched"), std::string::npos) << error.message();
  }
  EXPECT_EQ(weight_of(*model).raw(), own);
  recipe.allow_unmatched = true;
  const auto notes = apply_adapters(*model, recipe, DType::f32, cache);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_NE(notes[1].find("unmatched"), std::string::npos) << notes[1];
  EXPECT_NE(weight_of(*model).raw(), own);

  EXPECT_THROW(
      apply_adapters(*model, with_loras({{.file = {"no/such/file.safetensors"}}}), DType::f32, cache), Error);
  EXPECT_THROW(
      apply_adapters(*model, with_loras({{.file = {adapter_file("lora_kohya")}, .unet_weight = NAN}}),
                     DType::f32, cache),
      Error);
}

TEST(ApplyAdapters, brings_the_words_of_textual_inversions) {
  const auto model = load_model(kModels / "sd1", {});
  const int64_t width = model->text.branches[0].encoder.width();
  const TemporaryFile castle("castle_style.safetensors", {{"emb_params", Tensor::full({3, width}, 0.5f)}});
  const TemporaryFile token("learned.safetensors", {{"<cat>", Tensor::full({width}, 0.25f)}});
  AdapterCache cache;
  Recipe recipe;
  recipe.embeddings = {{castle.path()}, {token.path()}};
  const auto notes = apply_adapters(*model, recipe, DType::f32, cache);
  EXPECT_EQ(notes.size(), 3U);
  std::vector<std::string> names;
  for (const TextualInversion& word : model->text.inversions) names.push_back(word.name);
  EXPECT_EQ(names, (std::vector<std::string>{"castle_style", "<cat>", "learned"}));
  EXPECT_EQ(model->text.inversions[0].vectors[0].shape(), Shape({3, width}));
  EXPECT_EQ(model->text.inversions[1].vectors[0].shape(), Shape({1, width}));
  apply_adapters(*model, Recipe{}, DType::f32, cache);
  EXPECT_TRUE(model->text.inversions.empty());
}

TEST(ApplyAdapters, knows_which_text_encoder_a_word_is_for) {
  const auto model = load_model(kModels / "sdxl", {});
  const int64_t first = model->text.branches[0].encoder.width();
  const int64_t second = model->text.branches[1].encoder.width();
  ASSERT_NE(first, second);
  const TemporaryFile both("both.safetensors", {{"clip_l", Tensor::full({2, first}, 1)},
                                                {"clip_g", Tensor::full({2, second}, 2)}});
  const TemporaryFile other("other.safetensors", {{"emb_params", Tensor::full({2, first + second}, 1)}});
  AdapterCache cache;
  Recipe recipe;
  recipe.embeddings = {{both.path()}};
  apply_adapters(*model, recipe, DType::f32, cache);
  ASSERT_EQ(model->text.inversions.size(), 1U);
  EXPECT_EQ(model->text.inversions[0].vectors[0].size(1), first);
  EXPECT_EQ(model->text.inversions[0].vectors[1].size(1), second);

  recipe.embeddings = {{other.path()}};
  EXPECT_THROW(apply_adapters(*model, recipe, DType::f32, cache), Error);
  EXPECT_EQ(model->text.inversions.size(), 1U) << "a refused recipe changes nothing";
  recipe.allow_unmatched = true;
  apply_adapters(*model, recipe, DType::f32, cache);
  EXPECT_TRUE(model->text.inversions.empty());
}

}  // namespace
}  // namespace maquette::diffusion

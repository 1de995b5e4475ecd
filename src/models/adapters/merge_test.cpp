// Weights merged while they are packed are those merged at once, to the last bit.
#include "models/adapters/merge.h"

#include <cstring>
#include <gtest/gtest.h>

#include "models/adapters/tiny_components.h"

namespace maquette::models {
namespace {

constexpr const char* kLayer = "lora_unet_layer";

// All of its modules are for the one weight.
std::vector<Contribution> contributions_of(const std::map<std::string, Tensor>& tensors, float strength) {
  const auto adapter = std::make_shared<const Adapter>(adapter_of(tiny_file(tensors).take()).take());
  std::vector<Contribution> contributions;
  for (const AdapterModule& module : adapter->modules) {
    contributions.push_back({.module = {adapter, &module}, .strength = strength});
  }
  return contributions;
}

std::map<std::string, Tensor> lora(int64_t out, int64_t in, int64_t rank, uint32_t seed) {
  return {{std::string(kLayer) + ".lora_up.weight", tiny_values({out, rank}, seed)},
          {std::string(kLayer) + ".lora_down.weight", tiny_values({rank, in}, seed + 1)}};
}

TEST(Merge, a_product_merged_when_packed_is_the_one_merged_at_once) {
  const int64_t out = 77;
  const int64_t in = 530;  // more columns than the product takes at a time
  std::vector<Contribution> one = contributions_of(lora(out, in, 5, 1), 0.7f);
  std::vector<Contribution> two = one;
  two.push_back(contributions_of(lora(out, in, 3, 5), -0.4f)[0]);
  for (const DType published : {DType::f32, DType::f16, DType::bf16}) {
    const Tensor original = tiny_values({out, in}, 9).to(published);
    for (const DType type : {DType::f32, DType::bf16}) {
      for (const auto& contributions : {one, two}) {
        ASSERT_TRUE(are_product(contributions));
        Tensor expected = Tensor::empty({out, in}, type);
        merge_into(original, contributions, expected);
        const kernels::WeightSource source = merged_when_packed(original, contributions, type);
        const Tensor found = source.read();
        ASSERT_EQ(found.dtype(), type);
        EXPECT_EQ(std::memcmp(found.raw(), expected.raw(), expected.bytes()), 0);

        // Any run of rows is the same as in the whole.
        const kernels::WeightRows rows = source.open();
        std::vector<std::byte> room(rows.row_bytes() * 3);
        const void* some = rows.read(14, 17, room.data());
        EXPECT_EQ(std::memcmp(some, expected.rows(14, 17).raw(), room.size()), 0);
      }
    }
  }
}

// It must not matter who else still holds the adapter.
TEST(Merge, what_is_merged_later_holds_its_adapter) {
  const Tensor original = tiny_values({8, 8}, 9);
  Tensor expected = Tensor::empty({8, 8});
  std::optional<kernels::WeightSource> source;
  {
    const std::vector<Contribution> contributions = contributions_of(lora(8, 8, 2, 1), 1);
    merge_into(original, contributions, expected);
    source = merged_when_packed(original, contributions, DType::f32);
  }
  const Tensor found = source->read();
  EXPECT_EQ(std::memcmp(found.raw(), expected.raw(), expected.bytes()), 0);
}

TEST(Merge, only_plain_low_rank_differences_are_products) {
  std::map<std::string, Tensor> dora = lora(8, 8, 2, 1);
  dora[std::string(kLayer) + ".dora_scale"] = Tensor::full({8, 1}, 1);
  EXPECT_FALSE(are_product(contributions_of(dora, 1)));
  EXPECT_FALSE(are_product(contributions_of({{std::string(kLayer) + ".diff", tiny_values({8, 8}, 1)}}, 1)));
  std::vector<Contribution> first_channels = contributions_of(lora(8, 8, 2, 1), 1);
  ASSERT_TRUE(are_product(first_channels));
  first_channels[0].channels = 4;
  EXPECT_FALSE(are_product(first_channels));
  EXPECT_FALSE(are_product({}));
}

}  // namespace
}  // namespace maquette::models

#include "weights/safetensors_writer.h"

#include <cstring>
#include <gtest/gtest.h>

#include "weights/weight_file.h"

namespace maquette::weights {
namespace {

TEST(SafetensorsWriter, what_is_written_is_read_again) {
  const SharedWeightFile golden = open_weight_file("tests/golden/weights/dtypes.safetensors").take();
  std::map<std::string, Tensor> tensors;
  for (const TensorInfo& info : golden->tensors()) tensors[info.name] = golden->read(info.name).take();
  const fs::path path = fs::path(testing::TempDir()) / "written.safetensors";
  write_safetensors(path, tensors, {{"title", "Höhe \"1\"\n"}});

  const SharedWeightFile written = open_weight_file(path).take();
  EXPECT_EQ(written->metadata().at("title"), "Höhe \"1\"\n");
  ASSERT_EQ(written->tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor again = written->read(name).take();
    ASSERT_EQ(again.shape().text(), tensor.shape().text()) << name;
    ASSERT_EQ(again.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(std::memcmp(again.raw(), tensor.raw(), tensor.bytes()), 0) << name;
  }
  EXPECT_EQ(written->tensors().front().begin % 64, 0u);
  fs::remove(path);
}

TEST(SafetensorsWriter, a_refused_file_leaves_nothing) {
  const std::map<std::string, Tensor> tensors = {{"a", Tensor::zeros({2})}};
  EXPECT_THROW(write_safetensors("/nowhere/at/all/a.safetensors", tensors), Error);
}

}  // namespace
}  // namespace maquette::weights

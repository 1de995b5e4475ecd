// Every set of row operations against the plain one.
#include "kernels/row_ops.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "tensor/tensor.h"

namespace maquette::kernels {
namespace {

Tensor noise(const Shape& shape, DType type, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.3f, 2);
  Tensor t = Tensor::empty(shape);
  for (float& value : t.data()) value = normal(generator);
  return t.to(type);
}

const RowOps& plain(DType type) {
  for (const RowOps& set : all_row_ops()) {
    if (set.type == type && set.name == "plain") return set;
  }
  throw Error(ErrorCode::failed, "no plain set");
}

double tolerance(DType type) { return type == DType::f32 ? 2e-6 : 8e-3; }

// Calls check(fast set, plain set) for every set that is not the plain one itself.
template <typename Check>
void for_all_sets(const Check& check) {
  for (const RowOps& set : all_row_ops()) {
    SCOPED_TRACE(std::string(set.name) + " " + std::string(name(set.type)));
    check(set, plain(set.type));
  }
}

void expect_close(const Tensor& found, const Tensor& expected) {
  EXPECT_LE(relative_error(found.to(DType::f32), expected.to(DType::f32)), tolerance(found.dtype()));
}

TEST(RowOps, ChannelMoments) {
  for_all_sets([](const RowOps& set, const RowOps& reference) {
    for (const int64_t channels : {1, 15, 16, 130, 320}) {
      const Tensor x = noise({37, channels}, set.type, 1);
      const Tensor center = noise({channels}, DType::f32, 2);
      Tensor sums = Tensor::zeros({channels}), squares = sums.clone();
      Tensor expected_sums = sums.clone(), expected_squares = sums.clone();
      const PixelRows rows{.x = x.raw(), .pixels = 37, .channels = channels};
      set.channel_moments(rows, center.data().data(), sums.data().data(), squares.data().data());
      reference.channel_moments(rows, center.data().data(), expected_sums.data().data(),
                                expected_squares.data().data());
      EXPECT_LE(relative_error(sums, expected_sums), 2e-6);
      EXPECT_LE(relative_error(squares, expected_squares), 2e-6);
    }
  });
}

TEST(RowOps, ScaleChannels) {
  for_all_sets([](const RowOps& set, const RowOps& reference) {
    for (const int64_t channels : {1, 15, 16, 33, 130, 320}) {
      const Tensor x = noise({9, channels}, set.type, 1);
      const Tensor factor = noise({channels}, DType::f32, 2), offset = noise({channels}, DType::f32, 3);
      for (const bool silu : {false, true}) {
        Tensor found = Tensor::zeros({9, channels}, set.type), expected = found.clone();
        const PixelRows rows{.x = x.raw(), .pixels = 9, .channels = channels};
        set.scale_channels(rows, factor.data().data(), offset.data().data(), silu, found.raw());
        reference.scale_channels(rows, factor.data().data(), offset.data().data(), silu, expected.raw());
        expect_close(found, expected);
      }
    }
  });
}

TEST(RowOps, LayerNorm) {
  for_all_sets([](const RowOps& set, const RowOps& reference) {
    for (const int64_t width : {2, 16, 77, 320, 1280}) {
      const Tensor x = noise({5, width}, set.type, 1);
      const Tensor weight = noise({width}, DType::f32, 2), bias = noise({width}, DType::f32, 3);
      Tensor found = Tensor::zeros({5, width}, set.type), expected = found.clone();
      LayerNormRows rows{.x = x.raw(),
                         .out = found.raw(),
                         .rows = 5,
                         .width = width,
                         .weight = weight.data().data(),
                         .bias = bias.data().data(),
                         .epsilon = 1e-5f};
      set.layer_norm(rows);
      rows.out = expected.raw();
      reference.layer_norm(rows);
      expect_close(found, expected);
    }
  });
}

TEST(RowOps, ElementByElement) {
  for_all_sets([](const RowOps& set, const RowOps& reference) {
    for (const int64_t count : {1, 16, 31, 1000}) {
      const Tensor x = noise({count}, set.type, 1), y = noise({count}, set.type, 2);
      Tensor found = Tensor::zeros({count}, set.type), expected = found.clone();
      for (const Activation kind : {Activation::none, Activation::relu, Activation::silu, Activation::gelu,
                                    Activation::quick_gelu, Activation::leaky_relu, Activation::tanh}) {
        set.activate(kind, x.raw(), count, found.raw());
        reference.activate(kind, x.raw(), count, expected.raw());
        expect_close(found, expected);
      }
      set.add_scaled(x.raw(), y.raw(), -0.7f, count, found.raw());
      reference.add_scaled(x.raw(), y.raw(), -0.7f, count, expected.raw());
      expect_close(found, expected);
      set.scale(x.raw(), 0.2f, count, found.raw());
      reference.scale(x.raw(), 0.2f, count, expected.raw());
      expect_close(found, expected);
    }
  });
}

TEST(RowOps, ConversionsAreExact) {
  for_all_sets([](const RowOps& set, const RowOps& reference) {
    const Tensor x = noise({77}, DType::f32, 1);
    Tensor found = Tensor::zeros({77}, set.type), expected = found.clone();
    set.from_f32(x.data().data(), 77, found.raw());
    reference.from_f32(x.data().data(), 77, expected.raw());
    Tensor back = Tensor::zeros({77});
    set.to_f32(found.raw(), 77, back.data().data());
    EXPECT_EQ(relative_error(back, expected.to(DType::f32)), 0);
  });
}

TEST(RowOps, WidensEveryType) {
  const Tensor x = noise({3, 77}, DType::f32, 1);
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    EXPECT_EQ(relative_error(widen(x.to(type)), x.to(type).to(DType::f32)), 0) << name(type);
  }
}

// Activations keep their shape far from zero, where the fast forms are cut off.
TEST(RowOps, ActivationsOfLargeValues) {
  for_all_sets([](const RowOps& set, const RowOps&) {
    Tensor x = Tensor::from({6}, {-200.0f, -30.0f, -9.0f, 9.0f, 30.0f, 200.0f}).to(set.type);
    Tensor out = Tensor::zeros({6}, set.type);
    for (const Activation kind : {Activation::silu, Activation::gelu, Activation::quick_gelu}) {
      set.activate(kind, x.raw(), 6, out.raw());
      const Tensor values = out.to(DType::f32), inputs = x.to(DType::f32);
      for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(values.data()[i], 0, 2e-3) << inputs.data()[i];
      for (size_t i = 3; i < 6; ++i)
        EXPECT_NEAR(values.data()[i], inputs.data()[i], 2e-2) << inputs.data()[i];
    }
  });
}

}  // namespace
}  // namespace maquette::kernels

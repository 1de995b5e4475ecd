// Every implementation against the reference: odd sizes, tails, strides, paddings, epilogues and both types.
#include <gtest/gtest.h>
#include <random>

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"
#include "kernels/ops.h"

namespace maquette::kernels {
namespace {

Tensor noise(const Shape& shape, DType type, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  Tensor t = Tensor::empty(shape);
  for (float& value : t.data()) value = normal(generator);
  return t.to(type);
}

// Largest relative error allowed. In f32, Winograd's transforms and splitting into two bf16 (2^-18 of each
// factor) cost a few units of the last six digits. In bf16 the weights are rounded too, which the reference
// does not do.
double tolerance(DType type, std::string_view implementation) {
  const bool is_winograd = implementation.find("winograd") != std::string_view::npos;
  const bool is_split = implementation.ends_with("bf16x3") || implementation.ends_with("bf16x4");
  if (type == DType::f32) return is_winograd || is_split ? 1e-5 : 3e-6;
  return is_winograd ? 4e-2 : 1.2e-2;
}

struct ConvCase {
  ConvProblem problem;
  Activation activation = Activation::none;
  bool bias = true, per_image = false, residual = false;
};

std::vector<ConvCase> conv_cases(DType type) {
  const auto p = [type](int64_t n, int64_t h, int64_t w, int64_t i, int64_t o, int k, ConvGeometry g) {
    return ConvProblem{.n = n,
                       .height = h,
                       .width = w,
                       .in_channels = i,
                       .out_channels = o,
                       .kernel_h = k,
                       .kernel_w = k,
                       .geometry = g,
                       .type = type};
  };
  const ConvGeometry same3 = ConvGeometry::same(3);
  return {
      {.problem = p(1, 8, 8, 64, 64, 3, same3)},
      {.problem = p(2, 7, 9, 32, 48, 3, same3),
       .activation = Activation::silu,
       .per_image = true,
       .residual = true},
      {.problem = p(1, 5, 3, 17, 33, 3, same3), .residual = true},
      {.problem = p(1, 16, 16, 4, 320, 3, same3)},
      {.problem = p(1, 16, 13, 96, 4, 3, same3), .bias = false},
      {.problem = p(1, 19, 37, 3, 3, 3, same3), .activation = Activation::relu},
      {.problem = p(1, 17, 33, 40, 40, 3, ConvGeometry::same(3, 2)), .per_image = true},
      {.problem = p(2, 16, 16, 64, 32, 3,
                    {.stride = 2, .pad_top = 0, .pad_left = 0, .pad_bottom = 1, .pad_right = 1})},
      {.problem = p(1, 18, 18, 32, 32, 3, {}), .activation = Activation::leaky_relu, .residual = true},
      {.problem = p(1, 12, 10, 32, 64, 3,
                    {.stride = 1, .pad_top = 1, .pad_left = 0, .pad_bottom = 1, .pad_right = 0})},
      {.problem = p(2, 9, 9, 64, 96, 1, {}), .residual = true},
      {.problem = p(1, 20, 31, 33, 65, 1, {}), .activation = Activation::quick_gelu, .per_image = true},
      {.problem = p(1, 1, 1, 8, 8, 3, same3)},
      {.problem = p(1, 24, 40, 320, 128, 3, same3), .per_image = true},
      {.problem = p(1, 32, 32, 16, 24, 4, {.stride = 4})},
      {.problem = p(1, 15, 15, 6, 16, 7, ConvGeometry::same(7)), .activation = Activation::tanh},
  };
}

void check_conv(const ConvCase& c) {
  const ConvProblem& p = c.problem;
  Exec ex;
  const Tensor x = noise({p.n, p.height, p.width, p.in_channels}, p.type, 1);
  const Tensor w = noise({p.out_channels, p.in_channels, p.kernel_h, p.kernel_w}, DType::f32, 2, 0.1f);
  const Tensor bias = noise({p.out_channels}, DType::f32, 3);
  const Tensor per_image = noise({p.n, p.out_channels}, DType::f32, 4);
  const Shape out_shape{p.n, p.out_height(), p.out_width(), p.out_channels};
  const Tensor residual = noise(out_shape, p.type, 5);
  const ConvEpilogue epilogue{.bias = c.bias ? &bias : nullptr,
                              .per_image = c.per_image ? &per_image : nullptr,
                              .residual = c.residual ? &residual : nullptr,
                              .activation = c.activation};
  Tensor expected = Tensor::empty(out_shape, p.type);
  conv2d_reference(p, w, x, epilogue, expected);
  for (const ConvImplementation& implementation : conv_implementations()) {
    if (!implementation.accepts(p)) continue;
    Tensor found = Tensor::zeros(out_shape, p.type);
    const auto packed = implementation.pack(p, w, {});
    implementation.run(ex, p, *packed, x, epilogue, found);
    EXPECT_LE(relative_error(found.to(DType::f32), expected.to(DType::f32)),
              tolerance(p.type, implementation.name))
        << implementation.name << " " << p.text();
  }
}

TEST(Implementations, ConvolutionsAgreeWithTheReference) {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const ConvCase& c : conv_cases(type)) check_conv(c);
  }
}

struct MatmulCase {
  int64_t rows, in, out;
  bool bias = true, residual = false, gated = false;
  Activation activation = Activation::none;
};

void check_matmul(const MatmulCase& c, DType type) {
  const MatmulProblem p{
      .rows = c.rows, .in_features = c.in, .out_features = c.out, .type = type, .gated = c.gated};
  Exec ex;
  const int64_t columns = c.gated ? c.out / 2 : c.out;
  const Tensor x = noise({c.rows, c.in}, type, 1);
  const Tensor w = noise({c.out, c.in}, DType::f32, 2, 0.1f);
  const Tensor bias = noise({c.out}, DType::f32, 3);
  const Tensor residual = noise({c.rows, columns}, type, 4);
  const MatmulEpilogue epilogue{.bias = c.bias ? &bias : nullptr,
                                .residual = c.residual ? &residual : nullptr,
                                .activation = c.activation,
                                .gated = c.gated};
  Tensor expected = Tensor::empty({c.rows, columns}, type);
  matmul_reference(p, w, x, epilogue, expected);
  for (const MatmulImplementation& implementation : matmul_implementations()) {
    if (!implementation.accepts(p)) continue;
    Tensor found = Tensor::zeros({c.rows, columns}, type);
    const auto packed = implementation.pack(p, w, {});
    implementation.run(ex, p, *packed, x, epilogue, found);
    EXPECT_LE(relative_error(found.to(DType::f32), expected.to(DType::f32)),
              tolerance(type, implementation.name))
        << implementation.name << " " << p.text();
  }
}

TEST(Implementations, ProductsAgreeWithTheReference) {
  const std::vector<MatmulCase> cases{
      {.rows = 1, .in = 320, .out = 1280, .activation = Activation::silu},
      {.rows = 77, .in = 768, .out = 320, .bias = false},
      {.rows = 200, .in = 64, .out = 96, .residual = true},
      {.rows = 13, .in = 33, .out = 17, .residual = true, .activation = Activation::gelu},
      {.rows = 65, .in = 31, .out = 100},
      {.rows = 50, .in = 40, .out = 128, .gated = true},
      {.rows = 31, .in = 37, .out = 54, .residual = true, .gated = true},
      {.rows = 300, .in = 320, .out = 2560, .gated = true},
      {.rows = 2, .in = 3, .out = 1},
      {.rows = 129, .in = 1280, .out = 64, .activation = Activation::quick_gelu},
  };
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const MatmulCase& c : cases) check_matmul(c, type);
  }
}

// Against enlarging and convolving, both by the plain loops.
TEST(Implementations, EnlargedConvolutionsAgreeWithTheReference) {
  struct Case {
    int64_t n, height, width, in, out;
    bool wrap_x = false, wrap_y = false;
  };
  const std::vector<Case> cases{
      {.n = 1, .height = 5, .width = 16, .in = 32, .out = 40},
      {.n = 2, .height = 8, .width = 32, .in = 64, .out = 64},
      {.n = 1, .height = 33, .width = 7, .in = 48, .out = 20},
      {.n = 1, .height = 16, .width = 16, .in = 64, .out = 33, .wrap_x = true},
      {.n = 2, .height = 9, .width = 48, .in = 96, .out = 32, .wrap_y = true},
      {.n = 1, .height = 4, .width = 32, .in = 4, .out = 8, .wrap_x = true, .wrap_y = true}};
  for (const Case& c : cases) {
    for (const DType type : {DType::f32, DType::bf16}) {
      Exec ex;
      ex.wrap = {.x = c.wrap_x, .y = c.wrap_y};
      const Tensor x = noise({c.n, c.height, c.width, c.in}, type, 1);
      const Tensor w = noise({c.out, c.in, 3, 3}, DType::f32, 2);
      const Tensor bias = noise({c.out}, DType::f32, 3);
      const ConvWeights weights(w);
      const ConvEpilogue epilogue{.bias = &bias, .activation = Activation::relu};
      const Tensor found = conv2d_enlarged(ex, x, weights, epilogue);

      Tensor large = resize_nearest(ex, x, 2 * c.height, 2 * c.width);
      if (ex.wrap.any()) {
        const int px = c.wrap_x, py = c.wrap_y;
        large = pad_wrapped(ex, large, {.top = py, .left = px, .bottom = py, .right = px});
      }
      ConvGeometry geometry = ConvGeometry::same(3);
      if (c.wrap_x) geometry.pad_left = geometry.pad_right = 0;
      if (c.wrap_y) geometry.pad_top = geometry.pad_bottom = 0;
      const ConvProblem problem{.n = c.n,
                                .height = large.size(1),
                                .width = large.size(2),
                                .in_channels = c.in,
                                .out_channels = c.out,
                                .kernel_h = 3,
                                .kernel_w = 3,
                                .geometry = geometry,
                                .type = type};
      Tensor expected = Tensor::empty({c.n, 2 * c.height, 2 * c.width, c.out}, type);
      conv2d_reference(problem, w, large, epilogue, expected);
      EXPECT_LE(relative_error(found.to(DType::f32), expected.to(DType::f32)), tolerance(type, "winograd"))
          << problem.text();
    }
  }
}

struct AttentionCase {
  int64_t n, q_length, k_length, heads, head_size;
  bool causal = false;
  int bias_images = 0;
  float hidden = 0;     // part of the keys that the bias hides
  bool packed = false;  // q, k and v in one tensor
  float scale = 0;      // large: scores that overflow unless their maximum is subtracted
};

void check_attention(const AttentionCase& c, DType type) {
  Exec ex;
  const int64_t width = c.heads * c.head_size;
  const int64_t stride = c.packed ? 3 * width : width;
  Tensor q = noise({c.n, c.q_length, stride}, type, 1);
  Tensor k = c.packed ? q : noise({c.n, c.k_length, stride}, type, 2);
  Tensor v = c.packed ? q : noise({c.n, c.k_length, stride}, type, 3);
  const auto at = [&](const Tensor& t, int64_t offset) {
    return static_cast<const void*>(static_cast<const char*>(t.raw()) +
                                    offset * static_cast<int64_t>(size_of(type)));
  };
  AttentionInput input{.q = at(q, 0),
                       .k = at(k, c.packed ? width : 0),
                       .v = at(v, c.packed ? 2 * width : 0),
                       .q_stride = stride,
                       .k_stride = stride,
                       .v_stride = stride,
                       .n = c.n,
                       .q_length = c.q_length,
                       .k_length = c.k_length,
                       .heads = c.heads,
                       .head_size = c.head_size,
                       .type = type,
                       .causal = c.causal,
                       .bias = {},
                       .scale = c.scale};
  if (c.bias_images > 0) {
    input.bias = noise({c.bias_images, c.q_length, c.k_length}, DType::f32, 4);
    std::mt19937 generator(5);
    for (float& value : input.bias.data()) {
      if (std::uniform_real_distribution<float>()(generator) < c.hidden) value = -INFINITY;
    }
  }
  Tensor expected = Tensor::empty({c.n, c.q_length, width}, type);
  attention_reference(input, expected);
  for (const AttentionImplementation& implementation : attention_implementations()) {
    if (!implementation.accepts(input)) continue;
    Tensor found = Tensor::zeros({c.n, c.q_length, width}, type);
    implementation.run(ex, input, found);
    EXPECT_LE(relative_error(found.to(DType::f32), expected.to(DType::f32)),
              tolerance(type, implementation.name))
        << implementation.name << " " << c.n << "x" << c.q_length << "x" << c.k_length << " heads " << c.heads
        << "x" << c.head_size << " " << name(type) << (c.causal ? " causal" : "") << " bias "
        << c.bias_images;
  }
}

TEST(Implementations, AttentionAgreesWithTheReference) {
  const std::vector<AttentionCase> cases{
      {.n = 1, .q_length = 64, .k_length = 64, .heads = 2, .head_size = 64},
      {.n = 2, .q_length = 100, .k_length = 100, .heads = 3, .head_size = 40, .packed = true},
      {.n = 2, .q_length = 70, .k_length = 77, .heads = 2, .head_size = 80},
      {.n = 1, .q_length = 33, .k_length = 300, .heads = 1, .head_size = 160},
      {.n = 1, .q_length = 20, .k_length = 50, .heads = 1, .head_size = 512},
      {.n = 1, .q_length = 77, .k_length = 77, .heads = 4, .head_size = 64, .causal = true, .packed = true},
      {.n = 2, .q_length = 40, .k_length = 154, .heads = 2, .head_size = 40, .bias_images = 1},
      {.n = 2,
       .q_length = 41,
       .k_length = 200,
       .heads = 2,
       .head_size = 64,
       .bias_images = 2,
       .hidden = 0.7f},
      {.n = 1, .q_length = 5, .k_length = 3, .heads = 2, .head_size = 8, .bias_images = 1, .hidden = 0.5f},
      {.n = 1, .q_length = 19, .k_length = 1, .heads = 3, .head_size = 13},
      {.n = 1, .q_length = 200, .k_length = 700, .heads = 1, .head_size = 24},
      {.n = 1, .q_length = 90, .k_length = 300, .heads = 2, .head_size = 40, .scale = 2.0f},
      {.n = 2, .q_length = 333, .k_length = 333, .heads = 1, .head_size = 64, .packed = true, .scale = 1.5f},
  };
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const AttentionCase& c : cases) check_attention(c, type);
  }
}

// Work areas are per thread: any thread may take the next task, also where there are fewer tasks than
// threads.
TEST(Implementations, MoreThreadsThanTasks) {
  const int before = thread_count();
  set_thread_count(7);
  for (int repeat = 0; repeat < 4; ++repeat) {
    for (const DType type : {DType::f32, DType::bf16}) {
      check_attention({.n = 1, .q_length = 40, .k_length = 40, .heads = 2, .head_size = 40}, type);
      for (const ConvCase& c : conv_cases(type)) {
        if (c.problem.flop() < 2e6) check_conv(c);
      }
    }
  }
  set_thread_count(before);
}

TEST(Implementations, TheReferenceIsLastAndAcceptsEverything) {
  EXPECT_EQ(conv_implementations().back().name, "reference");
  EXPECT_EQ(matmul_implementations().back().name, "reference");
  EXPECT_EQ(attention_implementations().back().name, "reference");
}

}  // namespace
}  // namespace maquette::kernels

// Weights that are computed while they are packed give the same bits as weights that lie in memory, for every
// implementation and form of product; and so do forms made in the memory of others, and weights packed once.
#include "kernels/weight_source.h"

#include <cstring>
#include <gtest/gtest.h>

#include "kernels/conv.h"
#include "kernels/matmul.h"

namespace maquette::kernels {
namespace {

Tensor numbers(const Shape& shape, DType type, uint32_t seed) {
  Tensor t = Tensor::empty(shape);
  uint32_t state = seed * 2654435761u + 12345u;
  for (float& v : t.data()) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
  }
  return t.to(type);
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// The rows of `w`, copied when they are asked for.
WeightRows computed(const Tensor& w) {
  return {w.shape(), w.dtype(), [w](int64_t begin, int64_t end, void* out) {
            const Tensor part = w.rows(begin, end);
            std::memcpy(out, part.raw(), part.bytes());
          }};
}

WeightSource computed_source(const Tensor& w) {
  return {w.shape(), [w] { return computed(w); }};
}

TEST(WeightSource, rows_are_those_of_the_whole) {
  const Tensor w = numbers({5, 3}, DType::f16, 1);
  EXPECT_TRUE(equal(computed(w).whole(), w));
  EXPECT_EQ(WeightRows(w).whole().raw(), w.raw()) << "a tensor is not copied";
  const WeightSource source = computed_source(w);
  EXPECT_TRUE(equal(source.read(), w));
  EXPECT_TRUE(equal(source.reshape({5, 3, 1, 1}).read(), w.reshape({5, 3, 1, 1})));
  EXPECT_THROW(source.reshape({5, 4}), Error);
}

TEST(WeightSource, parts_lie_one_under_the_other_whatever_holds_them) {
  const Tensor a = numbers({5, 3}, DType::bf16, 1);
  const Tensor b = numbers({1, 3}, DType::bf16, 2);
  const Tensor c = numbers({40, 3}, DType::bf16, 3);
  Tensor expected = Tensor::empty({46, 3}, DType::bf16);
  int64_t row = 0;
  for (const Tensor& part : {a, b, c}) {
    std::memcpy(expected.rows(row, row + part.size(0)).raw(), part.raw(), part.bytes());
    row += part.size(0);
  }
  const WeightRows same = WeightRows::stacked({a, computed(b), computed(c)});
  EXPECT_TRUE(equal(same.whole(), expected));
  std::vector<std::byte> room(same.row_bytes() * 10);
  const void* middle = same.read(4, 8, room.data());
  EXPECT_EQ(std::memcmp(middle, expected.rows(4, 8).raw(), 4 * same.row_bytes()), 0);

  const WeightRows mixed = WeightRows::stacked({a, computed(b.to(DType::f32)), c});
  EXPECT_TRUE(equal(mixed.whole(), expected.to(DType::f32)));
}

struct Case {
  int64_t rows, in, out;
  bool gated = false;
};

TEST(WeightSource, products_do_not_depend_on_who_holds_the_weights) {
  const std::vector<Case> cases{{7, 64, 96}, {33, 320, 320}, {5, 70, 50}, {16, 64, 160, true}, {3, 3000, 33}};
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const DType published : {DType::f32, DType::f16, DType::bf16}) {
      for (const Case& c : cases) {
        const MatmulProblem p{
            .rows = c.rows, .in_features = c.in, .out_features = c.out, .type = type, .gated = c.gated};
        const Tensor x = numbers({c.rows, c.in}, type, 1);
        const Tensor w = numbers({c.out, c.in}, published, 2);
        const Tensor other = numbers({c.out, c.in}, published, 3);
        Exec ex;
        for (const MatmulImplementation& implementation : matmul_implementations()) {
          if (!implementation.accepts(p)) continue;
          const auto product = [&](const WeightRows& weights, const Tensor& memory) {
            Tensor out = Tensor::empty({c.rows, c.gated ? c.out / 2 : c.out}, type);
            implementation.run(ex, p, *implementation.pack(p, weights, memory), x, {.gated = c.gated}, out);
            return out;
          };
          const Tensor expected = product(w, {});
          EXPECT_TRUE(equal(product(computed(w), {}), expected)) << implementation.name << " " << p.text();
          const auto before = implementation.pack(p, other, {});
          EXPECT_TRUE(equal(product(w, before->storage()), expected))
              << implementation.name << " " << p.text();
        }
      }
    }
  }
}

TEST(WeightSource, convolutions_do_not_depend_on_who_holds_the_weights) {
  struct ConvCase {
    int64_t in, out;
    int kernel, stride;
  };
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const ConvCase& c :
         std::vector<ConvCase>{{32, 64, 3, 1}, {4, 40, 3, 2}, {64, 33, 1, 1}, {36, 40, 3, 1}}) {
      const ConvProblem p{.n = 1,
                          .height = 16,
                          .width = 16,
                          .in_channels = c.in,
                          .out_channels = c.out,
                          .kernel_h = c.kernel,
                          .kernel_w = c.kernel,
                          .geometry = ConvGeometry::same(c.kernel, c.stride),
                          .type = type};
      const Tensor x = numbers({1, 16, 16, c.in}, type, 1);
      const Shape shape{c.out, c.in, c.kernel, c.kernel};
      const Tensor w = numbers(shape, DType::f16, 2);
      Exec ex;
      for (const ConvImplementation& implementation : conv_implementations()) {
        if (!implementation.accepts(p)) continue;
        const auto convolved = [&](const WeightRows& weights, const Tensor& memory) {
          Tensor out = Tensor::empty({1, p.out_height(), p.out_width(), c.out}, type);
          implementation.run(ex, p, *implementation.pack(p, weights, memory), x, {}, out);
          return out;
        };
        const Tensor expected = convolved(w, {});
        EXPECT_TRUE(equal(convolved(computed(w), {}), expected)) << implementation.name << " " << p.text();
        const auto before = implementation.pack(p, numbers(shape, DType::f16, 3), {});
        EXPECT_TRUE(equal(convolved(w, before->storage()), expected))
            << implementation.name << " " << p.text();
      }
    }
  }
}

TEST(WeightSource, changed_weights_take_effect_in_the_next_product) {
  const Tensor q = numbers({64, 64}, DType::f16, 1);
  const Tensor k = numbers({64, 64}, DType::f16, 2);
  const Tensor changed = numbers({64, 64}, DType::f16, 3);
  for (const DType type : {DType::f32, DType::bf16}) {
    const Tensor x = numbers({9, 64}, type, 4);
    Exec ex;
    MatmulWeights weights({q, k});
    const Tensor before = matmul(ex, x, weights);
    weights.set(1, computed_source(changed));
    EXPECT_TRUE(equal(matmul(ex, x, weights), matmul(ex, x, MatmulWeights({q, changed}))));
    EXPECT_FALSE(equal(matmul(ex, x, weights), before));
    weights.set(1, k);
    EXPECT_TRUE(equal(matmul(ex, x, weights), before));
  }
}

TEST(WeightSource, weights_packed_once_give_the_same_product_and_are_not_kept) {
  const Tensor x = numbers({20, 96}, DType::f32, 1);
  const MatmulWeights large({numbers({160, 96}, DType::f16, 2)});
  const MatmulWeights small({numbers({33, 96}, DType::f32, 3)});
  Exec ex;
  const Tensor from_large = matmul(ex, x, large);
  const Tensor from_small = matmul(ex, x, small);
  {
    const PackedOnce once(ex);
    EXPECT_TRUE(equal(matmul(ex, x, large), from_large));
    const void* memory = ex.packed_once.raw();
    EXPECT_TRUE(equal(matmul(ex, x, small), from_small));
    EXPECT_EQ(ex.packed_once.raw(), memory) << "one after the other in the same memory";
  }
  EXPECT_FALSE(ex.packs_once);
  EXPECT_FALSE(ex.packed_once.defined());
}

}  // namespace
}  // namespace maquette::kernels

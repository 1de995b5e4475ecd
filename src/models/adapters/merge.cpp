// Plain LoRAs, the usual case, are put side by side into one product and go through the weight once, while it
// is packed for the kernels.
// Everything else is computed in f32, difference by difference.
#include "models/adapters/merge.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/mapped_pages.h"
#include "kernels/threads.h"

namespace maquette::models {

namespace {

constexpr int64_t kGrain = int64_t{1} << 16;  // elements that are worth a thread

// All contributions as one product: [up_1 s_1 | up_2 s_2] [down_1 ; down_2]. Call only where are_product().
dense::Factors joint_factors(const Shape& shape, std::span<const Contribution> contributions) {
  std::vector<dense::Factors> parts;
  int64_t rank = 0;
  for (const Contribution& c : contributions) {
    dense::Factors factors = *c.module->weight->factors(shape);
    for (float& v : factors.up.data()) v *= c.strength;
    rank += factors.up.size(1);
    parts.push_back(std::move(factors));
  }
  if (parts.size() == 1) return parts[0];

  const int64_t rows = parts[0].up.size(0);
  dense::Factors joint{.up = Tensor::empty({rows, rank}),
                       .down = Tensor::empty({rank, parts[0].down.size(1)})};
  int64_t done = 0;
  for (const dense::Factors& part : parts) {
    const int64_t own = part.up.size(1);
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(part.up.data().data() + row * own, own, joint.up.data().data() + row * rank + done);
    }
    std::memcpy(joint.down.rows(done, done + own).raw(), part.down.raw(), part.down.bytes());
    done += own;
  }
  return joint;
}

enum class NormOf { each_output, each_input };

// Published magnitudes: [out], [out, 1, ...] and PEFT's [1, out, 1, 1] belong to outputs, [1, in, ...] to
// inputs.
std::optional<NormOf> norm_of(const Magnitude& magnitude, const WeightSides& sides) {
  const Shape& shape = magnitude.values.shape();
  const int64_t count = magnitude.values.elements();
  if (magnitude.axis == Magnitude::Axis::outputs) {
    return count == sides.out ? std::optional(NormOf::each_output) : std::nullopt;
  }
  const bool first = shape.rank() >= 1 && shape[0] == count;
  if (first && count == sides.out) return NormOf::each_output;
  if (shape.rank() >= 2 && shape[1] == count && count == sides.in) return NormOf::each_input;
  return std::nullopt;
}

// DoRA, in place: v becomes m v / |v|. Rows or columns of zeros stay zero.
void decompose(Tensor& v, const Magnitude& magnitude) {
  const WeightSides sides(v.shape());
  const bool by_output = norm_of(magnitude, sides) == NormOf::each_output;
  const Tensor m = dense::widened(magnitude.values);
  float* values = v.data().data();
  const int64_t columns = sides.columns();
  // Norms of rows need whole rows, norms of columns all rows: each thread takes the parts of one output or
  // input.
  const int64_t count = by_output ? sides.out : sides.in;
  kernels::parallel_for(count, std::max<int64_t>(kGrain * count / v.elements(), 1),
                        [&](int64_t begin, int64_t end) {
                          const int64_t rows = by_output ? 1 : sides.out;
                          const int64_t width = by_output ? columns : sides.window;
                          std::vector<double> norms(static_cast<size_t>(end - begin), 0.0);
                          const auto each = [&](const auto& visit) {
                            for (int64_t row = 0; row < rows; ++row) {
                              for (int64_t i = begin; i < end; ++i) {
                                float* part = values + (by_output ? i * columns : row * columns + i * width);
                                visit(part, norms[static_cast<size_t>(i - begin)]);
                              }
                            }
                          };
                          each([width](const float* part, double& norm) {
                            for (int64_t j = 0; j < width; ++j)
                              norm += static_cast<double>(part[j]) * part[j];
                          });
                          for (int64_t i = begin; i < end; ++i) {
                            double& norm = norms[static_cast<size_t>(i - begin)];
                            norm = norm > 0 ? m.data()[static_cast<size_t>(i)] / std::sqrt(norm) : 0;
                          }
                          each([width](float* part, double factor) {
                            for (int64_t j = 0; j < width; ++j) part[j] *= static_cast<float>(factor);
                          });
                        });
}

// f(w) - w of one module; w f32.
Tensor difference_of(const AdapterModule& module, const Tensor& w) {
  Tensor difference = module.weight->difference(w);
  if (!module.magnitude) return difference;
  Tensor moved = w.clone();
  dense::add_scaled(moved, 1, difference);
  decompose(moved, *module.magnitude);
  dense::add_scaled(moved, -1, w);
  return moved;
}

// Convolution weights cut to, or spread back over, the first input channels.
Tensor first_channels(const Tensor& w, int64_t channels) {
  const WeightSides sides(w.shape());
  Shape shape = w.shape();
  shape.set(1, channels);
  Tensor part = Tensor::empty(shape);
  const int64_t columns = channels * sides.window;
  for (int64_t o = 0; o < sides.out; ++o) {
    std::copy_n(w.data().data() + o * sides.columns(), columns, part.data().data() + o * columns);
  }
  return part;
}

void add_to_first_channels(Tensor& total, float strength, const Tensor& part) {
  const WeightSides sides(total.shape());
  const int64_t columns = WeightSides(part.shape()).columns();
  for (int64_t o = 0; o < sides.out; ++o) {
    float* to = total.data().data() + o * sides.columns();
    const float* from = part.data().data() + o * columns;
    for (int64_t c = 0; c < columns; ++c) to[c] += strength * from[c];
  }
}

}  // namespace

std::optional<Misfit> misfit_of(const AdapterModule& module, const Shape& weight) {
  if (auto misfit = module.weight->misfit(weight)) return misfit;
  if (!module.magnitude || norm_of(*module.magnitude, WeightSides(weight))) return std::nullopt;
  return Misfit{fmt::format("magnitudes of {}", module.magnitude->values.shape().text()), weight.text()};
}

bool are_product(std::span<const Contribution> contributions) {
  return !contributions.empty() && std::ranges::all_of(contributions, [](const Contribution& c) {
    return !c.bias && c.channels == 0 && !c.module->magnitude && c.module->weight->is_product();
  });
}

namespace {

// What a packing of merged weights reads.
struct Merging {
  Tensor original;  // f32, f16 or bf16
  dense::Factors factors;

  ~Merging() { release_mapped_pages({static_cast<const std::byte*>(original.raw()), original.bytes()}); }
};

}  // namespace

kernels::WeightSource merged_when_packed(const Tensor& original, std::vector<Contribution> contributions,
                                         DType type) {
  const auto open = [original, contributions = std::move(contributions), type] {
    const auto merging = std::make_shared<Merging>();
    merging->original = dense::readable(original);
    merging->factors = joint_factors(original.shape(), contributions);
    return kernels::WeightRows(
        original.shape(), type, [merging, type](int64_t begin, int64_t end, void* out) {
          dense::add_product_rows(merging->original, merging->factors, begin, end, type, out);
        });
  };
  return {original.shape(), open};
}

void merge_into(const Tensor& original, std::span<const Contribution> contributions, Tensor& out) {
  if (are_product(contributions)) {
    dense::add_product(original, joint_factors(original.shape(), contributions), out);
    return;
  }
  const Tensor w = dense::widened(original);
  Tensor total = w.clone();
  for (const Contribution& c : contributions) {
    if (c.bias) {
      dense::add_scaled(total, c.strength, c.module->bias->difference(w));
    } else if (c.channels != 0) {
      add_to_first_channels(total, c.strength, difference_of(*c.module, first_channels(w, c.channels)));
    } else {
      dense::add_scaled(total, c.strength, difference_of(*c.module, w));
    }
  }
  dense::narrow_into(total, out);
}

}  // namespace maquette::models

#include "nn/layers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace maquette::nn {

Tensor Scope::vector(std::string_view name) const {
  const Tensor published = get(name);
  Tensor own = published.dtype() == DType::f32 ? published.clone() : published.to(DType::f32);
  parameters_->add(full_name(name), {.shape = own.shape(),
                                     .read = [own] { return own; },
                                     .write =
                                         [own](const Tensor& value) mutable {
                                           const Tensor wide = value.to(DType::f32);
                                           std::ranges::copy(wide.data(), own.data().begin());
                                         }});
  return own;
}

namespace {

const Tensor* pointer_or_null(const Tensor& t) { return t.defined() ? &t : nullptr; }

Tensor bias_of(const Scope& scope) { return scope.has("bias") ? scope.vector("bias") : Tensor(); }

// [out, in, 1, 1] -> [out, in]: a 1x1 convolution is a linear layer on channels-last pictures.
Tensor as_matrix(const Tensor& t) {
  if (t.rank() == 2) return t;
  if (t.rank() >= 2 && t.elements() == t.size(0) * t.size(1)) return t.reshape({t.size(0), t.size(1)});
  return t;
}

void register_part(const Scope& scope, const std::shared_ptr<kernels::MatmulWeights>& weights, size_t part,
                   const Shape& published) {
  scope.parameters().add(
      scope.full_name("weight"),
      {.shape = published,
       .read = [weights, part, published] { return weights->source(part).reshape(published); },
       .write = [weights, part](const Tensor& value) { weights->set(part, as_matrix(value)); },
       .forget = [weights] { weights->forget_packed(); }});
}

}  // namespace

Tensor Linear::operator()(Exec& ex, const Tensor& x, const Extra& extra) const {
  return kernels::matmul(ex, x, *weights,
                         {.bias = pointer_or_null(bias),
                          .residual = extra.residual,
                          .activation = extra.activation,
                          .gated = extra.gated});
}

Linear load_linear(const Scope& scope) {
  const Tensor published = scope.get("weight");
  Linear linear;
  linear.weights = std::make_shared<kernels::MatmulWeights>(std::vector{as_matrix(published)});
  register_part(scope, linear.weights, 0, published.shape());
  linear.bias = bias_of(scope);
  return linear;
}

Linear load_linears(const Scope& scope, std::initializer_list<std::string_view> names) {
  std::vector<Tensor> parts;
  bool any_bias = false;
  for (const std::string_view name : names) {
    parts.push_back(as_matrix((scope / name).get("weight")));
    any_bias = any_bias || (scope / name).has("bias");
  }
  Linear linear;
  linear.weights = std::make_shared<kernels::MatmulWeights>(parts);
  if (any_bias) linear.bias = Tensor::zeros({linear.weights->out_features()});

  size_t part = 0;
  int64_t row = 0;
  for (const std::string_view name : names) {
    const Scope child = scope / name;
    register_part(child, linear.weights, part, child.get("weight").shape());
    const int64_t end = row + linear.weights->source(part).size(0);
    if (child.has("bias")) {
      Tensor slice = linear.bias.rows(row, end);
      std::ranges::copy(child.get("bias").to(DType::f32).data(), slice.data().begin());
      child.parameters().add(child.full_name("bias"), {.shape = slice.shape(),
                                                       .read = [slice] { return slice; },
                                                       .write =
                                                           [slice](const Tensor& value) mutable {
                                                             const Tensor wide = value.to(DType::f32);
                                                             std::ranges::copy(wide.data(),
                                                                               slice.data().begin());
                                                           }});
    }
    row = end;
    ++part;
  }
  return linear;
}

Tensor Conv2d::operator()(Exec& ex, const Tensor& x, const Extra& extra) const {
  return kernels::conv2d(ex, x, *weights, geometry,
                         {.bias = pointer_or_null(bias),
                          .per_image = extra.per_image,
                          .residual = extra.residual,
                          .activation = extra.activation});
}

Tensor Conv2d::enlarged(Exec& ex, const Tensor& x, const Extra& extra) const {
  return kernels::conv2d_enlarged(ex, x, *weights,
                                  {.bias = pointer_or_null(bias),
                                   .per_image = extra.per_image,
                                   .residual = extra.residual,
                                   .activation = extra.activation});
}

Conv2d load_conv2d(const Scope& scope, const kernels::ConvGeometry& geometry) {
  Tensor published = scope.get("weight");
  const Shape shape = published.shape();
  if (shape.rank() == 2) published = published.reshape({shape[0], shape[1], 1, 1});
  Conv2d conv;
  conv.geometry = geometry;
  conv.weights = std::make_shared<kernels::ConvWeights>(published);
  const Shape inner = published.shape();
  scope.parameters().add(
      scope.full_name("weight"),
      {.shape = shape,
       .read = [weights = conv.weights, shape] { return weights->source().reshape(shape); },
       .write = [weights = conv.weights, inner](const Tensor& value) { weights->set(value.reshape(inner)); },
       .forget = [weights = conv.weights] { weights->forget_packed(); }});
  conv.bias = bias_of(scope);
  return conv;
}

Conv2d load_conv2d(const Scope& scope, int stride) {
  const Tensor weight = scope.get("weight");
  const int kernel = weight.rank() == 4 ? static_cast<int>(weight.size(2)) : 1;
  return load_conv2d(scope, kernels::ConvGeometry::same(kernel, stride));
}

Tensor GroupNorm::operator()(Exec& ex, const Tensor& x) const {
  return kernels::group_norm(
      ex, x, {.weight = &weight, .bias = &bias, .groups = groups, .epsilon = epsilon, .silu = false});
}

Tensor GroupNorm::with_silu(Exec& ex, const Tensor& x) const {
  return kernels::group_norm(
      ex, x, {.weight = &weight, .bias = &bias, .groups = groups, .epsilon = epsilon, .silu = true});
}

GroupNorm load_group_norm(const Scope& scope, const GroupNormOptions& options) {
  return {.weight = scope.vector("weight"),
          .bias = scope.vector("bias"),
          .groups = options.groups,
          .epsilon = options.epsilon};
}

Tensor LayerNorm::operator()(Exec& ex, const Tensor& x) const {
  return kernels::layer_norm(ex, x, weight, bias, epsilon);
}

LayerNorm load_layer_norm(const Scope& scope, float epsilon) {
  LayerNorm norm{.weight = scope.vector("weight"), .bias = Tensor(), .epsilon = epsilon};
  norm.bias = scope.has("bias") ? scope.vector("bias") : Tensor::zeros(norm.weight.shape());
  return norm;
}

void Embedding::row(int64_t id, std::span<float> out) const {
  if (id < 0 || id >= count()) {
    throw Error(ErrorCode::weights, "cannot look up token {}", id)
        .with("expected", fmt::format("0 to {}", count() - 1))
        .hint("the tokeniser's vocabulary is larger than the text encoder's");
  }
  const Tensor wide = table.rows(id, id + 1).to(DType::f32);
  std::ranges::copy(wide.data(), out.begin());
}

Embedding load_embedding(const Scope& scope) {
  Embedding embedding{.table = scope.get("weight")};
  if (embedding.table.rank() != 2) {
    throw Error(ErrorCode::weights, "cannot use {} as an embedding", scope.full_name("weight"))
        .with("found", embedding.table.shape().text())
        .with("expected", "[vocabulary, width]");
  }
  return embedding;
}

Tensor sinusoidal_embedding(std::span<const double> values, int64_t width, bool cosines_first,
                            double frequency_shift) {
  const int64_t half = width / 2;
  Tensor out = Tensor::zeros({static_cast<int64_t>(values.size()), width});
  float* row = out.data().data();
  for (const double value : values) {
    for (int64_t i = 0; i < half; ++i) {
      // f32 as the reference has it: at t = 999 the argument's rounding is visible in the fifth digit.
      const auto exponent = static_cast<float>(-std::log(10000.0) * static_cast<double>(i) /
                                               (static_cast<double>(half) - frequency_shift));
      const float argument = static_cast<float>(value) * std::exp(exponent);
      row[i + (cosines_first ? half : 0)] = std::sin(argument);
      row[i + (cosines_first ? 0 : half)] = std::cos(argument);
    }
    row += width;
  }
  return out;
}

}  // namespace maquette::nn

// Shapes are compared with what the layer and its place in the network need when it is loaded, so that the
// kernels need not ask; what only the input can tell is compared when the layer is called.
#include "nn/layers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace maquette::nn {

namespace {

constexpr int kMostChildren = 1000;         // of one number: layers, blocks, stages
constexpr int64_t kMostChannels = 1 << 20;  // in or out of a layer
constexpr int64_t kWidestKernel = 64;       // patches of picture encoders have 14, 16 or 32
constexpr int64_t kMostVectorElements = 1 << 24;

}  // namespace

// --- scope ---

int Scope::count(std::string_view name) const {
  const int children = weights_.count(name);
  if (children > kMostChildren) {
    throw Error(ErrorCode::weights, "the weights have more parts than any network")
        .with("tensor", full_name(fmt::format("{}.{}", name, children - 1)))
        .with("found", children)
        .with("expected", fmt::format("at most {}", kMostChildren));
  }
  return children;
}

Shape Scope::shape(std::string_view name) const {
  const std::optional<Shape> known = weights_.shape(name);
  return known ? *known : get(name).shape();
}

void Scope::refuse(std::string_view name, const Shape& found, std::string_view expected) const {
  throw Error(ErrorCode::weights, "a tensor of the weights has another shape than its network")
      .with("tensor", full_name(name))
      .with("where", weights_.where(name))
      .with("found", found.text())
      .with("expected", expected);
}

Tensor Scope::vector(std::string_view name) const {
  const Tensor published = get(name);
  if (published.elements() < 1 || published.elements() > kMostVectorElements) {
    refuse(name, published.shape(), "a small tensor");
  }
  Tensor own = published.dtype() == DType::f32 ? published.clone() : published.to(DType::f32);
  parameters_->add(full_name(name), {.shape = own.shape(),
                                     .read = [own] { return own; },
                                     .write =
                                         [own](const kernels::WeightSource& value) mutable {
                                           const Tensor wide = value.read().to(DType::f32);
                                           std::ranges::copy(wide.data(), own.data().begin());
                                         }});
  return own;
}

Tensor Scope::vector(std::string_view name, int64_t width) const {
  const Shape found = shape(name);
  if (found.elements() < 1 || (width > 0 && found.elements() != width)) {
    refuse(name, found, width > 0 ? fmt::format("[{}]", width) : "[channels]");
  }
  return vector(name);
}

// --- what loading has in common ---

namespace {

const Tensor* pointer_or_null(const Tensor& t) { return t.defined() ? &t : nullptr; }

Tensor bias_of(const Scope& scope, int64_t width) {
  return scope.has("bias") ? scope.vector("bias", width) : Tensor();
}

std::string wanted(int64_t size, std::string_view any) {
  return size > 0 ? fmt::format("{}", size) : std::string(any);
}

bool fits(int64_t found, int64_t wanted) {
  return found >= 1 && found <= kMostChannels && (wanted == 0 || found == wanted);
}

// [out, in, 1, 1] -> [out, in]: a 1x1 convolution is a linear layer on channels-last pictures.
Tensor as_matrix(const Tensor& t) {
  if (t.rank() == 2) return t;
  if (t.rank() >= 2 && t.elements() == t.size(0) * t.size(1)) return t.reshape({t.size(0), t.size(1)});
  return t;
}

Tensor matrix_of(const Scope& scope, const Sizes& sizes) {
  const Tensor published = scope.get("weight");
  const Tensor matrix = as_matrix(published);
  if (matrix.rank() != 2 || !fits(matrix.size(0), sizes.out) || !fits(matrix.size(1), sizes.in)) {
    scope.refuse("weight", published.shape(),
                 fmt::format("[{}, {}]", wanted(sizes.out, "out"), wanted(sizes.in, "in")));
  }
  return matrix;
}

void register_part(const Scope& scope, const std::shared_ptr<kernels::MatmulWeights>& weights, size_t part,
                   const Shape& published) {
  const Shape matrix = weights->source(part).shape();
  scope.parameters().add(
      scope.full_name("weight"),
      {.shape = published,
       .read = [weights, part, published] { return weights->source(part).read().reshape(published); },
       .write = [weights, part,
                 matrix](const kernels::WeightSource& value) { weights->set(part, value.reshape(matrix)); }});
}

// The bias of one layer as a slice of the bias of several, written to through the slice.
void register_bias(const Scope& scope, Tensor slice) {
  const Tensor published = scope.get("bias");
  if (published.elements() != slice.elements()) {
    scope.refuse("bias", published.shape(), slice.shape().text());
  }
  std::ranges::copy(published.to(DType::f32).data(), slice.data().begin());
  scope.parameters().add(scope.full_name("bias"), {.shape = slice.shape(),
                                                   .read = [slice] { return slice; },
                                                   .write =
                                                       [slice](const kernels::WeightSource& value) mutable {
                                                         const Tensor wide = value.read().to(DType::f32);
                                                         std::ranges::copy(wide.data(), slice.data().begin());
                                                       }});
}

// The layer's weights do not fit the activation that reaches it: a network whose layers do not fit each
// other.
[[noreturn]] void refuse_input(const std::string& name, const Shape& weight, const Tensor& x) {
  throw Error(ErrorCode::weights, "a tensor of the weights has another shape than its network")
      .with("tensor", name)
      .with("found", weight.text())
      .with("expected", fmt::format("weights for {} channels", x.rank() > 0 ? x.size(-1) : 0));
}

// Kernels refuse what does not fit as well, without a name.
template <typename Call>
Tensor naming(const std::string& name, const Call& call) {
  try {
    return call();
  } catch (Error& error) {
    if (error.code() == ErrorCode::weights) error.with("tensor", name);
    throw;
  }
}

}  // namespace

// --- linear layers ---

Tensor Linear::operator()(Exec& ex, const Tensor& x, const Extra& extra) const {
  if (x.rank() < 1 || x.size(-1) != in_features()) {
    refuse_input(name, {out_features(), in_features()}, x);
  }
  return naming(name, [&] {
    return kernels::matmul(ex, x, *weights,
                           {.bias = pointer_or_null(bias),
                            .residual = extra.residual,
                            .activation = extra.activation,
                            .gated = extra.gated});
  });
}

Linear load_linear(const Scope& scope, const Sizes& sizes) {
  Linear linear;
  linear.name = scope.full_name("weight");
  linear.weights = std::make_shared<kernels::MatmulWeights>(std::vector{matrix_of(scope, sizes)});
  register_part(scope, linear.weights, 0, scope.shape("weight"));
  linear.bias = bias_of(scope, linear.out_features());
  return linear;
}

Linear load_linears(const Scope& scope, std::initializer_list<std::string_view> names, const Sizes& sizes) {
  std::vector<Tensor> parts;
  bool any_bias = false;
  Sizes same = sizes;
  for (const std::string_view name : names) {
    parts.push_back(matrix_of(scope / name, same));
    same = {.in = parts[0].size(1), .out = parts[0].size(0)};
    any_bias = any_bias || (scope / name).has("bias");
  }
  Linear linear;
  linear.name = scope.full_name(fmt::format("{}.weight", *names.begin()));
  linear.weights = std::make_shared<kernels::MatmulWeights>(parts);
  if (any_bias) linear.bias = Tensor::zeros({linear.weights->out_features()});

  size_t part = 0;
  for (const std::string_view name : names) {
    const Scope child = scope / name;
    register_part(child, linear.weights, part, child.shape("weight"));
    const int64_t row = static_cast<int64_t>(part) * same.out;
    if (child.has("bias")) register_bias(child, linear.bias.rows(row, row + same.out));
    ++part;
  }
  return linear;
}

// --- convolutions ---

Tensor Conv2d::operator()(Exec& ex, const Tensor& x, const Extra& extra) const {
  if (x.rank() != 4 || x.size(3) != in_channels()) refuse_input(name, weights->source().shape(), x);
  return naming(name, [&] {
    return kernels::conv2d(ex, x, *weights, geometry,
                           {.bias = pointer_or_null(bias),
                            .per_image = extra.per_image,
                            .residual = extra.residual,
                            .activation = extra.activation});
  });
}

Tensor Conv2d::enlarged(Exec& ex, const Tensor& x, const Extra& extra) const {
  if (x.rank() != 4 || x.size(3) != in_channels()) refuse_input(name, weights->source().shape(), x);
  return naming(name, [&] {
    return kernels::conv2d_enlarged(ex, x, *weights,
                                    {.bias = pointer_or_null(bias),
                                     .per_image = extra.per_image,
                                     .residual = extra.residual,
                                     .activation = extra.activation});
  });
}

namespace {

// The shape of a convolution's weight, a matrix being one of 1x1; refused where it is none or does not fit.
Shape conv_shape(const Scope& scope, const Sizes& sizes) {
  const Shape published = scope.shape("weight");
  const Shape shape = published.rank() == 2 ? Shape{published[0], published[1], 1, 1} : published;
  const auto kernel = [&shape](int i) { return shape[i] >= 1 && shape[i] <= kWidestKernel; };
  if (shape.rank() != 4 || !fits(shape[0], sizes.out) || !fits(shape[1], sizes.in) || !kernel(2) ||
      !kernel(3)) {
    scope.refuse("weight", published,
                 fmt::format("[{}, {}, height, width]", wanted(sizes.out, "out"), wanted(sizes.in, "in")));
  }
  return shape;
}

}  // namespace

Conv2d load_conv2d(const Scope& scope, const kernels::ConvGeometry& geometry, const Sizes& sizes) {
  const Shape inner = conv_shape(scope, sizes);
  const Tensor published = scope.get("weight");
  const Shape shape = published.shape();
  Conv2d conv;
  conv.name = scope.full_name("weight");
  conv.geometry = geometry;
  conv.weights = std::make_shared<kernels::ConvWeights>(published.reshape(inner));
  scope.parameters().add(
      scope.full_name("weight"),
      {.shape = shape,
       .read = [weights = conv.weights, shape] { return weights->source().read().reshape(shape); },
       .write = [weights = conv.weights,
                 inner](const kernels::WeightSource& value) { weights->set(value.reshape(inner)); }});
  conv.bias = bias_of(scope, conv.out_channels());
  return conv;
}

Conv2d load_conv2d(const Scope& scope, int stride, const Sizes& sizes) {
  const Shape shape = conv_shape(scope, sizes);
  if (shape[2] != shape[3] || shape[2] % 2 == 0) {
    scope.refuse("weight", shape, "a square kernel of odd size");
  }
  return load_conv2d(scope, kernels::ConvGeometry::same(static_cast<int>(shape[2]), stride), sizes);
}

// --- norms ---

namespace {

// Kernels read as many weights as the activation has channels.
void check_norm(const std::string& name, const Tensor& weight, const Tensor& x) {
  if (x.rank() < 1 || x.size(-1) != weight.elements()) refuse_input(name, weight.shape(), x);
}

}  // namespace

Tensor GroupNorm::operator()(Exec& ex, const Tensor& x) const {
  check_norm(name, weight, x);
  return kernels::group_norm(
      ex, x, {.weight = &weight, .bias = &bias, .groups = groups, .epsilon = epsilon, .silu = false});
}

Tensor GroupNorm::with_silu(Exec& ex, const Tensor& x) const {
  check_norm(name, weight, x);
  return kernels::group_norm(
      ex, x, {.weight = &weight, .bias = &bias, .groups = groups, .epsilon = epsilon, .silu = true});
}

GroupNorm load_group_norm(const Scope& scope, const GroupNormOptions& options, int64_t channels) {
  GroupNorm norm{.weight = scope.vector("weight", channels),
                 .bias = Tensor(),
                 .groups = options.groups,
                 .epsilon = options.epsilon,
                 .name = scope.full_name("weight")};
  norm.bias = scope.vector("bias", norm.channels());
  if (norm.groups < 1 || norm.channels() % norm.groups != 0) {
    scope.refuse("weight", norm.weight.shape(), fmt::format("a multiple of {} groups", norm.groups));
  }
  return norm;
}

Tensor LayerNorm::operator()(Exec& ex, const Tensor& x) const {
  check_norm(name, weight, x);
  return kernels::layer_norm(ex, x, weight, bias, epsilon);
}

LayerNorm load_layer_norm(const Scope& scope, float epsilon, int64_t width) {
  LayerNorm norm{.weight = scope.vector("weight", width),
                 .bias = Tensor(),
                 .epsilon = epsilon,
                 .name = scope.full_name("weight")};
  norm.bias = scope.has("bias") ? scope.vector("bias", norm.width()) : Tensor::zeros(norm.weight.shape());
  return norm;
}

// --- embeddings ---

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
  const Shape& shape = embedding.table.shape();
  if (shape.rank() != 2 || shape[0] < 1 || !fits(shape[1], 0)) {
    scope.refuse("weight", shape, "[vocabulary, width]");
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

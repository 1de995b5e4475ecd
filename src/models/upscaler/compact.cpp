// As in Real-ESRGAN, a few layers at a time are one piece for the tile runner: the deeper a piece, the more
// pixels around a window are computed twice; the shallower, the more often a window is copied.
#include "models/upscaler/compact.h"

#include <algorithm>

#include "kernels/element.h"

namespace maquette::models {

namespace {

constexpr size_t kLayersPerPiece = 6;
constexpr int kMostLayers = 256;

}  // namespace

Tensor prelu(nn::Exec& ex, const Tensor& x, const Tensor& slopes) {
  const int64_t channels = x.size(-1);
  Tensor out = ex.empty(x.shape(), x.dtype());
  const float* slope = slopes.data().data();
  kernels::by_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>().data();
    T* result = out.data<T>().data();
    kernels::parallel_for(x.elements() / channels, 512, [&](int64_t begin, int64_t end) {
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        for (int64_t c = 0; c < channels; ++c) {
          const auto value = static_cast<float>(in[pixel * channels + c]);
          result[pixel * channels + c] = static_cast<T>(value > 0 ? value : value * slope[c]);
        }
      }
    });
  });
  return out;
}

int CompactNetwork::pieces() const {
  return static_cast<int>((layers.size() + kLayersPerPiece - 1) / kLayersPerPiece);
}

int64_t CompactNetwork::map_bytes(DType type) const {
  int64_t widest = 0;
  for (const Layer& layer : layers) widest = std::max(widest, layer.conv.out_channels());
  return (2 * widest + 2 * channels() * enlargement * enlargement) * static_cast<int64_t>(size_of(type));
}

Tensor CompactNetwork::operator()(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const {
  const auto element = static_cast<int64_t>(size_of(x.dtype()));
  Tensor h = x;
  for (size_t begin = 0; begin < layers.size(); begin += kLayersPerPiece) {
    const size_t end = std::min(begin + kLayersPerPiece, layers.size());
    const bool last = end == layers.size();
    const Piece piece{.radius = static_cast<int>(end - begin),
                      .scale = last ? enlargement : 1,
                      .working_bytes = 3 * layers[begin].conv.out_channels() * element};
    h = tiles(ex, h, piece, [&](Exec& e, const Tensor& t) {
      Tensor inner = t;
      for (size_t i = begin; i < end; ++i) {
        inner = layers[i].conv(e, inner);
        if (layers[i].slopes.defined()) inner = prelu(e, inner, layers[i].slopes);
      }
      return last ? kernels::pixel_shuffle(e, inner, enlargement, kernels::ShuffleOrder::pytorch) : inner;
    });
  }
  return kernels::add(ex, h, kernels::resize_nearest(ex, x, h.size(1), h.size(2)));
}

std::optional<CompactNetwork> load_compact(const nn::Scope& scope) {
  if (!scope.has("body.0.weight") || !scope.has("body.1.weight")) return std::nullopt;
  if (scope.get("body.0.weight").rank() != 4 || scope.get("body.1.weight").rank() != 1) return std::nullopt;

  // Convolutions have even numbers, slopes odd ones; the last convolution has none after it.
  CompactNetwork network;
  int64_t channels = 0;
  for (int i = 0; i < kMostLayers && (scope / fmt::format("body.{}", 2 * i)).has("weight"); ++i) {
    const nn::Scope part = scope / fmt::format("body.{}", 2 * i);
    CompactNetwork::Layer layer{.conv = nn::load_conv2d(part), .slopes = Tensor()};
    const nn::Scope after = scope / fmt::format("body.{}", 2 * i + 1);
    if (after.has("weight")) layer.slopes = after.vector("weight");
    const bool fits =
        layer.conv.weights->kernel_h() == 3 && layer.conv.weights->kernel_w() == 3 &&
        layer.conv.in_channels() > 0 &&
        (!layer.conv.bias.defined() || layer.conv.bias.elements() == layer.conv.out_channels()) &&
        (i == 0 || layer.conv.in_channels() == channels) &&
        (!layer.slopes.defined() || layer.slopes.elements() == layer.conv.out_channels());
    if (!fits) {
      throw Error(ErrorCode::weights, "cannot use the upscaler")
          .with("tensor", part.full_name("weight"))
          .with("found", layer.conv.weights->source().shape().text())
          .with("expected", "3x3 convolutions in a chain, with one slope per channel");
    }
    channels = layer.conv.out_channels();
    network.layers.push_back(std::move(layer));
  }

  const int64_t in = network.channels();
  network.enlargement = 1;
  while (int64_t{network.enlargement} * network.enlargement * in < channels) ++network.enlargement;
  const bool every_slope = std::ranges::all_of(network.layers.begin(), network.layers.end() - 1,
                                               [](const auto& layer) { return layer.slopes.defined(); });
  if (int64_t{network.enlargement} * network.enlargement * in != channels || !every_slope ||
      network.layers.back().slopes.defined()) {
    throw Error(ErrorCode::weights, "cannot use the upscaler")
        .with("tensor", scope.full_name("body"))
        .with("found",
              fmt::format("{} convolutions, {} channels in, {} out", network.layers.size(), in, channels))
        .with("expected",
              "slopes after all convolutions but the last, which brings scale x scale x channels in");
  }
  return network;
}

}  // namespace maquette::models

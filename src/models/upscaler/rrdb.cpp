// The forward pass runs piece by piece (first convolution, each dense block, trunk, tail), every piece
// through the tile runner. A dense block of five 3x3 convolutions looks five pixels far, so even a network
// that looks 350 pixels far in all is cut without a seam at the price of a few pixels per window.
#include "models/upscaler/rrdb.h"

namespace maquette::models {

namespace {

constexpr float kResidualScale = 0.2f;

}  // namespace

Tensor DenseBlock::operator()(nn::Exec& ex, const Tensor& x, nn::Activation activation) const {
  Tensor dense = x;
  for (size_t i = 0; i + 1 < convs.size(); ++i) {
    dense = kernels::concat_channels(ex, dense, convs[i](ex, dense, {.activation = activation}));
  }
  return kernels::add_scaled(ex, x, convs.back()(ex, dense), kResidualScale);
}

int RrdbNetwork::enlargement() const {
  int factor = 1;
  for (const EnlargeStep& step : enlarge) factor *= step.shuffle > 1 ? step.shuffle : 2;
  return factor;
}

// Walks back from the last convolution: every convolution adds a pixel, every enlargement divides and rounds
// up.
int RrdbNetwork::tail_radius() const {
  int radius = high ? 2 : 1;
  for (auto step = enlarge.rbegin(); step != enlarge.rend(); ++step) {
    const bool before = step->shuffle > 1;  // the convolution comes before the enlargement
    const int factor = before ? step->shuffle : 2;
    if (!before) ++radius;
    radius = (radius + factor - 1) / factor;
    if (before) ++radius;
  }
  return radius;
}

int RrdbNetwork::pieces() const {
  int count = 3;  // first convolution, trunk, tail
  for (const auto& block : blocks) count += static_cast<int>(block.size());
  return count;
}

int RrdbNetwork::radius() const {
  int radius = 2 + tail_radius();
  for (const auto& block : blocks) {
    for (const DenseBlock& dense : block) radius += static_cast<int>(dense.convs.size());
  }
  return radius * fold;
}

int64_t RrdbNetwork::map_bytes(DType type) const {
  // The result of the first convolution, the block's input, and a dense block's input and output.
  const int64_t folded = 4 * first.out_channels() * static_cast<int64_t>(size_of(type)) / (fold * fold);
  const int64_t picture = channels() * scale() * scale() * static_cast<int64_t>(size_of(type));
  return folded + picture;
}

Tensor RrdbNetwork::tail(nn::Exec& ex, Tensor h) const {
  const nn::Activation after = activate_enlarged ? activation : nn::Activation::none;
  for (const EnlargeStep& step : enlarge) {
    if (step.shuffle > 1) {
      h = kernels::pixel_shuffle(ex, step.conv(ex, h), step.shuffle, kernels::ShuffleOrder::pytorch);
      if (activate_enlarged) h = kernels::activation(ex, h, activation);
    } else {
      h = step.conv.enlarged(ex, h, {.activation = after});
    }
  }
  if (high) h = (*high)(ex, h, {.activation = activation});
  return last(ex, h);
}

Tensor RrdbNetwork::operator()(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const {
  const int64_t element = static_cast<int64_t>(size_of(x.dtype()));
  const int64_t width = first.out_channels();

  const Tensor folded = fold > 1 ? kernels::pixel_unshuffle(ex, x, fold) : x;
  const Piece entry{.radius = 1, .scale = 1, .working_bytes = (first.in_channels() + width) * element};
  const Tensor features = tiles(ex, folded, entry, [&](Exec& e, const Tensor& t) { return first(e, t); });

  // Every dense block is a piece of its own; the sums around three of them need no neighbours.
  Tensor h = features;
  for (const std::vector<DenseBlock>& block : blocks) {
    const Tensor start = h;
    for (const DenseBlock& dense : block) {
      const int64_t widest = dense.convs.back().in_channels();
      const Piece piece{.radius = static_cast<int>(dense.convs.size()),
                        .scale = 1,
                        .working_bytes = (2 * widest + 3 * width) * element};
      h = tiles(ex, h, piece, [&](Exec& e, const Tensor& t) { return dense(e, t, activation); });
    }
    h = kernels::add_scaled(ex, start, h, kResidualScale);
  }

  const Piece middle{.radius = 1, .scale = 1, .working_bytes = 2 * width * element};
  h = tiles(ex, h, middle, [&](Exec& e, const Tensor& t) { return trunk(e, t); });
  h = kernels::add(ex, h, features);

  const int large = enlargement();
  const int64_t widest = high ? 3 * high->in_channels() : 2 * last.in_channels();
  const Piece exit{.radius = tail_radius(),
                   .scale = large,
                   .working_bytes = (3 * width + int64_t{large} * large * widest) * element};
  return tiles(ex, h, exit, [&](Exec& e, const Tensor& t) { return tail(e, t); });
}

}  // namespace maquette::models

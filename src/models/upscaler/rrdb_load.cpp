// Three key layouts carry the same network. The oldest numbers everything in one sequence,
//
//   model.0                     first convolution
//   model.1.sub.B.RDBd.convK.0  blocks;  model.1.sub.<blocks>  trunk
//   model.3, model.6, ...       convolutions after nearest-neighbour doubling (the activation takes a number
//   too) the last two                convolutions at full size
//
// the others have names: conv_first, body.B.rdbD.convK, conv_body, conv_up1.. (Real-ESRGAN), or conv_first,
// RRDB_trunk.B.RDBD.convK, trunk_conv, upconv1.. (ESRGAN). The counts are those of the tensors found.
#include <cmath>

#include "models/upscaler/rrdb.h"

namespace maquette::models {

namespace {

constexpr int kMostBlocks = 256;
constexpr int kMostSteps = 8;

// The names that differ; {} stands for the number.
struct KeyLayout {
  std::string_view first, blocks, dense, conv, trunk, enlarge, high, last;
};
constexpr KeyLayout kLayouts[] = {
    {"conv_first", "body", "rdb{}", "conv{}", "conv_body", "conv_up{}", "conv_hr", "conv_last"},
    {"conv_first", "RRDB_trunk", "RDB{}", "conv{}", "trunk_conv", "upconv{}", "HRconv", "conv_last"},
    {"model.0", "model.1.sub", "RDB{}", "conv{}.0", "model.1.sub.{}", "", "", ""},
};

std::string numbered(std::string_view pattern, int number) {
  return fmt::format(fmt::runtime(pattern), number);
}

bool has_weight(const nn::Scope& scope, std::string_view name) { return (scope / name).has("weight"); }

// A square kernel of 3 with the channels that its place in the network asks for; 0: any.
nn::Conv2d load_conv(const nn::Scope& scope, std::string_view name, int64_t in, int64_t out) {
  nn::Conv2d conv = nn::load_conv2d(scope / name);
  const bool fits = conv.weights->kernel_h() == 3 && conv.weights->kernel_w() == 3 &&
                    conv.in_channels() > 0 && conv.out_channels() > 0 &&
                    (in == 0 || conv.in_channels() == in) && (out == 0 || conv.out_channels() == out);
  if (fits && (!conv.bias.defined() || conv.bias.elements() == conv.out_channels())) return conv;
  const auto wanted = [](int64_t channels) {
    return channels == 0 ? std::string("any") : fmt::format("{}", channels);
  };
  throw Error(ErrorCode::weights, "cannot use the upscaler")
      .with("tensor", scope.full_name(fmt::format("{}.weight", name)))
      .with("found", conv.weights->source().shape().text())
      .with("expected", fmt::format("[{}, {}, 3, 3]", wanted(out), wanted(in)));
}

DenseBlock load_dense(const nn::Scope& scope, const KeyLayout& names, int64_t width) {
  if (scope.has("conv1x1.weight")) {
    throw Error(ErrorCode::weights, "cannot use the upscaler")
        .with("tensor", scope.full_name("conv1x1.weight"))
        .with("expected", "dense blocks of 3x3 convolutions alone")
        .hint("this is a variant (ESRGAN+) that is not supported");
  }
  DenseBlock dense;
  int64_t channels = width;
  for (int k = 1; has_weight(scope, numbered(names.conv, k)); ++k) {
    const bool last = !has_weight(scope, numbered(names.conv, k + 1));
    dense.convs.push_back(load_conv(scope, numbered(names.conv, k), channels, last ? width : 0));
    channels += dense.convs.back().out_channels();
  }
  return dense;
}

std::vector<DenseBlock> load_block(const nn::Scope& scope, const KeyLayout& names, int64_t width) {
  std::vector<DenseBlock> block;
  const std::string first_conv = numbered(names.conv, 1);
  for (int d = 1; has_weight(scope / numbered(names.dense, d), first_conv); ++d) {
    block.push_back(load_dense(scope / numbered(names.dense, d), names, width));
  }
  return block;
}

EnlargeStep load_step(const nn::Scope& scope, std::string_view name, int64_t width) {
  EnlargeStep step{.conv = load_conv(scope, name, width, 0)};
  const int64_t out = step.conv.out_channels();
  if (out == 4 * width) {
    step.shuffle = 2;
  } else if (out != width) {
    load_conv(scope, name, width, width);  // says what is wrong
  }
  return step;
}

// The embedded network's tail: the pixel shuffle brings the picture's own channels.
void load_shuffle_tail(const nn::Scope& scope, int64_t width, RrdbNetwork& network) {
  network.last = load_conv(scope, "conv_last", 0, 0);
  network.activation = nn::Activation::relu;
  network.activate_enlarged = false;
  const int64_t channels = network.last.in_channels();
  EnlargeStep step{.conv = load_conv(scope, "conv_shuffle", width, 0)};
  while (int64_t{step.shuffle} * step.shuffle * channels < step.conv.out_channels()) ++step.shuffle;
  load_conv(scope, "conv_shuffle", width, int64_t{step.shuffle} * step.shuffle * channels);
  network.enlarge.push_back(std::move(step));
}

void load_named_tail(const nn::Scope& scope, const KeyLayout& names, int64_t width, RrdbNetwork& network) {
  for (int i = 1; i <= kMostSteps && has_weight(scope, numbered(names.enlarge, i)); ++i) {
    network.enlarge.push_back(load_step(scope, numbered(names.enlarge, i), width));
  }
  network.high = load_conv(scope, names.high, width, width);
  network.last = load_conv(scope, names.last, width, 0);
}

void load_numbered_tail(const nn::Scope& scope, int64_t width, RrdbNetwork& network) {
  std::vector<std::string> convs;
  for (int i = 2; i < 2 + 3 * (kMostSteps + 1); ++i) {
    const std::string name = fmt::format("model.{}", i);
    if (has_weight(scope, name)) convs.push_back(name);
  }
  if (convs.size() < 2) {
    throw Error(ErrorCode::weights, "cannot use the upscaler")
        .with("found", fmt::format("{} convolutions after the body", convs.size()))
        .with("expected", "two or more");
  }
  for (size_t i = 0; i + 2 < convs.size(); ++i) network.enlarge.push_back(load_step(scope, convs[i], width));
  network.high = load_conv(scope, convs[convs.size() - 2], width, width);
  network.last = load_conv(scope, convs.back(), width, 0);
}

// The factor of the folding at the input: as many more channels come in as pixels are folded into one.
int fold_of(const RrdbNetwork& network, const nn::Scope& scope, std::string_view first) {
  for (const int fold : {1, 2, 4}) {
    if (network.first.in_channels() == network.channels() * fold * fold &&
        network.enlargement() % fold == 0) {
      return fold;
    }
  }
  throw Error(ErrorCode::weights, "cannot use the upscaler")
      .with("tensor", scope.full_name(fmt::format("{}.weight", first)))
      .with("found", fmt::format("{} channels in, {} out, enlarged by {}", network.first.in_channels(),
                                 network.channels(), network.enlargement()))
      .with("expected", "as many in as out, or 4 or 16 times as many where pixels are folded");
}

}  // namespace

std::optional<RrdbNetwork> load_rrdb(const nn::Scope& scope) {
  for (const KeyLayout& names : kLayouts) {
    const std::string block_root(names.blocks);
    const std::string first_dense = fmt::format("{}.0.{}", block_root, numbered(names.dense, 1));
    if (!has_weight(scope, names.first) || !has_weight(scope / first_dense, numbered(names.conv, 1)))
      continue;

    RrdbNetwork network;
    network.first = load_conv(scope, names.first, 0, 0);
    const int64_t width = network.first.out_channels();
    for (int b = 0; b < kMostBlocks; ++b) {
      auto block = load_block(scope / fmt::format("{}.{}", block_root, b), names, width);
      if (block.empty()) break;
      network.blocks.push_back(std::move(block));
    }
    const auto count = static_cast<int>(network.blocks.size());
    network.trunk = load_conv(scope, numbered(names.trunk, count), width, width);

    if (scope.has("conv_shuffle.weight")) {
      load_shuffle_tail(scope, width, network);
    } else if (names.last.empty()) {
      load_numbered_tail(scope, width, network);
    } else {
      load_named_tail(scope, names, width, network);
    }
    network.fold = fold_of(network, scope, names.first);
    return network;
  }
  return std::nullopt;
}

}  // namespace maquette::models

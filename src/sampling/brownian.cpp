// A Brownian bridge over a dyadic tree (Li et al. 2020, arXiv:2001.01328; Kidger et al. 2021,
// arXiv:2105.13493).
//
// The increment W over the whole interval comes from the seed. An interval [s, e] is split at its middle m;
// with Z standard normal from the seed of that node,
//   W[s, m] = (m - s) / (e - s) W[s, e] + sqrt((m - s)(e - m) / (e - s)) Z,    W[m, e] = W[s, e] - W[s, m]
// so every dyadic interval has one value, whatever was asked before. A query is the sum over the dyadic
// intervals that make it up. Times are rounded to six decimals, and the seeds of a node come from numpy's
// SeedSequence with the position and depth of the node as spawn key, as in the torchsde package.
#include "sampling/brownian.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sampling/latent_math.h"

namespace maquette::sampling {

namespace {

constexpr size_t kPoolSize = 24;

// Python's round(x, 6): the nearest number of six decimals of the exact value, ties to even.
double round_to_micro(double x) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.6f", x);
  return std::strtod(text.data(), nullptr);
}

void append_words(std::vector<uint32_t>& words, uint64_t value) {
  words.push_back(static_cast<uint32_t>(value));
  if (value >> 32) words.push_back(static_cast<uint32_t>(value >> 32));
}

Tensor normal_tensor(const Shape& shape, RandomKind kind, uint32_t seed) {
  Tensor out = Tensor::empty(shape);
  make_generator(kind, seed)->normal(out.data());
  return out;
}

}  // namespace

std::vector<uint32_t> seed_sequence(uint64_t entropy, const std::vector<uint64_t>& spawn_key,
                                    size_t pool_size, size_t count) {
  // The words to absorb: the entropy, padded to the pool where a spawn key follows, then the spawn key.
  std::vector<uint32_t> words;
  append_words(words, entropy);
  if (!spawn_key.empty()) words.resize(std::max(words.size(), pool_size), 0);
  for (const uint64_t key : spawn_key) append_words(words, key);

  // Every word is hashed with a constant that changes at each use, and mixed into the pool.
  uint32_t constant = 0x43b0d7e5u;
  const auto hash = [&constant](uint32_t value) {
    value ^= constant;
    constant *= 0x931e8875u;
    value *= constant;
    return value ^ (value >> 16);
  };
  const auto mix = [](uint32_t x, uint32_t y) {
    const uint32_t result = 0xca01f9ddu * x - 0x4973f715u * y;
    return result ^ (result >> 16);
  };
  std::vector<uint32_t> pool(pool_size);
  for (size_t i = 0; i < pool_size; ++i) pool[i] = hash(i < words.size() ? words[i] : 0);
  for (size_t source = 0; source < pool_size; ++source) {
    for (size_t target = 0; target < pool_size; ++target) {
      if (source != target) pool[target] = mix(pool[target], hash(pool[source]));
    }
  }
  for (size_t source = pool_size; source < words.size(); ++source) {
    for (uint32_t& target : pool) target = mix(target, hash(words[source]));
  }

  // The output walks round the pool with a second sequence of constants.
  std::vector<uint32_t> state(count);
  uint32_t output_constant = 0x8b51f9ddu;
  for (size_t i = 0; i < count; ++i) {
    uint32_t value = pool[i % pool_size];
    value ^= output_constant;
    output_constant *= 0x58f38dedu;
    value *= output_constant;
    state[i] = value ^ (value >> 16);
  }
  return state;
}

struct BrownianTree::Node {
  double start;
  double end;
  uint64_t position;  // counted within its level
  uint64_t depth;
  const Tensor& increment;
};

BrownianTree::BrownianTree(BrownianSettings settings)
    : settings_(std::move(settings)),
      start_(round_to_micro(settings_.start)),
      end_(round_to_micro(settings_.end)) {
  const uint32_t seed = seed_sequence(settings_.seed, {}, kPoolSize, 1)[0];
  const auto deviation = static_cast<float>(std::sqrt(settings_.end - settings_.start));
  whole_ = scaled(normal_tensor(settings_.shape, settings_.kind, seed), deviation);
}

Tensor BrownianTree::increment(double from, double to) {
  recent_ = std::move(current_);
  current_.clear();
  from = round_to_micro(std::clamp(from, start_, end_));
  to = round_to_micro(std::clamp(to, start_, end_));
  Tensor sum = Tensor::zeros(settings_.shape);
  bool empty = true;
  if (from < to) visit({start_, end_, 0, 0, whole_}, from, to, sum, empty);
  return sum;
}

// Drawn around its expectation.
Tensor BrownianTree::left_half(const Node& node, double middle) {
  const auto key = std::pair(node.depth, node.position);
  if (const auto known = recent_.find(key); known != recent_.end()) return current_[key] = known->second;

  const uint32_t seed = seed_sequence(settings_.seed, {node.position, node.depth}, kPoolSize, 1)[0];
  const Tensor z = normal_tensor(settings_.shape, settings_.kind, seed);
  const double left_length = middle - node.start;
  const double right_length = node.end - middle;
  const double reciprocal = 1 / (node.end - node.start);
  const auto deviation = static_cast<float>(std::sqrt(left_length * right_length * reciprocal));
  const Tensor mean =
      scaled(scaled(node.increment, static_cast<float>(left_length)), static_cast<float>(reciprocal));
  return current_[key] = combine({{1.0f, mean}, {deviation, z}});
}

void BrownianTree::visit(const Node& node, double from, double to, Tensor& sum, bool& empty) {
  if (from == node.start && to == node.end) {
    sum = empty ? node.increment.clone() : combine({{1.0f, sum}, {1.0f, node.increment}});
    empty = false;
    return;
  }

  // The right half is what the left one leaves.
  const double middle = round_to_micro(0.5 * (node.end + node.start));
  const Tensor left = left_half(node, middle);
  if (from < middle) {
    visit({node.start, middle, 2 * node.position, node.depth + 1, left}, from, std::min(to, middle), sum,
          empty);
  }
  if (to > middle) {
    const Tensor right = combine({{1.0f, node.increment}, {-1.0f, left}});
    visit({middle, node.end, 2 * node.position + 1, node.depth + 1, right}, std::max(from, middle), to, sum,
          empty);
  }
}

BrownianNoise::BrownianNoise(const Shape& shape, float sigma_min, float sigma_max,
                             const std::vector<uint64_t>& seeds, RandomKind kind)
    : shape_(shape) {
  Shape one = shape;
  if (seeds.size() > 1) one.set(0, 1);
  if (seeds.size() > 1 && static_cast<int64_t>(seeds.size()) != shape[0]) {
    throw Error(ErrorCode::failed, "cannot make noise for {} images from {} seeds", shape[0], seeds.size());
  }
  for (const uint64_t seed : seeds) {
    trees_.emplace_back(BrownianSettings{.shape = one,
                                         .start = std::min(sigma_min, sigma_max),
                                         .end = std::max(sigma_min, sigma_max),
                                         .seed = seed,
                                         .kind = kind});
  }
}

Tensor BrownianNoise::operator()(float sigma, float sigma_next) {
  const double low = std::min(sigma, sigma_next);
  const double high = std::max(sigma, sigma_next);
  const float sign = sigma < sigma_next ? 1.0f : -1.0f;
  const float deviation = std::sqrt(std::abs(sigma_next - sigma));
  Tensor out = Tensor::empty(shape_);
  size_t written = 0;
  for (BrownianTree& tree : trees_) {
    const Tensor part = divided(scaled(tree.increment(low, high), sign), deviation);
    std::ranges::copy(part.data(), out.data().begin() + static_cast<std::ptrdiff_t>(written));
    written += part.data().size();
  }
  return out;
}

}  // namespace maquette::sampling

// Brownian motion that can be asked for any interval, in any order, and always answers consistently: the
// noise of the DPM++ SDE samplers, equal to that of the torchsde package for the same seed.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sampling/random.h"
#include "tensor/tensor.h"

namespace maquette::sampling {

// numpy.random.SeedSequence(entropy, spawn_key=..., pool_size=...).generate_state(count) as 32-bit words
// (O'Neill 2015, "Developing a seed_seq alternative").
std::vector<uint32_t> seed_sequence(uint64_t entropy, const std::vector<uint64_t>& spawn_key,
                                    size_t pool_size, size_t count);

struct BrownianSettings {
  Shape shape;       // of one motion
  double start = 0;  // the time axis; start < end
  double end = 1;
  uint64_t seed = 0;
  RandomKind kind = RandomKind::torch_cpu;
};

// One motion over [start, end], resolved to 1e-6 of time.
class BrownianTree {
 public:
  explicit BrownianTree(BrownianSettings settings);
  // The increment over [from, to], clipped to the motion's own interval; from <= to.
  Tensor increment(double from, double to);

 private:
  struct Node;
  using Halves = std::map<std::pair<uint64_t, uint64_t>, Tensor>;  // by depth and position
  void visit(const Node& node, double from, double to, Tensor& sum, bool& empty);
  Tensor left_half(const Node& node, double middle);

  BrownianSettings settings_;
  Halves recent_;  // the left halves that the query before and this one needed: a step ends where the next
                   // begins
  Halves current_;
  double start_;  // rounded
  double end_;
  Tensor whole_;  // the increment over the whole interval
};

// Standard normal noise for the step from one noise level to another: the increment over the square root of
// the length of the interval. One motion per image where several seeds are given, otherwise one for all.
class BrownianNoise {
 public:
  BrownianNoise(const Shape& shape, float sigma_min, float sigma_max, const std::vector<uint64_t>& seeds,
                RandomKind kind);
  Tensor operator()(float sigma, float sigma_next);  // the shape given

 private:
  Shape shape_;
  std::vector<BrownianTree> trees_;
};

}  // namespace maquette::sampling

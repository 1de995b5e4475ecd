// What the tests share: the formula that stands for a network, the pattern latents, reading golden numbers.
#pragma once

#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "sampling/sampling.h"

namespace maquette::sampling::golden {

inline Json open_golden(const std::string& name) {
  const std::string path = "tests/golden/sampling/" + name;
  return parse_json(read_text_file(path).take(), path).take();
}

inline std::vector<float> floats(const Json& list) {
  std::vector<float> values;
  for (const Json& v : list) values.push_back(v.get<float>());
  return values;
}

inline Tensor latent(const Json& list) { return Tensor::from<float>({1, 4, 2, 3}, floats(list)); }

// f(x, t) = 0.6 x + 0.25 sin(2 x) + 0.1 t / 1000, as tools/golden/sampling.py computes it.
inline Tensor network(const Tensor& x, double timestep) {
  Tensor out = Tensor::empty(x.shape());
  const auto offset = static_cast<float>(0.1 * (timestep / 1000.0));
  for (size_t i = 0; i < x.data().size(); ++i) {
    const float v = x.data()[i];
    out.data()[i] = 0.6f * v + 0.25f * std::sin(2.0f * v) + offset;
  }
  return out;
}

// max |a - b| / max |b| over the values that the reference lists.
inline double error_over(const Tensor& a, const std::vector<float>& reference) {
  double difference = 0, largest = 1e-30;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double d = std::abs(static_cast<double>(a.data()[i]) - reference[i]);
    if (!(d <= difference)) difference = d;
    largest = std::max(largest, std::abs(static_cast<double>(reference[i])));
  }
  return difference / largest;
}

}  // namespace maquette::sampling::golden

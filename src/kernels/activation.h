// Activation functions that matrix products and convolutions can apply to their results.
#pragma once

#include <cmath>

namespace maquette::kernels {

enum class Activation {
  none,
  relu,
  silu,        // x sigmoid(x)
  gelu,        // x Phi(x), by erf
  quick_gelu,  // x sigmoid(1.702 x), as OpenAI's CLIP
  leaky_relu,  // slope 0.2, as ESRGAN
  tanh
};

inline float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return x > 0 ? x : 0;
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::gelu: return 0.5f * x * (1 + std::erf(x * 0.70710678f));
    case Activation::quick_gelu: return x / (1 + std::exp(-1.702f * x));
    case Activation::leaky_relu: return x > 0 ? x : 0.2f * x;
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

}  // namespace maquette::kernels

// Least squares by the normal equations: with A the latent pixels (and a column of ones) and B the colours of
// the decoded picture averaged over the same places, solve (A^T A) M = A^T B by Gaussian elimination.
#include "diffusion/preview.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "kernels/ops.h"

namespace maquette::diffusion {

namespace {

constexpr int64_t kFitSize = 12;

// Solves a x = b in place for a symmetric positive definite a [n][n] and b [n][m], with a small ridge so that
// a channel without influence does no harm.
void solve(std::vector<double>& a, std::vector<double>& b, int64_t n, int64_t m) {
  for (int64_t i = 0; i < n; ++i) a[static_cast<size_t>(i * n + i)] += 1e-6;
  for (int64_t i = 0; i < n; ++i) {
    const double pivot = a[static_cast<size_t>(i * n + i)];
    for (int64_t row = 0; row < n; ++row) {
      if (row == i) continue;
      const double factor = a[static_cast<size_t>(row * n + i)] / pivot;
      for (int64_t k = i; k < n; ++k)
        a[static_cast<size_t>(row * n + k)] -= factor * a[static_cast<size_t>(i * n + k)];
      for (int64_t k = 0; k < m; ++k)
        b[static_cast<size_t>(row * m + k)] -= factor * b[static_cast<size_t>(i * m + k)];
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < m; ++k) b[static_cast<size_t>(i * m + k)] /= a[static_cast<size_t>(i * n + i)];
  }
}

}  // namespace

LatentPreview LatentPreview::fit(kernels::Exec& ex, const models::Vae& vae) {
  const int64_t channels = vae.latent_channels();
  // Smooth noise: flat areas are what a preview has to get right.
  std::mt19937 random(1);
  Tensor coarse = Tensor::empty({1, 4, 4, channels});
  for (float& v : coarse.data()) {
    const double unit = static_cast<double>(random()) / 4294967296.0;
    v = static_cast<float>((unit * 2 - 1) * 1.7 / vae.config().scaling_factor);
  }
  const Tensor latent = kernels::to_channels_first(kernels::resize_nearest(ex, coarse, kFitSize, kFitSize));
  const Tensor picture = vae.decode(ex, latent);
  kernels::Exec plain;
  const Tensor colours = kernels::to_channels_first(
      kernels::average_pool(plain, kernels::to_channels_last(plain, picture), vae.factor()));

  LatentPreview preview;
  preview.channels_ = channels;
  const int64_t n = channels + 1;
  std::vector<double> a(static_cast<size_t>(n * n), 0.0);
  std::vector<double> b(static_cast<size_t>(n * 3), 0.0);
  constexpr int64_t kPixels = kFitSize * kFitSize;
  for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
    const auto value = [&](int64_t c) {
      return c == channels ? 1.0
                           : static_cast<double>(latent.data()[static_cast<size_t>(c * kPixels + pixel)]);
    };
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) a[static_cast<size_t>(i * n + j)] += value(i) * value(j);
      for (int64_t k = 0; k < 3; ++k) {
        b[static_cast<size_t>(i * 3 + k)] +=
            value(i) * colours.data()[static_cast<size_t>(k * kPixels + pixel)];
      }
    }
  }
  solve(a, b, n, 3);
  preview.matrix_.resize(static_cast<size_t>(3 * n));
  for (int64_t k = 0; k < 3; ++k) {
    for (int64_t i = 0; i < n; ++i)
      preview.matrix_[static_cast<size_t>(k * n + i)] = b[static_cast<size_t>(i * 3 + k)];
  }
  return preview;
}

Tensor LatentPreview::operator()(const Tensor& latent) const {
  const int64_t pixels = latent.size(2) * latent.size(3);
  Tensor out = Tensor::empty({1, 3, latent.size(2), latent.size(3)});
  const int64_t n = channels_ + 1;
  for (int64_t k = 0; k < 3; ++k) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      double sum = matrix_[static_cast<size_t>(k * n + channels_)];
      for (int64_t c = 0; c < channels_; ++c) {
        sum +=
            matrix_[static_cast<size_t>(k * n + c)] * latent.data()[static_cast<size_t>(c * pixels + pixel)];
      }
      out.data()[static_cast<size_t>(k * pixels + pixel)] = std::clamp(static_cast<float>(sum), -1.0f, 1.0f);
    }
  }
  return out;
}

}  // namespace maquette::diffusion

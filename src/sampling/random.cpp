// Normal numbers by the Box-Muller transform, in the two arrangements of PyTorch.
//
// CPU, 16 numbers or more: all elements first get a uniform number of 24 bits; then every block of 16 is
// turned into normals, element j of the block with element j + 8:
//   r = sqrt(-2 ln(1 - u[j])),  t = 2 pi u[j + 8],  u[j] <- r cos t,  u[j + 8] <- r sin t
// where the count is not a multiple of 16, the last 16 numbers are drawn again.
// CPU, fewer: one number after the other from doubles, r = sqrt(-2 ln(1 - u2)), t = 2 pi u1; the sine waits
// for the next call. PyTorch's vectorised logarithm and sine differ from the C library's in the last bit:
// equal to about 1e-6.
#include "sampling/random.h"

#include <array>
#include <cmath>
#include <numbers>

namespace maquette::sampling {

namespace {

constexpr size_t kBlock = 16;

void box_muller_block(std::span<float> block) {
  constexpr float kTwoPi = 2 * std::numbers::pi_v<float>;
  for (size_t j = 0; j < kBlock / 2; ++j) {
    const float radius = std::sqrt(-2.0f * std::log(1.0f - block[j]));
    const float angle = kTwoPi * block[j + kBlock / 2];
    block[j] = radius * std::cos(angle);
    block[j + kBlock / 2] = radius * std::sin(angle);
  }
}

}  // namespace

float TorchCpuGenerator::uniform_float() { return static_cast<float>(engine_() & 0xFFFFFFu) * 0x1p-24f; }

double TorchCpuGenerator::uniform_double() {
  const uint64_t high = engine_();
  const uint64_t low = engine_();
  const uint64_t bits = (high << 32 | low) & ((uint64_t{1} << 53) - 1);
  return static_cast<double>(bits) * 0x1p-53;
}

double TorchCpuGenerator::normal_double() {
  if (cached_) {
    const double value = *cached_;
    cached_.reset();
    return value;
  }
  const double u1 = uniform_double();
  const double u2 = uniform_double();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double angle = 2.0 * std::numbers::pi * u1;
  cached_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

void TorchCpuGenerator::normal(std::span<float> out) {
  if (out.size() < kBlock) {
    for (float& value : out) value = static_cast<float>(normal_double());
    return;
  }
  for (float& value : out) value = uniform_float();
  for (size_t i = 0; i + kBlock <= out.size(); i += kBlock) box_muller_block(out.subspan(i, kBlock));

  // The tail overlaps the last whole block and replaces part of it.
  if (out.size() % kBlock != 0) {
    const auto tail = out.last(kBlock);
    for (float& value : tail) value = uniform_float();
    box_muller_block(tail);
  }
}

namespace {

// Ten rounds of two 32x32 -> 64 bit products, with the key advanced by Weyl constants between them.
std::array<uint32_t, 4> philox_4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace

void PhiloxGenerator::normal(std::span<float> out) {
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)};
  for (size_t i = 0; i < out.size(); ++i) {
    const auto bits = philox_4x32_10({offset_, 0, static_cast<uint32_t>(i), 0}, key);
    constexpr double kTwoPi = 2 * std::numbers::pi;
    const double u = bits[0] * 0x1p-32 + 0x1p-33;
    const double v = bits[1] * (kTwoPi * 0x1p-32) + kTwoPi * 0x1p-33;
    out[i] = static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::sin(v));
  }
  ++offset_;
}

std::unique_ptr<RandomGenerator> make_generator(RandomKind kind, uint64_t seed) {
  if (kind == RandomKind::philox) return std::make_unique<PhiloxGenerator>(seed);
  return std::make_unique<TorchCpuGenerator>(seed);
}

}  // namespace maquette::sampling

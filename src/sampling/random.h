// Random numbers that equal those of other programs: the same seed gives the same noise as it gives there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>

namespace maquette::sampling {

// Whose random numbers are drawn.
enum class RandomKind {
  torch_cpu,  // PyTorch on a CPU: diffusers, ComfyUI, A1111 with "RNG: CPU"
  philox      // PyTorch on an NVIDIA GPU as A1111 imitates it ("RNG: NV"), and A1111's own default
};

class RandomGenerator {
 public:
  virtual ~RandomGenerator() = default;
  // Fills with standard normal numbers, as one call of torch.randn(n, dtype=float32) does.
  virtual void normal(std::span<float> out) = 0;
};

// torch.Generator("cpu").manual_seed(seed): MT19937 seeded by the low 32 bits. Calls of fewer than 16 numbers
// take another path than longer ones, as there; both continue the same stream.
class TorchCpuGenerator : public RandomGenerator {
 public:
  explicit TorchCpuGenerator(uint64_t seed) : engine_(static_cast<uint32_t>(seed)) {}
  void normal(std::span<float> out) override;

 private:
  float uniform_float();    // [0, 1), 24 bits
  double uniform_double();  // [0, 1), 53 bits
  double normal_double();

  std::mt19937 engine_;
  std::optional<double> cached_;  // the second number of the last pair of the short path
};

// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): every call has its own
// offset, every element its own counter.
class PhiloxGenerator : public RandomGenerator {
 public:
  explicit PhiloxGenerator(uint64_t seed) : seed_(seed) {}
  void normal(std::span<float> out) override;

 private:
  uint64_t seed_;
  uint32_t offset_ = 0;
};

std::unique_ptr<RandomGenerator> make_generator(RandomKind kind, uint64_t seed);

}  // namespace maquette::sampling

// Diversity of a set of pictures: the Vendi score (Friedman & Dieng 2023, arXiv:2210.02410), the effective
// number of different pictures in it, from 1 (all the same) to n (none alike).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "audit/appearance.h"

namespace maquette::audit {

// likenesses [n][n]: symmetric, positive semidefinite, ones on the diagonal. exp of the entropy of the
// eigenvalues of K / n. Throws Error(usage) unless there are n * n numbers, n at least 1.
double vendi_score(std::span<const double> likenesses, size_t n);

// The score grows with the number of pictures, so sets of different sizes are compared by the score that a
// fixed number of their pictures has: the mean over random choices of so many (rarefaction, as ecology does
// with species).
inline constexpr size_t kPicturesCompared = 16;

struct Diversity {
  size_t pictures = 0;
  double score = 0;  // of all pictures
  // Of kPicturesCompared of them, with its 95 % interval; absent for fewer than twice as many pictures: not
  // enough samples. The interval is the spread over random halves of the set, which vary as much around the
  // whole as the whole varies around all pictures that could be made (McCarthy 1969, half-samples).
  struct Compared {
    double score = 0;
    double low = 0;
    double high = 0;
  };
  std::optional<Compared> compared;
};

// Equal pictures and seed give equal numbers. Throws Error(usage) for no pictures.
Diversity measure_diversity(std::span<const Appearance> pictures, uint64_t seed = 0);

}  // namespace maquette::audit

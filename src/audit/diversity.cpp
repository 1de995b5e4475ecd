#include "audit/diversity.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/error.h"

namespace maquette::audit {

namespace {

constexpr int kChoices = 200;       // of kPicturesCompared pictures, of the whole set
constexpr int kHalves = 200;        // of the set
constexpr int kChoicesOfHalf = 25;  // of kPicturesCompared pictures, of each half
constexpr double kNormal95 = 1.959964;

using Matrix = Eigen::MatrixXd;

// exp(-sum of l log l) over the eigenvalues l of K / n; tiny negative ones are rounding.
double score_of(const Matrix& likenesses) {
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(likenesses / static_cast<double>(likenesses.rows()),
                                                     Eigen::EigenvaluesOnly);
  double entropy = 0;
  for (const double l : solver.eigenvalues()) {
    if (l > 0) entropy -= l * std::log(l);
  }
  return std::exp(entropy);
}

// Random choices of pictures that are the same on every machine.
class Chooser {
 public:
  explicit Chooser(uint64_t seed) : random_(seed) {}

  // `count` of these, without replacement: the first steps of a Fisher-Yates shuffle.
  std::vector<size_t> choose(std::vector<size_t> from, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const size_t other = i + static_cast<size_t>(random_() % (from.size() - i));
      std::swap(from[i], from[other]);
    }
    from.resize(count);
    return from;
  }

 private:
  std::mt19937_64 random_;
};

Matrix part_of(const Matrix& likenesses, const std::vector<size_t>& chosen) {
  const auto n = static_cast<Eigen::Index>(chosen.size());
  Matrix part(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j)
      part(i, j) = likenesses(static_cast<Eigen::Index>(chosen[static_cast<size_t>(i)]),
                              static_cast<Eigen::Index>(chosen[static_cast<size_t>(j)]));
  }
  return part;
}

double compared_score(const Matrix& likenesses, const std::vector<size_t>& pictures, int choices,
                      Chooser& chooser) {
  if (pictures.size() == kPicturesCompared) return score_of(part_of(likenesses, pictures));
  double sum = 0;
  for (int i = 0; i < choices; ++i)
    sum += score_of(part_of(likenesses, chooser.choose(pictures, kPicturesCompared)));
  return sum / choices;
}

Diversity::Compared compare(const Matrix& likenesses, uint64_t seed) {
  Chooser chooser(seed);
  std::vector<size_t> all(static_cast<size_t>(likenesses.rows()));
  std::iota(all.begin(), all.end(), size_t{0});
  const double whole = compared_score(likenesses, all, kChoices, chooser);
  double squares = 0;
  for (int i = 0; i < kHalves; ++i) {
    const std::vector<size_t> half = chooser.choose(all, all.size() / 2);
    const double off = compared_score(likenesses, half, kChoicesOfHalf, chooser) - whole;
    squares += off * off;
  }
  const double deviation = std::sqrt(squares / kHalves);
  return {.score = whole,
          .low = std::max(1.0, whole - kNormal95 * deviation),
          .high = std::min(static_cast<double>(kPicturesCompared), whole + kNormal95 * deviation)};
}

}  // namespace

double vendi_score(std::span<const double> likenesses, size_t n) {
  if (n == 0 || likenesses.size() != n * n) {
    throw Error(ErrorCode::usage, "cannot score likenesses that are not a square")
        .with("found", fmt::format("{} numbers for {} pictures", likenesses.size(), n));
  }
  const auto side = static_cast<Eigen::Index>(n);
  return score_of(Eigen::Map<const Matrix>(likenesses.data(), side, side));
}

Diversity measure_diversity(std::span<const Appearance> pictures, uint64_t seed) {
  if (pictures.empty()) throw Error(ErrorCode::usage, "cannot measure the diversity of no pictures");
  const auto n = static_cast<Eigen::Index>(pictures.size());
  Matrix likenesses(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = i; j < n; ++j)
      likenesses(i, j) = likenesses(j, i) =
          likeness(pictures[static_cast<size_t>(i)], pictures[static_cast<size_t>(j)]);
  }
  Diversity diversity{.pictures = pictures.size(), .score = score_of(likenesses), .compared = {}};
  if (pictures.size() >= 2 * kPicturesCompared) diversity.compared = compare(likenesses, seed);
  return diversity;
}

}  // namespace maquette::audit

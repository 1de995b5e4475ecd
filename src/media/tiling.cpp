// Compares the step across the wrap-around with the steps between neighbours inside, column by column and row
// by row.
#include "media/tiling.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace maquette::media {

namespace {

constexpr std::ptrdiff_t kBeside = 3;  // steps on either side of the seam

// Mean |difference| between two rows, in levels.
double row_step(const Image8& image, int64_t y, int64_t other) {
  const auto a = image.row(y);
  const auto b = image.row(other);
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

Image8 transposed(const Image8& image) {
  Image8 out = Image8::zeros(image.width(), image.height(), image.channels());
  for (int64_t y = 0; y < image.height(); ++y) {
    for (int64_t x = 0; x < image.width(); ++x) {
      for (int64_t c = 0; c < image.channels(); ++c) out.at(x, y, c) = image.at(y, x, c);
    }
  }
  return out;
}

AxisSeam seam_between_rows(const Image8& image) {
  AxisSeam seam;
  std::vector<double> steps;
  for (int64_t y = 0; y + 1 < image.height(); ++y) steps.push_back(row_step(image, y, y + 1));
  seam.wrap = row_step(image, image.height() - 1, 0);
  const auto larger = std::ranges::count_if(steps, [&](double step) { return step >= seam.wrap; });
  seam.rank = static_cast<double>(larger) / static_cast<double>(steps.size());
  const auto [before, after] = std::pair(steps.end() - kBeside, steps.begin() + kBeside);
  seam.beside = (std::accumulate(steps.begin(), after, 0.0) + std::accumulate(before, steps.end(), 0.0)) /
                (2.0 * kBeside);
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::ranges::nth_element(steps, middle);
  seam.typical = *middle;
  seam.ratio = (seam.wrap + 0.5) / (std::max(seam.typical, seam.beside) + 0.5);
  return seam;
}

}  // namespace

TilingSeam tiling_seam(const Image8& image) {
  if (image.height() <= kBeside || image.width() <= kBeside) {
    throw Error(ErrorCode::usage, "cannot measure the seam of a picture of {} x {}", image.width(),
                image.height());
  }
  return {seam_between_rows(transposed(image)), seam_between_rows(image)};
}

Image8 roll(const Image8& image, int64_t down, int64_t right) {
  const auto wrapped = [](int64_t i, int64_t size) { return (i % size + size) % size; };
  Image8 out = Image8::zeros(image.height(), image.width(), image.channels());
  const auto shift = static_cast<size_t>(wrapped(right, image.width()) * image.channels());
  for (int64_t y = 0; y < image.height(); ++y) {
    const auto source = image.row(y);
    const auto target = out.row(wrapped(y + down, image.height()));
    std::ranges::copy(source.first(source.size() - shift),
                      target.begin() + static_cast<std::ptrdiff_t>(shift));
    std::ranges::copy(source.last(shift), target.begin());
  }
  return out;
}

}  // namespace maquette::media

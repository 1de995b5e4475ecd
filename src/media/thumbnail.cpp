// Area averaging is separable: rows are summed into bands first, with the share of each row that lies in the
// band, then columns of the band. Both sums are in linear light, through a table of 256 entries one way and
// 4,096 back.
#include "media/thumbnail.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/color.h"

namespace maquette::media {

namespace {

constexpr size_t kEncodeSteps = 16384;

const std::array<float, 256>& linear_levels() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> levels{};
    for (size_t i = 0; i < 256; ++i) levels[i] = srgb_to_linear(static_cast<float>(i) / 255.f);
    return levels;
  }();
  return table;
}

// From the square root of linear light, which spreads the dark levels.
uint8_t encoded_level(float linear) {
  static const std::array<uint8_t, kEncodeSteps + 1> table = [] {
    std::array<uint8_t, kEncodeSteps + 1> levels{};
    for (size_t i = 0; i <= kEncodeSteps; ++i) {
      const float root = static_cast<float>(i) / kEncodeSteps;
      levels[i] = static_cast<uint8_t>(std::lround(linear_to_srgb(root * root) * 255.f));
    }
    return levels;
  }();
  const float root = std::sqrt(std::clamp(linear, 0.f, 1.f));
  return table[static_cast<size_t>(root * kEncodeSteps + 0.5f)];
}

// One output pixel's stretch of `length` inputs: whole ones, and the shares of the first and the last.
struct Stretch {
  int64_t first = 0;
  int64_t last = 0;  // inclusive
  float first_share = 1;
  float last_share = 1;
};

std::vector<Stretch> stretches(int64_t length, int64_t count) {
  std::vector<Stretch> all;
  const double step = static_cast<double>(length) / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) {
    const double begin = static_cast<double>(i) * step;
    const double end = std::min(begin + step, static_cast<double>(length));
    Stretch s;
    s.first = static_cast<int64_t>(begin);
    s.last = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(end)) - 1, s.first, length - 1);
    s.first_share = static_cast<float>(std::min(end, static_cast<double>(s.first + 1)) - begin);
    s.last_share = s.last == s.first ? s.first_share : static_cast<float>(end - static_cast<double>(s.last));
    all.push_back(s);
  }
  return all;
}

float share(const Stretch& s, int64_t i) {
  return i == s.first ? s.first_share : i == s.last ? s.last_share : 1.f;
}

// Adds one row of the picture, in linear light over the background, to the band.
void add_row(std::span<const uint8_t> row, int64_t channels, float weight, float background,
             std::span<float> band) {
  const std::array<float, 256>& linear = linear_levels();
  if (channels != 4) {
    for (size_t i = 0; i < row.size(); ++i) band[i] += weight * linear[row[i]];
    return;
  }
  for (size_t pixel = 0; pixel * 4 < row.size(); ++pixel) {
    const float alpha = static_cast<float>(row[pixel * 4 + 3]) / 255.f;
    for (size_t c = 0; c < 3; ++c)
      band[pixel * 3 + c] += weight * (linear[row[pixel * 4 + c]] * alpha + background * (1 - alpha));
  }
}

template <size_t kChannels>
void sum_columns(std::span<const float> band, std::span<const Stretch> columns, float area,
                 std::span<uint8_t> out) {
  for (size_t x = 0; x < columns.size(); ++x) {
    const Stretch& s = columns[x];
    std::array<float, kChannels> sum{};
    for (int64_t i = s.first; i <= s.last; ++i) {
      const float weight = share(s, i);
      for (size_t c = 0; c < kChannels; ++c) sum[c] += weight * band[static_cast<size_t>(i) * kChannels + c];
    }
    for (size_t c = 0; c < kChannels; ++c) out[x * kChannels + c] = encoded_level(sum[c] / area);
  }
}

}  // namespace

Image8 reduce_area(const Image8& picture, int64_t height, int64_t width, uint8_t background) {
  if (height < 1 || width < 1 || height > picture.height() || width > picture.width()) {
    throw Error(ErrorCode::usage, "cannot reduce the picture")
        .with("found", fmt::format("{} x {} to {} x {}", picture.width(), picture.height(), width, height));
  }
  const int64_t channels = picture.channels() == 1 ? 1 : 3;
  const std::vector<Stretch> rows = stretches(picture.height(), height);
  const std::vector<Stretch> columns = stretches(picture.width(), width);
  const float area = static_cast<float>(static_cast<double>(picture.height()) / static_cast<double>(height) *
                                        static_cast<double>(picture.width()) / static_cast<double>(width));
  const float behind = linear_levels()[background];
  Image8 small = Image8::zeros(height, width, channels);
  std::vector<float> band(static_cast<size_t>(picture.width() * channels));
  for (int64_t y = 0; y < height; ++y) {
    std::ranges::fill(band, 0.f);
    const Stretch& s = rows[static_cast<size_t>(y)];
    for (int64_t i = s.first; i <= s.last; ++i)
      add_row(picture.row(i), picture.channels(), share(s, i), behind, band);
    if (channels == 1) {
      sum_columns<1>(band, columns, area, small.row(y));
    } else {
      sum_columns<3>(band, columns, area, small.row(y));
    }
  }
  return small;
}

Thumbnail make_thumbnail(const Image8& picture, const ThumbnailOptions& options) {
  if (options.longest_side < 1) throw Error(ErrorCode::usage, "a thumbnail needs at least one pixel");
  const int64_t longest = std::max(picture.width(), picture.height());
  const int64_t side = std::min<int64_t>(longest, options.longest_side);
  const auto scaled = [&](int64_t length) {
    return std::max<int64_t>(1, (length * side + longest / 2) / longest);
  };
  const Image8 small =
      reduce_area(picture, scaled(picture.height()), scaled(picture.width()), options.background);
  return {.jpeg = encode_image(to_float(small), ImageFormat::jpeg, {.quality = options.quality}),
          .width = small.width(),
          .height = small.height(),
          .full_width = picture.width(),
          .full_height = picture.height()};
}

Result<Thumbnail> make_thumbnail(Bytes file, const ThumbnailOptions& options, const ReadOptions& reading) {
  const Result<Image8> picture = decode_image8(file, reading);
  if (!picture) return picture.error();
  return make_thumbnail(*picture, options);
}

}  // namespace maquette::media

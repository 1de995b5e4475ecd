// The picture's U plane (of OpenCV's YUV, 0 to 255) goes through one level of the Haar transform. Of its
// low-pass half, each block of 4 x 4 coefficients holds one bit: where its largest coefficient (the first is
// left out) lies in a step of 36, in the lower half for 0 and in the upper half for 1. Despite the name there
// is no cosine transform in the package's code. Bits follow the blocks row by row and begin again.
//
// One low-pass coefficient is half the sum of 2 x 2 pixels, so that adding d / 2 to each of the four adds d
// to it and touches no other: no transform has to be computed. Unlike the package, which moves the largest
// coefficient and does not look whether it is still the largest, the writer here lowers what would stand
// above it; no block is lost, also in flat pictures.
#include "watermark/dwt_dct.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace maquette::watermark {

namespace {

constexpr int64_t kBlock = 8;      // pixels; 4 x 4 coefficients
constexpr int kCoefficients = 16;  // of a block
constexpr double kStep = 36;       // the package's scale of U, in units of coefficients
constexpr double kHighest = 450;   // above, U would leave what colours can have (about 16 to 239)

using Coefficients = std::array<double, kCoefficients>;

// U of a pixel whose channels go from 0 to 255.
double u_of(double red, double green, double blue) {
  return 0.492 * (blue - (0.299 * red + 0.587 * green + 0.114 * blue)) + 128;
}

// The same as OpenCV gives it for 8 bits: fixed point of 14 bits, rounded, luma first.
int u_of_8bit(int red, int green, int blue) {
  constexpr int kShift = 14, kHalf = 1 << (kShift - 1);
  const int luma = (4899 * red + 9617 * green + 1868 * blue + kHalf) >> kShift;
  return std::clamp(((blue - luma) * 8061 + (128 << kShift) + kHalf) >> kShift, 0, 255);
}

// Coefficients of the block whose first pixel is (top, left); u(y, x) is the plane.
template <typename Plane>
Coefficients low_pass(const Plane& u, int64_t top, int64_t left) {
  Coefficients block;
  for (int i = 0; i < kCoefficients; ++i) {
    const int64_t y = top + 2 * (i / 4), x = left + 2 * (i % 4);
    block[i] = 0.5 * (u(y, x) + u(y, x + 1) + u(y + 1, x) + u(y + 1, x + 1));
  }
  return block;
}

// The same as PyWavelets computes it in binary64, by rows and then by columns, with its rounding: where a
// coefficient lies just on the border of a half step, or two are the largest, the rounding decides the bit.
template <typename Plane>
Coefficients low_pass_as_read(const Plane& u, int64_t top, int64_t left) {
  constexpr double kHaar = 0.7071067811865476;
  Coefficients block;
  for (int i = 0; i < kCoefficients; ++i) {
    const int64_t y = top + 2 * (i / 4), x = left + 2 * (i % 4);
    const double first = kHaar * u(y + 1, x) + kHaar * u(y, x);
    const double second = kHaar * u(y + 1, x + 1) + kHaar * u(y, x + 1);
    block[i] = kHaar * second + kHaar * first;
  }
  return block;
}

int largest(const Coefficients& block) {
  return static_cast<int>(std::max_element(block.begin() + 1, block.end()) - block.begin());
}

// What the coefficients become when the largest is moved to `target` and the others kept below it.
Coefficients moved_to(const Coefficients& block, double target) {
  Coefficients moved = block;
  for (int i = 1; i < kCoefficients; ++i) moved[i] = std::min(block[i], target);
  moved[largest(block)] = target;
  return moved;
}

double squared_distance(const Coefficients& a, const Coefficients& b) {
  double sum = 0;
  for (int i = 0; i < kCoefficients; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// The nearest block that says `bit`, in the middle of its half step: the place below or the one above.
Coefficients with_bit(const Coefficients& block, bool bit) {
  const double offset = (bit ? 0.75 : 0.25) * kStep;
  const double below = std::floor((block[largest(block)] - offset) / kStep) * kStep + offset;
  const Coefficients lower = moved_to(block, below);
  if (below + kStep > kHighest) return lower;
  const Coefficients higher = moved_to(block, below + kStep);
  return squared_distance(block, higher) < squared_distance(block, lower) ? higher : lower;
}

// Adds `change` to a pixel's U at equal luma and V. Where a channel would leave 0 to 1, the luma gives way:
// all three move together, which leaves U and V as they are.
void add_u(std::span<float> pixel, double change) {
  double green = pixel[1] - 0.395 * change / 255;
  double blue = pixel[2] + 2.032 * change / 255;
  double red = pixel[0];
  const double above = std::max(0.0, std::max({red, green, blue}) - 1);
  const double below = std::min(0.0, std::min({red, green, blue}));
  const double shift = above > 0 ? above : below;
  pixel[0] = static_cast<float>(std::clamp(red - shift, 0.0, 1.0));
  pixel[1] = static_cast<float>(std::clamp(green - shift, 0.0, 1.0));
  pixel[2] = static_cast<float>(std::clamp(blue - shift, 0.0, 1.0));
}

void check_bits(const media::Image& picture, const Bits& bits) {
  if (picture.height() * picture.width() < kLeastPixels)
    throw Error(ErrorCode::usage, "the picture is too small for a watermark")
        .with("found", fmt::format("{} x {} pixels", picture.width(), picture.height()))
        .with("expected", "256 x 256 or as many in another shape");
  const size_t blocks = static_cast<size_t>((picture.height() / kBlock) * (picture.width() / kBlock));
  const size_t most = std::min(kMostBits, blocks);
  if (bits.empty() || bits.size() > most)
    throw Error(ErrorCode::usage, "a watermark cannot have this many bits")
        .with("found", bits.size())
        .with("expected", fmt::format("1 to {}", most));
}

}  // namespace

Bits bits_of(std::string_view bytes) {
  Bits bits;
  for (const char c : bytes)
    for (int place = 7; place >= 0; --place)
      bits.push_back(((static_cast<unsigned char>(c) >> place) & 1) != 0);
  return bits;
}

std::string bytes_of(const Bits& bits) {
  std::string bytes(bits.size() / 8, '\0');
  for (size_t i = 0; i < bytes.size() * 8; ++i)
    if (bits[i])
      bytes[i / 8] = static_cast<char>(static_cast<unsigned char>(bytes[i / 8]) | (0x80U >> (i % 8)));
  return bytes;
}

media::Image add_dwt_dct(const media::Image& picture, const Bits& bits) {
  check_bits(picture, bits);
  media::Image marked = picture.channels() == 1 ? media::to_rgb(picture) : picture.clone();
  const auto u = [&](int64_t y, int64_t x) {
    return u_of(255.0 * marked.at(y, x, 0), 255.0 * marked.at(y, x, 1), 255.0 * marked.at(y, x, 2));
  };
  size_t number = 0;
  for (int64_t top = 0; top + kBlock <= marked.height(); top += kBlock)
    for (int64_t left = 0; left + kBlock <= marked.width(); left += kBlock) {
      const Coefficients before = low_pass(u, top, left);
      const Coefficients after = with_bit(before, bits[number++ % bits.size()]);
      for (int64_t y = 0; y < kBlock; ++y)
        for (int64_t x = 0; x < kBlock; ++x) {
          const auto i = static_cast<size_t>(y / 2 * 4 + x / 2);
          const auto first = static_cast<size_t>((left + x) * marked.channels());
          if (after[i] != before[i]) add_u(marked.row(top + y).subspan(first, 3), (after[i] - before[i]) / 2);
        }
    }
  return marked;
}

std::vector<uint8_t> read_blocks(const media::Image8& picture) {
  const media::Image8 rgb = picture.channels() == 1 ? media::to_rgb(picture) : picture;
  const auto u = [&](int64_t y, int64_t x) {
    return u_of_8bit(rgb.at(y, x, 0), rgb.at(y, x, 1), rgb.at(y, x, 2));
  };
  std::vector<uint8_t> blocks;
  for (int64_t top = 0; top + kBlock <= rgb.height(); top += kBlock)
    for (int64_t left = 0; left + kBlock <= rgb.width(); left += kBlock) {
      const Coefficients block = low_pass_as_read(u, top, left);
      blocks.push_back(std::fmod(block[largest(block)], kStep) > kStep / 2 ? 1 : 0);
    }
  return blocks;
}

Reading majority(const std::vector<uint8_t>& blocks, size_t length) {
  if (length == 0 || blocks.size() < length)
    throw Error(ErrorCode::usage, "the picture is too small for a watermark of {} bits", length)
        .with("found", fmt::format("{} blocks of 8 x 8 pixels", blocks.size()));
  std::vector<size_t> ones(length), all(length);
  for (size_t i = 0; i < blocks.size(); ++i) {
    ones[i % length] += blocks[i];
    ++all[i % length];
  }
  Reading reading;
  size_t agreeing = 0;
  for (size_t i = 0; i < length; ++i) {
    // The package's threshold: 255 times the mean above 127, which makes a tie a 1.
    const bool bit = 255 * ones[i] > 127 * all[i];
    reading.bits.push_back(bit);
    agreeing += bit ? ones[i] : all[i] - ones[i];
  }
  reading.agreement = static_cast<double>(agreeing) / static_cast<double>(blocks.size());
  return reading;
}

}  // namespace maquette::watermark

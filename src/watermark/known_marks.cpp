// Each known mark's bits are read by majority and compared; how many match is judged against thrown coins.
#include "watermark/known_marks.h"

#include <algorithm>
#include <cmath>

namespace maquette::watermark {

namespace {

// A number of 48 bits, highest first.
Bits bits_of_48(uint64_t number) {
  Bits bits;
  for (int place = 47; place >= 0; --place) bits.push_back(((number >> place) & 1) != 0);
  return bits;
}

}  // namespace

std::span<const KnownMark> known_marks() {
  static const std::vector<KnownMark> marks = {
      {"Maquette", bits_of(kOwnText)},         {"Stable Diffusion XL", bits_of_48(0xB3EC907BB19E)},
      {"FLUX.2", bits_of_48(0x2AFE879CF52E)},  {"Stable Diffusion 1", bits_of("StableDiffusionV1")},
      {"Stable Diffusion 2", bits_of("SDV2")},
  };
  return marks;
}

double chance_of(size_t matching, size_t length) {
  const auto n = static_cast<double>(length);
  double chance = 0;
  for (size_t k = matching; k <= length; ++k) {
    const auto hits = static_cast<double>(k);
    const double log_ways = std::lgamma(n + 1) - std::lgamma(hits + 1) - std::lgamma(n - hits + 1);
    chance += std::exp(log_ways - n * std::log(2.0));
  }
  return std::min(chance, 1.0);
}

std::vector<Recognised> recognise(const media::Image8& picture) {
  std::vector<Recognised> found;
  if (picture.height() * picture.width() < kLeastPixels) return found;
  const std::vector<uint8_t> blocks = read_blocks(picture);
  for (const KnownMark& mark : known_marks()) {
    if (blocks.size() < mark.bits.size()) continue;
    const Reading reading = majority(blocks, mark.bits.size());
    size_t matching = 0;
    for (size_t i = 0; i < mark.bits.size(); ++i) matching += reading.bits[i] == mark.bits[i] ? 1 : 0;
    const double chance = chance_of(matching, mark.bits.size()) * static_cast<double>(known_marks().size());
    if (chance <= kMostChance) found.push_back({mark.name, matching, mark.bits.size(), chance});
  }
  std::ranges::sort(found, {}, &Recognised::chance);
  return found;
}

}  // namespace maquette::watermark

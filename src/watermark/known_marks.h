// Watermarks that programs which make pictures are known to write, and whether a picture carries one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "watermark/dwt_dct.h"

namespace maquette::watermark {

struct KnownMark {
  std::string name;  // of the program or model that writes it
  Bits bits;
};
std::span<const KnownMark> known_marks();

// The text that this program writes: `maquette watermark add` without --text.
inline constexpr std::string_view kOwnText = "Maquette";

struct Recognised {
  std::string name;
  size_t matching = 0;  // of `length` bits
  size_t length = 0;
  double chance = 0;  // that random bits match as well, times the number of marks that were tried
};
// A mark is recognised where the chance is at most this.
inline constexpr double kMostChance = 1e-6;

// The probability that at least `matching` of `length` thrown coins fall as wished.
double chance_of(size_t matching, size_t length);

// The marks in a picture, the surest first; empty where there is none. Pictures of fewer than kLeastPixels
// have none.
std::vector<Recognised> recognise(const media::Image8& picture);

}  // namespace maquette::watermark

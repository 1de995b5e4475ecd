// Colour spaces: the sRGB transfer curve, and CIE L*a*b* for differences as people see them.
#pragma once

#include <array>

namespace maquette::media {

// IEC 61966-2-1. Negative values are mirrored, values above 1 follow the curve on.
float srgb_to_linear(float encoded);
float linear_to_srgb(float linear);

// CIE 1976 L*a*b* (white D65) of sRGB-encoded values in 0..1. L* runs from 0 to 100.
struct Lab {
  double l = 0;
  double a = 0;
  double b = 0;
};
Lab srgb_to_lab(float red, float green, float blue);

// CIE 1976 colour difference: the distance in L*a*b*. About 2.3 is just noticeable.
double delta_e(const Lab& x, const Lab& y);

// Chromaticities of Rec.709 and sRGB: x and y of red, green, blue and white (D65).
inline constexpr std::array<float, 8> kRec709 = {0.64f, 0.33f, 0.30f, 0.60f, 0.15f, 0.06f, 0.3127f, 0.3290f};

}  // namespace maquette::media

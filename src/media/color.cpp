// IEC 61966-2-1 (sRGB) and CIE 15 (L*a*b*). The matrix is that of the Rec.709 primaries with white D65.
#include "media/color.h"

#include <cmath>

namespace maquette::media {

float srgb_to_linear(float encoded) {
  const float v = std::abs(encoded);
  const float linear = v <= 0.04045f ? v / 12.92f : std::pow((v + 0.055f) / 1.055f, 2.4f);
  return std::copysign(linear, encoded);
}

float linear_to_srgb(float linear) {
  const float v = std::abs(linear);
  const float encoded = v <= 0.0031308f ? v * 12.92f : 1.055f * std::pow(v, 1 / 2.4f) - 0.055f;
  return std::copysign(encoded, linear);
}

Lab srgb_to_lab(float red, float green, float blue) {
  const double r = srgb_to_linear(red), g = srgb_to_linear(green), b = srgb_to_linear(blue);
  const double x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047;
  const double y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
  const double z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883;
  // A cube root, with a straight line where it would be too steep.
  const auto f = [](double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; };
  return {116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))};
}

double delta_e(const Lab& x, const Lab& y) {
  return std::sqrt((x.l - y.l) * (x.l - y.l) + (x.a - y.a) * (x.a - y.a) + (x.b - y.b) * (x.b - y.b));
}

}  // namespace maquette::media

// How far apart two 8-bit pictures are.
#pragma once

#include "media/image.h"

namespace maquette::media {

// Peak signal-to-noise ratio over all channels in decibels: 10 log10(255^2 / mean squared difference);
// infinite for equal pictures. Throws Error for pictures of different shapes.
double psnr(const Image8& a, const Image8& b);

// Largest difference of any value, in levels.
int max_difference(const Image8& a, const Image8& b);

}  // namespace maquette::media

// Resampling: Pillow's filters to the last level on 8 bits, and PyTorch's interpolation for masks and
// latents.
#pragma once

#include "media/image.h"

namespace maquette::media {

// The filters of Pillow's Image.resize. When a picture shrinks, their support grows with it (no aliasing).
enum class Filter { nearest, box, bilinear, bicubic, lanczos };

// Equal to Image.resize of Pillow 13 for L, RGB and RGBA (alpha is multiplied in first, except by `nearest`).
// Throws Error(usage) for a size below 1.
Image8 resize(const Image8& image, int64_t height, int64_t width, Filter filter);
// Each channel as Pillow resamples a picture of mode F: sums in binary64, stored as binary32 between the
// passes. Alpha is multiplied in first, as on 8 bits.
Image resize(const Image& image, int64_t height, int64_t width, Filter filter);

// torch.nn.functional.interpolate(x, size=(height, width), mode=..., align_corners=False), f32 [N, C, H, W].
enum class Interpolation { nearest, nearest_exact, bilinear, bicubic };
Tensor interpolate(const Tensor& nchw, int64_t height, int64_t width, Interpolation mode);

}  // namespace maquette::media

// Upscalers: networks that make a picture larger by a whole factor, read from the files in which they are
// published, and run over pictures of any size in bounded memory. docs/upscaler.md describes the embedded
// one.
#pragma once

#include <filesystem>
#include <variant>

#include "base/progress.h"
#include "models/upscaler/compact.h"
#include "models/upscaler/rrdb.h"

namespace maquette::models {

struct UpscaleOptions {
  size_t memory = size_t{2} << 30;  // bytes that the network's activations may take; the result comes on top
  int64_t window = 0;  // side of the inner windows in network pixels; 0: as large as the memory allows
  int64_t tile = 0;    // side of the outer tiles in picture pixels; 0: only where the memory asks
  int overlap = 0;     // pixels around an outer tile; 0: see kTileContext
  ProgressCallback progress;
};

// How a picture would be upscaled; known before anything is computed.
struct UpscalePlan {
  int64_t tile = 0;       // side of the outer tiles; 0: the picture is taken as a whole
  int overlap = 0;        // what outer tiles see around themselves, picture pixels
  int tiles = 1;          // outer tiles
  bool exact = true;      // the result equals that of the whole picture
  size_t peak_bytes = 0;  // activations and result, about
};

// What outer tiles see around themselves where a network looks further than it would be worth to follow.
// Measured with the embedded network, which may look 154 pixels far, on a painted picture: 8 pixels leave
// differences of 2e-4 at the joins, 16 pixels none beyond f32 rounding (4e-7). Twice that is for networks
// that look further.
inline constexpr int kTileContext = 32;

class Upscaler {
 public:
  // Real-ESRGAN's wrappers "params_ema." and "params." are looked through. Throws Error(weights) where the
  // file holds no network of a known kind.
  static Upscaler load(const nn::Scope& scope);
  static Upscaler load(const std::filesystem::path& file);

  int scale() const;
  int64_t channels() const;      // 3: RGB
  int receptive_radius() const;  // picture pixels that an output pixel looks away, at most
  int side_multiple()
      const;  // sides are extended to a multiple of this: 1, or 2 or 4 where pixels are folded
  std::string_view kind() const;  // "rrdb" or "compact"

  // picture [N, C, H, W] f32 in 0..1 -> [N, C, scale H, scale W] f32, not clipped. Sides that a folding
  // network cannot divide are extended by mirroring and cut again; on an axis that wraps they are refused.
  Tensor operator()(nn::Exec& ex, const Tensor& picture) const;

 private:
  friend class TiledUpscale;
  Tensor run(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const;  // [N, H, W, C] activations
  int64_t map_bytes(DType type) const;
  int pieces() const;

  std::variant<RrdbNetwork, CompactNetwork> network_;
};

UpscalePlan plan_upscale(const nn::Exec& ex, const Upscaler& upscaler, const Shape& picture,
                         const UpscaleOptions& options = {});

// As the call operator, in bounded memory. There are two levels of cutting.
//
// Inside, every dense block (or group of layers) runs in windows that read as far beyond themselves as that
// piece looks, with the feature maps between the pieces whole: the result is that of the whole picture, bit
// for bit where the convolution in use computes a pixel alike wherever it lies in a window. Outside, where
// even whole feature maps would not fit, the picture itself is cut into tiles that overlap by the network's
// reach or, where that is too far, by `overlap` pixels: then the joins are close, not exact, and the plan
// says so.
// On axes that wrap (ex.wrap), windows and tiles take the pixels around them across the edges. Throws
// Error(cancelled) where the progress callback says stop.
Tensor upscale_tiled(nn::Exec& ex, const Upscaler& upscaler, const Tensor& picture,
                     const UpscaleOptions& options = {});

}  // namespace maquette::models

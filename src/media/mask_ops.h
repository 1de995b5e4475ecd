// Masks for inpainting: reading, softening, growing and reducing them, the part of the picture to work on,
// what to put under the mask, and how to bring the painted part back without touching the rest.
//
// A mask is an Image of one channel: 1 where the picture is painted anew, 0 where it is kept, soft in
// between.
#pragma once

#include <array>
#include <optional>

#include "media/image.h"
#include "media/image_io.h"

namespace maquette::media {

enum class MaskSource {
  luminance,  // white is painted; what is transparent counts as black
  alpha       // what is opaque is painted; a picture without alpha is an error
};
struct MaskOptions {
  MaskSource source = MaskSource::luminance;
  bool invert = false;
};
Result<Image> read_mask(const fs::path& path, const MaskOptions& options = {});

Image invert(const Image& mask);
Image binarise(const Image& mask, float threshold = 0.5f);  // 1 from the threshold on

// Gaussian blur as the A1111 web UI softens masks: 8 bits, kernel of 2 int(2.5 sigma + 0.5) + 1 samples,
// first along x, then along y, each rounded to a level, the border mirrored without repeating it. Equal to
// OpenCV's GaussianBlur level by level. A sigma of 0 leaves that direction alone.
Image8 gaussian_blur(const Image8& image, double sigma_x, double sigma_y);
// The same kernel widths in binary32, for any channels.
Image gaussian_blur(const Image& image, double sigma_x, double sigma_y);

// Largest and smallest value within `radius` pixels (a disc). Beyond the border nothing is masked for dilate,
// and everything for erode: a mask that touches the border keeps touching it.
Image dilate(const Image& mask, int radius);
Image erode(const Image& mask, int radius);
Image grow(const Image& mask, int radius);  // dilate where positive, erode where negative

// Which side of a hard edge (0.5) becomes soft.
enum class FeatherSide { both, inside, outside };
// A smooth ramp over `radius` pixels of exact distance from the edge (over twice that, half at the edge, for
// both).
Image feather(const Image& mask, double radius, FeatherSide side = FeatherSide::both);

// Euclidean distance of every pixel to the nearest pixel of value >= 0.5 (0 on those); infinite where there
// is none.
Image distance_to(const Image& mask);

// A rectangle of pixels; right and bottom lie just outside.
struct Region {
  int64_t left = 0;
  int64_t top = 0;
  int64_t right = 0;
  int64_t bottom = 0;
  int64_t width() const { return right - left; }
  int64_t height() const { return bottom - top; }
  bool operator==(const Region&) const = default;
};

// The box around everything above 0, with `padding` pixels more on each side where there are any; nothing for
// an empty mask.
std::optional<Region> mask_region(const Image& mask, int64_t padding = 0);
// Widens the region, or makes it taller, until it has the proportions of `width` x `height`, moving it where
// it would leave a picture of `picture_width` x `picture_height`. This and the padding are A1111's "only
// masked" rule.
struct Proportions {
  int64_t width = 1;
  int64_t height = 1;
};
Region expand_to_proportions(Region region, const Proportions& wanted, int64_t picture_width,
                             int64_t picture_height);

// The largest value of every cell of a height x width grid laid over the mask (any factor, also uneven ones):
// a latent is repainted as soon as one pixel of it is, so that thin edges do not bleed.
Image reduce_max(const Image& mask, int64_t height, int64_t width);

// Colours for the masked part grown smoothly from its surroundings: the "fill" starting point of inpainting.
// Pixels of mask 0 stay bit-identical. A picture without any kept pixel becomes mid grey under the mask.
Image fill_from_surroundings(const Image& image, const Image& mask);

// original + mask (painted - original). Where the mask is 0 the original is copied, bit by bit; where it is 1
// the painted picture. All three have the same size, both pictures the same channels.
Image8 composite(const Image8& original, const Image8& painted, const Image& mask);
Image composite(const Image& original, const Image& painted, const Image& mask);
// `part` laid over a picture with its corner at (top, left).
Image8 paste(const Image8& picture, const Image8& part, int64_t top, int64_t left);
Image paste(const Image& picture, const Image& part, int64_t top, int64_t left);

// How visible the edge of the repainted part is. The edge runs between pixels of mask > 0 (inside) and 0
// (outside); the rings are the pixels within `ring` pixels (in x and y) of the other side. Levels are 0..255
// per channel, the mean over R, G and B.
//
// A VAE shifts colours slightly everywhere; `shift` shows that as a tint, since texture cancels in a signed
// mean. `step` / `step_before` show it as an edge: what a neighbour across the edge differs by, now and in
// the original.
struct SeamDrift {
  int64_t pixels_inside = 0;  // pixels in each ring; both 0 where there is no edge, and then all values are 0
  int64_t pixels_outside = 0;
  double outside_levels = 0;         // mean |result - original| outside: 0 unless kept pixels were touched
  double inside_levels = 0;          // mean |result - original| inside
  double inside_delta_e = 0;         // the same as CIE 1976 colour difference
  std::array<double, 3> shift = {};  // mean of result - original inside, in levels of R, G, B
  double shift_delta_e = 0;          // colour difference of the mean colours inside
  double step = 0;                   // mean |difference| of 4-neighbours across the edge, in the result
  double step_before = 0;            // the same in the original
};
SeamDrift seam_drift(const Image8& original, const Image8& result, const Image& mask, int ring = 2);

}  // namespace maquette::media

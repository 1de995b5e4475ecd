// Reading masks, regions, reduction to latents, compositing. The region rule is that of the A1111 web UI: pad
// the bounding box, lengthen its shorter side to the wanted proportions, and shift it back into the picture.
#include "media/mask_ops.h"

#include <algorithm>
#include <cmath>

namespace maquette::media {

namespace {

void check_same_size(const auto& a, const auto& b, std::string_view what) {
  if (a.same_size(b)) return;
  throw Error(ErrorCode::usage, "cannot {}", what)
      .with("found", fmt::format("{} x {} and {} x {} pixels", a.width(), a.height(), b.width(), b.height()))
      .with("expected", "the same size");
}

template <typename T, typename Blend>
BasicImage<T> composited(const BasicImage<T>& original, const BasicImage<T>& painted, const Image& mask,
                         Blend blend) {
  check_same_size(original, painted, "composite two pictures");
  check_same_size(original, mask, "composite with a mask");
  if (original.channels() != painted.channels() || mask.channels() != 1) {
    throw Error(ErrorCode::failed, "cannot composite pictures of {} and {} channels with a mask of {}",
                original.channels(), painted.channels(), mask.channels());
  }
  BasicImage<T> out = original.clone();
  const auto target = out.data();
  const auto source = painted.data();
  const auto weights = mask.data();
  const auto channels = static_cast<size_t>(original.channels());
  for (size_t i = 0; i < target.size(); ++i) {
    const float weight = weights[i / channels];
    if (weight > 0) target[i] = weight >= 1 ? source[i] : blend(target[i], source[i], weight);
  }
  return out;
}

// Lengthens begin..end to `wanted` and moves it into 0..limit; longer than the limit, it is cut.
void lengthen(int64_t& begin, int64_t& end, double wanted, int64_t limit) {
  const auto more = static_cast<int64_t>(wanted - static_cast<double>(end - begin));
  begin -= more / 2;
  end += more - more / 2;
  if (end >= limit) {
    begin -= end - limit;
    end = limit;
  }
  if (begin < 0) {
    end -= begin;
    begin = 0;
  }
  end = std::min(end, limit);
}

}  // namespace

Result<Image> read_mask(const fs::path& path, const MaskOptions& options) {
  const Result<Image> picture = read_image(path);
  if (!picture) return picture.error();
  Image mask;
  if (options.source == MaskSource::luminance) {
    mask = to_grey(flatten(*picture, 0, 0, 0));
  } else if (picture->channels() == 4) {
    mask = Image::zeros(picture->height(), picture->width(), 1);
    for (size_t i = 0; i < mask.data().size(); ++i) mask.data()[i] = picture->data()[i * 4 + 3];
  } else {
    return Error(ErrorCode::usage, "cannot take a mask from the alpha of \"{}\"", path.string())
        .with("found", fmt::format("{} channels", picture->channels()))
        .with("expected", "4 channels");
  }
  return options.invert ? invert(mask) : mask;
}

Image invert(const Image& mask) {
  Image out = mask.clone();
  for (float& v : out.data()) v = 1 - v;
  return out;
}

Image binarise(const Image& mask, float threshold) {
  Image out = mask.clone();
  for (float& v : out.data()) v = v >= threshold ? 1.f : 0.f;
  return out;
}

std::optional<Region> mask_region(const Image& mask, int64_t padding) {
  Region box{mask.width(), mask.height(), 0, 0};
  for (int64_t y = 0; y < mask.height(); ++y) {
    for (int64_t x = 0; x < mask.width(); ++x) {
      if (!(mask.at(y, x) > 0)) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1),
             std::max(box.bottom, y + 1)};
    }
  }
  if (box.right == 0) return std::nullopt;
  return Region{std::max<int64_t>(box.left - padding, 0), std::max<int64_t>(box.top - padding, 0),
                std::min(box.right + padding, mask.width()), std::min(box.bottom + padding, mask.height())};
}

Region expand_to_proportions(Region region, const Proportions& wanted, int64_t picture_width,
                             int64_t picture_height) {
  const auto width = static_cast<double>(region.width());
  const auto height = static_cast<double>(region.height());
  const double ratio = static_cast<double>(wanted.width) / static_cast<double>(wanted.height);
  if (width / height > ratio) {
    lengthen(region.top, region.bottom, width / ratio, picture_height);
  } else {
    lengthen(region.left, region.right, height * ratio, picture_width);
  }
  return region;
}

Image reduce_max(const Image& mask, int64_t height, int64_t width) {
  if (height < 1 || width < 1 || mask.channels() != 1) {
    throw Error(ErrorCode::failed, "cannot reduce a mask of {} to {} x {}", mask.pixels.shape().text(),
                height, width);
  }
  Image out = Image::zeros(height, width, 1);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      // The cell covers the pixels that any part of it touches.
      const int64_t top = y * mask.height() / height;
      const int64_t bottom = ((y + 1) * mask.height() + height - 1) / height;
      const int64_t left = x * mask.width() / width;
      const int64_t right = ((x + 1) * mask.width() + width - 1) / width;
      float largest = 0;
      for (int64_t i = top; i < bottom; ++i) {
        for (int64_t j = left; j < right; ++j) largest = std::max(largest, mask.at(i, j));
      }
      out.at(y, x) = largest;
    }
  }
  return out;
}

Image8 composite(const Image8& original, const Image8& painted, const Image& mask) {
  return composited(original, painted, mask, [](uint8_t from, uint8_t to, float weight) {
    const float a = from, b = to;
    return static_cast<uint8_t>(std::nearbyint(a + (b - a) * weight));
  });
}

Image composite(const Image& original, const Image& painted, const Image& mask) {
  return composited(original, painted, mask,
                    [](float from, float to, float weight) { return from + (to - from) * weight; });
}

namespace {

template <typename T>
BasicImage<T> pasted(const BasicImage<T>& picture, const BasicImage<T>& part, int64_t top, int64_t left) {
  (void)crop(picture, top, left, part.height(), part.width());  // throws where the part does not fit
  if (picture.channels() != part.channels()) {
    throw Error(ErrorCode::failed, "cannot paste {} channels into {}", part.channels(), picture.channels());
  }
  BasicImage<T> out = picture.clone();
  const auto start = static_cast<size_t>(left * out.channels());
  for (int64_t y = 0; y < part.height(); ++y) {
    std::ranges::copy(part.row(y), out.row(top + y).subspan(start).begin());
  }
  return out;
}

}  // namespace

Image8 paste(const Image8& picture, const Image8& part, int64_t top, int64_t left) {
  return pasted(picture, part, top, left);
}

Image paste(const Image& picture, const Image& part, int64_t top, int64_t left) {
  return pasted(picture, part, top, left);
}

}  // namespace maquette::media

// Reading pictures through OpenImageIO, behind our own checks.
//
// Only the seven formats named in image_format.h are ever handed to a decoder: OpenImageIO would try thirty.
// The header is checked first (check_header), then the size that the decoder reports, then memory is
// allocated once.
#include <OpenImageIO/imageio.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <new>
#include <optional>

#include "media/color.h"
#include "media/image_io.h"
#include "media/oiio_memory.h"

namespace maquette::media {

namespace {

constexpr const char* plugin_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::png: return "png";
    case ImageFormat::jpeg: return "jpeg";
    case ImageFormat::tiff: return "tiff";
    case ImageFormat::webp: return "webp";
    case ImageFormat::exr: return "openexr";
    case ImageFormat::bmp: return "bmp";
    case ImageFormat::hdr: return "hdr";
  }
  return "";
}

Error unreadable(ImageFormat format, std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the {} picture", name(format)).with("found", found);
}

// The pixels of the data window as f32 [H, W, channels of the file]. 8- and 16-bit values are divided by
// their maximum, as numpy would, so that writing them again gives the same integers.
template <typename T>
bool read_levels(OIIO::ImageInput& input, OIIO::TypeDesc type, float maximum, std::span<float> target) {
  std::vector<T> levels(target.size());
  if (!input.read_image(0, 0, 0, -1, type, levels.data())) return false;
  std::ranges::transform(levels, target.begin(), [maximum](T v) { return static_cast<float>(v) / maximum; });
  return true;
}

bool read_values(OIIO::ImageInput& input, std::span<float> target) {
  const OIIO::TypeDesc stored = input.spec().format;
  if (stored == OIIO::TypeDesc::UINT8)
    return read_levels<uint8_t>(input, OIIO::TypeDesc::UINT8, 255.f, target);
  if (stored == OIIO::TypeDesc::UINT16)
    return read_levels<uint16_t>(input, OIIO::TypeDesc::UINT16, 65535.f, target);
  return input.read_image(0, 0, 0, -1, OIIO::TypeDesc::FLOAT, target.data());
}

// Which channels of the file become the picture; alpha -1 where there is none.
struct ChannelPlan {
  int colours = 1;  // 1 or 3, the first channels
  int alpha = -1;
  int channels() const { return alpha >= 0 ? 4 : colours; }
};

ChannelPlan plan_channels(const OIIO::ImageSpec& spec) {
  const int alpha = spec.alpha_channel;
  if (spec.nchannels == 1) return {1, -1};
  if (spec.nchannels == 2 || alpha == 1) return {1, alpha == 1 ? 1 : -1};
  return {3, alpha == 3 ? 3 : -1};
}

// Places the data window inside the display window (they differ in OpenEXR), zero where there are no data.
Image arrange(const OIIO::ImageSpec& spec, std::span<const float> values) {
  const ChannelPlan plan = plan_channels(spec);
  Image image = Image::zeros(spec.full_height, spec.full_width, plan.channels());
  for (int y = 0; y < spec.full_height; ++y) {
    const int source_y = y + spec.full_y - spec.y;
    if (source_y < 0 || source_y >= spec.height) continue;
    for (int x = 0; x < spec.full_width; ++x) {
      const int source_x = x + spec.full_x - spec.x;
      if (source_x < 0 || source_x >= spec.width) continue;
      const size_t at = (static_cast<size_t>(source_y) * spec.width + source_x) * spec.nchannels;
      const float* pixel = values.data() + at;
      for (int c = 0; c < std::min(plan.channels(), 3); ++c)
        image.at(y, x, c) = pixel[plan.colours == 3 ? c : 0];
      if (plan.alpha >= 0) image.at(y, x, 3) = pixel[plan.alpha];
    }
  }
  return image;
}

void unpremultiply(Image& image) {
  const auto data = image.data();
  for (size_t i = 0; i < data.size(); i += 4) {
    const float alpha = data[i + 3];
    if (alpha <= 0 || alpha == 1) continue;
    for (size_t c = 0; c < 3; ++c) data[i + c] /= alpha;
  }
}

// Linear light to clamped sRGB; alpha is only clamped.
void encode_srgb(Image& image) {
  const auto data = image.data();
  const auto channels = static_cast<size_t>(image.channels());
  for (size_t i = 0; i < data.size(); ++i) {
    const bool alpha = channels == 4 && i % 4 == 3;
    data[i] = std::clamp(alpha ? data[i] : linear_to_srgb(data[i]), 0.f, 1.f);
  }
}

// EXIF orientation 1 to 8: where the stored rows and columns belong.
Image oriented(const Image& image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t height = transposed ? image.width() : image.height();
  const int64_t width = transposed ? image.height() : image.width();
  Image out = Image::zeros(height, width, image.channels());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      // Flips are counted in the stored picture: 6 turns it clockwise, its last row becoming the first
      // column.
      const int64_t row = transposed ? x : y;
      const int64_t column = transposed ? y : x;
      const int64_t source_y = flip_y ? image.height() - 1 - row : row;
      const int64_t source_x = flip_x ? image.width() - 1 - column : column;
      for (int64_t c = 0; c < image.channels(); ++c) out.at(y, x, c) = image.at(source_y, source_x, c);
    }
  }
  return out;
}

bool is_linear(ImageFormat format, const OIIO::ImageSpec& spec) {
  return format == ImageFormat::exr || format == ImageFormat::hdr || spec.format.is_floating_point();
}

// Turns what the decoder opened into a picture.
Result<Image> read_opened(OIIO::ImageInput& input, ImageFormat format, const ReadOptions& options) {
  const OIIO::ImageSpec spec = input.spec();
  if (auto error = check_size(spec.width, spec.height, spec.nchannels, options.limits)) return *error;
  if (auto error = check_size(spec.full_width, spec.full_height, spec.nchannels, options.limits))
    return *error;
  if (spec.deep || spec.depth > 1) return unreadable(format, "deep pixels or a volume");

  std::vector<float> values(static_cast<size_t>(spec.width) * spec.height * spec.nchannels);
  if (!read_values(input, values)) return unreadable(format, input.geterror());
  if (std::ranges::any_of(values, [](float v) { return std::isnan(v); }))
    return unreadable(format, "NaN pixels");

  Image image = arrange(spec, values);
  const bool straight = spec.get_int_attribute("oiio:UnassociatedAlpha", 0) != 0;
  if (image.channels() == 4 && !straight) unpremultiply(image);
  if (is_linear(format, spec) && options.float_values == FloatValues::srgb) encode_srgb(image);
  return oriented(image, spec.get_int_attribute("Orientation", 1));
}

// to_8bit of every 16-bit level.
const std::array<uint8_t, 65536>& rounded_levels() {
  static const std::array<uint8_t, 65536> table = [] {
    std::array<uint8_t, 65536> levels{};
    for (size_t i = 0; i < levels.size(); ++i)
      levels[i] = static_cast<uint8_t>(std::nearbyint(static_cast<float>(i) / 65535.f * 255.f));
    return levels;
  }();
  return table;
}

bool read_levels_8bit(OIIO::ImageInput& input, std::span<uint8_t> target) {
  if (input.spec().format == OIIO::TypeDesc::UINT8)
    return input.read_image(0, 0, 0, -1, OIIO::TypeDesc::UINT8, target.data());
  std::vector<uint16_t> levels(target.size());
  if (!input.read_image(0, 0, 0, -1, OIIO::TypeDesc::UINT16, levels.data())) return false;
  const std::array<uint8_t, 65536>& rounded = rounded_levels();
  std::ranges::transform(levels, target.begin(), [&](uint16_t v) { return rounded[v]; });
  return true;
}

// Nothing where the picture needs more than its own values of 8 or 16 bits.
Result<std::optional<Image8>> read_plain_8bit(OIIO::ImageInput& input, ImageFormat format,
                                              const ImageLimits& limits) {
  const OIIO::ImageSpec spec = input.spec();
  const ChannelPlan plan = plan_channels(spec);
  const bool straight = plan.alpha < 0 || spec.get_int_attribute("oiio:UnassociatedAlpha", 0) != 0;
  const bool framed = spec.x == spec.full_x && spec.y == spec.full_y && spec.width == spec.full_width &&
                      spec.height == spec.full_height;
  const bool whole_numbers = spec.format == OIIO::TypeDesc::UINT8 || spec.format == OIIO::TypeDesc::UINT16;
  const bool plain = whole_numbers && !is_linear(format, spec) && framed && straight &&
                     plan.channels() == spec.nchannels && !spec.deep && spec.depth <= 1 &&
                     spec.get_int_attribute("Orientation", 1) <= 1;
  if (!plain) return std::optional<Image8>();
  if (auto error = check_size(spec.width, spec.height, spec.nchannels, limits)) return *error;
  Image8 image = Image8::zeros(spec.height, spec.width, spec.nchannels);
  if (!read_levels_8bit(input, image.data())) return unreadable(format, input.geterror());
  return std::optional(std::move(image));
}

Result<Image8> read_opened_8bit(OIIO::ImageInput& input, ImageFormat format, const ReadOptions& options) {
  Result<std::optional<Image8>> plain = read_plain_8bit(input, format, options.limits);
  if (!plain) return plain.error();
  if (*plain) return std::move(**plain);
  const Result<Image> image = read_opened(input, format, options);
  if (!image) return image.error();
  return to_8bit(*image);
}

// Opens the file and hands it to `read`.
template <typename T>
Result<T> decode(Bytes file, ImageFormat format, const ReadOptions& options,
                 Result<T> (*read)(OIIO::ImageInput&, ImageFormat, const ReadOptions&)) {
  if (auto error = check_header(file, format, options.limits)) return *error;
  OIIO::Filesystem::IOMemReader memory = memory_reader(file);
  const std::unique_ptr<OIIO::ImageInput> input = OIIO::ImageInput::create(plugin_of(format));
  if (!input) throw Error(ErrorCode::failed, "cannot read {} pictures with this OpenImageIO", name(format));
  input->threads(1);
  OIIO::ImageSpec wishes;
  wishes.attribute("oiio:UnassociatedAlpha", 1);
  OIIO::ImageSpec spec;
  if (!input->set_ioproxy(&memory) || !input->open("memory", spec, wishes))
    return unreadable(format, input->geterror());
  return read(*input, format, options);
}

template <typename T>
Result<T> decode_guarded(Bytes file, const ReadOptions& options,
                         Result<T> (*read)(OIIO::ImageInput&, ImageFormat, const ReadOptions&)) {
  const std::optional<ImageFormat> format = detect_format(file);
  if (!format) {
    return Error(ErrorCode::bad_file, "cannot read the picture")
        .with("found", "no known signature")
        .with("expected", "PNG, JPEG, TIFF, WebP, OpenEXR, BMP or Radiance HDR");
  }
  // The libraries behind the decoders throw on some damage instead of returning.
  try {
    return decode(file, *format, options, read);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::no_memory, "cannot read the {} picture", name(*format));
  } catch (const std::exception& error) {
    return unreadable(*format, error.what());
  }
}

}  // namespace

Result<Image> decode_image(Bytes file, const ReadOptions& options) {
  return decode_guarded<Image>(file, options, read_opened);
}

Result<Image8> decode_image8(Bytes file, const ReadOptions& options) {
  return decode_guarded<Image8>(file, options, read_opened_8bit);
}

Result<Image> read_image(const fs::path& path, const ReadOptions& options) {
  const Result<MappedFile> file = MappedFile::open(path);
  if (!file) return file.error();
  Result<Image> image = decode_image(file->bytes(), options);
  if (image) return image;
  Error error = image.error();
  error.with("file", path.string());
  return error;
}

}  // namespace maquette::media

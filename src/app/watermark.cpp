#include "app/watermark.h"

#include <algorithm>

#include "base/file.h"
#include "media/image_io.h"
#include "media/psnr.h"

namespace maquette::app {

namespace {

constexpr size_t kMostBytes = watermark::kMostBits / 8;

bool holds_light(media::ImageFormat format) {
  return format == media::ImageFormat::exr || format == media::ImageFormat::hdr;
}

void refuse_light(std::optional<media::ImageFormat> format, const std::filesystem::path& path) {
  if (format && holds_light(*format))
    throw Error(ErrorCode::usage, "the watermark is for pictures of 8 or 16 bits")
        .with("file", path.string())
        .with("found", media::name(*format))
        .hint("mark the PNG or TIFF that is made of it");
}

// 16 where some value is none of the 256 that 8 bits have.
int bits_needed(const media::Image& picture) {
  const media::Image coarse = media::to_float(media::to_8bit(picture));
  return std::ranges::equal(picture.data(), coarse.data()) ? 8 : 16;
}

bool format_has_16_bits(media::ImageFormat format) {
  return format == media::ImageFormat::png || format == media::ImageFormat::tiff;
}

}  // namespace

WatermarkAdded add_watermark(const std::filesystem::path& picture, const std::filesystem::path& out,
                             const std::string& text) {
  if (text.empty() || text.size() > kMostBytes)
    throw Error(ErrorCode::usage, "a watermark cannot hold this text")
        .with("found", fmt::format("{} bytes", text.size()))
        .with("expected", fmt::format("1 to {} bytes", kMostBytes));
  const std::optional<media::ImageFormat> format = media::format_of_name(out);
  if (!format)
    throw Error(ErrorCode::usage, "pictures cannot be written in this format").with("file", out.string());
  refuse_light(format, out);
  const MappedFile file = MappedFile::open(picture).take();
  refuse_light(media::detect_format(file.bytes()), picture);

  const media::Image before = media::decode_image(file.bytes()).take();
  WatermarkAdded added{.text = text, .bits = format_has_16_bits(*format) ? bits_needed(before) : 8};
  const watermark::Bits bits = watermark::bits_of(text);
  const media::Image after = watermark::add_dwt_dct(before, bits);
  const std::string bytes = media::encode_image(
      after, *format, {.bits = added.bits, .metadata = media::read_picture_metadata(picture).take()});

  // What lossy formats leave of it is known only by reading it again.
  const media::Image8 written = media::decode_image8(media::as_bytes(bytes)).take();
  const watermark::Reading reading = watermark::majority(watermark::read_blocks(written), bits.size());
  if (reading.bits != bits)
    throw Error(ErrorCode::failed, "the watermark cannot be read in the picture that would be written")
        .with("file", out.string())
        .with("found", fmt::format("{:.0f} % of the blocks agree with themselves", 100 * reading.agreement))
        .hint("write PNG or TIFF, or a shorter text");
  const media::Image8 original =
      media::to_8bit(before.channels() == after.channels() ? before : media::to_rgb(before));
  added.psnr = media::psnr(original, written);
  write_file_atomically(out, bytes);
  return added;
}

WatermarkRead read_watermark(const std::filesystem::path& picture, std::optional<size_t> bytes) {
  if (bytes && (*bytes == 0 || *bytes > kMostBytes))
    throw Error(ErrorCode::usage, "a watermark cannot have this length")
        .with("found", *bytes)
        .with("expected", fmt::format("1 to {} bytes", kMostBytes));
  const media::Image8 image = media::to_8bit(media::read_image(picture).take());
  WatermarkRead read{.known = watermark::recognise(image)};
  if (!bytes) return read;
  const watermark::Reading reading = watermark::majority(watermark::read_blocks(image), *bytes * 8);
  read.text = watermark::bytes_of(reading.bits);
  read.agreement = reading.agreement;
  return read;
}

}  // namespace maquette::app

// Any bytes are either a picture within the limits, or refused before much memory is taken.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/image_io.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  maquette::media::ReadOptions options;
  options.limits.side = 1024;
  options.limits.pixels = 256 * 256;
  const auto image = maquette::media::decode_image(std::as_bytes(std::span(data, size)), options);
  if (!image) return 0;
  if (image->height() * image->width() > options.limits.pixels) std::abort();
  return 0;
}

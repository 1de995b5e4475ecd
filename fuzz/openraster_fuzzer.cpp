// Any bytes are an OpenRaster file within the limits, or refused before much memory is taken; what was read
// can be put together and written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/layers/openraster.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  maquette::media::OpenRasterLimits limits;
  limits.zip = {.entries = 64, .entry_bytes = 1 << 22, .all_bytes = 1 << 24};
  limits.layer = {.side = 512, .pixels = 128 * 128};
  limits.all_pixels = 256 * 256;
  const auto file = maquette::media::decode_openraster(std::as_bytes(std::span(data, size)), limits);
  if (!file) return 0;
  const std::string written = maquette::media::encode_openraster(file->picture);
  const auto again = maquette::media::decode_openraster(maquette::media::as_bytes(written));
  if (!again || again->picture.layers.size() != file->picture.layers.size()) std::abort();
  return 0;
}

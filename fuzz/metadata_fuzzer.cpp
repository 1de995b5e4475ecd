// Any bytes are a picture whose text can be read, or refused; any text is somebody's prompt, and what was
// read from it can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "media/a1111_parameters.h"
#include "media/picture_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(maquette::media::parse_picture_metadata(std::as_bytes(std::span(data, size))));

  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parameters = maquette::media::parse_a1111_parameters(text);
  if (!parameters) return 0;
  if (!maquette::media::parse_a1111_parameters(maquette::media::write_a1111_parameters(*parameters)))
    std::abort();
  return 0;
}

// Any bytes are a bundle of entries, a tile or a tile's path, or refused; what was read is written back the
// same. The first byte says how many entries there should be.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tlog/tiles.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::tlog;
  if (size == 0) return 0;
  const uint64_t width = 1 + data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto entries = parse_bundle(bytes, width, "input");
  if (entries && write_bundle(*entries) != bytes) std::abort();
  const auto hashes = parse_tile(bytes, width, "input");
  if (hashes && write_tile(*hashes) != bytes) std::abort();
  const auto tile = parse_tile_path(bytes);
  if (tile && tile->path() != bytes) std::abort();
  return 0;
}

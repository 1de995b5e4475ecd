// Any text is either a JSON document or refused; a document that was read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const maquette::Result<maquette::Json> document = maquette::parse_json(text, "input");
  if (!document) return 0;

  const std::string written = document->dump();
  const maquette::Result<maquette::Json> again = maquette::parse_json(written, "written");
  if (!again || again->dump() != written) std::abort();
  return 0;
}

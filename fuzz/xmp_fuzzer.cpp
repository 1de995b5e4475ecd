// Any bytes are a file whose XMP can be found, or refused; any text is a packet. What was written is read
// again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "marks/xmp.h"
#include "marks/xmp_container.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::marks;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const XmpFields fields{.digital_source_type = "https://a.example/b", .prompt = "a <b> & c"};
  if (const auto merged = merge_xmp(text, fields)) {
    const auto read = read_xmp(*merged);
    if (!read || read->prompt != fields.prompt) std::abort();
  }
  const auto file = std::as_bytes(std::span(data, size));
  static_cast<void>(find_xmp(file));
  if (const auto written = with_xmp(file, "<packet/>")) {
    const auto found = find_xmp(std::as_bytes(std::span(*written)));
    if (!found || *found != "<packet/>") std::abort();
  }
  return 0;
}

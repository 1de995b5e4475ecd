// Any text as the header of a safetensors file whose data is there: reaches the layouts, the detection and
// the reports, which see names, shapes and records, faster than whole files do.

#include <cstring>
#include <string>

#include "weights/weight_file.h"
#include "weights_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::weights;
  // The last two bytes say how much data follows.
  if (size < 3) return 0;
  const size_t data_size = static_cast<size_t>(data[size - 2]) | static_cast<size_t>(data[size - 1]) << 8;
  const uint64_t header_size = size - 2;
  std::string bytes(reinterpret_cast<const char*>(&header_size), sizeof(header_size));
  bytes.append(reinterpret_cast<const char*>(data), size - 2);
  bytes.append(data_size, '\1');
  use_everything(open_safetensors(fuzzed(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())));
  return 0;
}

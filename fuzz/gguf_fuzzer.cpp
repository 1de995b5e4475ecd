// Any bytes are either a GGUF file whose tensors can be read and dequantised, or refused.
#include "weight_reading.h"
#include "weights/weight_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  maquette::fuzz::read_all(maquette::weights::open_gguf(maquette::fuzz::source_of(data, size)));
  return 0;
}

// Any bytes as a GGUF file.

#include "weights/weight_file.h"
#include "weights_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::weights;
  use_everything(open_gguf(fuzzed(data, size)));
  return 0;
}

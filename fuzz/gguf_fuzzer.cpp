// Any bytes as a GGUF file. Corpus: tests/golden/weights/*.gguf.

#include "weights_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::weights;
  use_everything(open_gguf(fuzzed(data, size)));
  return 0;
}

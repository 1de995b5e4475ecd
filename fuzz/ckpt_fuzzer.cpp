// Any bytes as a PyTorch checkpoint (zip or legacy stream), and as the bare pickle inside one.

#include "weights/pickle.h"
#include "weights_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::weights;
  use_everything(open_torch_checkpoint(fuzzed(data, size)));
  const auto document = read_pickle(std::as_bytes(std::span(data, size)), "fuzzed");
  if (document && document->size > size) __builtin_trap();
  return 0;
}

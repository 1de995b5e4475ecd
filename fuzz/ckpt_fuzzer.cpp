// Any bytes are either a PyTorch checkpoint whose tensors can be read, or refused; no pickled code is ever
// run.
#include "weight_reading.h"
#include "weights/weight_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  maquette::fuzz::read_all(maquette::weights::open_torch_checkpoint(maquette::fuzz::source_of(data, size)));
  return 0;
}

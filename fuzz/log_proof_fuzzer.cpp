// Any bytes are a proof file or refused; one that was read is written back the same, and proves nothing to
// whoever knows no key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tlog/proof_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::tlog;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto proof = parse_proof_file(bytes, "input");
  if (!proof) return 0;
  if (proof->text() != bytes) std::abort();
  if (verify_proof(*proof, "entry", {}, "input")) std::abort();
  const InclusionClaim claim{leaf_hash("entry"), proof->index, proof->index + 1 + size, leaf_hash("root")};
  if (verify_inclusion(claim, proof->hashes)) std::abort();
  return 0;
}

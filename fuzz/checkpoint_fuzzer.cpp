// Any bytes are a signed checkpoint or refused; its text comes back unchanged. The same for keys of logs.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tlog/checkpoint.h"
#include "tlog/note.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maquette::tlog;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto key = parse_verifier_key(bytes);
  if (key && key->text() != bytes) std::abort();
  const auto note = parse_note(bytes, "input");
  if (!note) return 0;
  const auto checkpoint = parse_checkpoint(note->text, "input");
  if (checkpoint && checkpoint->text() != note->text) std::abort();
  // Nobody has the private half of this key: no input may count as signed.
  static const VerifierKey keys[] = {
      parse_verifier_key("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").take()};
  if (signers_of(*note, keys, "input")) std::abort();
  return 0;
}

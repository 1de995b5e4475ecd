// Signing a file: its manifest goes into it, or beside it where the format has no place for one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/certificates.h"
#include "base/file.h"
#include "marks/manifest.h"
#include "marks/xmp.h"

namespace maquette::marks {

// Who signs: a chain of certificates, leaf first, and what makes signatures of its key (as PrivateKey::sign):
// a key in memory, a signing program, a security module.
struct Signer {
  std::string algorithm;  // es256, es384, es512, ps256, ed25519
  std::string chain_pem;
  std::function<std::string(std::string_view bytes)> sign;
};
Signer signer_of(PrivateKey key, std::string chain_pem);

struct SignRequest {
  fs::path file;
  fs::path out;  // may be `file` itself
  Disclosure disclosure;
  // Written into PNG, JPEG, TIFF and WebP files before they are signed; other formats have no place for it
  // here.
  std::optional<XmpFields> xmp = std::nullopt;
};

struct SignedFile {
  std::optional<fs::path> sidecar;  // the manifest, where it is not inside
  size_t manifest_bytes = 0;
  bool wrote_xmp = false;
  bool kept_manifest = false;  // the file had one, which is an ingredient now
};

// Copies `file` to `out` with a new manifest; a manifest that it has already, inside or beside it, is kept as
// the parent's. PNG, JPEG, TIFF, WebP, WAV and MP4 take it in; others get a sidecar (sidecar_of), which binds
// the bytes as they are. Written whole or not at all. Throws Error: not_found without the file or the C2PA
// library, bad_file for a damaged one, usage for steps that contradict each other, and what Signer::sign
// throws.
SignedFile sign_file(const SignRequest& request, const Signer& signer);

}  // namespace maquette::marks

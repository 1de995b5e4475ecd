// What the manifest of a file says, and whether it can be believed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace maquette::marks {

enum class ManifestState {
  none,       // there is no manifest
  valid,      // nothing was changed, and one of the roots that were given vouches for the signer
  untrusted,  // nothing was changed; who signed is not known here
  invalid     // the file or the manifest was changed, or the manifest is damaged
};
std::string_view name(ManifestState state);

struct ActionFacts {
  std::string action;       // "c2pa.created"
  std::string source_type;  // the end of its URI: "trainedAlgorithmicMedia"
  std::string tool;
  std::string when;
  std::string description;
};

struct IngredientFacts {
  std::string title;
  std::string relationship;  // parentOf, componentOf, inputTo
  std::string id;            // a model's: "urn:sha256:..."
  bool has_manifest = false;
};

struct ManifestReport {
  ManifestState state = ManifestState::none;
  std::optional<fs::path> sidecar = {};  // where the manifest is not inside
  std::vector<std::string> problems =
      {};  // C2PA's codes ("assertion.dataHash.mismatch"), in the library's order
  std::string title = {};
  std::string generator = {};  // "Maquette 0.1.0"
  std::string signed_by = {};
  std::string signed_at = {};  // only with a time stamp
  std::vector<ActionFacts> actions = {};
  std::vector<IngredientFacts> ingredients = {};
  // The library's own words, for manifests that have this one as an ingredient.
  std::string label = {};
  Json validation_results = {};
};

struct ReadOptions {
  std::string roots_pem = {};  // whom to trust; empty: nobody
};

// The report on the newest manifest of a file, inside it or beside it. Throws Error(not_found) without the
// file or the C2PA library; a damaged or altered file is a report, not an error. Nothing is fetched from the
// network.
ManifestReport read_manifest(const fs::path& file, const ReadOptions& options);

// The same from the library's JSON, which says what the file says: nothing in it is believed to have a
// certain form.
ManifestReport parse_reader_json(const Json& json);

}  // namespace maquette::marks

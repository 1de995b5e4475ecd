// Models: what the register knows about a model, an adapter or a data set, and what follows from where it
// comes from. What nobody has said is unknown, and stays so.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "rights/licences.h"

namespace maquette::rights {

// A licence is a claim: somebody says so, somewhere. The snapshot is the text as it was read that day.
struct LicenceClaim {
  std::string id;               // as in licences(), or any other; empty: nobody has said
  std::string claimed_by;       // "the model card", "modelspec of the file", "our lawyer"
  std::string where;            // address or document
  std::string snapshot_sha256;  // of the text; empty: none kept
  std::string snapshot_date;
};

// How much is known of what it was trained on.
enum class Training { disclosed, partly, undisclosed, contested, unknown };
std::string_view name(Training training);
// Throws Error(usage) naming the choices.
Training training_named(std::string_view text);

struct ModelRecord {
  std::string name;    // as the library names it: "starter", "loras/harbour"
  std::string kind;    // checkpoint, lora, controlnet, vae, ..., dataset
  std::string sha256;  // recomputed by the program; empty: the file was not there
  // modelspec.hash_sha256: what the file says of its tensors, and what they are. Empty: not said, not read.
  std::string claimed_tensors, tensors;
  std::string source;  // where it was got
  LicenceClaim licence;
  Training training = Training::unknown;
  std::vector<std::string> evidence;  // addresses: summaries, certificates, papers, complaints
  // Names of records it was made from: base model, merged models. Absent: unknown; empty: made from nothing.
  std::optional<std::vector<std::string>> bases;
  std::vector<std::string> datasets;  // names of records
  std::string notes;
};

Json to_json(const ModelRecord& record);
// Throws Error(usage) at unknown fields, wrong kinds, hashes and dates.
ModelRecord model_record_from_json(const Json& json);

using Register = std::map<std::string, ModelRecord, std::less<>>;

// A record with everything it comes from. Throws Error(refused) where a record comes from itself.
struct Lineage {
  std::vector<const ModelRecord*> records;  // itself first
  std::vector<std::string> missing;         // named by one of them, and not in the register
};
Lineage lineage_of(const ModelRecord& record, const Register& models);

// What holds for a record with everything it comes from: of each, the strictest.
struct Terms {
  Answer commercial = Answer::yes;
  int64_t revenue_cap_usd = 0;  // the lowest; 0: none
  bool attribution = false;
  bool share_alike = false;
  Training training = Training::disclosed;
  std::vector<std::string> licences, restrictions, outputs, excluded;
};
Terms terms_of(const Lineage& lineage);
Json to_json(const Terms& terms);

// From 0 (everything is known and shown) to 100: how little is known; the largest along the lineage.
struct Opacity {
  int score = 0;
  std::vector<std::string> reasons;  // "25 the licence is unknown"
};
Opacity opacity_of(const Lineage& lineage);

}  // namespace maquette::rights

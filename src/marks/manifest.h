// What a manifest says: how a picture came about, in plain terms, and the same as the C2PA library's JSON.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace maquette::marks {

enum class StepKind {
  // How it began: one of these, first.
  sampled,     // by a model, from noise
  procedural,  // by a program that learnt nothing
  drawn,       // by hand, from nothing
  imported,    // from a file: the parent
  // What happened then.
  resampled,   // by a model, over what was there (img2img)
  inpainted,   // by a model, inside a mask
  painted,     // by hand
  upscaled,    // by a model that enlarges or removes noise
  composited,  // other pictures placed in it: needs components
  graded,
  cropped,
  resized,
  converted,
  watermarked
};
std::string_view name(StepKind kind);
// Throws Error(usage) naming the words that would do.
StepKind parse_step_kind(std::string_view word);

struct Step {
  StepKind kind = StepKind::sampled;
  std::string when = {};          // "2026-11-23T18:42:00Z"; empty: not known
  std::string tool = {};          // a model's or a program's name
  std::string tool_version = {};  // empty: not known
  std::string description = {};   // for people
  std::string author = {};        // a pseudonym ("artist:7f3a"); empty for machines. Never a person's name.
};

// A model that took part: its file can be compared with the hash.
struct ModelUsed {
  std::string name;
  std::string version = {};
  std::string sha256 = {};  // empty: not known
};

// A file that the picture was made from. Its own manifest, where it has one, is kept inside the new one.
struct SourceFile {
  std::filesystem::path file;
  std::string title = {};  // empty: the file's name
  bool component = false;  // placed in the picture, instead of being what it began as; at most one is not
};

// C2PA 2.4, 18.28: humanOversightLevel.
enum class Oversight { fully_autonomous, prompt_guided, human_validated };

struct Disclosure {
  std::string title;
  std::string program_version;
  std::string provider = {};  // who answers for the picture: a studio
  std::string id = {};        // of the picture; empty: a new one
  std::vector<Step> steps = {};
  std::vector<ModelUsed> models = {};
  std::vector<SourceFile> sources = {};
  Oversight oversight = Oversight::prompt_guided;
  bool training_allowed = false;                     // may others train on it, or mine it?
  std::optional<double> human_share = std::nullopt;  // of the pixels, 0 to 1, where it was measured
};

// Whether a model made anything of it.
bool is_generated(const Disclosure& disclosure);

// The IPTC digital source type of the whole as a URI: trainedAlgorithmicMedia where only models worked,
// compositeWithTrainedAlgorithmicMedia where anything else took part, humanEdits, digitalCreation or
// algorithmicMedia where no model did.
std::string digital_source_type(const Disclosure& disclosure);

// The label of the ingredient that the picture began as, and of component `index`.
std::string parent_label();
std::string component_label(size_t index);

// The definition of a manifest: claim generator, actions with exactly one beginning, models as ingredients,
// AI disclosure, training and mining, origin (provider, system, version, time, id). `has_parent`: the picture
// began as a file, so that the first action is c2pa.opened; a step that says how it began then counts as work
// on it. Throws Error(usage) for steps that contradict each other.
Json manifest_definition(const Disclosure& disclosure, bool has_parent);

}  // namespace maquette::marks

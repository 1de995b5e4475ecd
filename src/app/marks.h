// Marking a file before it leaves the studio, and telling what the marks of a file say.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/inspect.h"
#include "marks/sign.h"

namespace maquette::app {

struct MarkRequest {
  std::filesystem::path file;
  std::filesystem::path out;
  // How it was made, in order; none: from the recipe that the picture carries. KIND or KIND:TOOL, the kinds
  // of marks::StepKind.
  std::vector<std::string> steps;
  std::filesystem::path parent;  // what it began as; empty: none, or the recipe's init picture
  std::vector<std::filesystem::path> components;  // what was placed in it
  std::string provider;
  std::string prompt_writer;
  bool withhold_prompt = false;
  bool reviewed = false;  // a person looked at it and approved it
  bool allow_training = false;
};

// Writes metadata, then signs (marks/sign.h). Throws Error(usage) where nothing says how the file was made.
Facts mark_file(const MarkRequest& request, const marks::Signer& signer);

// The free detector: manifest, metadata, watermark. `verdict` is absent where the marks are in order, else
// the Error that a program should end with: not_found where there are no marks, bad_file where they do not
// fit the file, refused where nobody who is trusted signed it (only if `must_be_trusted`), failed where the
// C2PA library is missing: the other marks are told then, and nothing is said to fit.
struct Verification {
  Facts facts;
  std::optional<Error> verdict;
};
Verification verify_file(const std::filesystem::path& file, const std::string& roots_pem,
                         bool must_be_trusted);

}  // namespace maquette::app

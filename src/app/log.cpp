#include "app/log.h"

#include "base/file.h"
#include "tlog/check.h"

namespace maquette::app {

LogAnswer verify_log(const LogQuestion& question) {
  const bool one_entry = !question.proof.empty();
  if (question.folder.empty() != one_entry || question.entry.empty() == one_entry ||
      (one_entry && question.older))
    throw Error(ErrorCode::usage, "name the folder of a log, or --proof with --entry");
  const tlog::Answer answer = one_entry ? tlog::check_proof(question.proof, question.entry, question.keys)
                                        : tlog::check_folder(question.folder, question.keys, question.older);
  return {.facts = {answer.json, answer.lines}, .holds = answer.holds};
}

Facts prove_log_entry(const LogQuestion& log, uint64_t index, const std::filesystem::path& out) {
  const tlog::ProvenEntry proven = tlog::prove_entry(log.folder, index, log.keys);
  const std::filesystem::path entry = std::filesystem::path(out).replace_extension(".entry");
  if (entry == out)
    throw Error(ErrorCode::usage, "the proof cannot be called as its entry").with("found", out.string());
  write_file_atomically(entry, proven.entry);
  write_file_atomically(out, proven.proof.text());
  return {.json = {{"index", index}, {"proof", out.string()}, {"entry", entry.string()}},
          .lines = {fmt::format("proof  {}", out.string()), fmt::format("entry  {}", entry.string())}};
}

}  // namespace maquette::app

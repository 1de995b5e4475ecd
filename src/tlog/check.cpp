#include "tlog/check.h"

#include "base/text.h"
#include "tlog/verify_folder.h"

namespace maquette::tlog {

namespace {

std::vector<VerifierKey> parse_keys(std::span<const std::string> texts) {
  std::vector<VerifierKey> keys;
  for (const std::string& text : texts) {
    Result<VerifierKey> key = parse_verifier_key(trim(text));
    if (!key) {
      Error error(ErrorCode::usage, "{}", key.error().what());
      for (const auto& [field, value] : key.error().fields()) error.with(field, value);
      throw error.hint("the studio publishes its log's key as one line; quote it as it is");
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

void add_problem(Answer& answer, const Error& problem) {
  answer.json["problems"].push_back(to_json(problem));
  for (const std::string& line : split(problem.message(), '\n')) answer.lines.push_back(line);
}

void add_checkpoint(Answer& answer, const SignedCheckpoint& opened) {
  const Checkpoint& checkpoint = opened.checkpoint;
  answer.json["origin"] = checkpoint.origin;
  answer.json["entries"] = checkpoint.size;
  answer.json["root"] = base64_of(checkpoint.root);
  answer.json["signers"] = opened.signers;
  answer.json["unknown_signatures"] = opened.unknown_signatures;
  answer.lines.push_back(fmt::format("log        {}", checkpoint.origin));
  answer.lines.push_back(fmt::format("entries    {}", checkpoint.size));
  answer.lines.push_back(fmt::format("root       {}", base64_of(checkpoint.root)));
  answer.lines.push_back(fmt::format("signed by  {}", fmt::join(opened.signers, ", ")));
  if (opened.unknown_signatures > 0)
    answer.lines.push_back(
        fmt::format("besides    {} signatures of unknown keys", opened.unknown_signatures));
}

// Such files do no harm, and say nothing.
void add_not_covered(Answer& answer, const std::vector<std::string>& files) {
  constexpr size_t kShown = 10;
  answer.json["not_covered"] = files;
  for (size_t i = 0; i < files.size() && i < kShown; ++i) answer.lines.push_back("unchecked  " + files[i]);
  if (files.size() > kShown)
    answer.lines.push_back(fmt::format("unchecked  {} files more", files.size() - kShown));
}

// A file that the caller named: missing is his mistake, not the log's.
std::string read_named_file(const fs::path& path, size_t limit) { return read_text_file(path, limit).take(); }

}  // namespace

Answer check_folder(const fs::path& folder, std::span<const std::string> keys,
                    const std::optional<fs::path>& older) {
  std::optional<std::string> older_note;
  if (older) older_note = read_named_file(*older, kMaxNoteBytes);
  const FolderReport report = verify_folder(folder, parse_keys(keys), older_note);

  Answer answer{.holds = report.holds()};
  answer.json["holds"] = report.holds();
  if (report.checkpoint) add_checkpoint(answer, *report.checkpoint);
  answer.json["files"] = report.files_checked;
  answer.lines.push_back(fmt::format("files      {} checked", report.files_checked));
  if (report.older) {
    answer.json["continues"] = report.older->size;
    answer.lines.push_back(fmt::format("continues  the older checkpoint of {} entries", report.older->size));
  }
  add_not_covered(answer, report.not_covered);
  answer.json["problems"] = Json::array();
  for (const Error& problem : report.problems) add_problem(answer, problem);
  answer.lines.emplace_back(report.holds() ? "the log holds" : "the log does not hold");
  return answer;
}

Answer check_proof(const fs::path& proof, const fs::path& entry, std::span<const std::string> keys) {
  const std::vector<VerifierKey> known = parse_keys(keys);
  const std::string entry_bytes = read_named_file(entry, kMaxEntryBytes);
  const std::string proof_bytes = read_named_file(proof, 2 * kMaxNoteBytes);
  const Result<ProofFile> parsed = parse_proof_file(proof_bytes, proof.string());
  const Result<SignedCheckpoint> opened = parsed ? verify_proof(*parsed, entry_bytes, known, proof.string())
                                                 : Result<SignedCheckpoint>(parsed.error());

  Answer answer{.holds = static_cast<bool>(opened)};
  answer.json["holds"] = answer.holds;
  if (parsed) answer.json["index"] = parsed->index;
  if (opened) {
    add_checkpoint(answer, *opened);
    answer.lines.push_back(fmt::format("entry      {} is \"{}\"", parsed->index, entry.string()));
  }
  answer.json["problems"] = Json::array();
  if (!opened) add_problem(answer, opened.error());
  answer.lines.emplace_back(answer.holds ? "the proof holds" : "the proof does not hold");
  return answer;
}

ProvenEntry prove_entry(const fs::path& folder, uint64_t index, std::span<const std::string> keys) {
  const std::vector<VerifierKey> known = parse_keys(keys);
  const SignedCheckpoint opened = read_checkpoint(folder, known).take();
  const uint64_t size = opened.checkpoint.size;
  if (index >= size) {
    throw Error(ErrorCode::not_found, "the log has no entry {}", index)
        .with("where", folder.string())
        .with("found", fmt::format("{} entries, numbered from 0", size));
  }
  TileName bundle{.kind = TileKind::entries, .index = index / kTileWidth};
  bundle.width = tile_width(bundle, size);
  ProvenEntry proven{.entry = read_bundle(folder, bundle).take()[index % kTileWidth]};
  proven.proof = {.index = index,
                  .hashes = read_tree(folder, size).take().inclusion_proof(index, size),
                  .checkpoint = opened.note};
  verify_proof(proven.proof, proven.entry, known, folder.string()).take();
  return proven;
}

}  // namespace maquette::tlog

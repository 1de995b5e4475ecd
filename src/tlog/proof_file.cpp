#include "tlog/proof_file.h"

#include "base/base64.h"

namespace maquette::tlog {

namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

// Takes a line off the front of `rest`; nothing where no newline ends it.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string ProofFile::text() const {
  std::string text = fmt::format("{}\n", kFirstLine);
  if (extra) text += fmt::format("{}{}\n", kExtra, base64(*extra));
  text += fmt::format("{}{}\n", kIndex, index);
  for (const Hash& hash : hashes) text += base64_of(hash) + "\n";
  return text + "\n" + checkpoint;
}

Result<ProofFile> parse_proof_file(std::string_view bytes, std::string_view name) {
  const auto bad = [&](std::string_view found, std::string_view expected) {
    return Error(ErrorCode::bad_file, "\"{}\" is no proof of a log", name)
        .with("found", found)
        .with("expected", expected);
  };
  if (bytes.size() > 2 * kMaxNoteBytes)
    return bad(fmt::format("{} bytes", bytes.size()), fmt::format("at most {} bytes", 2 * kMaxNoteBytes));
  std::string_view rest = bytes;
  ProofFile proof;
  std::optional<std::string_view> line = take_line(rest);
  if (line != kFirstLine) return bad("another first line", kFirstLine);

  line = take_line(rest);
  if (line && line->starts_with(kExtra)) {
    proof.extra = parse_base64(line->substr(kExtra.size()));
    if (!proof.extra) return bad("extra data that is not base64", "\"extra BASE64\"");
    line = take_line(rest);
  }
  const std::optional<uint64_t> index =
      line && line->starts_with(kIndex) ? parse_count(line->substr(kIndex.size())) : std::nullopt;
  if (!index) return bad("no index", "\"index NUMBER\"");
  proof.index = *index;

  while ((line = take_line(rest)) && !line->empty()) {
    const std::optional<Hash> hash = parse_hash(*line);
    if (!hash || proof.hashes.size() == kMaxProofHashes)
      return bad("a line that is no hash, or too many",
                 fmt::format("up to {} hashes as base64", kMaxProofHashes));
    proof.hashes.push_back(*hash);
  }
  if (!line || rest.empty()) return bad("no checkpoint", "an empty line and a checkpoint after the hashes");
  proof.checkpoint = std::string(rest);
  return proof;
}

Result<SignedCheckpoint> verify_proof(const ProofFile& proof, std::string_view entry,
                                      std::span<const VerifierKey> keys, std::string_view name) {
  Result<SignedCheckpoint> opened = open_checkpoint(proof.checkpoint, keys, name);
  if (!opened) return opened.error();
  const Checkpoint& checkpoint = opened->checkpoint;
  if (proof.index >= checkpoint.size) {
    return Error(ErrorCode::bad_file, "\"{}\" proves nothing", name)
        .with("found", fmt::format("entry {}", proof.index))
        .with("expected", fmt::format("an entry of the {} that the checkpoint names", checkpoint.size));
  }
  const InclusionClaim claim{leaf_hash(entry), proof.index, checkpoint.size, checkpoint.root};
  if (!verify_inclusion(claim, proof.hashes)) {
    return Error(ErrorCode::bad_file, "\"{}\" does not prove this entry", name)
        .with("found", fmt::format("leaf hash {}", base64_of(claim.leaf)))
        .with("expected", fmt::format("entry {} of {} with root {}", proof.index, checkpoint.origin,
                                      base64_of(checkpoint.root)))
        .hint("the entry or the proof was altered, or they do not belong together");
  }
  return opened;
}

}  // namespace maquette::tlog

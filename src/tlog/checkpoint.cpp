#include "tlog/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/base64.h"
#include "base/text.h"

namespace maquette::tlog {

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > kMaxEntries) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return count;
}

std::string base64_of(const Hash& hash) { return base64(bytes_of(hash)); }

std::optional<Hash> parse_hash(std::string_view base64) {
  const std::optional<std::string> bytes = parse_base64(base64);
  Hash hash{};
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), bytes->data(), hash.size());
  return hash;
}

std::string Checkpoint::text() const {
  std::string text = fmt::format("{}\n{}\n{}\n", origin, size, base64_of(root));
  for (const std::string& line : extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text, std::string_view name) {
  const auto bad = [&](std::string_view found, std::string_view expected) {
    return Error(ErrorCode::bad_file, "\"{}\" is no checkpoint of a log", name)
        .with("found", found)
        .with("expected", expected);
  };
  if (!text.ends_with('\n')) return bad("no line", "an origin, a size and a root, one a line");
  std::vector<std::string> lines = split(text.substr(0, text.size() - 1), '\n');
  if (lines.size() < 3 || std::ranges::any_of(lines, [](const std::string& line) { return line.empty(); }))
    return bad("fewer than three lines, or an empty one", "an origin, a size and a root, one a line");
  const std::optional<uint64_t> size = parse_count(lines[1]);
  if (!size) return bad("size " + lines[1].substr(0, 40), fmt::format("a number up to {}", kMaxEntries));
  const std::optional<Hash> root = parse_hash(lines[2]);
  if (!root) return bad("root " + lines[2].substr(0, 100), "32 bytes as base64");
  Checkpoint checkpoint{.origin = lines[0], .size = *size, .root = *root};
  checkpoint.extensions.assign(lines.begin() + 3, lines.end());
  return checkpoint;
}

Result<SignedCheckpoint> open_checkpoint(std::string_view bytes, std::span<const VerifierKey> keys,
                                         std::string_view name) {
  const Result<Note> note = parse_note(bytes, name);
  if (!note) return note.error();
  const Result<std::vector<VerifierKey>> signers = signers_of(*note, keys, name);
  if (!signers) return signers.error();
  Result<Checkpoint> checkpoint = parse_checkpoint(note->text, name);
  if (!checkpoint) return checkpoint.error();

  SignedCheckpoint result{.checkpoint = std::move(*checkpoint), .note = std::string(bytes)};
  for (const VerifierKey& key : *signers) result.signers.push_back(key.name);
  const auto is_known = [&](const NoteSignature& each) {
    return std::ranges::any_of(keys,
                               [&](const VerifierKey& k) { return k.name == each.name && k.id == each.id; });
  };
  result.unknown_signatures = note->signatures.size() - std::ranges::count_if(note->signatures, is_known);
  // A key that signs for one log must not vouch for another one.
  if (std::ranges::find(result.signers, result.checkpoint.origin) == result.signers.end()) {
    return Error(ErrorCode::bad_file, "\"{}\" is not signed by its own log", name)
        .with("found", fmt::format("signatures of {}", fmt::join(result.signers, ", ")))
        .with("expected", result.checkpoint.origin);
  }
  return result;
}

}  // namespace maquette::tlog

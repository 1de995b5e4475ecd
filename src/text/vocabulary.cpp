// Byte-level byte-pair vocabulary of GPT-2 and CLIP: every byte has a printable stand-in character (itself
// where it is printable in Latin-1, otherwise U+0100 and up in byte order), and tokens are strings of
// stand-ins.
#include "text/vocabulary.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr int kMaxTokens = 1 << 20;      // CLIP has 49,408
constexpr size_t kMaxTokenBytes = 1024;  // CLIP's longest has 27

Error damaged(std::string_view name, std::string found) {
  return Error(ErrorCode::bad_file, "cannot read the vocabulary {}", name).with("found", std::move(found));
}

uint64_t pair_key(int left, int right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

struct StandIns {
  std::array<std::string, 256> of_byte;
  std::array<int, 0x200> byte_of;        // 256 where there is none
  std::array<unsigned char, 256> order;  // the bytes in the order of their tokens: printable ones first
};

StandIns make_stand_ins() {
  StandIns table;
  table.byte_of.fill(256);
  const auto printable = [](int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
  };
  size_t place = 0;
  char32_t next = 0x100;
  for (const bool wanted : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      if (printable(byte) != wanted) continue;
      const char32_t character = wanted ? static_cast<char32_t>(byte) : next++;
      append_utf8(table.of_byte[static_cast<size_t>(byte)], character);
      table.byte_of[character] = byte;
      table.order[place++] = static_cast<unsigned char>(byte);
    }
  }
  return table;
}

const StandIns& stand_ins() {
  static const StandIns table = make_stand_ins();
  return table;
}

}  // namespace

std::string_view stand_in(unsigned char byte) { return stand_ins().of_byte[byte]; }

int byte_of_stand_in(char32_t character) {
  return character < stand_ins().byte_of.size() ? stand_ins().byte_of[character] : 256;
}

std::optional<int> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional<int>(found->second);
}

std::string_view Vocabulary::token(int id) const {
  return id < 0 || id >= size() ? std::string_view() : std::string_view(tokens_[static_cast<size_t>(id)]);
}

std::optional<Vocabulary::Merge> Vocabulary::merge(int left, int right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? std::nullopt : std::optional<Merge>(found->second);
}

Result<Vocabulary> Vocabulary::from_parts(const VocabularyParts& parts, std::string_view name) {
  // Give every token its place, each place at most once.
  int highest = -1;
  for (const auto& [token, id] : parts.tokens) {
    if (id < 0 || id >= kMaxTokens) return damaged(name, fmt::format("token number {}", id));
    if (token.empty() || token.size() > kMaxTokenBytes) {
      return damaged(name, fmt::format("a token of {} bytes", token.size()));
    }
    highest = std::max(highest, id);
  }
  Vocabulary vocabulary;
  vocabulary.tokens_.resize(static_cast<size_t>(highest + 1));
  for (const auto& [token, id] : parts.tokens) {
    std::string& place = vocabulary.tokens_[static_cast<size_t>(id)];
    if (!place.empty()) return damaged(name, fmt::format("two tokens with the number {}", id));
    place = token;
  }

  // Beyond this point the tokens stay where they are, so that views of them can be the keys.
  vocabulary.ids_.reserve(parts.tokens.size());
  for (const auto& [token, id] : parts.tokens) {
    const std::string_view key = vocabulary.tokens_[static_cast<size_t>(id)];
    if (!vocabulary.ids_.emplace(key, id).second) {
      return damaged(name, fmt::format("the token \"{}\" twice", to_valid_utf8(token)));
    }
  }
  for (const std::string_view mark : {kStartOfText, kEndOfText}) {
    if (!vocabulary.find(mark)) return damaged(name, fmt::format("no token {}", mark));
  }

  vocabulary.merges_.reserve(parts.merges.size());
  std::string joined;
  for (size_t rank = 0; rank < parts.merges.size(); ++rank) {
    const auto& [left, right] = parts.merges[rank];
    joined.assign(left).append(right);
    const std::optional<int> left_id = vocabulary.find(left);
    const std::optional<int> right_id = vocabulary.find(right);
    const std::optional<int> joined_id = vocabulary.find(joined);
    if (!left_id || !right_id || !joined_id) {
      return damaged(name,
                     fmt::format("a merge of \"{}\" and \"{}\"", to_valid_utf8(left), to_valid_utf8(right)))
          .with("expected", "both and what they make among the tokens");
    }
    vocabulary.merges_.insert_or_assign(pair_key(*left_id, *right_id),
                                        Merge{static_cast<int>(rank), *joined_id});
  }
  return vocabulary;
}

Result<Vocabulary> Vocabulary::from_merges(std::string_view merges_text, std::string_view name) {
  Result<std::vector<std::pair<std::string, std::string>>> merges = read_merges(merges_text, name);
  if (!merges) return merges.error();

  VocabularyParts parts;
  parts.merges = std::move(*merges);
  parts.tokens.reserve(parts.merges.size() + 514);
  const auto add = [&](std::string token) {
    parts.tokens.emplace_back(std::move(token), static_cast<int>(parts.tokens.size()));
  };
  for (const std::string_view suffix : {std::string_view(), kEndOfWord}) {
    for (const unsigned char byte : stand_ins().order) add(std::string(stand_in(byte)).append(suffix));
  }
  for (const auto& [left, right] : parts.merges) add(left + right);
  for (const std::string_view mark : {kStartOfText, kEndOfText}) add(std::string(mark));
  return from_parts(parts, name);
}

Result<std::vector<std::pair<std::string, std::string>>> read_merges(std::string_view text,
                                                                     std::string_view name) {
  std::vector<std::pair<std::string, std::string>> merges;
  int line_number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;

    const size_t space = line.find(' ');
    const bool two_tokens = space != std::string_view::npos && space > 0 && space + 1 < line.size() &&
                            line.find(' ', space + 1) == std::string_view::npos;
    if (!two_tokens || line.size() > kMaxTokenBytes) {
      return damaged(name, fmt::format("line {}: \"{}\"", line_number, to_valid_utf8(line.substr(0, 60))))
          .with("expected", "two tokens with a space between them");
    }
    if (merges.size() >= kMaxTokens) return damaged(name, fmt::format("more than {} merges", kMaxTokens));
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

}  // namespace maquette::text

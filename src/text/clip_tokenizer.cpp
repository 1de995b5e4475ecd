// CLIP's byte-pair encoding (Radford et al. 2021, after Sennrich et al. 2016), in the steps of the
// "tokenizers" library: added tokens are cut out of the raw text; what lies between is normalised; added
// tokens that ask for it are cut out of the normalised text; the rest is split into words, and in each word
// the adjacent pair of lowest rank is merged, the leftmost first, until no pair of the merge list is left.
#include "text/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>

#include "text/clip_split.h"
#include "text/embedded_merges.h"
#include "text/unicode.h"

namespace maquette::text {

// The words of one kind (looked for in raw, or in normalised text), with the leftmost-longest rule.
class WordFinder {
 public:
  void add(std::string word, int id) {
    if (word.empty()) return;
    lengths_[word.size()] = true;
    starts_[static_cast<unsigned char>(word[0])] = true;
    ids_.insert_or_assign(std::move(word), id);
  }

  // Calls `between` for each stretch of other text (never empty) and `found` for each word, in order.
  void walk(std::string_view text, const std::function<void(std::string_view)>& between,
            const std::function<void(int)>& found) const {
    size_t begin = 0;
    for (size_t i = 0; i < text.size() && !ids_.empty();) {
      const auto [length, id] = longest_at(text, i);
      if (length == 0) {
        ++i;
        continue;
      }
      if (i > begin) between(text.substr(begin, i - begin));
      found(id);
      i += length;
      begin = i;
    }
    if (begin < text.size()) between(text.substr(begin));
  }

 private:
  std::pair<size_t, int> longest_at(std::string_view text, size_t position) const {
    if (!starts_[static_cast<unsigned char>(text[position])]) return {0, 0};
    for (const auto& [length, used] : lengths_) {
      if (position + length > text.size()) continue;
      const auto entry = ids_.find(std::string(text.substr(position, length)));
      if (entry != ids_.end()) return {length, entry->second};
    }
    return {0, 0};
  }

  std::unordered_map<std::string, int> ids_;
  std::map<size_t, bool, std::greater<>> lengths_;  // the longest first
  std::array<bool, 256> starts_{};                  // first bytes of words
};

class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
    for (const AddedToken& token : tokens_) {
      std::string shown = token.normalized ? normalize(to_valid_utf8(token.content)) : token.content;
      (token.normalized ? normalized_ : raw_).add(shown, token.id);
      by_id_.insert_or_assign(token.id, Shown{std::move(shown), token.special});
    }
  }

  // A token as decoded text shows it.
  struct Shown {
    std::string text;
    bool special;
  };

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const WordFinder& raw() const { return raw_; }
  const WordFinder& normalized() const { return normalized_; }
  const Shown* find(int id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<AddedToken> tokens_;
  WordFinder raw_;
  WordFinder normalized_;
  std::unordered_map<int, Shown> by_id_;
};

namespace {

// Merges the symbols of one word. `symbols` are token numbers; the merged ones are appended to `out`.
void merge_symbols(const Vocabulary& vocabulary, std::vector<int> symbols, std::vector<int>& out) {
  struct Link {
    size_t previous;
    size_t next;
  };
  struct Candidate {
    int rank;
    size_t position;
    int token;
    bool operator>(const Candidate& other) const {
      return std::tie(rank, position) > std::tie(other.rank, other.position);
    }
  };
  constexpr size_t kNone = static_cast<size_t>(-1);
  constexpr int kGone = -1;

  // The symbols form a list, so that a merge is one unlinking; every mergeable pair waits in a queue.
  std::vector<Link> links(symbols.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](size_t left) {
    if (left == kNone || links[left].next == kNone) return;
    const auto merge = vocabulary.merge(symbols[left], symbols[links[left].next]);
    if (merge) queue.push({merge->rank, left, merge->token});
  };
  for (size_t i = 0; i < symbols.size(); ++i) {
    links[i] = {i == 0 ? kNone : i - 1, i + 1 == symbols.size() ? kNone : i + 1};
  }
  for (size_t i = 0; i + 1 < symbols.size(); ++i) offer(i);

  // Take the best pair; skip it where one of its halves has meanwhile become part of something else.
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const size_t left = best.position;
    if (symbols[left] == kGone || links[left].next == kNone) continue;
    const size_t right = links[left].next;
    const auto merge = vocabulary.merge(symbols[left], symbols[right]);
    if (!merge || merge->token != best.token) continue;

    symbols[left] = best.token;
    symbols[right] = kGone;
    links[left].next = links[right].next;
    if (links[right].next != kNone) links[links[right].next].previous = left;
    offer(links[left].previous);
    offer(left);
  }
  for (const int symbol : symbols) {
    if (symbol != kGone) out.push_back(symbol);
  }
}

// The text with a space for every mark of the end of a word.
std::string with_spaces(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const size_t mark = text.find(kEndOfWord);
    out.append(text.substr(0, mark));
    if (mark == std::string_view::npos) return out;
    out.push_back(' ');
    text.remove_prefix(mark + kEndOfWord.size());
  }
}

std::string_view strip_spaces(std::string_view text) {
  size_t first = text.size();
  size_t last = 0;
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    if (!is_python_space(c.character)) {
      first = std::min(first, i);
      last = i + c.length;
    }
    i += c.length;
  }
  return first < last ? text.substr(first, last - first) : std::string_view();
}

}  // namespace

ClipTokenizer::ClipTokenizer(std::shared_ptr<const Vocabulary> vocabulary, SpecialIds special,
                             std::span<const AddedToken> added)
    : vocabulary_(std::move(vocabulary)),
      added_(std::make_shared<AddedTokens>(std::vector<AddedToken>(added.begin(), added.end()))),
      special_(special) {}

const ClipTokenizer& ClipTokenizer::standard() {
  static const ClipTokenizer tokenizer = [] {
    const auto vocabulary = std::make_shared<const Vocabulary>(
        Vocabulary::from_merges(embedded_merges(), "of the program").take());
    const int bos = vocabulary->find(kStartOfText).value();
    const int eos = vocabulary->find(kEndOfText).value();
    return ClipTokenizer(vocabulary, {.bos = bos, .eos = eos, .unknown = eos, .pad = eos}, {})
        .without_added_tokens();
  }();
  return tokenizer;
}

ClipTokenizer ClipTokenizer::with_added_tokens(std::span<const AddedToken> more) const {
  std::vector<AddedToken> all = added_->tokens();
  all.insert(all.end(), more.begin(), more.end());
  return ClipTokenizer(vocabulary_, special_, all);
}

ClipTokenizer ClipTokenizer::without_added_tokens() const {
  const std::vector<AddedToken> marks = {
      {.content = std::string(vocabulary_->token(special_.bos)), .id = special_.bos},
      {.content = std::string(vocabulary_->token(special_.eos)), .id = special_.eos}};
  return ClipTokenizer(vocabulary_, special_, marks);
}

int ClipTokenizer::vocabulary_size() const {
  int size = vocabulary_->size();
  for (const AddedToken& token : added_->tokens()) size = std::max(size, token.id + 1);
  return size;
}

std::vector<int> ClipTokenizer::encode(std::string_view text) const {
  const std::string valid = to_valid_utf8(text);
  std::vector<int> ids;
  added_->raw().walk(
      valid, [&](std::string_view between) { encode_normalized(normalize(between), ids); },
      [&](int id) { ids.push_back(id); });
  return ids;
}

void ClipTokenizer::encode_normalized(std::string_view text, std::vector<int>& ids) const {
  added_->normalized().walk(
      text,
      [&](std::string_view between) {
        for (const std::string_view word : split_words(between)) encode_word(word, ids);
      },
      [&](int id) { ids.push_back(id); });
}

void ClipTokenizer::encode_word(std::string_view bytes, std::vector<int>& ids) const {
  std::vector<int> symbols;
  symbols.reserve(bytes.size());
  std::string token;
  for (size_t i = 0; i < bytes.size(); ++i) {
    token.assign(stand_in(static_cast<unsigned char>(bytes[i])));
    if (i + 1 == bytes.size()) token.append(kEndOfWord);
    symbols.push_back(vocabulary_->find(token).value_or(special_.unknown));
  }
  merge_symbols(*vocabulary_, std::move(symbols), ids);
}

std::string ClipTokenizer::decode(std::span<const int> ids, bool skip_special) const {
  // Undo the stand-ins token by token; a token with any other character in it stands for itself.
  std::string bytes;
  std::string token_bytes;
  for (const int id : ids) {
    const AddedTokens::Shown* added = added_->find(id);
    if (added && added->special && skip_special) continue;
    const std::string_view token = added ? std::string_view(added->text) : vocabulary_->token(id);
    token_bytes.clear();
    bool all_stand_ins = true;
    for (size_t i = 0; i < token.size() && all_stand_ins;) {
      const DecodedCharacter c = decode_utf8(token, i);
      const int byte = byte_of_stand_in(c.character);
      all_stand_ins = byte < 256;
      token_bytes.push_back(static_cast<char>(byte));
      i += c.length;
    }
    bytes.append(all_stand_ins ? std::string_view(token_bytes) : token);
  }
  return std::string(strip_spaces(with_spaces(to_valid_utf8(bytes))));
}

}  // namespace maquette::text

// The a1111 dialect, stage by stage, from its documented behaviour:
//   comments (# to the end of the line) go; <kind:...> tags are taken out; AND splits the text into parts,
//   each with a weight after its last colon; prompt editing turns a part into a schedule of texts; emphasis
//   gives each text its weights; the tokens are dealt into chunks.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "text/a1111_emphasis.h"
#include "text/a1111_schedule.h"
#include "text/dialects.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr size_t kCommaBacktrack = 20;          // tokens after a comma that may move to the next chunk
constexpr size_t kMaxTokens = size_t{1} << 22;  // of all the variants of a prompt

std::string without_comments(std::string_view text, std::vector<std::string>& warnings) {
  if (text.find('#') == std::string_view::npos) return std::string(text);
  warnings.push_back("text from # to the end of the line is a comment and is not used");
  std::string out;
  bool comment = false;
  for (const char c : text) {
    if (c == '\n') comment = false;
    if (c == '#') comment = true;
    if (!comment) out.push_back(c);
  }
  return out;
}

// ---- <kind:argument:argument>
// ------------------------------------------------------------------------------

ExtraNetwork read_extra_network(std::string_view kind, std::string_view arguments) {
  ExtraNetwork network{.kind = std::string(kind), .positional = {}, .named = {}};
  for (std::string& argument : split(arguments, ':')) {
    const size_t equals = argument.find('=');
    if (equals != std::string::npos && argument.find('=', equals + 1) == std::string::npos) {
      network.named.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
    } else {
      network.positional.push_back(std::move(argument));
    }
  }
  return network;
}

// Bytes of the run of word characters at `position`.
size_t word_length(std::string_view text, size_t position) {
  size_t end = position;
  while (end < text.size()) {
    const DecodedCharacter c = decode_utf8(text, end);
    if (!is_word_character(c.character)) break;
    end += c.length;
  }
  return end - position;
}

std::string without_extra_networks(std::string_view text, std::vector<ExtraNetwork>& networks) {
  std::string out;
  while (true) {
    const size_t open = text.find('<');
    out.append(text.substr(0, open));
    if (open == std::string_view::npos) return out;
    text.remove_prefix(open);
    const size_t kind = word_length(text, 1);
    const size_t close = text.find('>');
    if (close == std::string_view::npos) return out.append(text);
    const size_t arguments = 1 + kind + 1;
    if (kind > 0 && text[1 + kind] == ':' && close > arguments) {
      networks.push_back(read_extra_network(text.substr(1, kind), text.substr(arguments, close - arguments)));
      text.remove_prefix(close + 1);
    } else {
      out.push_back('<');
      text.remove_prefix(1);
    }
  }
}

// ---- AND
// ---------------------------------------------------------------------------------------------------

struct WeightedPart {
  std::string_view text;
  double weight = 1.0;
};

std::string_view strip_end(std::string_view text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    i += c.length;
    if (!is_python_space(c.character)) end = i;
  }
  return text.substr(0, end);
}

// "a cat :1.2" is "a cat" with weight 1.2: digits, at most one point, an optional sign, nothing else.
WeightedPart read_part(std::string_view text) {
  const std::string_view stripped = strip_end(text);
  const size_t colon = stripped.rfind(':');
  if (colon == std::string_view::npos) return {stripped};
  std::string_view number = stripped.substr(colon + 1);
  while (!number.empty()) {
    const DecodedCharacter c = decode_utf8(number, 0);
    if (!is_python_space(c.character)) break;
    number.remove_prefix(c.length);
  }
  if (number.find_first_not_of("0123456789.", number.starts_with('+') || number.starts_with('-') ? 1 : 0) !=
      std::string_view::npos) {
    return {stripped};
  }
  if (number.starts_with('+')) number.remove_prefix(1);
  const std::optional<double> weight = parse_double(number);
  return weight ? WeightedPart{strip_end(stripped.substr(0, colon)), *weight} : WeightedPart{stripped};
}

std::vector<WeightedPart> split_at_and(std::string_view text) {
  constexpr std::string_view kAnd = "AND";
  std::vector<WeightedPart> parts;
  size_t begin = 0;
  for (const size_t position : find_word(text, kAnd)) {
    parts.push_back(read_part(text.substr(begin, position - begin)));
    begin = position + kAnd.size();
  }
  parts.push_back(read_part(text.substr(begin)));
  return parts;
}

// ---- tokens and chunks
// -------------------------------------------------------------------------------------

// Textual inversions are recognised by the tokens of their names, the longest name first.
class EmbeddingFinder {
 public:
  EmbeddingFinder(const ClipTokenizer& tokenizer, std::span<const EmbeddingName> embeddings) {
    for (size_t i = 0; i < embeddings.size(); ++i) {
      std::vector<int> ids = tokenizer.encode(embeddings[i].name);
      if (ids.empty()) continue;
      std::vector<Entry>& entries = by_first_[ids[0]];
      entries.push_back({std::move(ids), static_cast<int>(i)});
      std::stable_sort(entries.begin(), entries.end(),
                       [](const Entry& a, const Entry& b) { return a.ids.size() > b.ids.size(); });
    }
  }

  struct Found {
    int embedding;
    size_t length;  // in tokens of the text
  };
  std::optional<Found> at(std::span<const int> ids, size_t position) const {
    const auto entries = by_first_.find(ids[position]);
    if (entries == by_first_.end()) return std::nullopt;
    const std::span<const int> rest = ids.subspan(position);
    for (const Entry& entry : entries->second) {
      if (entry.ids.size() <= rest.size() && std::equal(entry.ids.begin(), entry.ids.end(), rest.begin())) {
        return Found{entry.embedding, entry.ids.size()};
      }
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    std::vector<int> ids;
    int embedding;
  };
  std::unordered_map<int, std::vector<Entry>> by_first_;
};

// Deals the tokens of one text into chunks.
class ChunkDealer {
 public:
  ChunkDealer(const ClipTokenizer& tokenizer, const EmbeddingFinder& finder, const PromptOptions& options)
      : tokenizer_(tokenizer),
        finder_(finder),
        options_(options),
        length_(static_cast<size_t>(options.chunk_length)),
        comma_(tokenizer.vocabulary().find(",</w>")) {}

  std::vector<Chunk> deal(const std::vector<WeightedText>& texts) {
    for (const WeightedText& text : texts) {
      if (text.chunk_break) {
        next_chunk();
      } else {
        add(tokenizer_.encode(text.text), token_weight(text.weight));
      }
    }
    if (!chunk_.tokens.empty() || chunks_.empty()) next_chunk();
    return std::move(chunks_);
  }

 private:
  void add(std::span<const int> ids, float weight) {
    for (size_t i = 0; i < ids.size();) {
      // A full chunk gives up what follows its last comma, so that a phrase is not torn apart.
      if (comma_ && ids[i] == *comma_) {
        after_comma_ = chunk_.tokens.size() + 1;
      } else if (full() && after_comma_ > 0 && length_ - (after_comma_ - 1) <= kCommaBacktrack) {
        Chunk moved;
        moved.tokens.assign(chunk_.tokens.begin() + static_cast<std::ptrdiff_t>(after_comma_),
                            chunk_.tokens.end());
        chunk_.tokens.resize(after_comma_);
        next_chunk();
        chunk_ = std::move(moved);
      }
      if (full()) next_chunk();

      const std::optional<EmbeddingFinder::Found> found = finder_.at(ids, i);
      if (found) {
        add_embedding(found->embedding, weight);
        i += found->length;
      } else {
        chunk_.tokens.push_back({.id = ids[i], .weight = weight});
        ++i;
      }
    }
  }

  // The vectors of one embedding stay in one chunk.
  void add_embedding(int embedding, float weight) {
    const EmbeddingName& name = options_.embeddings[static_cast<size_t>(embedding)];
    const size_t vectors = static_cast<size_t>(name.vectors);
    if (vectors > length_) {
      throw Error(ErrorCode::usage, "the embedding \"{}\" does not fit in a chunk", name.name)
          .with("found", fmt::format("{} vectors", vectors))
          .with("expected", fmt::format("at most {}", length_));
    }
    if (chunk_.tokens.size() + vectors > length_) next_chunk();
    for (int row = 0; row < name.vectors; ++row) {
      chunk_.tokens.push_back({.id = 0, .weight = weight, .embedding = embedding, .row = row});
    }
  }

  bool full() const { return chunk_.tokens.size() == length_; }
  void next_chunk() {
    chunks_.push_back(std::exchange(chunk_, {}));
    after_comma_ = 0;
  }

  const ClipTokenizer& tokenizer_;
  const EmbeddingFinder& finder_;
  const PromptOptions& options_;
  size_t length_;
  std::optional<int> comma_;
  std::vector<Chunk> chunks_;
  Chunk chunk_;
  size_t after_comma_ = 0;  // place after the last comma of the chunk; 0 where there is none
};

class A1111Reader {
 public:
  A1111Reader(const ClipTokenizer& tokenizer, const PromptOptions& options)
      : tokenizer_(tokenizer), options_(options), finder_(tokenizer, options.embeddings) {}

  ParsedPrompt read(std::string_view text) {
    std::string rest = without_comments(text, prompt_.warnings);
    if (!options_.negative) rest = without_extra_networks(rest, prompt_.extra_networks);
    if (options_.negative) {
      prompt_.parts.push_back(read_part_schedule({rest}));
    } else {
      for (const WeightedPart& part : split_at_and(rest)) prompt_.parts.push_back(read_part_schedule(part));
    }
    warn_of_surprises(rest);
    return std::move(prompt_);
  }

 private:
  // Every distinct text of the schedule is tokenised once.
  PromptPart read_part_schedule(const WeightedPart& source) {
    PromptPart part{.weight = source.weight, .variants = {}, .schedule = {}};
    const Schedule schedule = read_schedule(source.text, {options_.steps, options_.first_pass_steps});
    if (schedule.unreadable && source.text.find('[') != std::string_view::npos) {
      prompt_.warnings.push_back(
          "brackets of the prompt are not read as prompt editing: a | outside of [a|b], or a \\ at the end "
          "of a line");
    }
    std::map<std::string_view, size_t> known;
    for (const ScheduledText& entry : schedule.texts) {
      const auto [place, added] = known.emplace(entry.text, part.variants.size());
      if (added) part.variants.push_back({entry.text, read_chunks(entry.text)});
      part.schedule.push_back({entry.until_step, place->second});
    }

    // The variants are encoded together, so the shorter ones end with empty chunks.
    size_t longest = 0;
    for (const PromptVariant& variant : part.variants) longest = std::max(longest, variant.chunks.size());
    for (PromptVariant& variant : part.variants) variant.chunks.resize(longest);
    return part;
  }

  std::vector<Chunk> read_chunks(std::string_view text) {
    std::vector<Chunk> chunks =
        ChunkDealer(tokenizer_, finder_, options_).deal(read_emphasis(text, prompt_.warnings));
    for (const Chunk& chunk : chunks) tokens_ += chunk.tokens.size() + 1;
    if (tokens_ > kMaxTokens) {
      throw Error(ErrorCode::usage, "the prompt has too many tokens over all its steps")
          .hint("write a shorter prompt, or fewer steps");
    }
    return chunks;
  }

  void warn_of_surprises(std::string_view text) {
    if (prompt_.parts.size() == 1 && prompt_.parts[0].weight != 1.0) {
      prompt_.warnings.push_back(fmt::format("the number at the end of the prompt is taken as its weight: {}",
                                             prompt_.parts[0].weight));
    }
    if (options_.negative && text.find("<lora:") != std::string_view::npos) {
      prompt_.warnings.push_back("<lora:...> in a negative prompt is read as text");
    }
    std::vector<std::string> distinct;
    for (std::string& warning : prompt_.warnings) {
      if (std::find(distinct.begin(), distinct.end(), warning) == distinct.end())
        distinct.push_back(std::move(warning));
    }
    prompt_.warnings = std::move(distinct);
  }

  const ClipTokenizer& tokenizer_;
  const PromptOptions& options_;
  EmbeddingFinder finder_;
  ParsedPrompt prompt_;
  size_t tokens_ = 0;
};

}  // namespace

std::vector<ExtraNetwork> extra_networks_of(std::string_view prompt) {
  std::vector<ExtraNetwork> networks;
  std::vector<std::string> warnings;
  without_extra_networks(without_comments(to_valid_utf8(prompt), warnings), networks);
  return networks;
}

ParsedPrompt parse_a1111(std::string_view text, const ClipTokenizer& tokenizer,
                         const PromptOptions& options) {
  return A1111Reader(tokenizer, options).read(text);
}

}  // namespace maquette::text

// The comfy dialect, from the behaviour of ComfyUI's text encoder (2025 and later): bare parentheses multiply
// the weight around them by 1.1, and (x:1.3) sets it to the number whatever is around; \( and \) are
// characters. After white space, embedding:name stands for a textual inversion up to the next white space,
// "<" or "[". Everything between two changes of weight is one run of tokens. A run of 8 tokens or more may be
// cut at the end of a chunk; a shorter one, and an embedding of fewer than 8 vectors, moves to the next chunk
// whole.
#include <algorithm>

#include "base/text.h"
#include "text/dialects.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr double kEmphasis = 1.1;
constexpr size_t kCuttableRun = 8;
constexpr int kMaxNesting = 256;
constexpr std::string_view kEmbedding = "embedding:";
// Escaped parentheses, while the real ones are looked for.
constexpr std::string_view kEscapedClose{"\0\1", 2};
constexpr std::string_view kEscapedOpen{"\0\2", 2};

struct Segment {
  std::string text;
  double weight;
};

std::string escape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    if (text[i] == '\\' && (next == '(' || next == ')')) {
      out.append(next == '(' ? kEscapedOpen : kEscapedClose);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view pair = text.substr(i, 2);
    if (pair == kEscapedOpen || pair == kEscapedClose) {
      out.push_back(pair == kEscapedOpen ? '(' : ')');
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Cuts at the outermost parentheses, which stay with their contents. A closing one too many makes the level
// negative, and everything after it is text until the level is back at 0 by way of another closing one.
std::vector<std::string_view> split_at_parentheses(std::string_view text) {
  std::vector<std::string_view> items;
  size_t begin = 0;
  int level = 0;
  const auto cut = [&](size_t end) {
    if (end > begin) items.push_back(text.substr(begin, end - begin));
    begin = end;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') {
      if (level == 0) cut(i);
      ++level;
    } else if (text[i] == ')') {
      --level;
      if (level == 0) cut(i + 1);
    }
  }
  cut(text.size());
  return items;
}

class ComfyReader {
 public:
  ComfyReader(const ClipTokenizer& tokenizer, const PromptOptions& options)
      : tokenizer_(tokenizer), options_(options), length_(static_cast<size_t>(options.chunk_length)) {}

  ParsedPrompt read(std::string_view text) {
    read_weights(escape(text), 1.0, 0);
    for (const Segment& segment : segments_)
      read_segment(unescape(segment.text), token_weight(segment.weight));
    chunks_.push_back(std::move(chunk_));
    ParsedPrompt prompt;
    prompt.warnings = std::move(warnings_);
    prompt.parts.push_back({.weight = 1.0,
                            .variants = {{.text = std::string(text), .chunks = std::move(chunks_)}},
                            .schedule = {{options_.steps, 0}}});
    return prompt;
  }

 private:
  void read_weights(std::string_view text, double weight, int depth) {
    if (depth > kMaxNesting) {
      throw Error(ErrorCode::usage, "brackets of the prompt are nested deeper than {}", kMaxNesting);
    }
    for (const std::string_view item : split_at_parentheses(text)) {
      if (item.size() < 2 || !item.starts_with('(') || !item.ends_with(')')) {
        segments_.push_back({std::string(item), weight});
        continue;
      }
      std::string_view inside = item.substr(1, item.size() - 2);
      double inner = weight * kEmphasis;
      const size_t colon = inside.rfind(':');
      if (colon != std::string_view::npos && colon > 0) {
        const std::string_view number = trim(inside.substr(colon + 1));
        const std::optional<double> given = parse_double(number.starts_with('+') ? number.substr(1) : number);
        if (given) {
          inner = *given;
          inside = inside.substr(0, colon);
        }
      }
      read_weights(inside, inner, depth + 1);
    }
  }

  // Cuts before each "embedding:" that follows white space.
  void read_segment(std::string_view text, float weight) {
    size_t begin = 0;
    for (size_t at = text.find(kEmbedding); at != std::string_view::npos;
         at = text.find(kEmbedding, at + 1)) {
      if (at == 0 || !space_before(text, at)) continue;
      read_words(text.substr(begin, at - begin), weight);
      begin = at;
    }
    read_words(text.substr(begin), weight);
  }

  static bool space_before(std::string_view text, size_t position) {
    size_t start = position - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    return is_python_space(decode_utf8(text, start).character);
  }

  void read_words(std::string_view text, float weight) {
    if (!text.starts_with(kEmbedding)) {
      add_text(text, weight);
      return;
    }
    add_text(read_embedding(text.substr(kEmbedding.size()), weight), weight);
  }

  // Adds the embedding that `text` begins with, and returns what is left as text.
  std::string read_embedding(std::string_view text, float weight) {
    std::vector<std::string> words = split_at_spaces(text);
    if (words.empty()) {
      warnings_.push_back("embedding: without a name");
      return "";
    }
    std::string name = words[0];
    std::string left;
    const size_t bracket = name.find_first_of("<[");
    if (bracket != std::string::npos) {
      left = name.substr(bracket);
      name.resize(bracket);
    }
    for (size_t i = 1; i < words.size(); ++i) left.append(left.empty() ? "" : " ").append(words[i]);

    // A name with commas at its ends is tried without them.
    std::optional<int> embedding = find(name);
    const size_t first = name.find_first_not_of(',');
    if (!embedding && first != std::string::npos) {
      const std::string stripped = name.substr(first, name.find_last_not_of(',') + 1 - first);
      if (stripped.size() < name.size()) {
        embedding = find(stripped);
        left = name.substr(stripped.size()) + " " + left;
      }
    }
    if (!embedding) {
      warnings_.push_back(fmt::format("no embedding \"{}\": it is left out", name));
      return left;
    }
    std::vector<PromptToken> run;
    for (int row = 0; row < options_.embeddings[static_cast<size_t>(*embedding)].vectors; ++row) {
      run.push_back({.id = 0, .weight = weight, .embedding = *embedding, .row = row});
    }
    deal(run);
    return left;
  }

  static std::vector<std::string> split_at_spaces(std::string_view text) {
    std::vector<std::string> words;
    bool inside = false;
    for (size_t i = 0; i < text.size();) {
      const DecodedCharacter c = decode_utf8(text, i);
      const bool space = is_python_space(c.character);
      if (!space && !inside) words.emplace_back();
      if (!space) words.back().append(text.substr(i, c.length));
      inside = !space;
      i += c.length;
    }
    return words;
  }

  // Names are those of files; the extension may be left out.
  std::optional<int> find(std::string_view name) const {
    for (const std::string_view extension : {"", ".safetensors", ".pt", ".bin"}) {
      for (size_t i = 0; i < options_.embeddings.size(); ++i) {
        const std::string_view file = options_.embeddings[i].name;
        const bool long_name = file.size() == name.size() + extension.size() && file.starts_with(name) &&
                               file.ends_with(extension);
        const bool short_name = name.size() == file.size() + extension.size() && name.starts_with(file) &&
                                name.ends_with(extension);
        if (long_name || short_name) return static_cast<int>(i);
      }
    }
    return std::nullopt;
  }

  void add_text(std::string_view text, float weight) {
    std::vector<PromptToken> run;
    for (const int id : tokenizer_.encode(text)) run.push_back({.id = id, .weight = weight});
    deal(run);
  }

  void deal(std::span<const PromptToken> run) {
    const bool cuttable = run.size() >= kCuttableRun;
    while (!run.empty()) {
      const size_t room = length_ - chunk_.tokens.size();
      const size_t fitting = run.size() <= room ? run.size() : cuttable || chunk_.tokens.empty() ? room : 0;
      chunk_.tokens.insert(chunk_.tokens.end(), run.begin(),
                           run.begin() + static_cast<std::ptrdiff_t>(fitting));
      run = run.subspan(fitting);
      if (!run.empty()) chunks_.push_back(std::exchange(chunk_, {}));
    }
  }

  const ClipTokenizer& tokenizer_;
  const PromptOptions& options_;
  size_t length_;
  std::vector<Segment> segments_;
  std::vector<Chunk> chunks_;
  Chunk chunk_;
  std::vector<std::string> warnings_;
};

}  // namespace

ParsedPrompt parse_comfy(std::string_view text, const ClipTokenizer& tokenizer,
                         const PromptOptions& options) {
  return ComfyReader(tokenizer, options).read(text);
}

}  // namespace maquette::text

// The diffusers dialect, from the encode_prompt of its pipelines: no weights and no brackets; one chunk;
// tokens that do not fit are cut off, and the cut text is reported. A textual inversion is an added token of
// the tokeniser; one of several vectors is written as its name followed by name_1, name_2, ..., and the name
// in the prompt is replaced by that row of names.
#include <algorithm>

#include "text/dialects.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxSpelledBytes = size_t{1} << 20;

// An added token for each vector: their numbers start where the vocabulary ends.
struct EmbeddingTokens {
  std::vector<AddedToken> tokens;
  std::vector<std::pair<int, int>> places;  // embedding and row, by number minus `first`
  int first = 0;
};

EmbeddingTokens embedding_tokens(std::span<const EmbeddingName> embeddings, int first) {
  EmbeddingTokens added{.tokens = {}, .places = {}, .first = first};
  for (size_t i = 0; i < embeddings.size(); ++i) {
    for (int row = 0; row < embeddings[i].vectors; ++row) {
      const int id = first + static_cast<int>(added.tokens.size());
      std::string name = row == 0 ? embeddings[i].name : fmt::format("{}_{}", embeddings[i].name, row);
      added.tokens.push_back({.content = std::move(name), .id = id, .normalized = true, .special = false});
      added.places.emplace_back(static_cast<int>(i), row);
    }
  }
  return added;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  while (true) {
    const size_t at = text.find(from);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    out.append(to);
    text.remove_prefix(at + from.size());
  }
}

// Writes every vector of the embeddings that the prompt names. The pipelines look the names up as the
// tokeniser shows them, in lower case, and so find only names without capitals.
std::string spell_out(std::string_view text, const ClipTokenizer& tokenizer, const EmbeddingTokens& added,
                      const PromptOptions& options, std::vector<std::string>& warnings) {
  const std::vector<int> ids = tokenizer.encode(text);
  std::string spelled(text);
  for (size_t i = 0; i < added.tokens.size(); ++i) {
    const auto [embedding, row] = added.places[i];
    const EmbeddingName& name = options.embeddings[static_cast<size_t>(embedding)];
    if (row != 0 || name.vectors == 1 || std::find(ids.begin(), ids.end(), added.tokens[i].id) == ids.end()) {
      continue;
    }
    if (normalize(to_valid_utf8(name.name)) != name.name) {
      warnings.push_back(
          fmt::format("only the first of the {} vectors of \"{}\" is used, as diffusers does with "
                      "names that are not in lower case",
                      name.vectors, name.name));
      continue;
    }
    std::string row_of_names = name.name;
    for (int vector = 1; vector < name.vectors; ++vector)
      row_of_names += fmt::format(" {}_{}", name.name, vector);
    spelled = replace_all(spelled, name.name, row_of_names);
    if (spelled.size() > kMaxSpelledBytes) {
      throw Error(ErrorCode::usage, "the prompt names embeddings of too many vectors");
    }
  }
  return spelled;
}

}  // namespace

ParsedPrompt parse_diffusers(std::string_view text, const ClipTokenizer& plain,
                             const PromptOptions& options) {
  const EmbeddingTokens added = embedding_tokens(options.embeddings, plain.vocabulary_size());
  const ClipTokenizer tokenizer = added.tokens.empty() ? plain : plain.with_added_tokens(added.tokens);
  ParsedPrompt prompt;
  std::vector<int> ids = tokenizer.encode(spell_out(text, tokenizer, added, options, prompt.warnings));
  const size_t limit = static_cast<size_t>(options.chunk_length);
  if (ids.size() > limit) {
    prompt.truncated = tokenizer.decode(std::span(ids).subspan(limit));
    prompt.warnings.push_back(fmt::format("the prompt has {} tokens and only {} are used; cut off: \"{}\"",
                                          ids.size(), limit, prompt.truncated));
    ids.resize(limit);
  }
  Chunk chunk;
  for (const int id : ids) {
    if (id < added.first || added.places.empty()) {
      chunk.tokens.push_back({.id = id});
    } else {
      const auto [embedding, row] = added.places[static_cast<size_t>(id - added.first)];
      chunk.tokens.push_back({.id = 0, .weight = 1.0f, .embedding = embedding, .row = row});
    }
  }
  prompt.parts.push_back({.weight = 1.0,
                          .variants = {{.text = std::string(text), .chunks = {std::move(chunk)}}},
                          .schedule = {{options.steps, 0}}});
  return prompt;
}

}  // namespace maquette::text

// Reads the tokenizer/ folder of a diffusers checkpoint. Which words are cut out of the text first follows
// transformers 5: the added_tokens of tokenizer.json, then added_tokens_decoder of tokenizer_config.json,
// then the special tokens by role (special_tokens_map.json before tokenizer_config.json) that neither names.
// A role written as plain text is looked for in the raw text; written as an object, as its "normalized" says.
// A tokenizer.json beside vocab.json and merges.txt is not opened: it is four times their size, and its
// vocabulary is theirs.
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "text/clip_tokenizer.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxVocabularyBytes = size_t{32} << 20;
constexpr size_t kMaxSettingsBytes = size_t{256} << 10;
constexpr size_t kMaxAddedTokens = 10000;
constexpr size_t kMaxAddedTokenBytes = 256;
constexpr std::array<const char*, 4> kRoles = {"bos_token", "eos_token", "unk_token", "pad_token"};

bool is_there(const fs::path& path) {
  std::error_code ignored;  // a file that cannot be looked at fails when it is read, with a better message
  return fs::exists(path, ignored);
}

// An object of settings; empty where there is no such file.
Result<Json> read_settings(const fs::path& path) {
  if (!is_there(path)) return Json::object();
  const Result<std::string> text = read_text_file(path, kMaxSettingsBytes);
  if (!text) return text.error();
  Result<Json> json = parse_json(*text, path.string());
  if (json && !json->is_object()) {
    return Error(ErrorCode::bad_file, "cannot read {}", path.string()).with("expected", "a JSON object");
  }
  return json;
}

Result<VocabularyParts> read_vocabulary_files(const fs::path& folder) {
  const fs::path vocab = folder / "vocab.json";
  const fs::path merges = folder / "merges.txt";
  const fs::path both = folder / "tokenizer.json";
  if (!is_there(vocab) || !is_there(merges)) {
    if (!is_there(both)) {
      return Error(ErrorCode::not_found, "no CLIP vocabulary in {}", folder.string())
          .with("expected", "vocab.json and merges.txt, or tokenizer.json");
    }
    const Result<std::string> text = read_text_file(both, kMaxVocabularyBytes);
    return text ? read_tokenizer_json(*text, both.string()) : Result<VocabularyParts>(text.error());
  }
  const Result<std::string> vocab_text = read_text_file(vocab, kMaxVocabularyBytes);
  if (!vocab_text) return vocab_text.error();
  const Result<std::string> merges_text = read_text_file(merges, kMaxVocabularyBytes);
  if (!merges_text) return merges_text.error();
  Result<VocabularyParts> parts = read_vocab_json(*vocab_text, vocab.string());
  if (!parts) return parts;
  auto lines = read_merges(*merges_text, merges.string());
  if (!lines) return lines.error();
  parts->merges = std::move(*lines);
  return parts;
}

// The content of a token written as text or as an object; empty for anything else.
AddedToken token_of(const Json& value) {
  AddedToken token;
  if (value.is_string()) token.content = value.get<std::string>();
  if (!value.is_object()) return token;
  const auto content = value.find("content");
  const auto normalized = value.find("normalized");
  const auto special = value.find("special");
  if (content != value.end() && content->is_string()) token.content = content->get<std::string>();
  token.normalized = normalized != value.end() && normalized->is_boolean() && normalized->get<bool>();
  if (special != value.end() && special->is_boolean()) token.special = special->get<bool>();
  return token;
}

class SpecialTokens {
 public:
  SpecialTokens(const Vocabulary& vocabulary, std::vector<AddedToken> added)
      : vocabulary_(vocabulary), added_(std::move(added)) {}

  std::vector<AddedToken> take() { return std::move(added_); }

  void add_decoder(const Json& settings) {
    const auto decoder = settings.find("added_tokens_decoder");
    if (decoder == settings.end() || !decoder->is_object()) return;
    for (const auto& [number, value] : decoder->items()) {
      AddedToken token = token_of(value);
      const std::optional<long long> id = parse_integer(number);
      if (!id || *id < 0 || *id > (1 << 20)) continue;
      token.id = static_cast<int>(*id);
      if (find(token.content) == nullptr) push(std::move(token));
    }
  }

  // The number of the token that has this role; `otherwise` where no file names one.
  int add_role(const char* role, const Json& map, const Json& settings, int otherwise) {
    const Json& source = map.contains(role) ? map : settings;
    const auto value = source.find(role);
    AddedToken token = value == source.end() ? AddedToken() : token_of(*value);
    if (token.content.empty() || token.content.size() > kMaxAddedTokenBytes) return otherwise;
    token.special = true;
    if (AddedToken* known = find(token.content)) {
      // Of two roles of one token the later decides, but neither overrules the files read before.
      if (&known[0] - added_.data() >= static_cast<std::ptrdiff_t>(fixed_))
        known->normalized = token.normalized;
      return known->id;
    }
    token.id = vocabulary_.find(token.content).value_or(next_id());
    push(token);
    return token.id;
  }

  void fix() { fixed_ = added_.size(); }

 private:
  AddedToken* find(std::string_view content) {
    for (AddedToken& token : added_) {
      if (token.content == content) return &token;
    }
    return nullptr;
  }
  int next_id() const {
    int next = vocabulary_.size();
    for (const AddedToken& token : added_) next = std::max(next, token.id + 1);
    return next;
  }
  void push(AddedToken token) {
    const bool fits = !token.content.empty() && token.content.size() <= kMaxAddedTokenBytes;
    if (fits && added_.size() < kMaxAddedTokens) added_.push_back(std::move(token));
  }

  const Vocabulary& vocabulary_;
  std::vector<AddedToken> added_;
  size_t fixed_ = 0;  // the first of the tokens added by role
};

}  // namespace

Result<ClipTokenizer> ClipTokenizer::load(const fs::path& folder) {
  Result<VocabularyParts> parts = read_vocabulary_files(folder);
  if (!parts) return parts.error();
  const Result<Json> map = read_settings(folder / "special_tokens_map.json");
  if (!map) return map.error();
  const Result<Json> settings = read_settings(folder / "tokenizer_config.json");
  if (!settings) return settings.error();
  if (parts->added.size() > kMaxAddedTokens) {
    return Error(ErrorCode::bad_file, "cannot read the vocabulary of {}", folder.string())
        .with("found", fmt::format("{} added tokens", parts->added.size()))
        .with("expected", fmt::format("at most {}", kMaxAddedTokens));
  }

  // Added tokens of tokenizer.json may be missing from its vocabulary, which is no fault.
  Result<Vocabulary> vocabulary = Vocabulary::from_parts(*parts, folder.string());
  if (!vocabulary) return vocabulary.error();
  const auto shared = std::make_shared<const Vocabulary>(std::move(*vocabulary));

  SpecialTokens tokens(*shared, std::move(parts->added));
  tokens.add_decoder(*settings);
  tokens.fix();
  const int bos = tokens.add_role(kRoles[0], *map, *settings, shared->find(kStartOfText).value());
  const int eos = tokens.add_role(kRoles[1], *map, *settings, shared->find(kEndOfText).value());
  const int unknown = tokens.add_role(kRoles[2], *map, *settings, eos);
  const int pad = tokens.add_role(kRoles[3], *map, *settings, eos);

  const std::vector<AddedToken> added = tokens.take();
  const ClipTokenizer tokenizer(shared, {.bos = bos, .eos = eos, .unknown = unknown, .pad = pad}, added);
  return added.empty() ? tokenizer.without_added_tokens() : tokenizer;
}

}  // namespace maquette::text

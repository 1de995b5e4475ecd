// vocab.json is one object of token -> number; tokenizer.json (the format of the "tokenizers" library) holds
// the same under model.vocab, the merges under model.merges (pairs, or two tokens in one string in older
// files), and added_tokens. Both are read as a stream of events: the vocabulary is large, and of the rest
// nothing is kept.
#include <string>
#include <utility>

#include "base/json.h"
#include "text/vocabulary.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxDepth = 16;
constexpr size_t kMaxItems = 1 << 20;  // tokens, merges or added tokens

// The path of a container is "/key" for each object around it and "#" for each array around it:
// "/model/vocab",
// "/model/merges#", "/added_tokens#".
class VocabularyEvents final : public Json::json_sax_t {
 public:
  explicit VocabularyEvents(std::string vocabulary_path) : vocabulary_path_(std::move(vocabulary_path)) {}

  VocabularyParts parts;
  std::string problem;

  bool null() override { return in_vocabulary() ? fail("a token number that is null") : true; }
  bool boolean(bool value) override {
    if (path_ == kAdded && key_ == "normalized") added_.normalized = value;
    return in_vocabulary() ? fail("a token number that is not a number") : true;
  }
  bool number_integer(number_integer_t) override {
    return in_vocabulary() ? fail("a negative token number") : true;
  }
  bool number_float(number_float_t, const string_t&) override {
    return in_vocabulary() ? fail("a token number that is not an integer") : true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    const bool added = path_ == kAdded && key_ == "id";
    if (!in_vocabulary() && !added) return true;
    if (value >= kMaxItems) return fail(fmt::format("token number {}", value));
    if (added) {
      added_.id = static_cast<int>(value);
      return true;
    }
    if (parts.tokens.size() >= kMaxItems) return fail("too many tokens");
    parts.tokens.emplace_back(std::exchange(key_, {}), static_cast<int>(value));
    return true;
  }
  bool string(string_t& value) override {
    if (in_vocabulary()) return fail("a token number that is a string");
    if (path_ == kAdded && key_ == "content") added_.content = value;
    if (path_ == "/model" && key_ == "type" && value != "BPE") return fail("a model of type " + value);
    if (path_ == "/model" && key_ == "end_of_word_suffix" && value != kEndOfWord) {
      return fail("the end of a word marked as \"" + value + "\"");
    }
    if (path_ == kMerges) return add_joined_merge(value);
    if (path_ != kMerge) return true;
    pair_.push_back(std::move(value));
    return pair_.size() <= 2 ? true : fail("a merge of more than two tokens");
  }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return enter(false); }
  bool start_array(std::size_t) override { return enter(true); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool end_object() override {
    if (path_ == kAdded) {
      if (parts.added.size() >= kMaxItems) return fail("too many added tokens");
      parts.added.push_back(std::exchange(added_, {}));
    }
    return leave();
  }
  bool end_array() override {
    if (path_ == kMerge) {
      if (pair_.size() != 2) return fail("a merge that is not of two tokens");
      if (!add_merge(std::move(pair_[0]), std::move(pair_[1]))) return false;
      pair_.clear();
    }
    return leave();
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    return fail(fmt::format("{} (byte {})", e.what(), position));
  }

 private:
  struct Container {
    size_t path_length;  // of the path around it
    bool array;
  };

  static constexpr std::string_view kAdded = "/added_tokens#";
  static constexpr std::string_view kMerges = "/model/merges";
  static constexpr std::string_view kMerge = "/model/merges#";

  bool in_vocabulary() const { return path_ == vocabulary_path_; }
  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool enter(bool array) {
    if (open_.size() >= kMaxDepth) return fail(fmt::format("more than {} levels of nesting", kMaxDepth));
    if (open_.empty() && array) return fail("an array");
    const size_t path_length = path_.size();
    if (!open_.empty() && open_.back().array) {
      path_ += '#';
    } else if (!open_.empty()) {
      path_.append("/").append(key_);
    }
    open_.push_back({path_length, array});
    return true;
  }
  bool leave() {
    path_.resize(open_.back().path_length);
    open_.pop_back();
    return true;
  }
  bool add_merge(std::string left, std::string right) {
    if (parts.merges.size() >= kMaxItems) return fail("too many merges");
    parts.merges.emplace_back(std::move(left), std::move(right));
    return true;
  }
  bool add_joined_merge(const std::string& joined) {
    const size_t space = joined.find(' ');
    if (space == std::string::npos) return fail("a merge of one token");
    return add_merge(joined.substr(0, space), joined.substr(space + 1));
  }

  std::string vocabulary_path_;
  std::string path_;
  std::string key_;
  std::vector<Container> open_;
  std::vector<std::string> pair_;
  AddedToken added_;
};

Result<VocabularyParts> read(std::string_view text, std::string_view name, std::string vocabulary_path) {
  VocabularyEvents events(std::move(vocabulary_path));
  if (!Json::sax_parse(text.begin(), text.end(), &events)) {
    return Error(ErrorCode::bad_file, "cannot read the vocabulary {}", name).with("found", events.problem);
  }
  return std::move(events.parts);
}

}  // namespace

Result<VocabularyParts> read_vocab_json(std::string_view text, std::string_view name) {
  return read(text, name, "");
}

Result<VocabularyParts> read_tokenizer_json(std::string_view text, std::string_view name) {
  return read(text, name, "/model/vocab");
}

}  // namespace maquette::text

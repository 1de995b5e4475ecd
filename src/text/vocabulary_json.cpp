// vocab.json is one object of token -> number; tokenizer.json (the format of the "tokenizers" library) holds the
// same under model.vocab, the merges under model.merges (pairs, or two tokens in one string in older files), and
// added_tokens. Both are read as a stream of events: the vocabulary is large, and of the rest nothing is kept.
#include <string>
#include <utility>

#include "base/json.h"
#include "text/vocabulary.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxDepth = 16;
constexpr size_t kMaxItems = 1 << 20;  // tokens, merges or added tokens

class VocabularyEvents final : public Json::json_sax_t {
 public:
  // Paths are the keys joined by '/', with '#' for an array.
  explicit VocabularyEvents(std::string vocabulary_path) : vocabulary_path_(std::move(vocabulary_path)) {}

  VocabularyParts parts;
  std::string problem;

  bool null() override { return true; }
  bool boolean(bool value) override {
    if (path_ == kAddedPath && key_ == "normalized") added_.normalized = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    return value < 0 && path_ == vocabulary_path_ ? fail("a negative token number") : true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    const bool token = path_ == vocabulary_path_;
    const bool added = path_ == kAddedPath && key_ == "id";
    if (!token && !added) return true;
    if (value >= kMaxItems) return fail(fmt::format("token number {}", value));
    if (added) {
      added_.id = static_cast<int>(value);
      return true;
    }
    if (parts.tokens.size() >= kMaxItems) return fail("too many tokens");
    parts.tokens.emplace_back(std::exchange(key_, {}), static_cast<int>(value));
    return true;
  }
  bool number_float(number_float_t, const string_t&) override {
    return path_ == vocabulary_path_ ? fail("a token number that is not an integer") : true;
  }
  bool string(string_t& value) override {
    if (path_ == vocabulary_path_) return fail("a token number that is a string");
    if (path_ == kAddedPath && key_ == "content") added_.content = value;
    if (path_ == "/model" && key_ == "type" && value != "BPE") return fail("a model of type " + value);
    if (path_ == "/model" && key_ == "end_of_word_suffix" && value != kEndOfWord) {
      return fail("the end of a word marked as \"" + value + "\"");
    }
    if (path_ == "/model/merges#") return add_joined_merge(value);
    if (path_ == "/model/merges##") pair_.push_back(std::move(value));
    return pair_.size() <= 2 ? true : fail("a merge of more than two tokens");
  }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return enter("/"); }
  bool end_object() override {
    if (path_ == kAddedPath) {
      if (parts.added.size() >= kMaxItems) return fail("too many added tokens");
      parts.added.push_back(std::exchange(added_, {}));
    }
    return leave();
  }
  bool start_array(std::size_t) override { return enter("#"); }
  bool end_array() override {
    if (path_ == "/model/merges##") {
      if (pair_.size() != 2) return fail("a merge that is not of two tokens");
      if (!add_merge(std::move(pair_[0]), std::move(pair_[1]))) return false;
      pair_.clear();
    }
    return leave();
  }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    return fail(fmt::format("{} (byte {})", e.what(), position));
  }

 private:
  static constexpr std::string_view kAddedPath = "/added_tokens#/";

  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }

  // The path of a container is that of its parent, its key (none in an array), and its kind at the end; the
  // slash of an object is written only once a key follows, so "/model/vocab" is the vocabulary itself.
  bool enter(std::string_view) { return true; }
  bool leave() { return true; }

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
  std::vector<size_t> lengths_;
  std::vector<std::string> pair_;
  AddedToken added_;
};

}  // namespace
}  // namespace maquette::text

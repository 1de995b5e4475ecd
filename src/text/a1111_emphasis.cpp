// The rules, from the documented behaviour of A1111: (x) multiplies by 1.1, [x] divides by it, (x:1.3)
// multiplies by the number; they nest; a bracket that is never closed reaches to the end, a closing one too
// many is text; \( \) \[ \] \\ are the characters themselves, any other backslash vanishes. BREAK ends a
// chunk.
//
// BREAK is carried as a part of weight -1, as A1111 does it, and is one only as long as it keeps that weight:
// inside (...) it is multiplied too, and becomes the word "break" with weight -1.1.
#include "text/a1111_emphasis.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr std::string_view kBreak = "BREAK";
constexpr double kBreakWeight = -1.0;
constexpr double kRound = 1.1;
constexpr double kSquare = 1 / 1.1;

// Whether a white-space character ends at `position` (and begins at `limit` or after it, at `start`).
bool space_before(std::string_view text, size_t position, size_t limit, size_t& start) {
  if (position <= limit) return false;
  start = position - 1;
  while (start > limit && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  return is_python_space(decode_utf8(text, start).character);
}

size_t skip_spaces(std::string_view text, size_t position) {
  while (position < text.size()) {
    const DecodedCharacter c = decode_utf8(text, position);
    if (!is_python_space(c.character)) break;
    position += c.length;
  }
  return position;
}

// The text between the BREAKs; the white space around them belongs to them.
std::vector<std::string_view> split_at_breaks(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (const size_t position : find_word(text, kBreak)) {
    size_t end = position;
    for (size_t start = 0; space_before(text, end, begin, start);) end = start;
    parts.push_back(text.substr(begin, end - begin));
    begin = skip_spaces(text, position + kBreak.size());
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// ":1.3)" at `position`: the number, and how many bytes all of it takes.
struct ClosingWeight {
  std::string_view number;
  size_t length;
};
std::optional<ClosingWeight> closing_weight(std::string_view text, size_t position) {
  const size_t begin = skip_spaces(text, position + 1);
  size_t end = begin;
  if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
  const size_t digits = end;
  while (end < text.size() && (text[end] == '.' || (text[end] >= '0' && text[end] <= '9'))) ++end;
  const size_t close = skip_spaces(text, end);
  if (end == digits || close >= text.size() || text[close] != ')') return std::nullopt;
  return ClosingWeight{text.substr(begin, end - begin), close + 1 - position};
}

class EmphasisReader {
 public:
  explicit EmphasisReader(std::vector<std::string>& warnings) : warnings_(warnings) {}

  void read(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const char c = text[i];
      if (c == '\\') {
        i = add_escape(text, i);
      } else if (c == '(' || c == '[') {
        (c == '(' ? round_ : square_).push_back(parts_.size());
        ++i;
      } else if (c == ':') {
        i = add_colon(text, i);
      } else if (c == ')' || c == ']') {
        close(c);
        ++i;
      } else {
        const size_t end = std::min(text.find_first_of("\\()[]:", i), text.size());
        add_text(text.substr(i, end - i));
        i = end;
      }
    }
    for (const size_t begin : round_) multiply_from(begin, kRound);
    for (const size_t begin : square_) multiply_from(begin, kSquare);
  }

  std::vector<WeightedText> take() {
    std::vector<WeightedText> merged;
    for (WeightedText& part : parts_) {
      if (!merged.empty() && merged.back().weight == part.weight) {
        merged.back().text += part.text;
      } else {
        merged.push_back(std::move(part));
      }
    }
    if (merged.empty()) merged.emplace_back();
    for (WeightedText& part : merged) {
      part.chunk_break = part.text == kBreak && part.weight == kBreakWeight;
      if (!part.chunk_break && part.text == kBreak) {
        warnings_.push_back("BREAK inside brackets does not break the prompt: it is read as a word");
      }
    }
    return merged;
  }

 private:
  void add_text(std::string_view text) {
    bool first = true;
    for (const std::string_view part : split_at_breaks(text)) {
      if (!first) parts_.push_back({std::string(kBreak), kBreakWeight, false});
      parts_.push_back({std::string(part), 1.0, false});
      first = false;
    }
  }

  size_t add_escape(std::string_view text, size_t position) {
    const bool known = position + 1 < text.size() &&
                       std::string_view("()[]\\").find(text[position + 1]) != std::string_view::npos;
    parts_.push_back({std::string(known ? text.substr(position + 1, 1) : std::string_view()), 1.0, false});
    return position + (known ? 2 : 1);
  }

  size_t add_colon(std::string_view text, size_t position) {
    const std::optional<ClosingWeight> closing = closing_weight(text, position);
    if (!closing) {
      add_text(":");
      return position + 1;
    }
    const std::string_view number = closing->number;
    const std::optional<double> weight = parse_double(number.starts_with('+') ? number.substr(1) : number);
    if (!round_.empty() && weight) {
      multiply_from(round_.back(), *weight);
      round_.pop_back();
    } else {
      if (!weight) warnings_.push_back(fmt::format("\"{}\" is not a weight", number));
      add_text(text.substr(position, closing->length));
    }
    return position + closing->length;
  }

  void close(char bracket) {
    std::vector<size_t>& open = bracket == ')' ? round_ : square_;
    if (open.empty()) {
      add_text(std::string_view(&bracket, 1));
      return;
    }
    multiply_from(open.back(), bracket == ')' ? kRound : kSquare);
    open.pop_back();
  }

  void multiply_from(size_t begin, double factor) {
    for (size_t i = begin; i < parts_.size(); ++i) parts_[i].weight *= factor;
  }

  std::vector<std::string>& warnings_;
  std::vector<WeightedText> parts_;
  std::vector<size_t> round_;  // where the open brackets began, as indices into parts_
  std::vector<size_t> square_;
};

}  // namespace

std::vector<size_t> find_word(std::string_view text, std::string_view word) {
  std::vector<size_t> positions;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    size_t before = at;
    while (before > 0 && (static_cast<unsigned char>(text[--before]) & 0xC0) == 0x80) {
    }
    const size_t after = at + word.size();
    const bool joined_before = at > 0 && is_word_character(decode_utf8(text, before).character);
    const bool joined_after = after < text.size() && is_word_character(decode_utf8(text, after).character);
    if (!joined_before && !joined_after) positions.push_back(at);
  }
  return positions;
}

std::vector<WeightedText> read_emphasis(std::string_view text, std::vector<std::string>& warnings) {
  EmphasisReader reader(warnings);
  reader.read(text);
  return reader.take();
}

}  // namespace maquette::text

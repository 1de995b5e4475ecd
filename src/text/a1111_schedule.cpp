// The grammar, from the documented behaviour of A1111:
//
//   [to:when] [from:to:when] [from::when]   `from` until step `when`, `to` after it
//   [a|b|...]                               the next one at each step, empty ones too
//   (text) (text:text) [text]               emphasis: kept as it is, for the next stage
//   \x                                      any character, kept with its backslash
//
// They nest in any order, and what fits none of them is text: brackets and colons stand for themselves, and
// so do all brackets around them. Two things fit nowhere: a bar outside of [a|b], and a backslash at the end
// of a line or of the text; they turn the whole prompt into plain text.
//
// Where text of brackets or colons directly follows a closed bracket, as in "[a:b:3]]", A1111's own parser is
// ambiguous, and reads the bracket as editing or as text from one run to the next; here it is always editing.
//
// One pass with a stack of open brackets. A bracket that closes well becomes a node of the group around it;
// one that does not can only be text, and text may hold brackets at the outermost level only, so all groups
// that are open at that point are spilled there.
#include "text/a1111_schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "text/unicode.h"

namespace maquette::text {

namespace {

constexpr size_t kMaxNesting = 256;
constexpr size_t kMaxTextBytes = size_t{32} << 20;  // of all the texts of one schedule

struct Node;
using Sequence = std::vector<Node>;

enum class NodeKind { text, editing, alternation };

struct Node {
  NodeKind kind = NodeKind::text;
  std::string text;
  std::vector<Sequence> options;  // editing: before and after; alternation: all
  int when = 0;                   // editing: the last step of `before`
};

// A bracket not yet closed: the sequences between its separators.
struct Group {
  char open;
  std::vector<Sequence> parts;
  std::string separators;  // one fewer than parts
};

void add_text(Sequence& sequence, std::string_view text) {
  if (text.empty()) return;
  if (sequence.empty() || sequence.back().kind != NodeKind::text) sequence.emplace_back();
  sequence.back().text.append(text);
}

void append(Sequence& sequence, Sequence more) {
  for (Node& node : more) {
    if (node.kind == NodeKind::text) {
      add_text(sequence, node.text);
    } else {
      sequence.push_back(std::move(node));
    }
  }
}

std::string_view strip(std::string_view text) {
  size_t begin = 0;
  size_t end = 0;
  bool seen = false;
  for (size_t i = 0; i < text.size();) {
    const DecodedCharacter c = decode_utf8(text, i);
    if (!is_python_space(c.character)) {
      if (!seen) begin = i;
      seen = true;
      end = i + c.length;
    }
    i += c.length;
  }
  return seen ? text.substr(begin, end - begin) : std::string_view();
}

// A number of the grammar: digits with at most one point and an exponent; no words such as "inf".
bool is_number(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - begin;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  size_t count = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    count += digits();
  }
  if (count == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

double to_double(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec != std::errc::result_out_of_range) return value;
  // Out of range: too small where the exponent is negative, otherwise too large for any schedule.
  const size_t exponent = number.find_first_of("eE");
  if (exponent != std::string_view::npos && number.substr(exponent + 1).starts_with('-')) return 0;
  return number.starts_with('-') ? -std::numeric_limits<double>::max() : std::numeric_limits<double>::max();
}

// The last step before the switch. A number with a point is a fraction of the steps, any other a step.
int switch_step(std::string_view number, const ScheduleSteps& steps) {
  double value = to_double(number);
  if (number.find('.') != std::string_view::npos) {
    value = (value - (steps.first_pass_steps ? 1.0 : 0.0)) * steps.steps;
  } else {
    value -= steps.first_pass_steps.value_or(0);
  }
  return static_cast<int>(std::trunc(std::clamp(value, -1.0, static_cast<double>(steps.steps))));
}

class ScheduleReader {
 public:
  explicit ScheduleReader(const ScheduleSteps& steps) : steps_(steps) {}

  // False where the text does not follow the grammar.
  bool read(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
      const size_t plain_end = std::min(text.find_first_of("\\[]():|", i), text.size());
      add_text(current(), text.substr(i, plain_end - i));
      i = plain_end;
      if (i == text.size()) break;
      const char c = text[i];
      if (c == '\\') {
        if (i + 1 == text.size() || text[i + 1] == '\n') return false;
        const size_t length = 1 + decode_utf8(text, i + 1).length;
        add_text(current(), text.substr(i, length));
        i += length;
        continue;
      }
      if (c == '(' || c == '[') {
        if (open_.size() >= kMaxNesting) {
          throw Error(ErrorCode::usage, "brackets of the prompt are nested deeper than {}", kMaxNesting);
        }
        open_.push_back({c, {Sequence()}, ""});
      } else if (c == ':' || c == '|') {
        if (!separate(c)) return false;
      } else if (!close(c)) {
        return false;
      }
      ++i;
    }
    return spill();
  }

  Sequence take() { return std::move(outside_); }

 private:
  Sequence& current() { return open_.empty() ? outside_ : open_.back().parts.back(); }

  bool separate(char separator) {
    if (open_.empty()) {
      if (separator == '|') return false;
      add_text(outside_, ":");
      return true;
    }
    open_.back().separators.push_back(separator);
    open_.back().parts.emplace_back();
    return true;
  }

  bool close(char bracket) {
    if (!open_.empty()) {
      Group& group = open_.back();
      const bool matches = group.open == (bracket == ')' ? '(' : '[');
      const bool bars = group.separators.find('|') != std::string::npos;
      const size_t colons =
          static_cast<size_t>(std::count(group.separators.begin(), group.separators.end(), ':'));
      if (matches && !bars && colons <= (bracket == ')' ? 1u : 0u)) return close_emphasis(bracket);
      if (matches && bracket == ']' && bars && colons == 0) return close_alternation();
      if (matches && bracket == ']' && !bars && colons <= 2 && ends_in_number(group)) return close_editing();
    }
    if (!spill()) return false;
    add_text(outside_, std::string_view(&bracket, 1));
    return true;
  }

  static bool ends_in_number(const Group& group) {
    const Sequence& last = group.parts.back();
    return last.size() == 1 && last[0].kind == NodeKind::text && is_number(strip(last[0].text));
  }

  Group pop() {
    Group group = std::move(open_.back());
    open_.pop_back();
    return group;
  }

  bool close_emphasis(char bracket) {
    Group group = pop();
    append_as_text(std::move(group), current());
    add_text(current(), std::string_view(&bracket, 1));
    return true;
  }

  bool close_alternation() {
    Group group = pop();
    current().push_back({NodeKind::alternation, "", std::move(group.parts), 0});
    return true;
  }

  bool close_editing() {
    Group group = pop();
    const int when = switch_step(strip(group.parts.back()[0].text), steps_);
    group.parts.pop_back();
    if (group.parts.size() == 1) group.parts.insert(group.parts.begin(), Sequence());
    current().push_back({NodeKind::editing, "", std::move(group.parts), when});
    return true;
  }

  // The opening bracket and all that followed it, as text and nodes. False where a bar would become text.
  static bool append_as_text(Group group, Sequence& sequence) {
    add_text(sequence, std::string_view(&group.open, 1));
    for (size_t i = 0; i < group.parts.size(); ++i) {
      if (i > 0) {
        if (group.separators[i - 1] == '|') return false;
        add_text(sequence, ":");
      }
      append(sequence, std::move(group.parts[i]));
    }
    return true;
  }

  // Moves all open groups to the outermost level.
  bool spill() {
    for (Group& group : open_) {
      if (!append_as_text(std::move(group), outside_)) return false;
    }
    open_.clear();
    return true;
  }

  const ScheduleSteps& steps_;
  Sequence outside_;
  std::vector<Group> open_;
};

// The steps at which the text may change; `every_step` where there is an alternation.
void collect_steps(const Sequence& sequence, std::set<int>& ends, bool& every_step) {
  for (const Node& node : sequence) {
    if (node.kind == NodeKind::editing && node.when >= 1) ends.insert(node.when);
    if (node.kind == NodeKind::alternation) every_step = true;
    for (const Sequence& option : node.options) collect_steps(option, ends, every_step);
  }
}

// The text in force at a step, counted from 1.
void write_at_step(const Sequence& sequence, int step, std::string& out) {
  for (const Node& node : sequence) {
    switch (node.kind) {
      case NodeKind::text: out.append(node.text); break;
      case NodeKind::editing: write_at_step(node.options[step <= node.when ? 0 : 1], step, out); break;
      case NodeKind::alternation:
        write_at_step(node.options[static_cast<size_t>(step - 1) % node.options.size()], step, out);
        break;
    }
  }
}

}  // namespace

Schedule read_schedule(std::string_view prompt, const ScheduleSteps& steps) {
  ScheduleReader reader(steps);
  if (!reader.read(prompt)) return {.texts = {{steps.steps, std::string(prompt)}}, .unreadable = true};

  const Sequence sequence = reader.take();
  std::set<int> ends = {steps.steps};
  bool every_step = false;
  collect_steps(sequence, ends, every_step);
  for (int step = 1; every_step && step < steps.steps; ++step) ends.insert(step);

  Schedule schedule;
  size_t bytes = 0;
  for (const int end : ends) {
    ScheduledText text{end, ""};
    write_at_step(sequence, end, text.text);
    bytes += text.text.size();
    if (bytes > kMaxTextBytes) {
      throw Error(ErrorCode::usage, "the prompt changes too often for its length")
          .hint("write a shorter prompt, or fewer steps");
    }
    schedule.texts.push_back(std::move(text));
  }
  return schedule;
}

}  // namespace maquette::text

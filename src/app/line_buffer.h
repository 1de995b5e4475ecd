// LineBuffer: lines out of bytes as they come through a pipe, none longer than what was agreed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maquette::app {

class LineBuffer {
 public:
  explicit LineBuffer(size_t longest) : longest_(longest) {}

  struct Line {
    std::string text;       // without its end
    bool too_long = false;  // told as soon as it is known; the text is thrown away
  };
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next whole line, or none until more is added. Never holds much more than the longest line and what
  // was added last.
  std::optional<Line> next();

 private:
  size_t longest_;
  std::string bytes_;
  size_t searched_ = 0;    // of bytes_, without an end of line
  bool skipping_ = false;  // the beginning of this line was too long already
};

}  // namespace maquette::app

#include "app/line_buffer.h"

namespace maquette::app {

std::optional<LineBuffer::Line> LineBuffer::next() {
  while (true) {
    const size_t end = bytes_.find('\n', searched_);
    const bool whole = end != std::string::npos;
    const size_t size = whole ? end : bytes_.size();
    const bool too_long = size > longest_ && !skipping_;
    if (!whole && !too_long && !skipping_) {
      searched_ = size;
      return std::nullopt;
    }
    // A line, or the beginning of one that is too long already, or more of that one.
    Line line{.too_long = too_long};
    if (!too_long && !skipping_) line.text = bytes_.substr(0, size);
    bytes_.erase(0, whole ? size + 1 : size);
    searched_ = 0;
    const bool told = skipping_;
    skipping_ = !whole;
    if (!told) return line;
    if (!whole) return std::nullopt;
  }
}

}  // namespace maquette::app

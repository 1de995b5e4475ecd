#include "app/line_buffer.h"

#include <gtest/gtest.h>
#include <vector>

namespace maquette::app {
namespace {

// What comes out of a text that is added in pieces; "!" for lines that are too long.
std::vector<std::string> lines_of(std::string_view text, size_t piece) {
  LineBuffer buffer(5);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size(); at += piece) {
    buffer.add(text.substr(at, piece));
    while (const std::optional<LineBuffer::Line> line = buffer.next())
      lines.push_back(line->too_long ? "!" : line->text);
  }
  return lines;
}

TEST(LineBuffer, gives_lines_however_they_come) {
  const std::vector<std::string> expected{"one", "", "12345", "!", "two", "!", "", "end", "!"};
  for (size_t piece = 1; piece < 60; ++piece) {
    EXPECT_EQ(lines_of("one\n\n12345\n123456\ntwo\n1234567890123\n\nend\nunfinished", piece), expected)
        << piece;
  }
}

TEST(LineBuffer, tells_at_once_what_is_too_long) {
  LineBuffer buffer(5);
  buffer.add("12345");
  EXPECT_FALSE(buffer.next());
  buffer.add("6");
  EXPECT_TRUE(buffer.next()->too_long);
  for (int i = 0; i < 3; ++i) {
    buffer.add("more of it");
    EXPECT_FALSE(buffer.next());
  }
  buffer.add("\nnext\n");
  EXPECT_EQ(buffer.next()->text, "next");
}

}  // namespace
}  // namespace maquette::app

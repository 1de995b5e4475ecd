// Emphasis of the a1111 dialect: the weights of the parts of a text, and where it is broken into chunks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maquette::text {

struct WeightedText {
  std::string text;
  double weight = 1.0;
  bool chunk_break = false;  // BREAK: what follows begins a new chunk
};

// Neighbours of one weight are one part, so that words across a bracket are tokenised whole. Never empty.
// Appends to `warnings` what an artist would want to know.
std::vector<WeightedText> read_emphasis(std::string_view text, std::vector<std::string>& warnings);

// Positions of `word` in `text` where it stands alone, as \bword\b finds them.
std::vector<size_t> find_word(std::string_view text, std::string_view word);

}  // namespace maquette::text

// Folding: words of a text without case, diacritics and forms, to find names however they are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maquette::text {

// "Zoë O'NEILL, (Łukasz:1.2)" -> zoe, o, neill, lukasz, 1, 2. Letters of scripts without spaces between words
// (Chinese, Japanese, Korean) are words of their own. Letters of other scripts that merely look alike are not
// taken for each other.
std::vector<std::string> folded_words(std::string_view text);

}  // namespace maquette::text

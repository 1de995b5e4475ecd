// The cutting of normalised text into words, before byte pairs are merged.
#pragma once

#include <string_view>
#include <vector>

namespace maquette::text {

// The pieces of the regular expression of CLIP
//   <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
// in order; white space is dropped. The views point into `text`, which must be valid UTF-8.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace maquette::text

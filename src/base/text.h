// Small helpers on text that several folders need.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maquette {

std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string lower_ascii(std::string_view text);

// The candidate nearest to `word` by edit distance, where one is near enough to be what was meant.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);

// Numbers from the user or a file; nothing where the text is not wholly a (finite) number.
std::optional<double> parse_double(std::string_view text);
std::optional<long long> parse_integer(std::string_view text);

// Throws Error(usage) naming the choices; `what` ends "cannot use this ...".
void require_one_of(std::span<const std::string_view> allowed, std::string_view value, std::string_view what);

}  // namespace maquette

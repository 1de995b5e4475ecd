// The text by which image generators tell each other how a picture was made (PNG keyword "parameters"), as
// the Stable Diffusion web UI of AUTOMATIC1111 writes and reads it:
//
//   a tower at dusk, <any number of lines>
//   Negative prompt: fog, <any number of lines>
//   Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x48, Lora hashes: "a: 1f, b: 2e", Version: v1
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace maquette::media {

struct A1111Parameters {
  std::string prompt = {};
  std::string negative_prompt = {};
  std::vector<std::pair<std::string, std::string>> fields =
      {};  // in the order of the text; values without quotes

  void add(std::string key, std::string value) { fields.emplace_back(std::move(key), std::move(value)); }
  // The last value of that name, as the web UI takes it; nothing where there is none.
  std::optional<std::string> find(std::string_view key) const;
  // "Size: 64x48" as {64, 48}; nothing where it is missing or no size.
  std::optional<std::pair<int, int>> size() const;
};

// Values with a comma, colon or line break are written as JSON strings.
std::string write_a1111_parameters(const A1111Parameters& parameters);

// The last line counts as settings only where at least three pairs match in it; otherwise it belongs to the
// prompt. Only text of more than 1 MiB is an error: everything else is somebody's prompt.
Result<A1111Parameters> parse_a1111_parameters(std::string_view text);

}  // namespace maquette::media

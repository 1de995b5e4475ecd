// The names under which pictures keep their text, shared by the reader and the writer of picture files.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "media/exif.h"

namespace maquette::media {

inline constexpr std::string_view kParametersKeyword = "parameters";
inline constexpr std::string_view kRecipeKeyword = "maquette";

// PNG's registered keywords, and the EXIF fields that mean the same.
struct ExifKeyword {
  std::string_view keyword;
  std::string ExifFields::*field;
};
inline constexpr std::array<ExifKeyword, 4> kExifKeywords = {{
    {"Description", &ExifFields::description},
    {"Author", &ExifFields::artist},
    {"Copyright", &ExifFields::copyright},
    {"Software", &ExifFields::software},
}};

}  // namespace maquette::media

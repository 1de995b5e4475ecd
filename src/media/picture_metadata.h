// The text that a picture carries about itself: how it was made, for people and other tools, and the recipe
// to make it again.
//
//   format          parameters (the A1111 text)             recipe (JSON)
//   PNG             tEXt "parameters", iTXt if not latin-1   tEXt or iTXt "maquette"
//   JPEG WebP TIFF  EXIF UserComment, UNICODE                EXIF MakerNote, "maquette" NUL in front
//   OpenEXR         string attribute "parameters"            string attribute "maquette"
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "media/bytes.h"

namespace maquette::media {

struct PictureMetadata {
  std::optional<std::string> parameters = {};   // UTF-8; see a1111_parameters.h
  std::optional<std::string> recipe_json = {};  // UTF-8
  // Other text, in the order of the file: "prompt" and "workflow" of ComfyUI, "Author", "Copyright", ...
  // PNG and OpenEXR carry any name; JPEG, WebP and TIFF only Description, Author, Copyright and Software.
  std::vector<std::pair<std::string, std::string>> other = {};

  bool empty() const { return !parameters && !recipe_json && other.empty(); }
};

// Reads what this program and A1111 write (tEXt, zTXt, iTXt, EXIF). A picture without text gives an empty
// result; a damaged file an error. Limits: 8 MiB for one text, 32 MiB for all of them.
Result<PictureMetadata> read_picture_metadata(const fs::path& path);
Result<PictureMetadata> parse_picture_metadata(Bytes file);

}  // namespace maquette::media

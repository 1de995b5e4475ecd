// What kind of file something is, by its first bytes: where its manifest and its metadata go.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace maquette::marks {

struct AssetFormat {
  std::string_view name;        // "PNG", for people
  std::string_view media_type;  // "image/png"
  bool embeds_manifest = false;
  bool embeds_xmp = false;
};

// Files of other kinds are "other", application/octet-stream: their manifest stands beside them.
const AssetFormat& asset_format(std::span<const std::byte> file);

// Where the manifest of a file is that holds none: same name, ".c2pa" for its suffix (C2PA 2.2, 11.4). Where
// two files differ in their suffix only, that is one place for both; ".EXT.c2pa" is looked at first and
// written by Maquette.
std::filesystem::path sidecar_of(const std::filesystem::path& file);

}  // namespace maquette::marks

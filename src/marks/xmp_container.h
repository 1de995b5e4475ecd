// Where picture files keep their XMP packet: PNG iTXt, JPEG APP1, TIFF tag 700, WebP "XMP ".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace maquette::marks {

// The packet of a PNG, JPEG, TIFF or WebP file, none where it has none or is of another kind. Error(bad_file)
// where the file is damaged before the packet is found.
Result<std::optional<std::string>> find_xmp(std::span<const std::byte> file);

// The file with this packet instead of its own; everything else stays as it is. Errors: bad_file for damaged
// files, BigTIFF and other kinds; usage where a JPEG's packet has more than 65,502 bytes.
Result<std::string> with_xmp(std::span<const std::byte> file, std::string_view packet);

}  // namespace maquette::marks

// What a picture says about itself in XMP: the fields of IPTC Photo Metadata 2025.1 for generated pictures,
// in the packet that other programs read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace maquette::marks {

// Empty fields are left out. Property names are those of http://iptc.org/std/Iptc4xmpExt/2008-02-29/.
struct XmpFields {
  std::string digital_source_type = {};  // DigitalSourceType: a URI of the IPTC
  std::string ai_system = {};            // AISystemUsed
  std::string ai_system_version = {};    // AISystemVersionUsed
  std::string prompt = {};               // AIPromptInformation; left out where prompts are withheld
  std::string prompt_writer = {};  // AIPromptWriterName; "should not be considered as the image creator"

  bool operator==(const XmpFields&) const = default;
};

// A packet (UTF-8) with these fields. Everything else that `packet` says stays as it is, byte by byte; an
// empty one gives a new packet. Older values of the five fields go, those that are left out now included:
// they spoke of an older picture. Error(bad_file) for what is no XMP, more than 8 MiB, or declares entities.
Result<std::string> merge_xmp(std::string_view packet, const XmpFields& fields);

// The fields as elements or attributes, under any prefix. Errors as above.
Result<XmpFields> read_xmp(std::string_view packet);

}  // namespace maquette::marks

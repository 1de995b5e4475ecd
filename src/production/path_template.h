// Names of delivered files: a template per show, with fields in braces.
//
//   {show} {episode} {sequence} {shot} {asset} {path} {task} {version} {take} {name}
//
// Numbers may say how many digits they have: {version:03}. {path} is the entity's whole path with "_" for
// "/". Empty fields take the "_" or "-" before them along.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace maquette::production {

struct NameFields {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, int64_t, std::less<>> numbers;
};

// Throws Error(usage) for unknown fields, and for what would not be one safe file name.
std::string file_name(std::string_view path_template, const NameFields& fields);

}  // namespace maquette::production

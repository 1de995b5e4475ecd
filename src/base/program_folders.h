// Where the running code lies, for files that were installed beside it; and which code it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace maquette {

// The folder of the shared library that this code is part of, where it is one, then that of the program.
std::vector<std::filesystem::path> program_folders();

// A hash that changes when the program or a library that it runs with is built or installed anew: of the
// path, size and time of each file.
std::string program_mark();

}  // namespace maquette

// Where the running code lies: for files that were installed beside it.
#pragma once

#include <filesystem>
#include <vector>

namespace maquette {

// The folder of the shared library that this code is part of, where it is one, then that of the program.
std::vector<std::filesystem::path> program_folders();

}  // namespace maquette

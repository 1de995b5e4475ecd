// The temporary files beside unfinished outputs: their names, and how those go whose process was killed.
#pragma once

#include <filesystem>
#include <string_view>

namespace maquette {

// A hidden name beside `path`, new at every call: ".sea.9f2c41d0-4711-1.partial.png". It says where its
// process runs (a mark of this boot of this machine), which it is, and which file of it this is.
std::filesystem::path partial_name(const std::filesystem::path& path);

// Removes from the folder what killed processes left there: regular files of this user with such names, whose
// process is gone (known here, where the mark is ours), or that nothing was written to for a day (elsewhere).
// What cannot be read or removed is left alone silently.
void remove_stale_partial_files(const std::filesystem::path& folder);

}  // namespace maquette

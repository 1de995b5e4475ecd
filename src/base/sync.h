// Syncing: what a power cut must not undo is on the disk before anything refers to it.
#pragma once

#include <filesystem>

namespace maquette {

// The file's bytes. Throws Error(failed, not_found) that names `shown`: what the file is going to be called.
void sync_file(const std::filesystem::path& path, const std::filesystem::path& shown);

// The names in a folder: files that were made in it, renamed into it or removed. An empty path is the working
// folder. Throws Error(failed, not_found); file systems that know no such thing are left alone.
void sync_folder(const std::filesystem::path& folder);

}  // namespace maquette

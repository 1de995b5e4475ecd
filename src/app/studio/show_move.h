// Moving a show's folder to another place, another disk for instance.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// Copies every file, checks it by its hash, switches the show's root in one transaction, then removes the old
// folder file by file, each only where the new one has it. A kill in between loses nothing: run it again with
// the same place, and it goes on. {show, from, to, files, bytes, left}: left are files that are in the old
// folder still. Throws Error(conflict): jobs of the show are running, or something else is at the new place;
// Error(bad_file): a file is not what its name says (nothing was switched).
Json move_show(Studio& studio, const production::Caller& caller, const std::string& show,
               const std::filesystem::path& to);

}  // namespace maquette::app

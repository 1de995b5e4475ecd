// Sheets of takes to look at together or to print.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// Writes the sheet into the spool and returns its path. format: "pdf" (a page each, with notes and drawings)
// or "png" (side by side).
std::filesystem::path playlist_sheet(Studio& studio, const db::Row& playlist, const std::string& format);

}  // namespace maquette::app

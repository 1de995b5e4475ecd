// Doctor: whether the files of shows are what the database says, each missing, altered or orphaned one by
// name; and backups.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// {shows: [{code, files, bytes, missing: [...], altered: [...], orphaned: [...]}], problems, healthy}. Reads
// every byte unless `quick` (then sizes only).
Json examine(Studio& studio, const std::string& show_code, bool quick);

// A copy of the studio that opens as one: the database at one moment, then every file it names. Consistent
// while others work: files are never altered, and those of later takes are merely too many. Written hidden,
// then renamed. {folder, files, bytes}. SQLite only; throws Error(usage) for PostgreSQL.
Json back_up(Studio& studio, const std::filesystem::path& folder);

}  // namespace maquette::app

// Doctor: whether the files of shows are what the database says, each missing, altered or orphaned one by
// name.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// {shows: [{code, files, bytes, missing: [...], altered: [...], orphaned: [...]}], unfinished: [...],
// problems, healthy}. Reads every byte unless `quick` (then sizes only). Unfinished: folders of deliveries
// and backups that were cut short; the next one of the same name takes their place.
Json examine(Studio& studio, const std::string& show_code, bool quick);

}  // namespace maquette::app

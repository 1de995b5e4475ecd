// Delivery: approved takes as files for those who work on with them, under the show's names, with a manifest.
#pragma once

#include "app/studio/studio.h"

namespace maquette::app {

// png16, tiff16, exr (scene-linear), ora, psd
std::vector<std::string> delivery_formats();

struct DeliveryRequest {
  std::string name;                  // of the folder inside <show>/delivery; empty: the time
  std::vector<std::string> formats;  // empty: png16
  std::vector<std::string> takes;    // ids; empty: every approved take of the show
  std::string path;                  // only of this sequence, shot or asset and what is below it
};

// Writes everything into a hidden folder, then renames it: a delivery is there whole, or not.
// {folder, manifest, files: [{take, reference, format, name, sha256, bytes}]}. Throws Error(usage, not_found,
// conflict): the folder exists.
Json deliver(Studio& studio, const db::Row& show, const DeliveryRequest& request);

// The manifests of what was handed over, newest first.
std::vector<Json> deliveries_of(Studio& studio, const db::Row& show);
// A file of a delivery: one that its manifest names, or "manifest.json". Throws Error(not_found).
std::filesystem::path delivered_file(Studio& studio, const db::Row& show, const std::string& delivery,
                                     const std::string& name);
// All of a delivery as one zip archive, in the spool.
std::filesystem::path delivery_archive(Studio& studio, const db::Row& show, const std::string& delivery);

}  // namespace maquette::app

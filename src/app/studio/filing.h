// Filing: how a picture file becomes a take. The bytes go into the show's store first; then one transaction
// makes the rows. A kill between the two leaves a file that "maquette doctor" calls orphaned, never half a
// take.
#pragma once

#include <filesystem>

#include "app/studio/studio.h"
#include "production/file_store.h"
#include "production/takes.h"

namespace maquette::app {

// A picture that lies in the store with its thumbnail; no rows yet.
struct StoredPicture {
  std::string sha256;
  std::string thumbnail;
  std::string media_type;
  int64_t bytes = 0;
  int64_t thumbnail_bytes = 0;
  int64_t width = 0;
  int64_t height = 0;
};

production::FileStore store_of(Studio& studio, const db::Row& show);

// Reads, checks and stores a picture; the file itself is taken away. Throws Error(bad_file).
StoredPicture store_picture(const production::FileStore& store, const std::filesystem::path& file);
// The rows of the picture and its thumbnail, and the take's fields that come from them.
void register_picture(const production::Change& change, const production::FileStore& store,
                      const std::string& show_id, const StoredPicture& picture, production::NewTake& take);

// Any file that takes and canvases refer to: pictures, layers, strokes. Throws Error(bad_file) for a type
// that is not kept.
struct StoredFile {
  std::string sha256;
  std::string media_type;
  int64_t bytes = 0;
  int64_t width = 0;  // of pictures
  int64_t height = 0;
};
StoredFile store_file(const production::FileStore& store, const std::filesystem::path& file);
// Its row. Throws Error(failed) where a purge took the same bytes away at the same moment.
void register_stored(const production::Change& change, const production::FileStore& store,
                     const std::string& show_id, const StoredFile& file);

// What the recipe in a picture says, for the columns of a take; empty where there is none. Of pictures of
// other programs (A1111, ComfyUI) the record is {source, recipe, notes, original}: what could be read of
// their text, and the text.
struct PictureOrigin {
  Json recipe;  // the record; null: none
  std::string seed, model, prompt;
};
PictureOrigin origin_of(const std::filesystem::path& file);
PictureOrigin origin_of_record(const Json& record);

}  // namespace maquette::app

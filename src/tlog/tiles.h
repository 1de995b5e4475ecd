// Tiles (c2sp.org/tlog-tiles): a log as files that never change. A tile holds up to 256 hashes of one level
// of the tree, a bundle up to 256 entries; those at the right edge are partial and have their width in their
// names.
//
//   tile/0/x001/x234/067        hashes 1234067 * 256 and following of the leaves
//   tile/1/000.p/17             17 roots of full tiles of level 0
//   tile/entries/000.p/44       44 entries, each after its length (2 bytes, big-endian)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/checkpoint.h"
#include "tlog/merkle.h"

namespace maquette::tlog {

constexpr int kTileHeight = 8;  // levels of the tree in a tile
constexpr uint64_t kTileWidth = uint64_t{1} << kTileHeight;

enum class TileKind { hashes, entries };

struct TileName {
  TileKind kind = TileKind::hashes;
  int level = 0;  // of the tree, in steps of 8 heights; 0 for entries
  uint64_t index = 0;
  uint64_t width = kTileWidth;  // 1 to 256; less than 256 is a partial tile

  std::string path() const;      // from the log's folder
  std::string partials() const;  // the folder of the partial tiles of this index
  bool operator==(const TileName&) const = default;
};
std::optional<TileName> parse_tile_path(std::string_view path);

// The width that this tile has in a log of `size` entries; 0 where it has none.
uint64_t tile_width(const TileName& tile, uint64_t size);
// Every tile and bundle of a log of `size` entries, bundles and low levels first.
std::vector<TileName> tiles_of(uint64_t size);

// Error(bad_file) where there are not exactly `width` hashes or entries; `name` is what errors call the file.
Result<std::vector<Hash>> parse_tile(std::string_view bytes, uint64_t width, std::string_view name);
Result<std::vector<std::string>> parse_bundle(std::string_view bytes, uint64_t width, std::string_view name);

std::string write_tile(std::span<const Hash> hashes);
// Error(usage) where an entry is too long.
std::string write_bundle(std::span<const std::string> entries);

// The hashes of a tile, out of a tree that has them.
std::vector<Hash> tile_hashes(const Tree& tree, const TileName& tile);

}  // namespace maquette::tlog

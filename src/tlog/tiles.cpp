#include "tlog/tiles.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace maquette::tlog {

namespace {

constexpr int kLevels = 8;  // 256^7 is more than kMaxEntries

// 1234067 is "x001/x234/067".
std::string index_path(uint64_t index) {
  std::string path = fmt::format("{:03}", index % 1000);
  while (index >= 1000) {
    index /= 1000;
    path = fmt::format("x{:03}/{}", index % 1000, path);
  }
  return path;
}

std::string stem(const TileName& tile) {
  const std::string level = tile.kind == TileKind::entries ? "entries" : fmt::format("{}", tile.level);
  return fmt::format("tile/{}/{}", level, index_path(tile.index));
}

// The parts after the level, without ".p/W".
std::optional<uint64_t> parse_index(std::span<const std::string> parts) {
  constexpr size_t kMaxParts = 6;
  if (parts.empty() || parts.size() > kMaxParts) return std::nullopt;
  uint64_t index = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    const bool last = i + 1 == parts.size();
    if (!last && !part.starts_with('x')) return std::nullopt;
    if (!last) part.remove_prefix(1);
    if (part.size() != 3 || part.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    index = index * 1000 + static_cast<uint64_t>(*parse_integer(part));
  }
  return index;
}

}  // namespace

std::string TileName::path() const {
  return width == kTileWidth ? stem(*this) : fmt::format("{}/{}", partials(), width);
}

std::string TileName::partials() const { return stem(*this) + ".p"; }

std::optional<TileName> parse_tile_path(std::string_view path) {
  std::vector<std::string> parts = split(path, '/');
  if (parts.size() < 3 || parts[0] != "tile") return std::nullopt;
  TileName tile;
  if (parts[1] == "entries") {
    tile.kind = TileKind::entries;
  } else {
    const std::optional<uint64_t> level = parse_count(parts[1]);
    if (!level || *level >= kLevels) return std::nullopt;
    tile.level = static_cast<int>(*level);
  }
  std::string& before_width = parts[parts.size() - 2];
  if (before_width.ends_with(".p")) {
    const std::optional<uint64_t> width = parse_count(parts.back());
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = *width;
    before_width.resize(before_width.size() - 2);
    parts.pop_back();
  }
  const std::optional<uint64_t> index = parse_index(std::span(parts).subspan(2));
  if (!index) return std::nullopt;
  tile.index = *index;
  // One tile has one name: no "x000" in front.
  return tile.path() == path ? std::optional(tile) : std::nullopt;
}

uint64_t tile_width(const TileName& tile, uint64_t size) {
  const uint64_t hashes = size >> (kTileHeight * tile.level);
  if (tile.index > hashes / kTileWidth) return 0;
  return std::min(kTileWidth, hashes - tile.index * kTileWidth);
}

std::vector<TileName> tiles_of(uint64_t size) {
  std::vector<TileName> tiles;
  const auto add = [&](TileName tile) {
    for (; (tile.width = tile_width(tile, size)) > 0; ++tile.index) tiles.push_back(tile);
  };
  add({.kind = TileKind::entries});
  for (int level = 0; level < kLevels && size >> (kTileHeight * level) > 0; ++level) add({.level = level});
  return tiles;
}

Result<std::vector<Hash>> parse_tile(std::string_view bytes, uint64_t width, std::string_view name) {
  std::vector<Hash> hashes(width);
  if (bytes.size() != width * sizeof(Hash)) {
    return Error(ErrorCode::bad_file, "\"{}\" is no tile of a log", name)
        .with("found", fmt::format("{} bytes", bytes.size()))
        .with("expected", fmt::format("{} bytes, {} hashes", width * sizeof(Hash), width));
  }
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

Result<std::vector<std::string>> parse_bundle(std::string_view bytes, uint64_t width, std::string_view name) {
  const auto bad = [&](std::string found) {
    return Error(ErrorCode::bad_file, "\"{}\" is no bundle of entries", name)
        .with("found", found)
        .with("expected", fmt::format("{} entries, each after its length in two bytes", width));
  };
  std::vector<std::string> entries;
  while (!bytes.empty()) {
    if (entries.size() == width) return bad(fmt::format("{} bytes after the last entry", bytes.size()));
    if (bytes.size() < 2) return bad("half a length at the end");
    const size_t length =
        static_cast<size_t>(static_cast<unsigned char>(bytes[0])) << 8 | static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    if (bytes.size() < length)
      return bad(fmt::format("{} bytes where entry {} should have {}", bytes.size(), entries.size(), length));
    entries.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (entries.size() != width) return bad(fmt::format("{} entries", entries.size()));
  return entries;
}

std::string write_tile(std::span<const Hash> hashes) {
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes()};
}

std::string write_bundle(std::span<const std::string> entries) {
  std::string bytes;
  for (const std::string& entry : entries) {
    if (entry.size() > kMaxEntryBytes) {
      throw Error(ErrorCode::usage, "an entry is too long for a log")
          .with("found", fmt::format("{} bytes", entry.size()))
          .with("expected", fmt::format("at most {} bytes", kMaxEntryBytes));
    }
    bytes += static_cast<char>(entry.size() >> 8);
    bytes += static_cast<char>(entry.size() & 255);
    bytes += entry;
  }
  return bytes;
}

std::vector<Hash> tile_hashes(const Tree& tree, const TileName& tile) {
  std::vector<Hash> hashes;
  const int height = kTileHeight * tile.level;
  for (uint64_t i = 0; i < tile.width; ++i)
    hashes.push_back(tree.subtree(height, tile.index * kTileWidth + i));
  return hashes;
}

}  // namespace maquette::tlog

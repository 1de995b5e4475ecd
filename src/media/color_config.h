// Colour spaces by name, as a studio's OpenColorIO configuration defines them or the built-in one does:
// conversion of pixels, and what a file may say about the space that it is in. The one place that knows
// OpenColorIO.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace maquette::media {

// How files name a space to others.
struct ColorIdentity {
  std::string interop_id;  // "lin_ap1_scene" (Color Interop Forum's recommendation, attribute colorInteropID)
  std::array<float, 8> chromaticities;  // x and y of red, green, blue and white
};

class ColorConfig {
 public:
  // data/color/maquette.ocio: sRGB texture, linear Rec.709, P3-D65 and Rec.2020, ACEScg, ACES2065-1, raw.
  static const ColorConfig& built_in();
  // A configuration file of OpenColorIO (version 1 or 2) with the look-up tables that stand beside it.
  static Result<ColorConfig> read(const fs::path& path);
  ColorConfig(ColorConfig&&) noexcept;
  ColorConfig& operator=(ColorConfig&&) noexcept;
  ~ColorConfig();

  std::vector<std::string> spaces() const;
  // The space's own name for a name, an alias or a role ("scene_linear"); nothing where there is none.
  std::optional<std::string> space(std::string_view name) const;
  // What painted pictures are in: the first of the usual names of sRGB textures that the configuration has.
  std::optional<std::string> texture_space() const;

  // In place; `channels` 3 or 4, of which the fourth is left alone. Alpha must not be multiplied in. Throws
  // Error(usage) for unknown names, Error(failed) where there is no way from one to the other.
  void convert(std::span<float> pixels, int channels, std::string_view from, std::string_view to) const;

  // For the scene-linear spaces that have a public name. Names are not believed where the configuration says
  // what ACES is (role aces_interchange) and its primaries turn out to be others.
  std::optional<ColorIdentity> identity(std::string_view name) const;

 private:
  struct State;
  explicit ColorConfig(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace maquette::media

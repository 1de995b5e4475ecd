// How a layer's colours meet those below: the modes that OpenRaster, Photoshop's files and painting programs
// share.
#pragma once

#include <optional>
#include <string_view>

namespace maquette::media {

enum class BlendMode {
  normal,
  multiply,
  screen,
  overlay,
  darken,
  lighten,
  color_dodge,
  color_burn,
  hard_light,
  soft_light,
  difference,
  add  // "linear dodge"
};

std::string_view name(BlendMode mode);  // "color-dodge"
std::optional<BlendMode> blend_mode_named(std::string_view name);
std::string_view openraster_name(BlendMode mode);  // "svg:color-dodge"
std::optional<BlendMode> blend_mode_of_openraster(std::string_view composite_op);
std::string_view photoshop_key(BlendMode mode);  // "div ", four characters

// One channel, backdrop and source in 0..1 and sRGB-encoded, as the W3C's "Compositing and Blending Level 1"
// defines the separable modes; `add` is min(1, backdrop + source). Photoshop's soft light uses another curve
// for bright sources (at most 0.02 away).
float blend(BlendMode mode, float backdrop, float source);

}  // namespace maquette::media

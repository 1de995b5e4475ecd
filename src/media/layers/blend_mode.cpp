// The formulas are those of "Compositing and Blending Level 1" (W3C), section 10.1, separable blend modes.
#include "media/layers/blend_mode.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace maquette::media {

namespace {

struct Row {
  BlendMode mode;
  std::string_view name;
  std::string_view openraster;
  std::string_view photoshop;
};
// In the order of the enumeration.
constexpr std::array<Row, 12> kModes = {{{BlendMode::normal, "normal", "svg:src-over", "norm"},
                                         {BlendMode::multiply, "multiply", "svg:multiply", "mul "},
                                         {BlendMode::screen, "screen", "svg:screen", "scrn"},
                                         {BlendMode::overlay, "overlay", "svg:overlay", "over"},
                                         {BlendMode::darken, "darken", "svg:darken", "dark"},
                                         {BlendMode::lighten, "lighten", "svg:lighten", "lite"},
                                         {BlendMode::color_dodge, "color-dodge", "svg:color-dodge", "div "},
                                         {BlendMode::color_burn, "color-burn", "svg:color-burn", "idiv"},
                                         {BlendMode::hard_light, "hard-light", "svg:hard-light", "hLit"},
                                         {BlendMode::soft_light, "soft-light", "svg:soft-light", "sLit"},
                                         {BlendMode::difference, "difference", "svg:difference", "diff"},
                                         {BlendMode::add, "add", "svg:plus", "lddg"}}};

const Row& row_of(BlendMode mode) { return kModes[static_cast<size_t>(mode)]; }

std::optional<BlendMode> find(std::string_view Row::*field, std::string_view wanted) {
  const auto found = std::ranges::find(kModes, wanted, field);
  return found == kModes.end() ? std::nullopt : std::optional(found->mode);
}

float hard_light(float b, float s) { return s <= 0.5f ? b * 2 * s : b + (2 * s - 1) - b * (2 * s - 1); }

float soft_light(float b, float s) {
  if (s <= 0.5f) return b - (1 - 2 * s) * b * (1 - b);
  const float d = b <= 0.25f ? ((16 * b - 12) * b + 4) * b : std::sqrt(b);
  return b + (2 * s - 1) * (d - b);
}

float color_dodge(float b, float s) {
  if (b == 0) return 0;
  return s >= 1 ? 1 : std::min(1.f, b / (1 - s));
}

float color_burn(float b, float s) {
  if (b >= 1) return 1;
  return s <= 0 ? 0 : 1 - std::min(1.f, (1 - b) / s);
}

}  // namespace

std::string_view name(BlendMode mode) { return row_of(mode).name; }
std::optional<BlendMode> blend_mode_named(std::string_view name) { return find(&Row::name, name); }
std::string_view openraster_name(BlendMode mode) { return row_of(mode).openraster; }
std::optional<BlendMode> blend_mode_of_openraster(std::string_view op) { return find(&Row::openraster, op); }
std::string_view photoshop_key(BlendMode mode) { return row_of(mode).photoshop; }

float blend(BlendMode mode, float b, float s) {
  switch (mode) {
    case BlendMode::normal: return s;
    case BlendMode::multiply: return b * s;
    case BlendMode::screen: return b + s - b * s;
    case BlendMode::overlay: return hard_light(s, b);
    case BlendMode::darken: return std::min(b, s);
    case BlendMode::lighten: return std::max(b, s);
    case BlendMode::color_dodge: return color_dodge(b, s);
    case BlendMode::color_burn: return color_burn(b, s);
    case BlendMode::hard_light: return hard_light(b, s);
    case BlendMode::soft_light: return soft_light(b, s);
    case BlendMode::difference: return std::abs(b - s);
    case BlendMode::add: return std::min(1.f, b + s);
  }
  return s;
}

}  // namespace maquette::media

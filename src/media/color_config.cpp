#include "media/color_config.h"

#include <OpenColorIO/OpenColorIO.h>
#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/text.h"
#include "media/color.h"
#include "media/embedded_data.h"

namespace OCIO = OCIO_NAMESPACE;

namespace maquette::media {

namespace {

constexpr std::string_view kInterchange = "aces_interchange";

// The usual names of sRGB textures: the built-in and ACES configurations of versions 2 and 1, and others.
constexpr std::array<std::string_view, 8> kTextureNames = {
    "srgb_rec709_scene",           "srgb - texture", "srgb_tx", "srgb_texture", "utility - srgb - texture",
    "srgb encoded rec.709 (srgb)", "texture_paint",  "srgb"};

struct KnownSpace {
  std::string_view interop_id;
  std::array<std::string_view, 4> names;  // in lower case; besides the id itself
  std::array<float, 8> chromaticities;
};
// Chromaticities: sources as in data/color/maquette.ocio.
constexpr std::array<KnownSpace, 5> kKnown = {
    {{"lin_rec709_scene",
      {"lin_rec709", "lin_rec709_srgb", "linear rec.709 (srgb)", "utility - linear - srgb"},
      kRec709},
     {"lin_ap1_scene",
      {"acescg", "lin_ap1", "aces - acescg", "lin_acescg"},
      {0.713f, 0.293f, 0.165f, 0.830f, 0.128f, 0.044f, 0.32168f, 0.33767f}},
     {"lin_ap0_scene",
      {"aces2065-1", "lin_ap0", "aces - aces2065-1", "aces2065_1"},
      {0.7347f, 0.2653f, 0.0f, 1.0f, 0.0001f, -0.0770f, 0.32168f, 0.33767f}},
     {"lin_p3d65_scene",
      {"lin_p3d65", "linear p3-d65", "utility - linear - p3-d65", "linear p3-d65 (srgb)"},
      {0.680f, 0.320f, 0.265f, 0.690f, 0.150f, 0.060f, 0.3127f, 0.3290f}},
     {"lin_rec2020_scene",
      {"lin_rec2020", "linear rec.2020", "utility - linear - rec.2020", "linear bt.2020"},
      {0.708f, 0.292f, 0.170f, 0.797f, 0.131f, 0.046f, 0.3127f, 0.3290f}}}};

Error bad_config(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot use the colour configuration").with("found", found);
}

// Every name under which a space is known, in lower case.
std::vector<std::string> names_of(const OCIO::ConstColorSpaceRcPtr& space) {
  std::vector<std::string> names = {lower_ascii(space->getName())};
  for (size_t i = 0; i < space->getNumAliases(); ++i) names.push_back(lower_ascii(space->getAlias(i)));
  return names;
}

const KnownSpace* known_space(const std::vector<std::string>& names) {
  for (const KnownSpace& known : kKnown) {
    for (const std::string& name : names) {
      if (name == known.interop_id || std::ranges::find(known.names, name) != known.names.end())
        return &known;
    }
  }
  return nullptr;
}

}  // namespace

struct ColorConfig::State {
  explicit State(OCIO::ConstConfigRcPtr config) : config(std::move(config)) {}
  OCIO::ConstConfigRcPtr config;
};

ColorConfig::ColorConfig(std::unique_ptr<State> state) : state_(std::move(state)) {}
ColorConfig::ColorConfig(ColorConfig&&) noexcept = default;
ColorConfig& ColorConfig::operator=(ColorConfig&&) noexcept = default;
ColorConfig::~ColorConfig() = default;

const ColorConfig& ColorConfig::built_in() {
  static const ColorConfig config = [] {
    OCIO::SetLoggingLevel(OCIO::LOGGING_LEVEL_NONE);
    std::istringstream text{std::string(embedded_ocio_config())};
    return ColorConfig(std::make_unique<State>(OCIO::Config::CreateFromStream(text)));
  }();
  return config;
}

Result<ColorConfig> ColorConfig::read(const fs::path& path) {
  if (!fs::is_regular_file(path))
    return Error(ErrorCode::not_found, "there is no colour configuration \"{}\"", path.string());
  OCIO::SetLoggingLevel(OCIO::LOGGING_LEVEL_NONE);
  try {
    auto state = std::make_unique<State>(OCIO::Config::CreateFromFile(path.c_str()));
    state->config->validate();
    return ColorConfig(std::move(state));
  } catch (const std::exception& error) {
    Error bad = bad_config(error.what());
    bad.with("file", path.string());
    return bad;
  }
}

std::vector<std::string> ColorConfig::spaces() const {
  std::vector<std::string> names;
  for (int i = 0; i < state_->config->getNumColorSpaces(); ++i)
    names.emplace_back(state_->config->getColorSpaceNameByIndex(i));
  return names;
}

std::optional<std::string> ColorConfig::space(std::string_view name) const {
  const auto found = state_->config->getColorSpace(std::string(name).c_str());
  return found ? std::optional<std::string>(found->getName()) : std::nullopt;
}

std::optional<std::string> ColorConfig::texture_space() const {
  for (const std::string_view name : kTextureNames) {
    if (auto found = space(name)) return found;
  }
  return std::nullopt;
}

void ColorConfig::convert(std::span<float> pixels, int channels, std::string_view from,
                          std::string_view to) const {
  for (const std::string_view name : {from, to}) {
    if (space(name)) continue;
    Error error(ErrorCode::usage, "the colour configuration has no space \"{}\"", name);
    error.with("expected", fmt::format("{}", fmt::join(spaces(), ", ")).substr(0, 400));
    const std::vector<std::string> names = spaces();
    if (const auto meant = did_you_mean(name, names)) error.hint("did you mean \"{}\"?", *meant);
    throw error;
  }
  try {
    const auto processor = state_->config->getProcessor(std::string(from).c_str(), std::string(to).c_str())
                               ->getDefaultCPUProcessor();
    const auto count = static_cast<long>(pixels.size() / static_cast<size_t>(channels));
    OCIO::PackedImageDesc image(pixels.data(), count, 1, channels);
    processor->apply(image);
  } catch (const std::exception& error) {
    throw Error(ErrorCode::failed, "cannot convert colours from \"{}\" to \"{}\"", from, to)
        .with("found", error.what());
  }
}

std::optional<ColorIdentity> ColorConfig::identity(std::string_view name) const {
  const auto found = state_->config->getColorSpace(std::string(name).c_str());
  if (!found || found->isData()) return std::nullopt;
  const KnownSpace* known = known_space(names_of(found));
  if (known == nullptr) return std::nullopt;
  if (space(kInterchange)) {
    // Red, green, blue and a grey, in this configuration and in ours, must be the same colours.
    constexpr float kTolerance = 2e-3f;
    std::array<float, 12> here = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.18f, 0.18f, 0.18f};
    std::array<float, 12> there = here;
    convert(here, 3, name, kInterchange);
    built_in().convert(there, 3, known->interop_id, kInterchange);
    for (size_t i = 0; i < here.size(); ++i) {
      if (!(std::abs(here[i] - there[i]) <= kTolerance)) return std::nullopt;
    }
  }
  return ColorIdentity{std::string(known->interop_id), known->chromaticities};
}

}  // namespace maquette::media

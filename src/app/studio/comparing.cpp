#include "app/studio/comparing.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "media/image_io.h"
#include "media/mask_ops.h"
#include "media/tiling.h"

namespace maquette::app {

namespace {

constexpr int kStep = 257;  // 16-bit levels between two 8-bit ones

media::Image picture(const std::filesystem::path& file) {
  return media::to_rgb(media::read_image(file).take());
}

media::Image picture(const production::FileStore& store, const std::string& sha256) {
  store.require(sha256);
  return picture(store.path(sha256));
}

// As 16-bit files hold it. An 8-bit level v is 257 v.
std::vector<int> levels_of(const media::Image& picture) {
  std::vector<int> levels;
  levels.reserve(picture.data().size());
  for (const float v : picture.data()) levels.push_back(static_cast<int>(std::lround(v * 65535.0F)));
  return levels;
}

bool has_8_bits(const std::vector<int>& levels) {
  return std::ranges::all_of(levels, [](int level) { return level % kStep == 0; });
}

struct Kept {
  int64_t pixels = 0;   // where the mask is 0
  int64_t changed = 0;  // of these
};

Kept compare_outside(const media::Image& original, const media::Image& result, const media::Image& mask) {
  const std::vector<int> before = levels_of(original);
  const std::vector<int> after = levels_of(result);
  const int allowed = has_8_bits(after) ? kStep - 1 : 0;
  Kept kept;
  for (size_t i = 0; i < mask.data().size(); ++i) {
    if (mask.data()[i] > 0) continue;
    ++kept.pixels;
    int largest = 0;
    for (size_t c = 3 * i; c < 3 * i + 3; ++c) largest = std::max(largest, std::abs(after[c] - before[c]));
    if (largest > allowed) ++kept.changed;
  }
  return kept;
}

}  // namespace

Json proof_of(const production::FileStore& store, const std::string& take_sha256,
              const std::string& parent_sha256, const std::string& mask_sha256) {
  const media::Image result = picture(store, take_sha256);
  const media::Image original = picture(store, parent_sha256);
  if (!result.same_size(original)) {
    throw Error(ErrorCode::usage, "the pictures differ in size")
        .with("found", fmt::format("{} x {} and {} x {}", result.width(), result.height(), original.width(),
                                   original.height()));
  }
  media::Image mask = media::Image::zeros(result.height(), result.width(), 1);
  if (!mask_sha256.empty()) {
    store.require(mask_sha256);
    mask = media::to_grey(media::read_image(store.path(mask_sha256)).take());
    if (!mask.same_size(result)) throw Error(ErrorCode::usage, "the mask has another size than the picture");
  }
  const Kept kept = compare_outside(original, result, mask);
  const media::SeamDrift drift = media::seam_drift(media::to_8bit(original), media::to_8bit(result), mask);
  return {{"parent_sha256", parent_sha256},
          {"mask_sha256", mask_sha256},
          {"outside_unchanged", kept.changed == 0},
          {"outside_pixels", kept.pixels},
          {"changed_pixels", kept.changed},
          {"seam_drift",
           {{"inside_levels", drift.inside_levels},
            {"outside_levels", drift.outside_levels},
            {"inside_delta_e", drift.inside_delta_e},
            {"shift", drift.shift},
            {"shift_delta_e", drift.shift_delta_e},
            {"step", drift.step},
            {"step_before", drift.step_before}}}};
}

Json picture_difference(const production::FileStore& store, const std::string& a_sha256,
                        const std::string& b_sha256) {
  if (!store.has(a_sha256) || !store.has(b_sha256)) return {{"reason", "a picture was purged"}};
  return difference_of_files(store.path(a_sha256), store.path(b_sha256));
}

Json difference_of_files(const std::filesystem::path& a_file, const std::filesystem::path& b_file) {
  const media::Image a = picture(a_file);
  const media::Image b = picture(b_file);
  if (!a.same_size(b)) return {{"reason", "the pictures differ in size"}};
  const std::vector<int> left = levels_of(a);
  const std::vector<int> right = levels_of(b);
  int64_t changed = 0;
  int largest = 0;
  double squares = 0;
  for (size_t i = 0; i < left.size(); i += 3) {
    int pixel = 0;
    for (size_t c = i; c < i + 3; ++c) {
      const int difference = std::abs(left[c] - right[c]);
      pixel = std::max(pixel, difference);
      squares += static_cast<double>(difference) * difference;
    }
    largest = std::max(largest, pixel);
    if (pixel > 0) ++changed;
  }
  const auto values = static_cast<double>(left.size());
  // 10 log10(peak^2 / mean squared difference)
  const Json psnr = largest == 0 ? Json() : Json(10 * std::log10(65535.0 * 65535.0 / (squares / values)));
  return {{"psnr", psnr},
          {"max_difference", static_cast<double>(largest) / kStep},
          {"changed_share", static_cast<double>(changed) / (values / 3)}};
}

Json recipe_difference(const Json& a, const Json& b) {
  const Json flat_a = a.is_object() ? a.flatten() : Json::object();
  const Json flat_b = b.is_object() ? b.flatten() : Json::object();
  std::set<std::string> names;
  for (const Json* side : {&flat_a, &flat_b}) {
    for (const auto& [name, value] : side->items()) names.insert(name);
  }
  Json list = Json::array();
  for (const std::string& name : names) {
    const Json left = flat_a.value(name, Json());
    const Json right = flat_b.value(name, Json());
    if (left != right) list.push_back({{"name", name.substr(1)}, {"a", left}, {"b", right}});
  }
  return list;
}

Json seams_of(const production::FileStore& store, const std::string& sha256) {
  const media::TilingSeam seam = media::tiling_seam(media::to_8bit(picture(store, sha256)));
  const auto axis = [](const media::AxisSeam& s) {
    return Json{
        {"ratio", s.ratio}, {"wrap", s.wrap}, {"typical", s.typical}, {"beside", s.beside}, {"rank", s.rank}};
  };
  return {{"x", axis(seam.x)}, {"y", axis(seam.y)}};
}

}  // namespace maquette::app

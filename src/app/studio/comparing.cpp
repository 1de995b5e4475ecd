#include "app/studio/comparing.h"

#include <cmath>
#include <set>

#include "media/image_io.h"
#include "media/mask_ops.h"
#include "media/psnr.h"
#include "media/tiling.h"

namespace maquette::app {

namespace {

media::Image8 picture(const production::FileStore& store, const std::string& sha256) {
  store.require(sha256);
  return media::to_rgb(media::to_8bit(media::read_image(store.path(sha256)).take()));
}

}  // namespace

Json proof_of(const production::FileStore& store, const std::string& take_sha256,
              const std::string& parent_sha256, const std::string& mask_sha256) {
  const media::Image8 result = picture(store, take_sha256);
  const media::Image8 original = picture(store, parent_sha256);
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
  int64_t outside = 0, changed = 0;
  for (size_t i = 0; i < mask.data().size(); ++i) {
    if (mask.data()[i] > 0) continue;
    ++outside;
    for (size_t c = 0; c < 3; ++c) {
      if (result.data()[3 * i + c] == original.data()[3 * i + c]) continue;
      ++changed;
      break;
    }
  }
  const media::SeamDrift drift = media::seam_drift(original, result, mask);
  return {{"parent_sha256", parent_sha256},
          {"mask_sha256", mask_sha256},
          {"outside_unchanged", changed == 0},
          {"outside_pixels", outside},
          {"changed_pixels", changed},
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
  const media::Image8 a = picture(store, a_sha256);
  const media::Image8 b = picture(store, b_sha256);
  if (!a.same_size(b)) return {{"reason", "the pictures differ in size"}};
  int64_t changed = 0;
  const int64_t pixels = a.width() * a.height();
  for (size_t i = 0; i < static_cast<size_t>(pixels); ++i) {
    const bool same = a.data()[3 * i] == b.data()[3 * i] && a.data()[3 * i + 1] == b.data()[3 * i + 1] &&
                      a.data()[3 * i + 2] == b.data()[3 * i + 2];
    if (!same) ++changed;
  }
  const double psnr = media::psnr(a, b);
  return {{"psnr", std::isfinite(psnr) ? Json(psnr) : Json()},  // null: equal pictures
          {"max_difference", media::max_difference(a, b)},
          {"changed_share", static_cast<double>(changed) / static_cast<double>(pixels)}};
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
  const media::TilingSeam seam = media::tiling_seam(picture(store, sha256));
  const auto axis = [](const media::AxisSeam& s) {
    return Json{
        {"ratio", s.ratio}, {"wrap", s.wrap}, {"typical", s.typical}, {"beside", s.beside}, {"rank", s.rank}};
  };
  return {{"x", axis(seam.x)}, {"y", axis(seam.y)}};
}

}  // namespace maquette::app

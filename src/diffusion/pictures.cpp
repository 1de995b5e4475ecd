#include "diffusion/pictures.h"

#include <set>

#include "base/hash.h"
#include "media/image_io.h"
#include "media/mask_ops.h"

namespace maquette::diffusion {

namespace {

std::string name_of(const std::string& path) { return path.substr(path.find(':') + 1); }

}  // namespace

const media::Image8& Pictures::held(const std::string& path) const {
  const auto found = held_.find(name_of(path));
  if (found != held_.end()) return found->second;
  Error error(ErrorCode::not_found, "the picture \"{}\" is not there", path);
  error.with("found", held_.empty() ? "no pictures handed over in memory"
                                    : fmt::format("{} under other names", held_.size()));
  error.hint(
      "the program that made the recipe held it in memory: hand it over again, or name a file instead");
  throw error;
}

media::Image Pictures::read(const FileRef& file) const {
  return in_memory(file.path) ? media::to_float(held(file.path)) : media::read_image(file.path).take();
}

media::Image Pictures::read_mask(const FileRef& file) const {
  if (!in_memory(file.path)) return media::read_mask(file.path).take();
  return media::to_grey(media::flatten(media::to_float(held(file.path)), 0, 0, 0));
}

std::string Pictures::hash(const std::string& path) const {
  const media::Image8& picture = held(path);
  Sha256 sum;
  sum.update(fmt::format("{} x {} x {} bytes\n", picture.height(), picture.width(), picture.channels()));
  sum.update(std::as_bytes(picture.data()));
  return sum.hex();
}

void Pictures::require_all_used(const Recipe& recipe) const {
  std::set<std::string> named;
  const auto name = [&named](const FileRef& file) {
    if (in_memory(file.path)) named.insert(name_of(file.path));
  };
  name(recipe.init);
  name(recipe.mask);
  for (const Recipe::Control& control : recipe.controls) name(control.image);
  for (const Recipe::Region& region : recipe.regions) name(region.mask);
  for (const auto& [held, picture] : held_) {
    if (named.contains(held)) continue;
    throw Error(ErrorCode::usage, "the recipe does not use the picture \"{}\"", held)
        .hint("name it as \"memory:{}\", or leave it out", held);
  }
}

}  // namespace maquette::diffusion

#include "diffusion/preprocess.h"

#include <string>
#include <vector>

#include "base/text.h"
#include "media/preprocess.h"

namespace maquette::diffusion {

namespace {

struct Kind {
  std::string_view name;
  media::Image8 (*make)(const media::Image8& picture);
};

media::Image8 as_it_is(const media::Image8& picture) { return picture; }

const Kind kKinds[] = {
    {"canny", [](const media::Image8& p) { return media::canny(p); }},
    {"lineart", [](const media::Image8& p) { return media::line_art(p); }},
    {"scribble", [](const media::Image8& p) { return media::scribble(p); }},
    {"invert", [](const media::Image8& p) { return media::invert_colours(p); }},
    {"none", as_it_is},
    {"depth", as_it_is},
    {"segmentation", as_it_is},
    {"normal", as_it_is},
    {"pose", as_it_is},
    {"picture", as_it_is},
};

}  // namespace

media::Image8 control_picture(std::string_view kind, const media::Image8& picture) {
  std::vector<std::string> names;
  for (const Kind& entry : kKinds) {
    if (entry.name == kind) return media::to_rgb(entry.make(picture));
    names.emplace_back(entry.name);
  }
  Error error(ErrorCode::usage, "unknown kind of control \"{}\"", kind);
  error.with("expected", fmt::format("{}", fmt::join(names, ", ")));
  if (const auto meant = did_you_mean(kind, names)) error.hint("did you mean \"{}\"?", *meant);
  throw error;
}

}  // namespace maquette::diffusion

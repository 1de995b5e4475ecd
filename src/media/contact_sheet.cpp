// Lays the sheet out from the inside: cell size from the largest picture, text size from the cell, row
// heights from the captions that need most lines.
#include "media/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include "media/lettering.h"
#include "media/resize.h"

namespace maquette::media {

namespace {

constexpr size_t kMostPictures = 1'000;
constexpr size_t kMostNoteLines = 6;
constexpr float kGround = 43 / 255.f;
constexpr float kFrame = 70 / 255.f;
constexpr float kBright = 235 / 255.f;
constexpr float kDim = 165 / 255.f;

struct Sizes {
  int64_t cell_width = 0;
  int64_t cell_height = 0;
  int64_t margin = 0;
  int64_t gap = 0;
  double text = 0;  // em heights
  double title = 0;
  double line() const { return std::round(text * 1.4); }
};

struct Caption {
  std::string title;
  std::vector<std::string> lines;
};

Sizes sizes_for(std::span<const Image8> pictures) {
  Sizes sizes;
  for (const Image8& picture : pictures) {
    sizes.cell_width = std::max(sizes.cell_width, picture.width());
    sizes.cell_height = std::max(sizes.cell_height, picture.height());
  }
  sizes.cell_width = std::max<int64_t>(sizes.cell_width, 120);  // room for a seed
  const auto width = static_cast<double>(sizes.cell_width);
  sizes.text = std::round(std::clamp(width / 30, 13.0, 20.0));
  sizes.title = std::round(sizes.text * 1.5);
  sizes.gap = static_cast<int64_t>(std::clamp(width / 18, 12.0, 32.0));
  sizes.margin = sizes.gap * 3 / 2;
  return sizes;
}

// The number of columns whose sheet comes nearest to 3:2, with as few empty cells as possible.
int choose_columns(size_t count, const Sizes& sizes) {
  int best = 1;
  double least = 1e9;
  for (int columns = 1; columns <= static_cast<int>(count); ++columns) {
    const auto rows =
        static_cast<double>((count + static_cast<size_t>(columns) - 1) / static_cast<size_t>(columns));
    const double ratio = columns * static_cast<double>(sizes.cell_width + sizes.gap) /
                         (rows * (static_cast<double>(sizes.cell_height) + 3 * sizes.line()));
    const double empty = rows * columns - static_cast<double>(count);
    const double cost = std::abs(std::log(ratio / 1.5)) + 0.25 * empty;
    if (cost < least) {
      least = cost;
      best = columns;
    }
  }
  return best;
}

void draw_picture(Image& sheet, const Image8& picture, int64_t top, int64_t left) {
  // A frame one pixel wide, so that dark pictures have an end.
  for (int64_t y = top - 1; y <= top + picture.height(); ++y) {
    for (int64_t x = left - 1; x <= left + picture.width(); ++x) {
      const bool inside = y >= top && x >= left && y < top + picture.height() && x < left + picture.width();
      for (int64_t c = 0; c < 3; ++c) {
        sheet.at(y, x, c) = inside ? static_cast<float>(picture.at(y - top, x - left, c)) / 255.f : kFrame;
      }
    }
  }
}

// Everything that is known before drawing begins.
struct Plan {
  Sizes sizes;
  int64_t columns = 1;
  std::vector<Image8> pictures;
  std::vector<Caption> captions;
  std::vector<std::string> title;
  std::vector<std::string> subtitle;
  std::vector<int64_t> row_tops;
  int64_t width = 0;
  int64_t height = 0;
};

Plan make_plan(std::span<const ContactPicture> pictures, const ContactSheetOptions& options) {
  Plan plan;
  for (const ContactPicture& p : pictures)
    plan.pictures.push_back(reduced_for_sheet(p.picture, options.largest_side));
  plan.sizes = sizes_for(plan.pictures);
  const Sizes& s = plan.sizes;
  const auto count = static_cast<int64_t>(pictures.size());
  plan.columns =
      options.columns > 0 ? std::min<int64_t>(options.columns, count) : choose_columns(pictures.size(), s);
  plan.width = 2 * s.margin + plan.columns * s.cell_width + (plan.columns - 1) * s.gap;

  const auto cell = static_cast<double>(s.cell_width);
  for (const ContactPicture& p : pictures) {
    Caption caption;
    const std::vector<std::string> title = wrap_text(p.title, {s.text, cell, 1});
    if (!title.empty()) caption.title = title.front();
    for (const std::string& note : p.notes) {
      const size_t room = kMostNoteLines - std::min(caption.lines.size(), kMostNoteLines);
      std::ranges::move(wrap_text(note, {s.text * 0.9, cell, room}), std::back_inserter(caption.lines));
    }
    plan.captions.push_back(std::move(caption));
  }

  const auto inner = static_cast<double>(plan.width - 2 * s.margin);
  plan.title = wrap_text(options.title, {s.title, inner, 3});
  plan.subtitle = wrap_text(options.subtitle, {s.text, inner, 4});
  double y = static_cast<double>(s.margin) + static_cast<double>(plan.title.size()) * s.title * 1.4 +
             static_cast<double>(plan.subtitle.size()) * s.line();
  if (!plan.title.empty() || !plan.subtitle.empty()) y += static_cast<double>(s.gap) * 0.75;
  for (int64_t first = 0; first < count; first += plan.columns) {
    plan.row_tops.push_back(static_cast<int64_t>(y));
    size_t lines = 0;
    for (int64_t i = first; i < std::min(first + plan.columns, count); ++i) {
      const Caption& caption = plan.captions[static_cast<size_t>(i)];
      lines = std::max(lines, caption.lines.size() + (caption.title.empty() ? 0 : 1));
    }
    y += static_cast<double>(s.cell_height) + s.text * 0.6 + static_cast<double>(lines) * s.line() +
         static_cast<double>(s.gap);
  }
  plan.height = static_cast<int64_t>(y) - s.gap + s.margin;
  return plan;
}

void draw_heading(Image& sheet, const Plan& plan) {
  const auto x = static_cast<double>(plan.sizes.margin);
  double y = x;
  for (const std::string& line : plan.title) {
    draw_text(sheet, line, {x, y + plan.sizes.title, plan.sizes.title, kBright});
    y += plan.sizes.title * 1.4;
  }
  for (const std::string& line : plan.subtitle) {
    draw_text(sheet, line, {x, y + plan.sizes.text, plan.sizes.text, kDim});
    y += plan.sizes.line();
  }
}

void draw_cell(Image& sheet, const Plan& plan, size_t index) {
  const Sizes& s = plan.sizes;
  const Image8& picture = plan.pictures[index];
  const auto at = static_cast<int64_t>(index);
  const int64_t left = s.margin + at % plan.columns * (s.cell_width + s.gap);
  const int64_t top = plan.row_tops[static_cast<size_t>(at / plan.columns)];
  const int64_t inset = (s.cell_width - picture.width()) / 2;
  draw_picture(sheet, picture, top + s.cell_height - picture.height(), left + inset);

  const auto x = static_cast<double>(left);
  double baseline = static_cast<double>(top + s.cell_height) + s.text * 0.6 + s.text;
  const Caption& caption = plan.captions[index];
  if (!caption.title.empty()) {
    draw_text(sheet, caption.title, {x, baseline, s.text, kBright});
    baseline += s.line();
  }
  for (const std::string& line : caption.lines) {
    draw_text(sheet, line, {x, baseline, s.text * 0.9, kDim});
    baseline += s.line();
  }
}

}  // namespace

Image8 reduced_for_sheet(const Image8& picture, int64_t largest_side) {
  const int64_t side = std::max(picture.width(), picture.height());
  const Image8 rgb = picture.channels() == 4 ? to_8bit(flatten(to_float(picture), kGround, kGround, kGround))
                                             : to_rgb(picture);
  if (side <= largest_side) return rgb;
  const auto scaled = [&](int64_t v) { return std::max<int64_t>((v * largest_side + side / 2) / side, 1); };
  return resize(rgb, scaled(picture.height()), scaled(picture.width()), Filter::lanczos);
}

Image8 contact_sheet(std::span<const ContactPicture> pictures, const ContactSheetOptions& options) {
  if (pictures.empty() || pictures.size() > kMostPictures) {
    throw Error(ErrorCode::usage, "cannot make a contact sheet of {} pictures", pictures.size())
        .with("expected", fmt::format("1 to {}", kMostPictures));
  }
  const Plan plan = make_plan(pictures, options);
  Image sheet = Image::zeros(plan.height, plan.width, 3);
  std::ranges::fill(sheet.data(), kGround);
  draw_heading(sheet, plan);
  for (size_t i = 0; i < pictures.size(); ++i) draw_cell(sheet, plan, i);
  return to_8bit(sheet);
}

}  // namespace maquette::media

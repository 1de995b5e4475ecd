// Shapes become polygons in pixels; a pixel belongs to the mask where its centre lies inside (even-odd rule,
// scan line by scan line) or no farther from the line than half the line's width.
#include "app/studio/annotation_mask.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "media/mask_ops.h"

namespace maquette::app {

namespace {

struct Point {
  double x = 0, y = 0;
};
using Line = std::vector<Point>;

double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

void fill(media::Image& mask, const Line& polygon) {
  for (int64_t y = 0; y < mask.height(); ++y) {
    const double at = static_cast<double>(y) + 0.5;
    std::vector<double> crossings;
    for (size_t i = 0; i < polygon.size(); ++i) {
      const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
      if ((a.y <= at) == (b.y <= at)) continue;
      crossings.push_back(a.x + (at - a.y) / (b.y - a.y) * (b.x - a.x));
    }
    std::ranges::sort(crossings);
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const auto limit = [&](double x) {
        return std::clamp<int64_t>(std::lround(std::clamp(x, -1e6, 1e6)), 0, mask.width());
      };
      for (int64_t x = limit(crossings[i]); x < limit(crossings[i + 1]); ++x) mask.at(y, x) = 1;
    }
  }
}

void stroke_segment(media::Image& mask, Point a, Point b, double radius) {
  const auto bound = [](double v, int64_t end) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::clamp(v, -1e6, 1e6)), 0, end);
  };
  const double length2 = (b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y);
  for (int64_t y = bound(std::min(a.y, b.y) - radius, mask.height());
       y < bound(std::max(a.y, b.y) + radius + 1, mask.height()); ++y) {
    for (int64_t x = bound(std::min(a.x, b.x) - radius, mask.width());
         x < bound(std::max(a.x, b.x) + radius + 1, mask.width()); ++x) {
      const Point p{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
      const double t =
          length2 > 0
              ? std::clamp(((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / length2, 0.0, 1.0)
              : 0.0;
      if (distance(p, {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}) <= radius) mask.at(y, x) = 1;
    }
  }
}

Line ellipse(Point a, Point b) {
  constexpr int kCorners = 128;
  Line line;
  for (int i = 0; i < kCorners; ++i) {
    const double angle = 2 * std::numbers::pi * i / kCorners;
    line.push_back({(a.x + b.x) / 2 + std::abs(b.x - a.x) / 2 * std::cos(angle),
                    (a.y + b.y) / 2 + std::abs(b.y - a.y) / 2 * std::sin(angle)});
  }
  return line;
}

// People do not close their circles exactly: ends that are near, seen from the length of the line, meet.
bool is_closed(const Line& line) {
  if (line.size() < 8) return false;
  double length = 0;
  for (size_t i = 1; i < line.size(); ++i) length += distance(line[i - 1], line[i]);
  return distance(line.front(), line.back()) < 0.2 * length;
}

void draw(media::Image& mask, const Json& stroke) {
  const std::string kind = stroke.at("kind");
  if (kind == "text") return;
  Line points;
  for (const Json& p : stroke.at("points")) {
    points.push_back({p[0].get<double>() * static_cast<double>(mask.width()),
                      p[1].get<double>() * static_cast<double>(mask.height())});
  }
  const Point first = points.front(), last = points.back();
  if (kind == "rect") return fill(mask, {first, {last.x, first.y}, last, {first.x, last.y}});
  if (kind == "ellipse") return fill(mask, ellipse(first, last));
  if (kind == "path" && is_closed(points)) fill(mask, points);
  const double width = std::max(stroke.value("width", 0.01), 0.002) * static_cast<double>(mask.height());
  for (size_t i = 1; i < points.size(); ++i) stroke_segment(mask, points[i - 1], points[i], width / 2);
  if (points.size() == 1) stroke_segment(mask, first, first, width / 2);
}

}  // namespace

media::Image mask_from_drawing(const Json& drawing, const MaskFromDrawing& wanted) {
  media::Image mask = media::Image::zeros(wanted.height, wanted.width, 1);
  for (const Json& stroke : drawing) draw(mask, stroke);
  if (std::ranges::none_of(mask.data(), [](float v) { return v > 0; })) {
    throw Error(ErrorCode::usage, "the drawing covers nothing of the picture")
        .hint("circle what is to be painted anew");
  }
  if (wanted.grow != 0) mask = media::grow(mask, wanted.grow);
  if (wanted.feather > 0) mask = media::feather(mask, wanted.feather);
  return mask;
}

}  // namespace maquette::app

// Strokes are flattened to short lines, and the coverage of a pixel comes from the distance of its centre to
// the nearest of them, so that curves and diagonals are smooth at any size. The glyphs stand in
// lettering_glyphs.h.
#include "media/lettering.h"

#include <algorithm>
#include <cmath>

#include "media/lettering_glyphs.h"
#include "media/unicode.h"

namespace maquette::media {

namespace {

constexpr double kUnitsPerEm = 12.5;  // grid units; capitals are 9 high
constexpr double kSpacing = 2.6;      // between glyphs
constexpr double kStroke = 1.15;      // thickness
constexpr int kCurveSteps = 8;

struct Point {
  double x = 0;
  double y = 0;
};
using Polyline = std::vector<Point>;

const Glyph* find_glyph(char32_t c) {
  const auto found = std::ranges::find(kGlyphs, c, &Glyph::character);
  return found == std::end(kGlyphs) ? nullptr : &*found;
}

// A character as a glyph, and the accent set on it where it has one.
struct Composed {
  const Glyph* glyph = &kMissing;
  const Accent* accent = nullptr;
  bool capital = false;
};

Composed compose(char32_t c) {
  if (const Glyph* glyph = find_glyph(c)) return {glyph, nullptr, false};
  for (const Accent& accent : kAccents) {
    const size_t at = accent.composed.find(c);
    if (at == std::u32string_view::npos) continue;
    const char32_t base = accent.bases[at];
    return {find_glyph(base), &accent, base >= U'A' && base <= U'Z'};
  }
  return {};
}

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// Strokes as polylines in grid units, baseline at 0 and y upwards, moved by `shift`.
std::vector<Polyline> strokes_of(std::string_view text, const Point& shift = {}) {
  if (text.empty()) return {};
  std::vector<Polyline> strokes(1);
  for (size_t i = 0; i < text.size(); i += 2) {
    if (text[i] == ' ') {
      strokes.emplace_back();
      ++i;
    }
    const auto point_at = [&](size_t at) {
      return Point{digit(text[at]) + shift.x, digit(text[at + 1]) - 3 + shift.y};
    };
    Polyline& stroke = strokes.back();
    if (text[i] != '~') {
      stroke.push_back(point_at(i));
      continue;
    }
    const Point from = stroke.back(), control = point_at(i + 1), to = point_at(i + 3);
    for (int step = 1; step <= kCurveSteps; ++step) {
      const double t = double(step) / kCurveSteps, s = 1 - t;
      stroke.push_back({s * s * from.x + 2 * s * t * control.x + t * t * to.x,
                        s * s * from.y + 2 * s * t * control.y + t * t * to.y});
    }
    i += 3;
  }
  return strokes;
}

std::vector<Polyline> strokes_of(const Composed& composed) {
  std::vector<Polyline> strokes = strokes_of(composed.glyph->strokes);
  if (!composed.accent) return strokes;
  const Point shift{composed.glyph->width / 2.0 - 2, composed.capital && !composed.accent->below ? 3.0 : 0.0};
  std::ranges::move(strokes_of(composed.accent->strokes, shift), std::back_inserter(strokes));
  return strokes;
}

double distance_to_segment(const Point& p, const Point& a, const Point& b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

// Raises the coverage of the pixels near one segment (pixel coordinates).
void cover(Image& coverage, const Point& a, const Point& b, double radius) {
  const double reach = radius + 1;
  const auto low = [&](double v) {
    return std::max<int64_t>(static_cast<int64_t>(std::floor(v - reach)), 0);
  };
  const auto high = [&](double v, int64_t size) {
    return std::min<int64_t>(static_cast<int64_t>(std::ceil(v + reach)), size);
  };
  for (int64_t y = low(std::min(a.y, b.y)); y < high(std::max(a.y, b.y), coverage.height()); ++y) {
    for (int64_t x = low(std::min(a.x, b.x)); x < high(std::max(a.x, b.x), coverage.width()); ++x) {
      const double away = distance_to_segment({double(x) + 0.5, double(y) + 0.5}, a, b);
      float& value = coverage.at(y, x);
      value = std::max(value, static_cast<float>(std::clamp(radius + 0.5 - away, 0.0, 1.0)));
    }
  }
}

// Cuts the last character off, whole UTF-8 sequences at a time.
void drop_last(std::string& text) {
  while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

}  // namespace

double text_width(std::string_view utf8, double size) {
  double units = 0;
  for (size_t i = 0; i < utf8.size();) units += compose(next_code_point(utf8, i)).glyph->width + kSpacing;
  return std::max(units - kSpacing + kStroke, 0.0) * size / kUnitsPerEm;
}

void draw_text(Image& image, std::string_view utf8, const Pen& pen) {
  const double unit = pen.size / kUnitsPerEm;
  const double radius = std::max(kStroke * unit / 2, 0.5);
  // Ink is gathered on a strip of its own, so that strokes that cross do not darken each other twice.
  const auto top = static_cast<int64_t>(std::floor(pen.baseline - 15 * unit));
  Image coverage = Image::zeros(static_cast<int64_t>(std::ceil(20 * unit)), image.width(), 1);
  double x = pen.x + kStroke * unit / 2;
  for (size_t i = 0; i < utf8.size();) {
    const Composed composed = compose(next_code_point(utf8, i));
    for (const Polyline& stroke : strokes_of(composed)) {
      const auto placed = [&](const Point& p) {
        return Point{x + p.x * unit, pen.baseline - kStroke * unit / 2 - p.y * unit - double(top)};
      };
      for (size_t k = 0; k < stroke.size(); ++k) {
        cover(coverage, placed(stroke[k]), placed(stroke[std::min(k + 1, stroke.size() - 1)]), radius);
      }
    }
    x += (composed.glyph->width + kSpacing) * unit;
  }
  for (int64_t y = 0; y < coverage.height(); ++y) {
    if (top + y < 0 || top + y >= image.height()) continue;
    for (int64_t column = 0; column < image.width(); ++column) {
      const float ink = coverage.at(y, column);
      for (int64_t c = 0; ink > 0 && c < image.channels(); ++c) {
        float& value = image.at(top + y, column, c);
        value += (pen.grey - value) * ink;
      }
    }
  }
}

std::vector<std::string> wrap_text(std::string_view utf8, const LineLimits& limits) {
  std::vector<std::string> lines;
  std::string line;
  const auto fits = [&](const std::string& text) { return text_width(text, limits.size) <= limits.width; };
  for (size_t i = 0; i < utf8.size();) {
    const size_t start = i;
    const char32_t character = next_code_point(utf8, i);
    const bool blank = character == U' ' || character == U'\n';
    if (character == U'\n' ||
        (!blank && !line.empty() && !fits(line + std::string(utf8.substr(start, i - start))))) {
      // The word that does not fit moves to the next line, unless it began this one.
      const size_t space = character == U'\n' ? line.size() : line.rfind(' ');
      const bool whole_words = space != std::string::npos && space > 0;
      const std::string rest = whole_words && space < line.size() ? line.substr(space + 1) : "";
      lines.push_back(whole_words ? line.substr(0, space) : line);
      line = rest;
      if (character == U'\n') continue;
    }
    if (blank && line.empty()) continue;
    line += utf8.substr(start, i - start);
  }
  if (!line.empty()) lines.push_back(line);
  if (lines.size() <= limits.lines) return lines;
  lines.resize(limits.lines);
  while (limits.lines > 0 && !lines.back().empty() && !fits(lines.back() + "...")) drop_last(lines.back());
  if (limits.lines > 0) lines.back() += "...";
  return lines;
}

}  // namespace maquette::media

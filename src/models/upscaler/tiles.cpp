// Windows are laid out per axis. Without wrapping they lie inside the picture, so that the zero padding of
// the convolutions meets the true edges only:
//
//   0                                    size
//   |-------- window --------|
//            |-------- window --------|
//                     |-------- window --------|
//   |--- decided ---|--------|--- decided -----|      the first and last radius pixels at an inner border are
//   dropped
//
// With wrapping they begin before the picture and read across its edges.
#include "models/upscaler/tiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace maquette::models {

namespace {

int64_t align_up(int64_t value) { return (value + kTileAlignment - 1) / kTileAlignment * kTileAlignment; }
int64_t align_down(int64_t value) { return value / kTileAlignment * kTileAlignment; }

}  // namespace

AxisWindows cut_axis(int64_t size, int64_t window, int radius, bool wraps) {
  const int64_t context = wraps ? align_up(radius) : radius;
  const int64_t least = 2 * context + 2 * kTileAlignment;
  window = std::max(window, least);
  AxisWindows axis;
  if (window >= size) {
    axis.window = size;
    axis.parts.push_back({.start = 0, .begin = 0, .end = size});
    return axis;
  }

  // Across edges: windows of step plus context on both sides, wherever they end.
  if (wraps) {
    const int64_t step = align_down(window - 2 * context);
    axis.window = step + 2 * context;
    for (int64_t begin = 0; begin < size; begin += step) {
      axis.parts.push_back({.start = begin - context, .begin = begin, .end = std::min(begin + step, size)});
    }
    return axis;
  }

  // Inside: the window leaves a multiple of the alignment, so that the last one ends at the edge and starts
  // aligned.
  axis.window = size - align_up(size - window);
  const int64_t step = align_down(axis.window - 2 * context);
  const int64_t last = size - axis.window;
  for (int64_t start = 0;; start += step) {
    start = std::min(start, last);
    const int64_t begin = axis.parts.empty() ? 0 : axis.parts.back().end;
    const int64_t end = start == last ? size : start + axis.window - context;
    axis.parts.push_back({.start = start, .begin = begin, .end = end});
    if (start == last) return axis;
  }
}

namespace {

struct Window {
  AxisWindows::Part y, x;
  int64_t height = 0, width = 0;
};

// Copies a window out of a picture [N, H, W, C]; places outside are read across the edges.
Tensor cut_out(Exec& ex, const Tensor& from, const Window& window) {
  const int64_t height = from.size(1);
  const int64_t width = from.size(2);
  const size_t pixel = static_cast<size_t>(from.size(3)) * size_of(from.dtype());
  Tensor out = ex.empty({from.size(0), window.height, window.width, from.size(3)}, from.dtype());
  const auto* source = static_cast<const std::byte*>(from.raw());
  auto* target = static_cast<std::byte*>(out.raw());
  const auto wrapped = [](int64_t i, int64_t size) { return (i % size + size) % size; };
  kernels::parallel_for(out.size(0) * window.height, 8, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const int64_t y = wrapped(window.y.start + row % window.height, height);
      const int64_t source_row = (row / window.height * height + y) * width;
      std::byte* to = target + static_cast<size_t>(row * window.width) * pixel;
      // A row is one run of pixels, or several where the window crosses an edge.
      for (int64_t done = 0; done < window.width;) {
        const int64_t x = wrapped(window.x.start + done, width);
        const int64_t run = std::min(window.width - done, width - x);
        std::memcpy(to + static_cast<size_t>(done) * pixel,
                    source + static_cast<size_t>(source_row + x) * pixel, static_cast<size_t>(run) * pixel);
        done += run;
      }
    }
  });
  return out;
}

// Copies the pixels that a window decides from its result to their place in the whole.
void put_back(const Tensor& result, const Window& window, int scale, Tensor& whole) {
  const size_t pixel = static_cast<size_t>(whole.size(3)) * size_of(whole.dtype());
  const int64_t rows = (window.y.end - window.y.begin) * scale;
  const int64_t columns = (window.x.end - window.x.begin) * scale;
  const int64_t from_y = (window.y.begin - window.y.start) * scale;
  const int64_t from_x = (window.x.begin - window.x.start) * scale;
  const auto* source = static_cast<const std::byte*>(result.raw());
  auto* target = static_cast<std::byte*>(whole.raw());
  kernels::parallel_for(whole.size(0) * rows, 8, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const int64_t image = row / rows;
      const int64_t y = row % rows;
      const int64_t from = (image * result.size(1) + from_y + y) * result.size(2) + from_x;
      const int64_t to =
          (image * whole.size(1) + window.y.begin * scale + y) * whole.size(2) + window.x.begin * scale;
      std::memcpy(target + static_cast<size_t>(to) * pixel, source + static_cast<size_t>(from) * pixel,
                  static_cast<size_t>(columns) * pixel);
    }
  });
}

// Gives the edges' wrapping back when the windows are done, or have failed.
class WrapGuard {
 public:
  explicit WrapGuard(Exec& ex) : ex_(ex), saved_(ex.wrap) {}
  ~WrapGuard() { ex_.wrap = saved_; }
  WrapGuard(const WrapGuard&) = delete;
  WrapGuard& operator=(const WrapGuard&) = delete;

 private:
  Exec& ex_;
  kernels::Wrap saved_;
};

}  // namespace

int64_t TileRunner::window_for(const Piece& piece, int64_t batch) const {
  if (options_.window > 0) return options_.window;
  if (options_.memory == 0) return 0;
  const double pixels =
      static_cast<double>(options_.memory) /
      static_cast<double>(std::max<int64_t>(piece.working_bytes, 1) * std::max<int64_t>(batch, 1));
  return std::max<int64_t>(static_cast<int64_t>(std::sqrt(pixels)), 1);
}

Tensor TileRunner::operator()(Exec& ex, const Tensor& x, const Piece& piece, const Body& body) const {
  const int64_t window = window_for(piece, x.size(0));
  const bool fits = window == 0 || (x.size(1) <= window && x.size(2) <= window);
  if (fits && options_.on_window) options_.on_window();
  Tensor out = fits ? body(ex, x) : in_windows(ex, x, piece, body);
  if (options_.on_piece) options_.on_piece();
  return out;
}

Tensor TileRunner::in_windows(Exec& ex, const Tensor& x, const Piece& piece, const Body& body) const {
  const int64_t side = window_for(piece, x.size(0));
  const AxisWindows rows = cut_axis(x.size(1), side, piece.radius, ex.wrap.y);
  const AxisWindows columns = cut_axis(x.size(2), side, piece.radius, ex.wrap.x);

  // An axis that is cut has its wrapped pixels in the windows; one that is not keeps wrapping inside the
  // network.
  const WrapGuard guard(ex);
  ex.wrap.y = ex.wrap.y && rows.parts.size() == 1;
  ex.wrap.x = ex.wrap.x && columns.parts.size() == 1;

  Tensor whole;
  for (const AxisWindows::Part& row : rows.parts) {
    for (const AxisWindows::Part& column : columns.parts) {
      if (options_.on_window) options_.on_window();
      const Window window{.y = row, .x = column, .height = rows.window, .width = columns.window};
      const Tensor result = body(ex, cut_out(ex, x, window));
      if (!whole.defined()) {
        whole = ex.empty({x.size(0), x.size(1) * piece.scale, x.size(2) * piece.scale, result.size(3)},
                         result.dtype());
      }
      put_back(result, window, piece.scale, whole);
    }
  }
  return whole;
}

}  // namespace maquette::models

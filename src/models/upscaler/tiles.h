// Running a piece of a network over a large picture window by window, with joins that cannot be seen: every
// window reads as far beyond its own pixels as the piece looks, so each output pixel is computed from what it
// would see in the whole picture.
#pragma once

#include <functional>
#include <vector>

#include "kernels/exec.h"

namespace maquette::models {

using kernels::Exec;

// What a piece of a network needs to be cut: all counts are for one input pixel of it.
struct Piece {
  int radius = 0;             // how many input pixels an output pixel looks away from its own place
  int scale = 1;              // output pixels along each axis
  int64_t working_bytes = 0;  // activations held while it runs
};

// One axis cut into windows of equal size. Starts lie on multiples of kTileAlignment, so that kernels which
// work in small blocks (Winograd's) cut a window as they cut the whole picture.
inline constexpr int64_t kTileAlignment = 12;
struct AxisWindows {
  struct Part {
    int64_t start = 0;           // of the window; may lie outside the picture where the axis wraps
    int64_t begin = 0, end = 0;  // the pixels that this window decides
  };
  int64_t window = 0;
  std::vector<Part> parts;
};
// `window` is the size aimed at; one part covers everything where the picture is not larger.
AxisWindows cut_axis(int64_t size, int64_t window, int radius, bool wraps);

class TileRunner {
 public:
  using Body = std::function<Tensor(Exec&, const Tensor&)>;

  struct Options {
    int64_t window = 0;               // side of the windows in pixels; 0: from the memory
    size_t memory = 0;                // bytes of activations inside one window; 0: never cut
    std::function<void()> on_piece;   // after each piece
    std::function<void()> on_window;  // before each window; throws to stop
  };
  TileRunner() = default;  // never cuts
  explicit TileRunner(Options options) : options_(std::move(options)) {}

  // body(x) for x [N, H, W, C] -> [N, H scale, W scale, C']. Axes that wrap (ex.wrap) and are cut take the
  // pixels around a window across the edges.
  Tensor operator()(Exec& ex, const Tensor& x, const Piece& piece, const Body& body) const;
  // The window's side for such a piece and batch; 0 where the runner never cuts.
  int64_t window_for(const Piece& piece, int64_t batch) const;

 private:
  Tensor in_windows(Exec& ex, const Tensor& x, const Piece& piece, const Body& body) const;

  Options options_;
};

}  // namespace maquette::models

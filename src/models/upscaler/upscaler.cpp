#include "models/upscaler/upscaler.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "nn/finite.h"
#include "weights/weight_file.h"

namespace maquette::models {

// --- loading ---

namespace {

// Names under which training programs wrap a network in a file; averaged weights first.
constexpr std::string_view kWrappers[] = {"params_ema", "params", "state_dict", "model_state_dict", "module"};

constexpr int kLargestScale = 16;

using Network = std::variant<RrdbNetwork, CompactNetwork>;

std::optional<Network> load_network(const nn::Scope& scope) {
  if (auto rrdb = load_rrdb(scope)) return Network(std::move(*rrdb));
  if (auto compact = load_compact(scope)) return Network(std::move(*compact));
  return std::nullopt;
}

}  // namespace

Upscaler Upscaler::load(const nn::Scope& scope) {
  std::optional<Network> found = load_network(scope);
  for (const std::string_view wrapper : kWrappers) {
    if (!found) found = load_network(scope / wrapper);
  }
  if (!found) {
    throw Error(ErrorCode::weights, "cannot use the upscaler")
        .with("found", "no network of a known kind")
        .with("expected",
              "ESRGAN, Real-ESRGAN (also compact), or the embedded network, in a published layout");
  }
  Upscaler upscaler;
  upscaler.network_ = std::move(*found);
  if (upscaler.scale() < 1 || upscaler.scale() > kLargestScale) {
    throw Error(ErrorCode::weights, "cannot use the upscaler")
        .with("found", fmt::format("a network that enlarges {} times", upscaler.scale()))
        .with("expected", fmt::format("at most {}", kLargestScale));
  }
  return upscaler;
}

Upscaler Upscaler::load(const std::filesystem::path& file) {
  // Every key layout is known here, so the names are taken as they are; upscalers take no adapters.
  const weights::SharedWeightFile source = weights::open_weight_file(file).take();
  weights::WeightMap map;
  for (const weights::TensorInfo& tensor : source->tensors()) {
    map.add(tensor.name, {.file = source, .name = tensor.name});
  }
  nn::Parameters parameters;
  try {
    return load(nn::Scope(weights::WeightScope(map), parameters));
  } catch (Error& error) {
    throw error.with("file", file.string());
  }
}

int Upscaler::scale() const {
  return std::visit([](const auto& network) { return network.scale(); }, network_);
}

int64_t Upscaler::channels() const {
  return std::visit([](const auto& network) { return network.channels(); }, network_);
}

int Upscaler::receptive_radius() const {
  return std::visit([](const auto& network) { return network.radius(); }, network_);
}

std::string_view Upscaler::kind() const {
  return std::holds_alternative<RrdbNetwork>(network_) ? "rrdb" : "compact";
}

int Upscaler::side_multiple() const {
  const auto* rrdb = std::get_if<RrdbNetwork>(&network_);
  return rrdb ? rrdb->fold : 1;
}

int64_t Upscaler::map_bytes(DType type) const {
  return std::visit([type](const auto& network) { return network.map_bytes(type); }, network_);
}

int Upscaler::pieces() const {
  return std::visit([](const auto& network) { return network.pieces(); }, network_);
}

Tensor Upscaler::run(nn::Exec& ex, const Tensor& x, const TileRunner& tiles) const {
  return std::visit([&](const auto& network) { return network(ex, x, tiles); }, network_);
}

// --- sides that a folding network cannot divide ---

namespace {

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// The first height rows and width columns, or more of them by mirroring at the lower and right edge.
Tensor resized_canvas(const Tensor& picture, int64_t height, int64_t width) {
  const int64_t planes = picture.size(0) * picture.size(1);
  const int64_t old_height = picture.size(2);
  const int64_t old_width = picture.size(3);
  Tensor out = Tensor::empty({picture.size(0), picture.size(1), height, width});
  const auto mirrored = [](int64_t i, int64_t size) {
    return i < size ? i : std::max<int64_t>(2 * size - 2 - i, 0);
  };
  for (int64_t row = 0; row < planes * height; ++row) {
    const float* from =
        picture.data().data() + (row / height * old_height + mirrored(row % height, old_height)) * old_width;
    float* to = out.data().data() + row * width;
    for (int64_t x = 0; x < width; ++x) to[x] = from[mirrored(x, old_width)];
  }
  return out;
}

void check_picture(const nn::Exec& ex, const Tensor& picture, int64_t channels, int fold) {
  if (picture.rank() != 4 || picture.size(1) != channels || picture.elements() == 0) {
    throw Error(ErrorCode::usage, "cannot upscale the picture")
        .with("found", picture.shape().text())
        .with("expected", fmt::format("[N, {}, H, W]", channels));
  }
  if ((ex.wrap.y && picture.size(2) % fold != 0) || (ex.wrap.x && picture.size(3) % fold != 0)) {
    throw Error(ErrorCode::usage, "cannot upscale the seamless picture")
        .with("found", fmt::format("{} x {} pixels", picture.size(3), picture.size(2)))
        .with("expected", fmt::format("a side that wraps is a multiple of {}", fold))
        .hint("this upscaler folds {} x {} pixels into one", fold, fold);
  }
}

}  // namespace

// --- the plan and the run ---

// One upscaling: the plan, the inner runner and the progress of both levels.
class TiledUpscale {
 public:
  TiledUpscale(const nn::Exec& ex, const Upscaler& upscaler, const Shape& picture,
               const UpscaleOptions& options);

  const UpscalePlan& plan() const { return plan_; }
  Tensor run(nn::Exec& ex, const Tensor& picture);

 private:
  void finish_piece(nn::Exec& ex);
  void report();

  const Upscaler& upscaler_;
  const UpscaleOptions& options_;
  UpscalePlan plan_;
  size_t window_memory_ = 0;
  int done_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

TiledUpscale::TiledUpscale(const nn::Exec& ex, const Upscaler& upscaler, const Shape& picture,
                           const UpscaleOptions& options)
    : upscaler_(upscaler), options_(options) {
  const int64_t batch = picture[0];
  const int64_t height = round_up(picture[2], upscaler.side_multiple());
  const int64_t width = round_up(picture[3], upscaler.side_multiple());
  const auto maps = static_cast<size_t>(upscaler.map_bytes(ex.activations));

  // A quarter of the memory is for the inside of a window, the rest for feature maps: those of the whole
  // picture, or of as large a square as fits.
  window_memory_ = options.memory / 4;
  const size_t map_memory = options.memory - window_memory_;
  const auto pixels = static_cast<size_t>(batch * height * width);
  plan_.tile = options.tile;
  if (plan_.tile == 0 && maps * pixels > map_memory) {
    const double fitting =
        static_cast<double>(map_memory) / static_cast<double>(maps * static_cast<size_t>(batch));
    plan_.tile = std::max<int64_t>(static_cast<int64_t>(std::sqrt(fitting)), 1);
  }

  const int reach = upscaler.receptive_radius();
  if (plan_.tile > 0) {
    plan_.overlap = options.overlap > 0 ? options.overlap : std::min(reach, kTileContext);
    const AxisWindows rows = cut_axis(height, plan_.tile, plan_.overlap, ex.wrap.y);
    const AxisWindows columns = cut_axis(width, plan_.tile, plan_.overlap, ex.wrap.x);
    plan_.tiles = static_cast<int>(rows.parts.size() * columns.parts.size());
    plan_.exact = plan_.tiles == 1 || plan_.overlap >= reach;
    const auto tile_pixels = static_cast<size_t>(batch * rows.window * columns.window);
    plan_.peak_bytes = maps * std::min(tile_pixels, pixels);
  } else {
    plan_.peak_bytes = maps * pixels;
  }
  const auto result = static_cast<size_t>(batch * height * width * upscaler.channels()) *
                      static_cast<size_t>(upscaler.scale() * upscaler.scale());
  plan_.peak_bytes += window_memory_ + result * (size_of(ex.activations) + sizeof(float));
}

void TiledUpscale::finish_piece(nn::Exec& ex) {
  ++done_;
  // Pieces of different kinds leave buffers of different sizes behind: they go back before they pile up.
  if (ex.pool.bytes_held() > plan_.peak_bytes) ex.pool.trim();
}

void TiledUpscale::report() {
  if (!options_.progress) return;
  const int total = plan_.tiles * upscaler_.pieces();
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const ProgressReport report{.phase = "upscaling",
                              .done = done_,
                              .total = total,
                              .seconds_left = done_ > 0 ? passed / done_ * (total - done_) : -1};
  if (!options_.progress(report)) throw Error(ErrorCode::cancelled, "upscaling was stopped");
}

Tensor TiledUpscale::run(nn::Exec& ex, const Tensor& picture) {
  const TileRunner inner({.window = options_.window,
                          .memory = window_memory_,
                          .on_piece = [this, &ex] { finish_piece(ex); },
                          .on_window =
                              [this, &ex] {
                                report();
                                if (ex.check_cancelled) ex.check_cancelled();
                              }});
  const TileRunner outer(
      {.window = plan_.tiles > 1 ? plan_.tile : 0, .memory = 0, .on_piece = {}, .on_window = {}});
  const Piece whole{.radius = plan_.overlap, .scale = upscaler_.scale(), .working_bytes = 0};
  const Tensor result = outer(ex, kernels::to_channels_last(ex, picture), whole,
                              [&](nn::Exec& e, const Tensor& t) { return upscaler_.run(e, t, inner); });
  report();
  return kernels::to_channels_first(result);
}

UpscalePlan plan_upscale(const nn::Exec& ex, const Upscaler& upscaler, const Shape& picture,
                         const UpscaleOptions& options) {
  return TiledUpscale(ex, upscaler, picture, options).plan();
}

Tensor upscale_tiled(nn::Exec& ex, const Upscaler& upscaler, const Tensor& picture,
                     const UpscaleOptions& options) {
  const int fold = upscaler.side_multiple();
  check_picture(ex, picture, upscaler.channels(), fold);
  const int64_t height = round_up(picture.size(2), fold);
  const int64_t width = round_up(picture.size(3), fold);
  const bool fits = height == picture.size(2) && width == picture.size(3);
  const Tensor canvas = fits ? picture : resized_canvas(picture, height, width);
  TiledUpscale job(ex, upscaler, canvas.shape(), options);
  const Tensor result = job.run(ex, canvas);
  nn::require_finite(result, "the upscaler");
  return fits
             ? result
             : resized_canvas(result, picture.size(2) * upscaler.scale(), picture.size(3) * upscaler.scale());
}

Tensor Upscaler::operator()(nn::Exec& ex, const Tensor& picture) const {
  const int divisor = side_multiple();
  check_picture(ex, picture, channels(), divisor);
  const int64_t height = round_up(picture.size(2), divisor);
  const int64_t width = round_up(picture.size(3), divisor);
  const Tensor canvas = resized_canvas(picture, height, width);
  const Tensor result =
      kernels::to_channels_first(run(ex, kernels::to_channels_last(ex, canvas), TileRunner()));
  return resized_canvas(result, picture.size(2) * scale(), picture.size(3) * scale());
}

}  // namespace maquette::models

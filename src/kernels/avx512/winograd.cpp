// Winograd convolution F(4x4, 3x3) for stride 1: the tiles of a part of the picture are transformed, then
// each task takes one panel of 32 output channels and a group of tiles: it transforms the panel's weights
// (they are kept as nine taps, so no more memory is held than by a direct convolution), multiplies plane by
// plane, and transforms the sums back while they are still in the second-level cache.
#include <algorithm>
#include <memory>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/product.h"
#include "kernels/avx512/weight_reader.h"
#include "kernels/avx512/winograd_core.h"

namespace maquette::kernels::avx512 {

namespace {

constexpr int64_t kGroupTiles = 128;             // of one task
constexpr int64_t kPartBytes = 8 * 1024 * 1024;  // of transformed tiles, per thread
constexpr int64_t kWeightBytes = 400 * 1024;     // of transformed weights in use at one time

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

struct Packed : PackedConv {
  Tensor w;  // [panels][channels padded][9][32]
  int64_t panels = 0;
  int64_t channels = 0;  // padded to 32
};

// One panel: [channels][9][32], from the kernels [in_channels][9] of its columns.
template <typename T>
void pack_panel(const ConvProblem& p, const WeightRows& weights, int64_t panel, T* target) {
  constexpr int64_t kRun = 128;  // of one kernel, so that what is written stays in the first-level cache
  const int64_t count = p.in_channels * 9;
  const int64_t columns = std::min(kPanelColumns, p.out_channels - panel * kPanelColumns);
  std::vector<float> scratch(static_cast<size_t>(columns * count));
  const auto room = room_for(weights, columns);
  const void* rows = weights.read(panel * kPanelColumns, panel * kPanelColumns + columns, room.get());
  std::vector<const float*> kernels;
  for (int64_t column = 0; column < columns; ++column) {
    kernels.push_back(as_f32(weights.dtype(), rows, column * count, count, scratch.data() + column * count));
  }
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(begin + kRun, count);
    for (int64_t column = 0; column < columns; ++column) {
      const float* kernel = kernels[static_cast<size_t>(column)];
      for (int64_t i = begin; i < end; ++i) target[i * kPanelColumns + column] = T(kernel[i]);
    }
  }
}

class WinogradRun {
 public:
  WinogradRun(const WinogradCore& core, const ConvProblem& p, const Packed& packed, const Tensor& x,
              const Finish& finish)
      : core_(core),
        packed_(packed),
        x_(x),
        finish_(finish),
        picture_{.height = p.height,
                 .width = p.width,
                 .channels = p.in_channels,
                 .out_height = p.out_height(),
                 .out_width = p.out_width(),
                 .columns = p.out_channels},
        element_(core.core->element),
        row_bytes_(packed.channels * element_) {
    for (int64_t n = 0; n < p.n; ++n) {
      for (int64_t y = 0; y < p.out_height(); y += kTileOutputs) {
        for (int64_t c = 0; c < p.out_width(); c += kTileOutputs) {
          tiles_.push_back({.image = static_cast<int32_t>(n),
                            .y = static_cast<int32_t>(y - p.geometry.pad_top),
                            .x = static_cast<int32_t>(c - p.geometry.pad_left),
                            .out_y = static_cast<int32_t>(y),
                            .out_x = static_cast<int32_t>(c)});
        }
      }
    }
  }
  void run(Exec& ex);

 private:
  void run_part(int64_t first, int64_t count);
  void run_group(int64_t first, int64_t count, const char* v, int64_t plane_bytes, int64_t panel, int worker);

  const WinogradCore& core_;
  const Packed& packed_;
  const Tensor& x_;
  const Finish& finish_;
  WinogradPicture picture_;
  int64_t element_;
  int64_t row_bytes_;  // of a transformed tile in one plane
  std::vector<WinogradTile> tiles_;
  Tensor v_;
  int64_t chunk_ = 0;                   // channels whose weights are transformed together
  std::vector<Tensor> weights_, sums_;  // one per worker
};

void WinogradRun::run(Exec& ex) {
  const auto tiles = static_cast<int64_t>(tiles_.size());
  // Parts of equal size, each with enough groups for all threads.
  const int64_t most =
      std::max<int64_t>(kPartBytes * thread_count() / (row_bytes_ * kFrequencies), kGroupTiles);
  const int64_t parts = (tiles + most - 1) / most;
  const int64_t part = (tiles + parts - 1) / parts;
  v_ = ex.empty({kFrequencies, part * row_bytes_ + 128}, DType::u8);

  const int64_t bytes_per_channel = kFrequencies * kPanelColumns * element_;
  const int64_t pieces = (packed_.channels * bytes_per_channel + kWeightBytes - 1) / kWeightBytes;
  chunk_ = round_up((packed_.channels + pieces - 1) / pieces, 32);
  for (int i = 0; i < thread_count(); ++i) {
    weights_.push_back(ex.empty({kFrequencies, chunk_ * kPanelColumns * element_ + 64}, DType::u8));
    sums_.push_back(ex.empty({kFrequencies, std::min(part, kGroupTiles) * kPanelColumns + 16}, DType::f32));
  }
  for (int64_t first = 0; first < tiles; first += part) run_part(first, std::min(part, tiles - first));
}

void WinogradRun::run_part(int64_t first, int64_t count) {
  auto* v = static_cast<char*>(v_.raw());
  const int64_t plane_bytes = count * row_bytes_ + 128;  // planes must not share their cache sets
  constexpr int64_t kTilesPerTask = 4;
  parallel_tasks((count + kTilesPerTask - 1) / kTilesPerTask, [&](int64_t task, int) {
    const int64_t begin = task * kTilesPerTask;
    core_.input({.picture = &picture_,
                 .x = x_.raw(),
                 .tiles = tiles_.data() + first + begin,
                 .tile_count = std::min(kTilesPerTask, count - begin),
                 .v = v + begin * row_bytes_,
                 .plane_bytes = plane_bytes,
                 .row_bytes = row_bytes_});
  });
  const int64_t groups = (count + kGroupTiles - 1) / kGroupTiles;
  const auto run = [&](int64_t task, int worker) {
    const int64_t group = task % groups;
    const int64_t begin = count * group / groups;
    const int64_t end = count * (group + 1) / groups;
    run_group(first + begin, end - begin, v + begin * row_bytes_, plane_bytes, task / groups, worker);
  };
  parallel_tasks(groups * packed_.panels, run, static_cast<int64_t>(sums_.size()));
}

void WinogradRun::run_group(int64_t first, int64_t count, const char* v, int64_t plane_bytes, int64_t panel,
                            int worker) {
  Tensor& weights = weights_[static_cast<size_t>(worker)];
  Tensor& sums = sums_[static_cast<size_t>(worker)];
  std::vector<RowTile> rows;
  cut_tiles(*core_.core, {.a_offset = 0, .row = 0, .block_row = 0, .rows = static_cast<int32_t>(count)},
            row_bytes_, rows);
  const int64_t no_offset = 0;
  const int64_t sums_plane = sums.size(1);
  const int64_t channel_bytes = 9 * kPanelColumns * element_;
  const auto* w = static_cast<const char*>(packed_.w.raw()) + panel * packed_.channels * channel_bytes;
  for (int64_t c = 0; c < packed_.channels; c += chunk_) {
    const int64_t depth = std::min(chunk_, packed_.channels - c);
    core_.weights({.w = w + c * channel_bytes,
                   .channels = depth,
                   .u = static_cast<char*>(weights.raw()),
                   .plane_bytes = weights.size(1)});
    for (int64_t f = 0; f < kFrequencies; ++f) {
      const char* plane = v + f * plane_bytes + c * element_;
      core_.core->multiply({.a = plane,
                            .fetch = Fetch::once,
                            .next_a = f + 1 < kFrequencies ? plane + plane_bytes : v,
                            .row_pitch = row_bytes_,
                            .tap_offset = &no_offset,
                            .taps = 1,
                            .depth = depth,
                            .b = static_cast<const char*>(weights.raw()) + f * weights.size(1),
                            .tiles = rows.data(),
                            .tile_count = static_cast<int64_t>(rows.size()),
                            .sums = sums.data().data() + f * sums_plane,
                            .sums_pitch = kPanelColumns,
                            .accumulate = c > 0});
    }
  }
  core_.output({.picture = &picture_,
                .finish = &finish_,
                .tiles = tiles_.data() + first,
                .tile_count = count,
                .sums = sums.data().data(),
                .plane_floats = sums_plane,
                .panel = panel});
}

}  // namespace

std::unique_ptr<PackedConv> pack_winograd(const WinogradCore& core, const ConvProblem& p,
                                          const WeightRows& w) {
  auto packed = std::make_unique<Packed>();
  packed->panels = (p.out_channels + kPanelColumns - 1) / kPanelColumns;
  packed->channels = round_up(p.in_channels, 32);
  const bool bf16 = core.core->element == 2;
  packed->w =
      Tensor::zeros({packed->panels, packed->channels, 9, kPanelColumns}, bf16 ? DType::bf16 : DType::f32);
  const int64_t panel_elements = packed->channels * 9 * kPanelColumns;
  const WeightRows rows = readable(w);
  parallel_for(packed->panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      if (bf16) {
        pack_panel(p, rows, panel, packed->w.data<bfloat16>().data() + panel * panel_elements);
      } else {
        pack_panel(p, rows, panel, packed->w.data().data() + panel * panel_elements);
      }
    }
  });
  return packed;
}

void run_winograd(Exec& ex, const WinogradCore& core, const ConvProblem& p, const PackedConv& form,
                  const Tensor& x, const ConvEpilogue& epilogue, Tensor& out) {
  const auto& packed = static_cast<const Packed&>(form);
  Tensor bias = Tensor::zeros({packed.panels * kPanelColumns});
  if (epilogue.bias) std::ranges::copy(epilogue.bias->data(), bias.data().begin());
  const Finish finish{.bias = bias.data().data(),
                      .per_image = epilogue.per_image ? epilogue.per_image->data().data() : nullptr,
                      .residual = epilogue.residual ? epilogue.residual->raw() : nullptr,
                      .out = out.raw(),
                      .columns = p.out_channels,
                      .rows_per_image = p.out_height() * p.out_width(),
                      .activation = epilogue.activation};
  WinogradRun(core, p, packed, x, finish).run(ex);
}

}  // namespace maquette::kernels::avx512

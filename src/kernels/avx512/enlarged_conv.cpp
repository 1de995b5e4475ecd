// A 3x3 convolution of a picture enlarged twofold, as four convolutions of 2x2, one for each position in a
// pixel. Row Y = 2 y + dy of the output reads the enlarged rows Y - 1, Y, Y + 1, which are the rows
//   dy = 0:  y - 1, y, y          weights of row y - 1: w0, of row y:     w1 + w2
//   dy = 1:  y,     y, y + 1      weights of row y:     w0 + w1, of y + 1: w2
// of the picture; columns likewise.
#include <array>

#include "kernels/avx512/avx512.h"
#include "kernels/avx512/core.h"
#include "kernels/row_ops.h"

namespace maquette::kernels::avx512 {

namespace {

struct Packed : PackedConv {
  std::array<std::unique_ptr<PackedConv>, 4> phases;  // dy dx = 00, 01, 10, 11
};

struct Phase {
  int dy, dx;
};

Phase phase_of(size_t index) {
  return {.dy = static_cast<int>(index / 2), .dx = static_cast<int>(index % 2)};
}

// One position as a convolution of the picture. Where an axis wraps, its padding is already part of the
// picture: the row that a position does not read is skipped.
ConvProblem phase_problem(const ConvProblem& p, const Phase& phase) {
  ConvProblem small = p;
  small.kernel_h = small.kernel_w = 2;
  small.geometry = {.stride = 1,
                    .pad_top = p.geometry.pad_top - phase.dy,
                    .pad_left = p.geometry.pad_left - phase.dx,
                    .pad_bottom = p.geometry.pad_bottom - 1 + phase.dy,
                    .pad_right = p.geometry.pad_right - 1 + phase.dx};
  return small;
}

// [O, I, 3, 3] -> [O, I, 2, 2] f32
Tensor phase_weights(const Tensor& w, const Phase& phase) {
  Tensor sums = Tensor::zeros({w.size(0), w.size(1), 2, 2});
  const float* from = w.data().data();
  float* to = sums.data().data();
  // Which of the two taps reads what the three rows (or columns) read.
  const auto tap = [](int k, int d) { return (k + 1 - d) / 2; };
  for (int64_t i = 0; i < w.size(0) * w.size(1); ++i, from += 9, to += 4) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 3; ++x) to[tap(y, phase.dy) * 2 + tap(x, phase.dx)] += from[y * 3 + x];
    }
  }
  return sums;
}

}  // namespace

bool rows_are_whole(const Core& core, int64_t width) { return width % core.row_step == 0; }

std::unique_ptr<PackedConv> pack_enlarged_conv(const Core& core, const ConvProblem& p, const WeightRows& w) {
  auto packed = std::make_unique<Packed>();
  const Tensor wide = widen(w.whole());
  for (size_t i = 0; i < packed->phases.size(); ++i) {
    const Phase phase = phase_of(i);
    packed->phases[i] = pack_conv(core, phase_problem(p, phase), phase_weights(wide, phase), {});
  }
  return packed;
}

void run_enlarged_conv(Exec& ex, const ConvProblem& p, const PackedConv& form, const Tensor& x,
                       const ConvEpilogue& epilogue, Tensor& out) {
  const auto& packed = static_cast<const Packed&>(form);
  for (size_t i = 0; i < packed.phases.size(); ++i) {
    const Phase phase = phase_of(i);
    const ConvProblem small = phase_problem(p, phase);
    const Finish finish{.per_image = epilogue.per_image ? epilogue.per_image->data().data() : nullptr,
                        .residual = epilogue.residual ? epilogue.residual->raw() : nullptr,
                        .out = out.raw(),
                        .columns = p.out_channels,
                        .rows_per_image = small.out_height() * small.out_width(),
                        .activation = epilogue.activation,
                        .phase_width = small.out_width(),
                        .phase_y = phase.dy,
                        .phase_x = phase.dx};
    run_conv_to(ex, small, *packed.phases[i], x, finish, epilogue.bias);
  }
}

}  // namespace maquette::kernels::avx512

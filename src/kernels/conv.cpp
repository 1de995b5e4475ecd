// The front of convolution: wrapped edges become real pixels, the implementation chosen for the problem runs
// it.
#include "kernels/conv.h"

#include <utility>

#include "kernels/ops.h"
#include "kernels/tuner.h"

namespace maquette::kernels {

double ConvProblem::flop() const {
  return 2.0 * static_cast<double>(n * out_height() * out_width()) * static_cast<double>(out_channels) *
         static_cast<double>(in_channels * kernel_h * kernel_w);
}

std::string ConvProblem::text() const {
  return fmt::format("conv{}x{}{} {}x{}x{}x{}->{} {}", kernel_h, kernel_w,
                     geometry.stride == 1 ? "" : fmt::format("/{}", geometry.stride), n, height, width,
                     in_channels, out_channels, name(type));
}

ConvWeights::ConvWeights(Tensor source) : source_(std::move(source)) {
  if (source_.shape().rank() != 4) {
    throw Error(ErrorCode::weights, "cannot use a tensor as convolution weights")
        .with("found", source_.shape().text())
        .with("expected", "[out, in, height, width]");
  }
}

void ConvWeights::set(WeightSource source) {
  if (!(source.shape() == source_.shape())) {
    throw Error(ErrorCode::weights, "cannot replace convolution weights")
        .with("found", source.shape().text())
        .with("expected", source_.shape().text());
  }
  source_ = std::move(source);
  forms_.outdate();
}

const PackedConv& ConvWeights::packed(const ConvImplementation& implementation,
                                      const ConvProblem& problem) const {
  return forms_.get(implementation, problem.type, [&](const Tensor& memory) {
    auto made = implementation.pack(problem, source_.open(), memory);
    source_.release();
    return made;
  });
}

namespace {

// Moves the padding of the axes that wrap out of the geometry and into the picture.
Tensor with_wrapped_edges(Exec& ex, const Tensor& x, ConvGeometry& geometry) {
  Padding padding;
  if (ex.wrap.y) {
    padding.top = std::exchange(geometry.pad_top, 0);
    padding.bottom = std::exchange(geometry.pad_bottom, 0);
  }
  if (ex.wrap.x) {
    padding.left = std::exchange(geometry.pad_left, 0);
    padding.right = std::exchange(geometry.pad_right, 0);
  }
  if (padding.top + padding.left + padding.bottom + padding.right == 0) return x;
  return pad_wrapped(ex, x, padding);
}

ConvProblem problem_of(const Tensor& picture, const ConvWeights& weights, const ConvGeometry& geometry) {
  return {.n = picture.size(0),
          .height = picture.size(1),
          .width = picture.size(2),
          .in_channels = weights.in_channels(),
          .out_channels = weights.out_channels(),
          .kernel_h = weights.kernel_h(),
          .kernel_w = weights.kernel_w(),
          .geometry = geometry,
          .type = picture.dtype()};
}

std::string text_of_one(ConvProblem problem) {
  problem.n = 1;
  return problem.text();
}

// Implementations read the epilogue's tensors as far as the problem's shape says.
void check_epilogue(const ConvProblem& p, const ConvEpilogue& epilogue, const Shape& out) {
  const auto refuse = [&p](std::string_view what, const Tensor& found, const Shape& expected) {
    throw Error(ErrorCode::weights, "cannot convolve with this {}", what)
        .with("found", found.shape().text())
        .with("expected", fmt::format("{} for {}", expected.text(), p.text()));
  };
  if (epilogue.bias && epilogue.bias->elements() != p.out_channels) {
    refuse("bias", *epilogue.bias, {p.out_channels});
  }
  if (epilogue.per_image && epilogue.per_image->elements() != p.n * p.out_channels) {
    refuse("vector per picture", *epilogue.per_image, {p.n, p.out_channels});
  }
  if (epilogue.residual && (!(epilogue.residual->shape() == out) || epilogue.residual->dtype() != p.type)) {
    refuse("residual", *epilogue.residual, out);
  }
}

}  // namespace

Tensor conv2d(Exec& ex, const Tensor& x, const ConvWeights& weights, const ConvGeometry& geometry,
              const ConvEpilogue& epilogue) {
  if (x.rank() != 4 || x.size(3) != weights.in_channels()) {
    throw Error(ErrorCode::weights, "cannot convolve")
        .with("found", x.shape().text())
        .with("expected", fmt::format("[N, H, W, {}]", weights.in_channels()));
  }
  ConvGeometry inner = geometry;
  const Tensor picture = with_wrapped_edges(ex, x, inner);
  const ConvProblem problem = problem_of(picture, weights, inner);
  if (problem.out_height() < 1 || problem.out_width() < 1) {
    throw Error(ErrorCode::usage, "cannot convolve a picture smaller than the kernel")
        .with("found", problem.text());
  }
  Tensor out =
      ex.empty({problem.n, problem.out_height(), problem.out_width(), problem.out_channels}, problem.type);
  check_epilogue(problem, epilogue, out.shape());
  const auto attempt = [&](const ConvImplementation& candidate) {
    return [&, packed = std::shared_ptr<PackedConv>(candidate.pack(problem, weights.source().open(), {}))] {
      candidate.run(ex, problem, *packed, picture, epilogue, out);
    };
  };
  const Candidates candidates(ex.tuner, conv_implementations(), problem, attempt);
  const ConvImplementation* chosen = candidates.choose([&] { return text_of_one(problem); });
  if (!chosen) throw Error(ErrorCode::failed, "no implementation for {}", problem.text());
  const PackedConv& packed = weights.packed(*chosen, problem);
  ProfileScope profile(ex, "", problem.flop());
  if (profile.active()) profile.detail(fmt::format("{} {}", problem.text(), chosen->name));
  chosen->run(ex, problem, packed, picture, epilogue, out);
  return out;
}

Tensor conv2d_enlarged(Exec& ex, const Tensor& x, const ConvWeights& weights, const ConvEpilogue& epilogue) {
  const auto enlarge_first = [&] {
    const Tensor large = resize_nearest(ex, x, 2 * x.size(1), 2 * x.size(2));
    return conv2d(ex, large, weights, ConvGeometry::same(weights.kernel_h()), epilogue);
  };
  ConvGeometry geometry = ConvGeometry::same(3);
  const bool fits = x.rank() == 4 && x.size(3) == weights.in_channels() && weights.kernel_h() == 3 &&
                    weights.kernel_w() == 3;
  if (!fits) return enlarge_first();
  Tensor picture = with_wrapped_edges(ex, x, geometry);
  const ConvProblem problem = problem_of(picture, weights, geometry);
  const Shape shape{x.size(0), 2 * x.size(1), 2 * x.size(2), problem.out_channels};
  check_epilogue(problem, epilogue, shape);
  const auto attempt = [&](const ConvImplementation& candidate) {
    return [&, packed = std::shared_ptr<PackedConv>(candidate.pack(problem, weights.source().open(), {})),
            out = ex.empty(shape, problem.type)]() mutable {
      candidate.run(ex, problem, *packed, picture, epilogue, out);
    };
  };
  Candidates candidates(ex.tuner, enlarged_conv_implementations(), problem, attempt);
  candidates.add({.name = "enlarge-first", .prepare = [&] {
                    enlarge_first();  // chooses for the large convolution, too
                    return enlarge_first;
                  }});
  const ConvImplementation* chosen = candidates.choose([&] { return "enlarged " + text_of_one(problem); });
  if (!chosen) {
    picture = {};  // its memory serves the large one
    return enlarge_first();
  }
  Tensor out = ex.empty(shape, problem.type);
  const PackedConv& packed = weights.packed(*chosen, problem);
  ProfileScope profile(ex, "", problem.flop() * 16 / 9);
  if (profile.active()) profile.detail(fmt::format("enlarged {} {}", problem.text(), chosen->name));
  chosen->run(ex, problem, packed, picture, epilogue, out);
  return out;
}

}  // namespace maquette::kernels

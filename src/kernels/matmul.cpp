// The front of matrix products: the implementation chosen for the problem runs it.
#include "kernels/matmul.h"

#include <algorithm>

#include "kernels/tuner.h"

namespace maquette::kernels {

std::string MatmulProblem::text() const {
  return fmt::format("matmul {}x{}->{}{} {}", rows, in_features, out_features, gated ? " gated" : "",
                     name(type));
}

MatmulWeights::MatmulWeights(const std::vector<Tensor>& parts) {
  for (const Tensor& part : parts) {
    if (part.rank() != 2 || part.size(1) != parts[0].size(1)) {
      throw Error(ErrorCode::weights, "cannot use a tensor as the weights of a linear layer")
          .with("found", part.shape().text())
          .with("expected", "[out, in]");
    }
    parts_.emplace_back(part);
    out_features_ += part.size(0);
  }
}

void MatmulWeights::set(size_t part, WeightSource source) {
  if (!(source.shape() == parts_.at(part).shape())) {
    throw Error(ErrorCode::weights, "cannot replace the weights of a linear layer")
        .with("found", source.shape().text())
        .with("expected", parts_[part].shape().text());
  }
  parts_[part] = std::move(source);
  forms_.outdate();
}

std::unique_ptr<PackedMatmul> MatmulWeights::pack(const MatmulImplementation& implementation,
                                                  const MatmulProblem& problem, const Tensor& memory) const {
  std::vector<WeightRows> rows;
  for (const WeightSource& part : parts_) rows.push_back(part.open());
  auto made = implementation.pack(problem, WeightRows::stacked(std::move(rows)), memory);
  for (const WeightSource& part : parts_) part.release();
  return made;
}

const PackedMatmul& MatmulWeights::packed(const MatmulImplementation& implementation,
                                          const MatmulProblem& problem) const {
  return forms_.get(implementation, problem.type,
                    [&](const Tensor& memory) { return pack(implementation, problem, memory); });
}

namespace {

// Implementations read the epilogue's tensors as far as the problem's shape says.
void check_epilogue(const MatmulProblem& p, const MatmulEpilogue& epilogue, const Tensor& out) {
  const auto refuse = [&p](std::string_view what, std::string found, std::string expected) {
    throw Error(ErrorCode::weights, "cannot multiply with this {}", what)
        .with("found", found)
        .with("expected", fmt::format("{} for {}", expected, p.text()));
  };
  if (p.gated && p.out_features % 2 != 0) {
    refuse("gate", fmt::format("{} features", p.out_features), "an even number");
  }
  if (epilogue.bias && epilogue.bias->elements() != p.out_features) {
    refuse("bias", epilogue.bias->shape().text(), fmt::format("[{}]", p.out_features));
  }
  if (epilogue.residual &&
      (!(epilogue.residual->shape() == out.shape()) || epilogue.residual->dtype() != p.type)) {
    refuse("residual", epilogue.residual->shape().text(), out.shape().text());
  }
}

}  // namespace

Tensor matmul(Exec& ex, const Tensor& x, const MatmulWeights& weights, const MatmulEpilogue& epilogue) {
  if (x.rank() < 1 || x.size(-1) != weights.in_features()) {
    throw Error(ErrorCode::weights, "cannot multiply by the weights of a linear layer")
        .with("found", x.shape().text())
        .with("expected", fmt::format("[..., {}]", weights.in_features()));
  }
  const MatmulProblem problem{.rows = x.elements() / weights.in_features(),
                              .in_features = weights.in_features(),
                              .out_features = weights.out_features(),
                              .type = x.dtype(),
                              .gated = epilogue.gated};
  Shape shape = x.shape();
  shape.set(-1, epilogue.gated ? problem.out_features / 2 : problem.out_features);
  Tensor out = ex.empty(shape, problem.type);
  check_epilogue(problem, epilogue, out);
  const auto attempt = [&](const MatmulImplementation& candidate) {
    return [&, packed = std::shared_ptr<PackedMatmul>(weights.pack(candidate, problem))] {
      candidate.run(ex, problem, *packed, x, epilogue, out);
    };
  };
  const Candidates candidates(ex.tuner, matmul_implementations(), problem, attempt);
  const MatmulImplementation* chosen = candidates.choose([&] {
    MatmulProblem one = problem;
    if (x.rank() > 1) one.rows /= std::max<int64_t>(x.size(0), 1);  // the first dimension counts the pictures
    return one.text();
  });
  if (!chosen) throw Error(ErrorCode::failed, "no implementation for {}", problem.text());
  const auto once = ex.packs_once ? weights.pack(*chosen, problem, ex.packed_once) : nullptr;
  const PackedMatmul& packed = once ? *once : weights.packed(*chosen, problem);
  ProfileScope profile(ex, "", problem.flop());
  if (profile.active()) profile.detail(fmt::format("{} {}", problem.text(), chosen->name));
  chosen->run(ex, problem, packed, x, epilogue, out);
  if (once) ex.packed_once = once->storage();
  return out;
}

}  // namespace maquette::kernels

// Matrix product with fixed weights in the library's own order. The gated product runs as one product twice
// as wide, and a pass that multiplies its halves.
#include <unordered_map>

#include "kernels/element.h"
#include "kernels/onednn/common.h"
#include "kernels/onednn/onednn.h"
#include "kernels/row_ops.h"

namespace maquette::kernels {

namespace {

using dnnl::memory;
using Primitive = dnnl::matmul;

Primitive::primitive_desc describe(const MatmulProblem& p, bool bias) {
  const auto type = onednn::type_of(p.type);
  const memory::desc x({p.rows, p.in_features}, type, memory::format_tag::ab);
  const memory::desc w({p.in_features, p.out_features}, type, memory::format_tag::any);
  const memory::desc out({p.rows, p.out_features}, type, memory::format_tag::ab);
  const memory::desc b({1, p.out_features}, memory::data_type::f32, memory::format_tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto product = bias ? Primitive::desc(x, w, b, out) : Primitive::desc(x, w, out);
  return {product, attributes, onednn::engine()};
}

struct Packed : PackedMatmul {
  Packed(const MatmulProblem& p, const Tensor& w)
      : layouts(memory::desc({p.in_features, p.out_features}, memory::data_type::f32, memory::format_tag::ba),
                w, describe(p, true).weights_desc()) {}

  struct Compiled {
    Primitive::primitive_desc description;
    Primitive primitive;
    memory weights;
  };
  const Compiled& compiled(const MatmulProblem& p, bool bias) const {
    const std::lock_guard lock(mutex);
    const auto key = std::pair(p.rows * 2 + bias, static_cast<int>(p.type));
    for (const auto& [rows, program] : programs) {
      if (rows == key) return *program;
    }
    const auto description = describe(p, bias);
    return *programs
                .emplace_back(key,
                              std::make_unique<Compiled>(Compiled{description, Primitive(description),
                                                                  layouts.in(description.weights_desc())}))
                .second;
  }

  mutable std::mutex mutex;
  mutable onednn::WeightLayouts layouts;
  mutable std::vector<std::pair<std::pair<int64_t, int>, std::unique_ptr<Compiled>>> programs;
};

void multiply(Exec& ex, const MatmulProblem& p, const Packed& packed, const Tensor& x, const Tensor* bias,
              Tensor& out) {
  try {
    const auto& program = packed.compiled(p, bias != nullptr);
    const auto& d = program.description;
    Tensor scratch = ex.empty({static_cast<int64_t>(d.scratchpad_desc().get_size()) + 1}, DType::u8);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, onednn::view(d.src_desc(), x)},
        {DNNL_ARG_WEIGHTS, program.weights},
        {DNNL_ARG_DST, onednn::view(d.dst_desc(), out)},
        {DNNL_ARG_SCRATCHPAD, onednn::view(d.scratchpad_desc(), scratch)}};
    const memory::desc bias_desc({1, p.out_features}, memory::data_type::f32, memory::format_tag::ab);
    if (bias) arguments.emplace(DNNL_ARG_BIAS, onednn::view(bias_desc, *bias));
    dnnl::stream stream(onednn::engine());
    program.primitive.execute(stream, arguments);
    stream.wait();
  } catch (const dnnl::error& error) {
    onednn::fail(error, p.text());
  }
}

// out = activation(first half of wide) * gelu(second half)
template <typename T>
void gate(const Tensor& wide, Activation activation, int64_t columns, Tensor& out) {
  const T* in = wide.data<T>().data();
  T* result = out.data<T>().data();
  parallel_for(out.elements() / columns, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t c = 0; c < columns; ++c) {
        const float value = activate(activation, static_cast<float>(in[row * 2 * columns + c]));
        const float passed = activate(Activation::gelu, static_cast<float>(in[(row * 2 + 1) * columns + c]));
        result[row * columns + c] = static_cast<T>(value * passed);
      }
    }
  });
}

void run(Exec& ex, const MatmulProblem& p, const PackedMatmul& form, const Tensor& x,
         const MatmulEpilogue& epilogue, Tensor& out) {
  if (p.rows == 0) return;
  const auto& packed = static_cast<const Packed&>(form);
  if (!p.gated) {
    multiply(ex, p, packed, x, epilogue.bias, out);
    onednn::apply({.residual = epilogue.residual, .activation = epilogue.activation}, 1, p.out_features, out);
    return;
  }
  Tensor wide = ex.empty({p.rows, p.out_features}, p.type);
  multiply(ex, p, packed, x, epilogue.bias, wide);
  by_type(p.type,
          [&](auto zero) { gate<decltype(zero)>(wide, epilogue.activation, p.out_features / 2, out); });
  onednn::apply({.residual = epilogue.residual}, 1, p.out_features / 2, out);
}

bool is_f32(const MatmulProblem& problem) { return problem.type == DType::f32; }
bool is_bf16(const MatmulProblem& problem) { return problem.type == DType::bf16; }

std::unique_ptr<PackedMatmul> pack(const MatmulProblem& problem, const WeightRows& w, const Tensor&) {
  return std::make_unique<Packed>(problem, widen(w.whole()));
}

}  // namespace

const MatmulImplementation kOnednnMatmulF32{
    .name = "onednn-f32", .accepts = is_f32, .pack = pack, .run = run};
const MatmulImplementation kOnednnMatmulBf16{
    .name = "onednn-bf16", .accepts = is_bf16, .pack = pack, .run = run};

}  // namespace maquette::kernels

// Direct convolution on channels-last pictures: the library chooses its own order of the weights (and, for
// few input channels, of the computation); bias is fused, the rest of the epilogue is one pass over the
// output.
#include <unordered_map>

#include "kernels/onednn/common.h"
#include "kernels/onednn/onednn.h"
#include "kernels/row_ops.h"

namespace maquette::kernels {

namespace {

using dnnl::memory;
using Primitive = dnnl::convolution_forward;

Primitive::primitive_desc describe(const ConvProblem& p, bool bias) {
  const auto type = onednn::type_of(p.type);
  const memory::desc x({p.n, p.in_channels, p.height, p.width}, type, memory::format_tag::nhwc);
  const memory::desc w({p.out_channels, p.in_channels, p.kernel_h, p.kernel_w}, type,
                       memory::format_tag::any);
  const memory::desc b =
      bias ? memory::desc({p.out_channels}, memory::data_type::f32, memory::format_tag::x) : memory::desc();
  const memory::desc out({p.n, p.out_channels, p.out_height(), p.out_width()}, type,
                         memory::format_tag::nhwc);
  const ConvGeometry& g = p.geometry;
  const Primitive::desc conv(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x, w, b,
                             out, {g.stride, g.stride}, {g.pad_top, g.pad_left}, {g.pad_bottom, g.pad_right});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {conv, attributes, onednn::engine()};
}

struct Packed : PackedConv {
  Packed(const ConvProblem& p, const Tensor& w)
      : layouts(memory::desc({p.out_channels, p.in_channels, p.kernel_h, p.kernel_w}, memory::data_type::f32,
                             memory::format_tag::oihw),
                w, describe(p, true).weights_desc()) {}

  struct Compiled {
    Primitive::primitive_desc description;
    Primitive primitive;
    memory weights;
  };
  // One compiled primitive per size of picture.
  const Compiled& compiled(const ConvProblem& p, bool bias) const {
    const std::lock_guard lock(mutex);
    const auto key = p.text() + fmt::format(" {} {} {} {} {}", p.geometry.pad_top, p.geometry.pad_left,
                                            p.geometry.pad_bottom, p.geometry.pad_right, bias);
    const auto found = programs.find(key);
    if (found != programs.end()) return *found->second;
    const auto description = describe(p, bias);
    auto made = std::make_unique<Compiled>(
        Compiled{description, Primitive(description), layouts.in(description.weights_desc())});
    return *programs.emplace(key, std::move(made)).first->second;
  }

  mutable std::mutex mutex;
  mutable onednn::WeightLayouts layouts;
  mutable std::unordered_map<std::string, std::unique_ptr<Compiled>> programs;
};

void run(Exec& ex, const ConvProblem& p, const PackedConv& packed, const Tensor& x,
         const ConvEpilogue& epilogue, Tensor& out) {
  try {
    const auto& program = static_cast<const Packed&>(packed).compiled(p, epilogue.bias != nullptr);
    const auto& d = program.description;
    Tensor scratch = ex.empty({static_cast<int64_t>(d.scratchpad_desc().get_size()) + 1}, DType::u8);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, onednn::view(d.src_desc(), x)},
        {DNNL_ARG_WEIGHTS, program.weights},
        {DNNL_ARG_DST, onednn::view(d.dst_desc(), out)},
        {DNNL_ARG_SCRATCHPAD, onednn::view(d.scratchpad_desc(), scratch)}};
    if (epilogue.bias) arguments.emplace(DNNL_ARG_BIAS, onednn::view(d.bias_desc(), *epilogue.bias));
    dnnl::stream stream(onednn::engine());
    program.primitive.execute(stream, arguments);
    stream.wait();
  } catch (const dnnl::error& error) {
    onednn::fail(error, p.text());
  }
  onednn::apply(
      {.per_image = epilogue.per_image, .residual = epilogue.residual, .activation = epilogue.activation},
      p.n, p.out_channels, out);
}

bool is_f32(const ConvProblem& problem) { return problem.type == DType::f32; }
bool is_bf16(const ConvProblem& problem) { return problem.type == DType::bf16; }

std::unique_ptr<PackedConv> pack(const ConvProblem& problem, const WeightRows& w, const Tensor&) {
  return std::make_unique<Packed>(problem, widen(w.whole()));
}

}  // namespace

const ConvImplementation kOnednnConvF32{.name = "onednn-f32", .accepts = is_f32, .pack = pack, .run = run};
const ConvImplementation kOnednnConvBf16{.name = "onednn-bf16", .accepts = is_bf16, .pack = pack, .run = run};

}  // namespace maquette::kernels

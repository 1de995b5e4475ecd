// What the oneDNN implementations share: the engine, views of tensors, and weights kept in the layouts asked
// for.
#pragma once

#include <dnnl.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "kernels/activation.h"
#include "kernels/exec.h"

namespace maquette::kernels::onednn {

inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

inline dnnl::memory::data_type type_of(DType type) {
  return type == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

inline dnnl::memory view(const dnnl::memory::desc& desc, const Tensor& t) {
  return dnnl::memory(desc, engine(), const_cast<void*>(t.raw()));
}

// One set of weights in every layout that some problem wanted. Not safe to use from several threads at once.
class WeightLayouts {
 public:
  // plain: [O, I, kh, kw] or [I, O] with strides, f32; `type` is that of the copies.
  WeightLayouts(const dnnl::memory::desc& plain, const Tensor& w, dnnl::memory::desc first) {
    add(view(plain, w), std::move(first));
  }
  const dnnl::memory& in(const dnnl::memory::desc& wanted) {
    for (const dnnl::memory& layout : layouts_) {
      if (layout.get_desc() == wanted) return layout;
    }
    return add(layouts_.front(), wanted);
  }

 private:
  const dnnl::memory& add(dnnl::memory from, const dnnl::memory::desc& wanted) {
    dnnl::memory to(wanted, engine());
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return layouts_.emplace_back(std::move(to));
  }
  std::vector<dnnl::memory> layouts_;
};

// out = activation(out + per_image) + residual, where bias has been added; out: [images, pixels, channels].
struct Epilogue {
  const Tensor* per_image = nullptr;  // [images, channels] f32
  const Tensor* residual = nullptr;   // as out
  Activation activation = Activation::none;
};
void apply(const Epilogue& epilogue, int64_t images, int64_t channels, Tensor& out);

// The parts of an Error for a failure inside the library.
[[noreturn]] void fail(const dnnl::error& error, const std::string& problem);

}  // namespace maquette::kernels::onednn

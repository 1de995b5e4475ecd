// The parts of an epilogue that are not worth a fused primitive here: one pass over the output.
#include "kernels/onednn/common.h"

#include "kernels/element.h"

namespace maquette::kernels::onednn {

namespace {

template <typename T>
void apply_typed(const Epilogue& e, int64_t rows_per_image, int64_t channels, Tensor& out) {
  T* data = out.data<T>().data();
  const T* residual = e.residual ? e.residual->data<T>().data() : nullptr;
  const float* per_image = e.per_image ? e.per_image->data().data() : nullptr;
  parallel_for(out.elements() / channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* shift = per_image ? per_image + row / rows_per_image * channels : nullptr;
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t i = row * channels + c;
        float value = static_cast<float>(data[i]);
        if (shift) value += shift[c];
        value = activate(e.activation, value);
        if (residual) value += static_cast<float>(residual[i]);
        data[i] = static_cast<T>(value);
      }
    }
  });
}

}  // namespace

void apply(const Epilogue& epilogue, int64_t images, int64_t channels, Tensor& out) {
  if (!epilogue.per_image && !epilogue.residual && epilogue.activation == Activation::none) return;
  const int64_t rows_per_image = out.elements() / (images * channels);
  by_type(out.dtype(),
          [&](auto zero) { apply_typed<decltype(zero)>(epilogue, rows_per_image, channels, out); });
}

void fail(const dnnl::error& error, const std::string& problem) {
  throw Error(ErrorCode::failed, "oneDNN cannot run {}", problem).with("found", error.what());
}

}  // namespace maquette::kernels::onednn

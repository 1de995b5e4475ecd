// The plain version of every product: one loop nest each, f32 sums, no cleverness. Slow on purpose, and the
// oracle against which all other implementations are tested.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/element.h"
#include "kernels/matmul.h"

namespace maquette::kernels {

namespace {

float value_or(const Tensor* t, int64_t index, float otherwise) {
  return t ? t->data()[static_cast<size_t>(index)] : otherwise;
}

template <typename T>
void conv_rows(const ConvProblem& p, const Tensor& w, const Tensor& x, const ConvEpilogue& epilogue,
               Tensor& out) {
  const T* in = x.data<T>().data();
  const float* weights = w.data().data();
  T* result = out.data<T>().data();
  const int64_t rows = p.out_height();
  const int64_t columns = p.out_width();
  parallel_for(p.n * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t image = row / rows;
      for (int64_t column = 0; column < columns; ++column) {
        for (int64_t o = 0; o < p.out_channels; ++o) {
          float sum = 0;
          for (int ky = 0; ky < p.kernel_h; ++ky) {
            const int64_t y = row % rows * p.geometry.stride + ky - p.geometry.pad_top;
            if (y < 0 || y >= p.height) continue;
            for (int kx = 0; kx < p.kernel_w; ++kx) {
              const int64_t xx = column * p.geometry.stride + kx - p.geometry.pad_left;
              if (xx < 0 || xx >= p.width) continue;
              const T* pixel = in + ((image * p.height + y) * p.width + xx) * p.in_channels;
              const float* kernel = weights + (o * p.in_channels * p.kernel_h + ky) * p.kernel_w + kx;
              const int64_t plane = static_cast<int64_t>(p.kernel_h) * p.kernel_w;
              for (int64_t i = 0; i < p.in_channels; ++i)
                sum += static_cast<float>(pixel[i]) * kernel[i * plane];
            }
          }
          sum += value_or(epilogue.bias, o, 0);
          sum += value_or(epilogue.per_image, image * p.out_channels + o, 0);
          sum = activate(epilogue.activation, sum);
          const int64_t index = (row * columns + column) * p.out_channels + o;
          if (epilogue.residual) sum += element<T>(*epilogue.residual, index);
          result[index] = static_cast<T>(sum);
        }
      }
    }
  });
}

template <typename T>
void matmul_rows(const MatmulProblem& p, const Tensor& w, const Tensor& x, const MatmulEpilogue& epilogue,
                 Tensor& out) {
  const T* in = x.data<T>().data();
  const float* weights = w.data().data();
  T* result = out.data<T>().data();
  const int64_t columns = p.gated ? p.out_features / 2 : p.out_features;
  const auto product = [&](int64_t row, int64_t o) {
    float sum = 0;
    for (int64_t i = 0; i < p.in_features; ++i) {
      sum += static_cast<float>(in[row * p.in_features + i]) * weights[o * p.in_features + i];
    }
    return sum + value_or(epilogue.bias, o, 0);
  };
  parallel_for(p.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t o = 0; o < columns; ++o) {
        float value = activate(epilogue.activation, product(row, o));
        if (p.gated) value *= activate(Activation::gelu, product(row, o + columns));
        const int64_t index = row * columns + o;
        if (epilogue.residual) value += element<T>(*epilogue.residual, index);
        result[index] = static_cast<T>(value);
      }
    }
  });
}

template <typename T>
void attention_rows(const AttentionInput& a, Tensor& out) {
  const auto* q = static_cast<const T*>(a.q);
  const auto* k = static_cast<const T*>(a.k);
  const auto* v = static_cast<const T*>(a.v);
  T* result = out.data<T>().data();
  const float factor = a.scale != 0 ? a.scale : 1 / std::sqrt(static_cast<float>(a.head_size));
  parallel_for(a.n * a.heads * a.q_length, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scores(static_cast<size_t>(a.k_length));
    std::vector<float> sums(static_cast<size_t>(a.head_size));
    for (int64_t index = begin; index < end; ++index) {
      const int64_t token = index % a.q_length;
      const int64_t head = index / a.q_length % a.heads;
      const int64_t image = index / a.q_length / a.heads;
      const T* query = q + (image * a.q_length + token) * a.q_stride + head * a.head_size;
      const int64_t visible = a.causal ? std::min(token + 1, a.k_length) : a.k_length;
      float largest = -std::numeric_limits<float>::infinity();
      for (int64_t j = 0; j < visible; ++j) {
        const T* key = k + (image * a.k_length + j) * a.k_stride + head * a.head_size;
        float score = 0;
        for (int64_t i = 0; i < a.head_size; ++i)
          score += static_cast<float>(query[i]) * static_cast<float>(key[i]);
        score *= factor;
        if (a.bias.defined()) {
          const int64_t bias_image = a.bias.size(0) == 1 ? 0 : image;
          score += a.bias.data()[static_cast<size_t>((bias_image * a.q_length + token) * a.k_length + j)];
        }
        scores[static_cast<size_t>(j)] = score;
        largest = std::max(largest, score);
      }
      float total = 0;
      std::ranges::fill(sums, 0.0f);
      for (int64_t j = 0; j < visible && largest > -std::numeric_limits<float>::infinity(); ++j) {
        const float weight = std::exp(scores[static_cast<size_t>(j)] - largest);
        total += weight;
        const T* value = v + (image * a.k_length + j) * a.v_stride + head * a.head_size;
        for (int64_t i = 0; i < a.head_size; ++i)
          sums[static_cast<size_t>(i)] += weight * static_cast<float>(value[i]);
      }
      T* target = result + (image * a.q_length + token) * a.heads * a.head_size + head * a.head_size;
      for (int64_t i = 0; i < a.head_size; ++i) {
        target[i] = static_cast<T>(total > 0 ? sums[static_cast<size_t>(i)] / total : 0.0f);
      }
    }
  });
}

}  // namespace

void conv2d_reference(const ConvProblem& problem, const Tensor& w, const Tensor& x,
                      const ConvEpilogue& epilogue, Tensor& out) {
  if (problem.type == DType::bf16) {
    conv_rows<bfloat16>(problem, w, x, epilogue, out);
  } else {
    conv_rows<float>(problem, w, x, epilogue, out);
  }
}

void matmul_reference(const MatmulProblem& problem, const Tensor& w, const Tensor& x,
                      const MatmulEpilogue& epilogue, Tensor& out) {
  if (problem.type == DType::bf16) {
    matmul_rows<bfloat16>(problem, w, x, epilogue, out);
  } else {
    matmul_rows<float>(problem, w, x, epilogue, out);
  }
}

void attention_reference(const AttentionInput& input, Tensor& out) {
  if (input.type == DType::bf16) {
    attention_rows<bfloat16>(input, out);
  } else {
    attention_rows<float>(input, out);
  }
}

}  // namespace maquette::kernels
